"""Home Assistant by REST and WebSocket, against a fake that speaks its documented messages."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from core.errors import ParameterError
from verticals.voice.action.connector import (
    DeviceError,
    ServiceCall,
    UncertainError,
    UnreachableError,
)
from verticals.voice.action.executor import Executor, Retry
from verticals.voice.action.home_assistant import TOKEN as VARIABLE
from verticals.voice.action.home_assistant import HomeAssistantConnector
from verticals.voice.action.home_assistant_home import translated
from verticals.voice.action.journal import Journal
from verticals.voice.command import Command, Slot

_SPEC = importlib.util.spec_from_file_location(
    "fake_home_assistant", Path(__file__).with_name("fake_home_assistant.py")
)
assert _SPEC is not None
assert _SPEC.loader is not None
fakes = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(fakes)


def _with(work: Callable[[Any, HomeAssistantConnector], Awaitable[None]]) -> None:
    async def run() -> None:
        async with fakes.running() as fake, asyncio.timeout(20):
            url = f"http://127.0.0.1:{fake.port}"
            connector = HomeAssistantConnector(
                url, SecretStr(fakes.TOKEN), timeout_s=1, longest_pause_s=0.2
            )
            await connector.start()
            try:
                await work(fake, connector)
            finally:
                await connector.stop()

    asyncio.run(run())


def test_states_come_in_the_units_of_the_kit() -> None:
    async def work(fake: Any, connector: HomeAssistantConnector) -> None:
        player = await connector.state("media_player.tv")
        assert player == {"state": "playing", "attributes": {"volume_level": 40.0}}
        assert (await connector.state("cover.blind"))["attributes"]["position"] == 70

    _with(work)
    light = {"state": "on", "attributes": {"brightness": 128, "rgb_color": [1, 2, 3]}}
    assert translated(light)["attributes"] == {"brightness": 50.2}


def test_calls_arrive_and_changes_are_heard() -> None:
    async def work(fake: Any, connector: HomeAssistantConnector) -> None:
        heard: list[tuple[str, str]] = []
        end = connector.subscribe(lambda name, state: heard.append((name, state["state"])))
        assert await connector.listening()
        heard.clear()
        call = ServiceCall(fakes.LIGHT, "turn_on", {"brightness_pct": 40})
        await connector.apply("1", call)
        assert fake.calls == [
            ("light", "turn_on", {"entity_id": fakes.LIGHT, "brightness_pct": 40})
        ]
        await asyncio.sleep(0.1)
        assert heard == [(fakes.LIGHT, "on")]
        end()
        await fake.change(fakes.LIGHT, "off")
        await asyncio.sleep(0.1)
        assert len(heard) == 1

    _with(work)


def test_events_come_again_after_a_restart() -> None:
    async def work(fake: Any, connector: HomeAssistantConnector) -> None:
        heard: list[str] = []
        connector.subscribe(lambda name, _state: heard.append(name))
        assert await connector.listening()
        await fake.drop_sockets()
        await asyncio.sleep(0.5)
        assert await connector.listening()
        heard.clear()
        await fake.change(fakes.LIGHT, "on")
        await asyncio.sleep(0.1)
        assert heard == [fakes.LIGHT]

    _with(work)


def test_a_command_is_confirmed_by_the_state_and_tried_again_while_it_is_busy() -> None:
    async def work(fake: Any, connector: HomeAssistantConnector) -> None:
        home = await connector.home()
        assert await connector.listening()
        fake.stumbles = 2
        executor = Executor(connector, Journal.open(None), home, retry=Retry(first_s=0.01))
        level = Slot(name="brightness", value=40.0)
        (outcome,) = await executor.run(
            [Command(intent="HassLightSet", entities=(fakes.LIGHT,), slots=(level,))]
        )
        assert (outcome.status, outcome.says) == ("done", "The kitchen light is at 40 percent.")
        assert len(fake.calls) == 1

    _with(work)


def test_the_home_is_read_from_the_registries() -> None:
    async def work(fake: Any, connector: HomeAssistantConnector) -> None:
        home = await connector.home()
        light = home.by_id[fakes.LIGHT]
        assert (light.name, light.area, light.aliases) == (
            "Kitchen Light", "kitchen", ("cooker light",)
        )  # fmt: skip
        assert set(light.features) == {"brightness", "colour", "colour_temperature"}
        assert home.area_by_id["kitchen"].floor == "ground"
        assert home.by_id["cover.blind"].device_class == "blind"
        assert "sensor.hidden" not in home.by_id

    _with(work)


def test_what_may_not_be_done_twice_is_not_repeated_when_its_answer_is_lost() -> None:
    async def work(fake: Any, connector: HomeAssistantConnector) -> None:
        with pytest.raises(UncertainError):
            await connector.apply("1", ServiceCall("media_player.tv", "media_next_track"))
        executor = Executor(connector, Journal.open(None), await connector.home())
        (outcome,) = await executor.run(
            [Command(intent="HassMediaNext", entities=("media_player.tv",))]
        )
        assert outcome.status == "failed"
        assert "not sure" in outcome.says
        assert len(fake.calls) == 2  # one of each, none repeated

    _with(work)


def test_unknown_entities_and_services_and_paths_are_refused() -> None:
    async def work(fake: Any, connector: HomeAssistantConnector) -> None:
        with pytest.raises(DeviceError, match=r"no such entity.*light\.nowhere"):
            await connector.state("light.nowhere")
        with pytest.raises(DeviceError, match="no such entity"):
            await connector.apply("1", ServiceCall("light.nowhere", "turn_on"))
        with pytest.raises(DeviceError, match="refuses the call"):
            await connector.apply("1", ServiceCall(fakes.LIGHT, "no_such_service"))
        for bad in ("light/../config", "light.x?y", "light.%2e", ""):
            with pytest.raises(DeviceError, match="no name"):
                await connector.state(bad)
        assert fake.calls == []

    _with(work)


def test_a_wrong_token_is_told_and_never_shown(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def run() -> None:
        async with fakes.running() as fake:
            url = f"http://127.0.0.1:{fake.port}"
            connector = HomeAssistantConnector(url, SecretStr("my-secret-token"))
            with pytest.raises(DeviceError, match="refuses the token") as refused:
                await connector.start()
            assert VARIABLE in str(refused.value)
            assert "my-secret" not in str(refused.value) + repr(vars(connector))

    asyncio.run(run())
    assert "my-secret" not in caplog.text


def test_nobody_there_is_told() -> None:
    async def run() -> None:
        connector = HomeAssistantConnector("http://127.0.0.1:9", SecretStr("t"), timeout_s=1)
        with pytest.raises(UnreachableError, match="does not answer"):
            await connector.start()

    asyncio.run(run())


def test_address_and_token_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(ParameterError, match=VARIABLE):
        HomeAssistantConnector("http://x:8123")
    for url in ("ftp://x", "homeassistant.local", "http://me:secret@x:8123"):
        with pytest.raises(ParameterError, match="address") as refused:
            HomeAssistantConnector(url, SecretStr("t"))
        assert "secret" not in str(refused.value)
