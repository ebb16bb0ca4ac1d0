"""Commands over a real MQTT broker: seconds to the confirmed state, ten users, beside plain paho.

`python -m bench.voice.action` starts amqtt and a simulated home as processes of their own. The
baseline in the same run does what a script does: publish with QoS 1, wait for the state, keep no
journal, repeat nothing.
"""

from __future__ import annotations

import asyncio
import json
import socket
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from bench.machine import machine, write_result
from bench.voice.broker import home_on_a_broker
from core.evaluation.bootstrap import quantile_interval
from verticals.voice.action.executor import Executor
from verticals.voice.action.journal import Journal
from verticals.voice.action.mqtt import MqttSettings
from verticals.voice.action.mqtt_connector import MqttConnector
from verticals.voice.command import Command, Slot
from verticals.voice.home.model import Home

COMMANDS, USERS, EACH, ROUNDS = 200, 10, 40, 3
LIGHTS = ("light.kitchen", "light.kitchen_counter", "light.living_room", "light.reading_lamp",
          "light.hall", "light.garage", "light.porch", "light.bedroom", "light.bedside_lamp",
          "light.night_light")  # fmt: skip


def main() -> None:
    """Measure, print and write bench/results/voice_action.json."""
    about = machine("aiomqtt", "paho-mqtt", "amqtt")
    rounds = []
    with tempfile.TemporaryDirectory() as folder, home_on_a_broker() as behind:
        for turn in range(ROUNDS):  # alternating, so that both meet the same machine
            ours = asyncio.run(_ours(behind.port, Path(folder) / str(turn)))
            rounds.append({"ours": ours, "paho": _paho(behind.port)})
    ours_ms = np.concatenate([r["ours"]["ms"] for r in rounds])
    paho_ms = np.concatenate([r["paho"]["ms"] for r in rounds])
    ratios = [_rate(r["ours"]) / _rate(r["paho"]) for r in rounds]
    headline = {
        "command to confirmed state, median": _quantile(ours_ms, paho_ms, 0.5),
        "command to confirmed state, p95": _quantile(ours_ms, paho_ms, 0.95),
        "ten users, commands a second": {
            **_spread([_rate(r["ours"]) for r in rounds]),
            "baseline": float(np.median([_rate(r["paho"]) for r in rounds])),
        },
        "ten users, share of plain paho's rate": _spread(ratios),
    }
    write_result(
        "voice_action",
        {
            "machine": about, "headline": headline, "unit": "milliseconds, or commands a second",
            "baseline": "paho: publish QoS 1, wait for the state; no journal, nothing repeated",
            "n": {"single": COMMANDS * ROUNDS, "ten_users": USERS * EACH * ROUNDS},
            "not_confirmed": {who: sum(r[who]["failed"] for r in rounds) for who in rounds[0]},
        },
    )  # fmt: skip
    for name, value in headline.items():
        print(f"{name}: " + ", ".join(f"{k} {v:.2f}" for k, v in value.items()))


async def _ours(port: int, folder: Path) -> dict[str, Any]:
    """One after the other, then ten users at once, each with a connection and a journal."""
    folder.mkdir()
    users = [await _user(port, folder / f"{n}.db") for n in range(USERS)]
    failed, ms = 0, []
    for number in range(COMMANDS):
        begun = time.perf_counter()
        outcome = await users[0][0].run([_command(0, number)])
        ms.append(1000 * (time.perf_counter() - begun))
        failed += outcome[0].status != "done"

    async def many(user: int) -> int:
        statuses = [
            (await users[user][0].run([_command(user, COMMANDS + n)]))[0].status
            for n in range(EACH)
        ]
        return sum(status != "done" for status in statuses)

    begun = time.perf_counter()
    failed += sum(await asyncio.gather(*(many(user) for user in range(USERS))))
    seconds = time.perf_counter() - begun
    for executor, connector, journal in users:
        executor.close()
        await connector.stop()
        journal.close()
    return {"ms": ms, "seconds": seconds, "failed": failed}


