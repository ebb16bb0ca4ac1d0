"""A home's assistant behind Wyoming, asked by the wyoming library's own client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.data.audio import SAMPLE_RATE, from_pcm16, to_pcm16
from verticals.voice.action.wyoming_home import Conversations, home_services
from verticals.voice.action.wyoming_server import WyomingServer
from verticals.voice.assistant import Assistant, Parts, open_parts
from verticals.voice.home.model import Home
from verticals.voice.speech.voice import open_voice
from verticals.voice.understanding.understand import Understander

pytest.importorskip("wyoming")

from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncClient
from wyoming.handle import Handled, NotHandled
from wyoming.info import Describe, Info
from wyoming.intent import Intent, Recognize
from wyoming.tts import Synthesize


@pytest.fixture
def assistant() -> Iterator[Assistant]:
    home = Home.open()
    with Assistant(Parts(home, Understander.open(home))) as opened:
        yield opened


def _served(assistant: Assistant, work: Callable[[str], Awaitable[None]]) -> None:
    async def run() -> None:
        server = WyomingServer("tcp://127.0.0.1:0", home_services(assistant))
        await server.start()
        try:
            async with asyncio.timeout(120):
                await work(f"tcp://127.0.0.1:{server.port}")
        finally:
            await server.stop()

    asyncio.run(run())


async def _handled(client: AsyncClient, text: str, conversation: str | None = None) -> str:
    context = {"conversation_id": conversation} if conversation else None
    await client.write_event(Transcript(text=text, context=context).event())
    event = await client.read_event()
    assert event is not None
    if NotHandled.is_type(event.type):
        return f"not: {NotHandled.from_event(event).text}"
    return Handled.from_event(event).text or ""


def test_requests_are_carried_out_and_refusals_told(assistant: Assistant) -> None:
    async def work(uri: str) -> None:
        async with AsyncClient.from_uri(uri) as client:
            assert "on" in await _handled(client, "turn on the porch light")
            assert (await _handled(client, "sing me the moon")).startswith("not: ")
            await client.write_event(Recognize(text="turn off the porch light").event())
            event = await client.read_event()
            assert event is not None
            assert Intent.from_event(event).name == "HassTurnOff"  # understood, and not done
            await client.write_event(Describe().event())
            event = await client.read_event()
            assert event is not None
            info = Info.from_event(event)
            assert info.handle
            assert not info.asr  # nothing of it is behind it

    _served(assistant, work)
    assert assistant.states()["light.porch"]["state"] == "on"


@pytest.mark.parametrize("by_name", [False, True])
def test_a_yes_of_somebody_else_opens_no_door(assistant: Assistant, by_name: bool) -> None:
    async def work(uri: str) -> None:
        one, other = ("one", "other") if by_name else (None, None)
        async with AsyncClient.from_uri(uri) as ana, AsyncClient.from_uri(uri) as ben:
            asked = await _handled(ana, "unlock the front door", one)
            assert asked.endswith("?")
            await _handled(ana if by_name else ben, "yes", other)
            assert assistant.states()["lock.front_door"]["state"] == "locked"
            await _handled(ben if by_name else ana, "yes", one)  # a new connection, its own name
            assert assistant.states()["lock.front_door"]["state"] == "unlocked"

    _served(assistant, work)


def test_a_late_yes_opens_no_door_and_old_conversations_are_forgotten(assistant: Assistant) -> None:
    when = [0.0]
    talks = Conversations(assistant, now=lambda: when[0])
    assert talks.handle("unlock the front door", "one")[1].endswith("?")
    when[0] = 61.0
    assert not talks.handle("yes", "one")[0]
    talks.handle("unlock the front door", "one")
    for number in range(64):
        talks.handle("what time is it", str(number))
    assert not talks.handle("yes", "one")[0]
    assert assistant.states()["lock.front_door"]["state"] == "locked"


def test_ten_at_once_are_all_served(assistant: Assistant) -> None:
    areas = ("kitchen", "bedroom", "hall", "garage", "porch")

    async def one(uri: str, number: int) -> str:
        async with AsyncClient.from_uri(uri) as client:
            await _handled(client, f"turn on the {areas[number % 5]} light")
            return await _handled(client, "turn it off")

    async def work(uri: str) -> None:
        said = await asyncio.gather(*(one(uri, number) for number in range(10)))
        assert all("off" in text for text in said), said

    _served(assistant, work)
    assert {assistant.states()[f"light.{area}"]["state"] for area in areas} == {"off"}


@pytest.mark.slow
def test_speech_goes_in_and_comes_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    home = Home.open()
    parts = open_parts(home, model=False, voice=False, threads=1)
    voice: Any = open_voice("kokoro", threads=1)
    form: dict[str, Any] = {"rate": SAMPLE_RATE, "width": 2, "channels": 1}

    async def work(uri: str) -> None:
        async with AsyncClient.from_uri(uri) as client:
            await client.write_event(Synthesize(text="Turn on the kitchen light.").event())
            said = np.zeros(0, np.float32)
            while (event := await client.read_event()) and not AudioStop.is_type(event.type):
                if AudioChunk.is_type(event.type):
                    said = np.append(said, from_pcm16(AudioChunk.from_event(event).audio))
            assert 0.8 < len(said) / SAMPLE_RATE < 4
            await client.write_event(Transcribe(language="en").event())
            await client.write_event(AudioStart(**form).event())
            await client.write_event(AudioChunk(**form, audio=to_pcm16(said)).event())
            await client.write_event(AudioStop().event())
            kinds, text = [], ""
            while not kinds or kinds[-1] != "transcript-stop":
                event = await client.read_event()
                assert event is not None
                kinds.append(event.type)
                if Transcript.is_type(event.type):
                    text = Transcript.from_event(event).text
            assert kinds[0] == "transcript-start"
            assert "kitchen light" in text.lower()
            assert "on" in await _handled(client, text)

    with (
        caplog.at_level(0),
        Assistant(Parts(home, parts.understander, parts.recogniser, voice)) as assistant,
    ):
        _served(assistant, work)
        assert assistant.states()["light.kitchen"]["state"] == "on"
    # What people say in their homes is not for logs.
    assert "kitchen light" not in json.dumps([r.getMessage() for r in caplog.records]).lower()
