"""A home over a real broker: found by discovery, called, confirmed, refused, away and back."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from core.errors import ParameterError
from verticals.voice.action.connector import DeviceError, ServiceCall, UnreachableError
from verticals.voice.action.executor import Executor, Retry
from verticals.voice.action.journal import Journal
from verticals.voice.action.mqtt import MqttLink, MqttSettings
from verticals.voice.action.mqtt_connector import MqttConnector
from verticals.voice.action.mqtt_devices import MqttDevices
from verticals.voice.command import Command, Slot
from verticals.voice.home.model import Home
from verticals.voice.home.simulated import SimulatedHome

HOME = Home.open()
ON = ServiceCall("light.kitchen", "turn_on")


def _settings(broker: Any, **more: Any) -> MqttSettings:
    return MqttSettings(
        host="127.0.0.1", port=broker.port, timeout_s=1, longest_pause_s=0.3, **more
    )


def _with(
    broker: Any, work: Callable[[MqttConnector, MqttDevices, Any], Awaitable[None]], **more: Any
) -> None:
    """A simulated home on the broker, a connector to it, and a client that plays another."""
    import aiomqtt

    async def run() -> None:
        settings = _settings(broker, **more)
        simulated = SimulatedHome(HOME)
        devices = MqttDevices(settings, HOME, simulated)
        connector = MqttConnector(settings)
        await devices.start()
        await connector.start()
        try:
            async with aiomqtt.Client("127.0.0.1", broker.port) as other, asyncio.timeout(20):
                await work(connector, devices, other)
        finally:
            await connector.stop()
            await devices.stop()

    asyncio.run(run())


async def _soon(so: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(5):
        while not await so():
            await asyncio.sleep(0.02)


def test_a_home_is_found_worked_and_confirmed(broker: Any) -> None:
    async def work(connector: MqttConnector, _devices: MqttDevices, _other: Any) -> None:
        assert (await connector.state("light.kitchen"))["state"] == "off"
        executor = Executor(connector, Journal.open(None), HOME)
        level = (Slot(name="brightness", value=40.0),)
        commands = [
            Command(intent="HassLightSet", entities=("light.kitchen",), slots=level),
            Command(intent="HassGetState", entities=("light.kitchen",)),
            Command(intent="HassStartTimer", slots=(Slot(name="minutes", value=5.0),)),
            Command(intent="HassTimerStatus"),
        ]
        outcomes = await executor.run(commands)
        assert [o.status for o in outcomes] == ["done", "answered", "done", "answered"]
        assert outcomes[1].says == "The kitchen light is on at 40 percent."
        assert {e.id for e in connector.entities()} >= set(HOME.by_id)

    _with(broker, work)


def test_a_call_delivered_twice_acts_once(broker: Any) -> None:
    async def work(connector: MqttConnector, _devices: MqttDevices, other: Any) -> None:
        body = json.dumps({"id": "same", "service": "add_item", "data": {"item": "tea"}})
        await other.subscribe("casekit/home/todo-chores/done")
        for _ in range(3):
            await other.publish("casekit/home/todo-chores/call", body, qos=1)
        answers = []
        async for message in other.messages:  # this broker sends other retained messages too
            if str(message.topic).endswith("/done"):
                answers.append(json.loads(message.payload))
            if len(answers) == 3:
                break
        assert answers == [{"id": "same", "error": None}] * 3
        call = ServiceCall("todo.chores", "add_item", {"item": "rum"})
        for _ in range(2):
            await connector.apply("other", call)
        items = (await connector.state("todo.chores"))["attributes"]["items"]
        assert (items.count("tea"), items.count("rum")) == (1, 1)

    _with(broker, work)


def test_refusals_and_unknown_devices_are_told(broker: Any) -> None:
    async def work(connector: MqttConnector, _devices: MqttDevices, _other: Any) -> None:
        with pytest.raises(DeviceError, match="no service"):
            await connector.apply("1", ServiceCall("light.kitchen", "explode"))
        for ask in (
            connector.state("light.mars"),
            connector.apply("2", ServiceCall("light.mars", "x")),
        ):
            with pytest.raises(DeviceError, match="No such device"):
                await ask

    _with(broker, work)


def test_home_assistant_can_work_our_devices(broker: Any) -> None:
    """By the plain payloads that our discovery configuration tells it to send."""

    async def work(connector: MqttConnector, _devices: MqttDevices, other: Any) -> None:
        base = "casekit/home"
        for topic, payload in (("light-kitchen/set", "on"),
                               ("light-bedroom/set/brightness_pct", "30"),
                               ("cover-office_shade/set/position", "20"),
                               ("climate-office/set/hvac_mode", "cool"),
                               ("lock-back_door/set", "lock")):  # fmt: skip
            await other.publish(f"{base}/{topic}", payload, qos=1)

        async def so() -> bool:
            names = ("light.kitchen", "light.bedroom", "climate.office", "lock.back_door")
            states = [(await connector.state(name))["state"] for name in names]
            shade = (await connector.state("cover.office_shade"))["attributes"]["position"]
            return states == ["on", "on", "cool", "locked"] and shade == 20

        await _soon(so)

    _with(broker, work)


def test_nonsense_from_others_harms_nothing(broker: Any) -> None:
    async def work(connector: MqttConnector, _devices: MqttDevices, other: Any) -> None:
        odd = (b"", b"{", b"\xff\xfe", b"[]", b'{"id": 5}', b"[" * 3000, b"x" * 300_000,
               b'{"id": "", "service": "turn_on"}', b'{"id": "a", "service": 5}')  # fmt: skip
        for payload in odd:
            for topic in ("light-kitchen/call", "light-kitchen/set/brightness_pct", "nowhere/call",
                          "light-kitchen/state", "light-kitchen/done"):  # fmt: skip
                await other.publish(f"casekit/home/{topic}", payload, qos=1)
            await other.publish("homeassistant/light/evil/config", payload, qos=1)
        await connector.apply("1", ON)
        assert (await connector.state("light.kitchen"))["state"] == "on"

    _with(broker, work)


def test_devices_that_vanish_are_offline_and_come_back(broker: Any) -> None:
    async def work(connector: MqttConnector, devices: MqttDevices, _other: Any) -> None:
        await connector.apply("1", ON)
        await devices.stop()

        async def gone() -> bool:
            return (await connector.state("light.kitchen"))["state"] == "unavailable"

        await _soon(gone)
        with pytest.raises(UnreachableError, match="offline"):
            await connector.apply("2", ON)
        again = MqttDevices(_settings(broker), HOME, SimulatedHome(HOME))
        await again.start()

        async def back() -> bool:
            return (await connector.state("light.kitchen"))["state"] == "off"

        await _soon(back)
        await again.stop()

    _with(broker, work)


def test_a_device_of_another_maker_is_found_and_worked(broker: Any) -> None:
    async def work(connector: MqttConnector, _devices: MqttDevices, other: Any) -> None:
        config = {"name": "Plug", "~": "plug7", "cmd_t": "~/POWER", "stat_t": "~/STATE",
                  "val_tpl": "{{value_json.POWER}}", "uniq_id": "plug7"}  # fmt: skip
        await other.subscribe("plug7/POWER")
        await other.publish("homeassistant/switch/plug7/config", json.dumps(config), retain=True)

        async def play() -> None:
            async for message in other.messages:
                state = json.dumps({"POWER": message.payload.decode()})
                await other.publish("plug7/STATE", state, retain=True)

        player = asyncio.create_task(play())
        await _soon(lambda: _found(connector, "switch.plug7"))
        home = HOME.model_copy(update={"entities": (*HOME.entities, *connector.entities()[-1:])})
        home = Home(**{name: getattr(home, name) for name in Home.model_fields})
        executor = Executor(connector, Journal.open(None), home, retry=Retry(deadline_s=5))
        (outcome,) = await executor.run([Command(intent="HassTurnOn", entities=("switch.plug7",))])
        assert (outcome.status, outcome.says) == ("done", "The plug is on.")
        assert not connector.remembers
        player.cancel()

    _with(broker, work)


async def _found(connector: MqttConnector, name: str) -> bool:
    return any(e.id == name for e in connector.entities())


def test_a_killed_broker_is_told_at_once_and_found_again(broker: Any) -> None:
    async def work(connector: MqttConnector, _devices: MqttDevices, _other: Any) -> None:
        await connector.apply("1", ON)
        broker.kill()
        with pytest.raises(UnreachableError):
            await connector.apply("2", ServiceCall("light.kitchen", "turn_off"))
        executor = Executor(connector, Journal.open(None), HOME, retry=Retry(deadline_s=15))
        off = Command(intent="HassTurnOff", entities=("light.kitchen",))
        sent = asyncio.create_task(executor.run([off]))
        await asyncio.sleep(0.2)
        await asyncio.to_thread(broker.start)
        assert [o.status for o in await sent] == ["done"]

    _with(broker, work)


def test_no_broker_is_told_with_address(broker: Any) -> None:
    broker.kill()

    async def run() -> None:
        with pytest.raises(UnreachableError, match=rf"does not answer.*127\.0\.0\.1:{broker.port}"):
            await MqttConnector(_settings(broker)).start(wait_s=0.5)

    asyncio.run(run())


def _guarded(broker: Any, folder: Path) -> None:
    """A broker with a password and TLS, and the certificate to check it by."""
    from argon2 import PasswordHasher
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name)
    certificate = (
        builder.public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "cert.pem").write_bytes(certificate.public_bytes(pem))
    (folder / "key.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    (folder / "passwords").write_text(f"ana:{PasswordHasher().hash('right')}\n")
    broker.kill()
    broker.plugins = {
        "amqtt.plugins.authentication.FileAuthPlugin": {"password_file": str(folder / "passwords")}
    }
    broker.listener = {"ssl": True, "certfile": str(folder / "cert.pem"),
                       "keyfile": str(folder / "key.pem")}  # fmt: skip
    broker.start()


def test_tls_and_password_are_checked_on_both_sides(
    broker: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    _guarded(broker, tmp_path)
    good = MqttSettings(
        host="localhost", port=broker.port, username="ana", password=SecretStr("right"), tls=True,
        ca_file=tmp_path / "cert.pem", longest_pause_s=0.2,
    )  # fmt: skip

    async def start(**change: Any) -> None:
        link = MqttLink(good.model_copy(update=change), lambda _topic, _payload: None, ("a/+",))
        await link.start(wait_s=3)
        await link.publish("a/b", b"1")
        await link.stop()

    asyncio.run(start())
    with pytest.raises(DeviceError, match="refuses user name and password") as refused:
        asyncio.run(start(password=SecretStr("wr0ng")))
    assert "wr0ng" not in str(refused.value)
    with pytest.raises(UnreachableError):  # a certificate nobody vouches for
        asyncio.run(start(ca_file=None))
    assert "right" not in caplog.text
    assert "right" not in repr(good) + good.model_dump_json()


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("HOST", "broker.lan"), ("PORT", "8883"), ("TLS", "1"),
                        ("PASSWORD", "pssst")):  # fmt: skip
        monkeypatch.setenv(f"CASEKIT_MQTT_{name}", value)
    found = MqttSettings.from_environment()
    assert (found.host, found.port, found.tls) == ("broker.lan", 8883, True)
    monkeypatch.setenv("CASEKIT_MQTT_PORT", "many")
    with pytest.raises(ParameterError, match="CASEKIT_MQTT_PORT") as refused:
        MqttSettings.from_environment()
    assert "pssst" not in str(refused.value)
