"""A real MQTT broker and a home's devices behind it, each a process of its own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_BROKER = """
import asyncio, json, logging, sys
from amqtt.broker import Broker
logging.disable(logging.CRITICAL)
async def main():
    await Broker(json.loads(sys.argv[1])).start()
    await asyncio.Event().wait()
asyncio.run(main())
"""
# Every line on its standard input sets the home back to its first state, and has it told.
_DEVICES = """
import asyncio, sys, threading
from verticals.voice.action.mqtt import MqttSettings
from verticals.voice.action.mqtt_devices import MqttDevices
from verticals.voice.home.model import Home
from verticals.voice.home.simulated import SimulatedHome

class Resettable(SimulatedHome):
    listeners = ()
    def subscribe(self, callback):
        self.listeners = (*self.listeners, callback)
        return super().subscribe(callback)
    def back(self):
        self.reset()
        for name, state in self.states().items():
            for listener in self.listeners:
                listener(name, state)
        print("reset", flush=True)

async def main():
    home = Home.open(sys.argv[2] or None)
    hardware = Resettable(home)
    await MqttDevices(MqttSettings(host="127.0.0.1", port=int(sys.argv[1])), home,
                      hardware).start(wait_s=60)
    loop = asyncio.get_running_loop()
    def listen():
        for _ in sys.stdin:
            loop.call_soon_threadsafe(hardware.back)
    threading.Thread(target=listen, daemon=True).start()
    await asyncio.Event().wait()
asyncio.run(main())
"""


@dataclass(frozen=True)
class Behind:
    """A home behind a broker."""

    port: int
    reset: Callable[[], None]  # its devices are in their first state


@contextmanager
def home_on_a_broker(home: Path | None = None) -> Iterator[Behind]:
    """Start both, and end both.

    Args:
        home: Its YAML; the embedded home by default.

    Raises:
        TimeoutError: The broker did not start.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    config = {
        "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
        "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    }
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    broker = subprocess.Popen(
        [sys.executable, "-c", _BROKER, json.dumps(config)], env=environment,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    devices = subprocess.Popen(
        [sys.executable, "-c", _DEVICES, str(port), str(home or "")], env=environment,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
    )  # fmt: skip

    def reset() -> None:
        if devices.stdin and devices.stdout:
            devices.stdin.write("\n")
            devices.stdout.readline()
        time.sleep(0.3)  # for its states to arrive

    try:
        _wait(port)
        yield Behind(port, reset)
    finally:
        for process in (broker, devices):
            process.kill()
            process.wait(10)


def _wait(port: int) -> None:
    for _ in range(1_200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError("the broker did not start")
