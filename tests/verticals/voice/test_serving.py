"""A home behind Wyoming and its devices behind a broker: what a restart left open is done."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.errors import ParameterError
from verticals.voice.action.connector import ServiceCall
from verticals.voice.action.home_assistant import HomeAssistantConnector
from verticals.voice.action.journal import Journal
from verticals.voice.action.mqtt_connector import MqttConnector
from verticals.voice.assistant import Assistant, Parts
from verticals.voice.home.model import Home
from verticals.voice.serving import HOME_ASSISTANT, MQTT, connector
from verticals.voice.understanding.understand import Understander

_SERVER = """
import signal, sys
from pathlib import Path
from verticals.voice.assistant import Parts
from verticals.voice.home.model import Home
from verticals.voice.serving import serve_home
from verticals.voice.understanding.understand import Understander
signal.signal(signal.SIGINT, signal.default_int_handler)  # where a shell had it ignored
home = Home.open()
serve_home(Parts(home, Understander.open(home)), "tcp://127.0.0.1:0", folder=Path(sys.argv[1]),
           started=lambda uri: print(uri, flush=True))
"""


def test_the_environment_says_where_the_devices_are(monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home.open()
    for name in (MQTT, HOME_ASSISTANT):
        monkeypatch.delenv(name, raising=False)
    assert connector(home) is None
    monkeypatch.setenv(MQTT, "broker.local")
    assert isinstance(connector(home), MqttConnector)
    monkeypatch.setenv(HOME_ASSISTANT, "http://home.local:8123")
    with pytest.raises(ParameterError, match="only one"):
        connector(home)
    monkeypatch.delenv(MQTT)
    monkeypatch.setenv(f"{HOME_ASSISTANT.removesuffix('_URL')}_TOKEN", "secret")
    assert isinstance(connector(home), HomeAssistantConnector)


def test_an_assistant_finishes_what_a_crash_left_open(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "journal.db")
    journal.write("t:0:light.porch:turn_on", ServiceCall("light.porch", "turn_on"), turn="t")
    journal.close()
    home, again = Home.open(), Journal.open(tmp_path / "journal.db")
    with Assistant(Parts(home, Understander.open(home)), journal=again) as assistant:
        assert [outcome.status for outcome in assistant.resumed] == ["done"]
        assert assistant.states()["light.porch"]["state"] == "on"
        assert again.unfinished() == []


@pytest.mark.slow
def test_it_serves_until_it_is_interrupted_and_leaves_quietly(tmp_path: Path) -> None:
    pytest.importorskip("wyoming")
    from wyoming.asr import Transcript
    from wyoming.client import AsyncClient
    from wyoming.handle import Handled

    async def ask(uri: str) -> str:
        async with AsyncClient.from_uri(uri) as client, asyncio.timeout(60):
            await client.write_event(Transcript(text="turn on the porch light").event())
            event = await client.read_event()
            assert event is not None
            return Handled.from_event(event).text or ""

    server = subprocess.Popen(
        [sys.executable, "-c", _SERVER, str(tmp_path)], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    try:
        assert server.stdout is not None
        assert "on" in asyncio.run(ask(server.stdout.readline().strip()))
        server.send_signal(signal.SIGINT)
        deadline = time.monotonic() + 60
        while server.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        assert server.poll() is not None
    finally:
        server.kill()
    journal = Journal.open(tmp_path / "journal.db")
    assert journal.unfinished() == []
    assert (tmp_path / "journal.db").stat().st_mode & 0o077 == 0