async def _user(port: int, path: Path) -> tuple[Executor, MqttConnector, Journal]:
    home = Home.open()
    connector = MqttConnector(MqttSettings(host="127.0.0.1", port=port), home)
    await connector.start()
    for light in LIGHTS:
        await connector.state(light)
    journal = Journal.open(path)
    return Executor(connector, journal, home, seed=0), connector, journal


def _command(user: int, number: int) -> Command:
    """Another brightness each time, so that none is so already."""
    level = Slot(name="brightness", value=float(2 + 2 * (number % 49)))
    return Command(intent="HassLightSet", entities=(LIGHTS[user],), slots=(level,))


class _Plain:
    """A script's way: publish, and wait until the state says so."""

    def __init__(self, port: int, light: str, name: str) -> None:
        import paho.mqtt.client as mqtt
        from paho.mqtt.enums import CallbackAPIVersion

        self.base = f"casekit/home/{light.replace('.', '-')}"
        self.name, self.wanted, self.seen = name, -1.0, threading.Event()
        self.unconfirmed = 0
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2)
        ready = threading.Event()
        self.client.on_message = self._heard
        topic = f"{self.base}/state"
        self.client.on_connect = lambda client, *_: client.subscribe(topic, qos=1)
        self.client.on_subscribe = lambda *_: ready.set()
        self.client.on_socket_open = _at_once
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        if not ready.wait(10):
            raise TimeoutError("the broker did not answer")

    def _heard(self, _client: Any, _user: Any, message: Any) -> None:
        if message.topic != f"{self.base}/state":
            return
        if json.loads(message.payload)["attributes"].get("brightness") == self.wanted:
            self.seen.set()

    def set(self, number: int) -> None:
        """One command, confirmed."""
        level = float(3 + 2 * (number % 48))
        self.seen.clear()
        self.wanted = level
        body = {"id": f"{self.name}-{number}", "service": "turn_on",
                "data": {"brightness_pct": level}}  # fmt: skip
        self.client.publish(f"{self.base}/call", json.dumps(body), qos=1).wait_for_publish(10)
        if not self.seen.wait(1):
            self.unconfirmed += 1  # a plain script is left without an answer

    def stop(self) -> None:
        """Disconnect."""
        self.client.disconnect()
        self.client.loop_stop()


def _at_once(_client: Any, _user: Any, connection: Any) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _paho(port: int) -> dict[str, Any]:
    mark = time.time_ns()
    users = [_Plain(port, light, f"{mark}-{n}") for n, light in enumerate(LIGHTS)]
    ms = []
    for number in range(COMMANDS):
        begun = time.perf_counter()
        users[0].set(number)
        ms.append(1000 * (time.perf_counter() - begun))

    def many(user: _Plain) -> None:
        for number in range(EACH):
            user.set(COMMANDS + number)

    begun = time.perf_counter()
    with ThreadPoolExecutor(USERS) as pool:
        list(pool.map(many, users))
    seconds = time.perf_counter() - begun
    for user in users:
        user.stop()
    return {"ms": ms, "seconds": seconds, "failed": sum(user.unconfirmed for user in users)}


def _rate(result: dict[str, Any]) -> float:
    return USERS * EACH / float(result["seconds"])


def _quantile(ours: np.ndarray, plain: np.ndarray, share: float) -> dict[str, float]:
    """A quantile in ms with its 95% bootstrap interval, beside the baseline's."""
    found = quantile_interval(ours, share)
    base = float(np.quantile(plain, share))
    return {"value": found.value, "low": found.low, "high": found.high, "baseline": base,
            "ratio": found.value / base}  # fmt: skip


def _spread(values: list[float]) -> dict[str, float]:
    return {"value": float(np.median(values)), "low": min(values), "high": max(values)}


if __name__ == "__main__":
    main()
