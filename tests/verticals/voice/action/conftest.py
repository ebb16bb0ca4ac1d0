"""A real MQTT broker in a process of its own, that can be killed and started again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

_SCRIPT = """
import asyncio, json, logging, sys
from amqtt.broker import Broker
logging.disable(logging.CRITICAL)
async def main():
    broker = Broker(json.loads(sys.argv[1]))
    await broker.start()
    await asyncio.Event().wait()
asyncio.run(main())
"""


class LocalBroker:
    """amqtt on a free port."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.plugins: dict[str, object] = {
            "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}
        }
        self.listener: dict[str, object] = {}

    def start(self) -> None:
        """Start, and wait until it listens."""
        import json

        listener = {"type": "tcp", "bind": f"127.0.0.1:{self.port}", **self.listener}
        config = json.dumps({"listeners": {"default": listener}, "plugins": self.plugins})
        self._process = subprocess.Popen(
            [sys.executable, "-c", _SCRIPT, config], cwd=self._folder,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                probe.settimeout(0.2)
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        pytest.fail("the broker did not start")

    def kill(self) -> None:
        """As a power cut would: no goodbye, nothing saved."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(10)
            self._process = None


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[LocalBroker]:
    """A running broker."""
    pytest.importorskip("amqtt")
    broker = LocalBroker(tmp_path)
    broker.start()
    yield broker
    broker.kill()
