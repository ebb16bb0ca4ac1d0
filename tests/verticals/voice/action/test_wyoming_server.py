"""The Wyoming server, spoken to by the wyoming library's own client, and by noise."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from core.errors import ParameterError
from verticals.voice.action.wyoming_server import WyomingServer
from verticals.voice.action.wyoming_services import Services
from verticals.voice.action.wyoming_wire import Limits
from verticals.voice.command import Command, Slot, Understood

pytest.importorskip("wyoming")

from wyoming.asr import Transcribe, Transcript, TranscriptChunk
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncClient
from wyoming.error import Error
from wyoming.event import Event
from wyoming.handle import Handled
from wyoming.info import Describe, Info
from wyoming.intent import Intent, NotRecognized, Recognize
from wyoming.ping import Ping, Pong
from wyoming.tts import Synthesize, SynthesizeChunk, SynthesizeStart, SynthesizeStop
from wyoming.wake import Detect, Detection, NotDetected


def _transcribe(sound: np.ndarray) -> str:
    return f"{len(sound)} samples" if np.abs(sound).max() > 0.01 else ""


class _Words:
    """Hears one more word with every block, and changes its mind about the last."""

    def __init__(self) -> None:
        self.count = 0

    def push(self, block: np.ndarray) -> Any:
        self.count += 1
        return SimpleNamespace(text=" ".join(["16000", "samples"][: self.count]) + " um")


class _Loud:
    """Wakes at anything loud."""

    def __init__(self) -> None:
        self.heard = 0

    def push(self, block: np.ndarray) -> list[Any]:
        self.heard += len(block)
        loud = float(np.abs(block).max()) > 0.5
        return [SimpleNamespace(time_s=self.heard / 16_000, score=1.0)] if loud else []


def _speak(text: str, voice: str | None) -> Iterator[np.ndarray]:
    if text == "break":
        raise RuntimeError("secret words of a person")
    yield np.full(100 * len(text), 0.25, np.float32)


def _understand(text: str) -> Understood:
    if "light" not in text:
        return Understood(status="rejected", question="Pardon?")
    slot = Slot(name="brightness", value=40.0)
    return Understood(
        status="understood", commands=(Command(intent="HassLightSet", slots=(slot,)),)
    )


SERVICES = Services(
    transcribe=_transcribe, speak=_speak, wake=_Loud, understand=_understand,
    handle=lambda text, _: (True, f"Done: {text}"), voices=("joe",),
)  # fmt: skip


def _with(
    work: Callable[[WyomingServer, AsyncClient], Awaitable[None]],
    services: Services = SERVICES, limits: Limits | None = None,
) -> None:  # fmt: skip
    async def run() -> None:
        server = WyomingServer("tcp://127.0.0.1:0", services, limits=limits)
        await server.start()
        try:
            uri = f"tcp://127.0.0.1:{server.port}"
            async with AsyncClient.from_uri(uri) as client, asyncio.timeout(10):
                await work(server, client)
        finally:
            await server.stop()

    asyncio.run(run())


async def _next(client: AsyncClient) -> Event:
    event = await client.read_event()
    assert event is not None
    return event


def _pcm(level: float, samples: int = 16_000) -> bytes:
    return np.full(samples, level * 32_767, "<i2").tobytes()


async def _send_sound(client: AsyncClient, level: float, chunks: int = 4) -> None:
    form: dict[str, Any] = {"rate": 16_000, "width": 2, "channels": 1}
    await client.write_event(AudioStart(**form).event())
    for _ in range(chunks):
        await client.write_event(AudioChunk(**form, audio=_pcm(level, 16_000 // chunks)).event())
    await client.write_event(AudioStop().event())


def test_it_describes_what_it_offers() -> None:
    async def work(_server: WyomingServer, client: AsyncClient) -> None:
        await client.write_event(Describe().event())
        info = Info.from_event(await _next(client))
        assert [p.name for p in info.asr] == ["casekit-asr"]
        assert info.tts[0].voices[0].name == "joe"
        assert info.wake[0].models[0].phrase == "hey casekit"
        assert info.intent
        assert info.handle
        assert not info.mic
        await client.write_event(Ping(text="x").event())
        assert Pong.from_event(await _next(client)).text == "x"

    _with(work)


def test_what_is_not_behind_it_is_not_offered() -> None:
    async def work(_server: WyomingServer, client: AsyncClient) -> None:
        await client.write_event(Describe().event())
        info = Info.from_event(await _next(client))
        assert not (info.asr)
        assert not (info.tts)
        assert not (info.wake)
        assert not (info.intent)
        assert not (info.handle)

    _with(work, Services())


@pytest.mark.parametrize(("level", "text"), [(0.5, "16000 samples"), (0.0, "")])
def test_sound_becomes_words_and_silence_none(level: float, text: str) -> None:
    async def work(_server: WyomingServer, client: AsyncClient) -> None:
        for _ in range(2):  # twice over one connection
            await client.write_event(Transcribe(language="en").event())
            await _send_sound(client, level)
            assert Transcript.from_event(await _next(client)).text == text

    _with(work)


def test_sound_of_any_format_is_understood() -> None:
    async def work(_server: WyomingServer, client: AsyncClient) -> None:
        stereo = np.full((48_000, 2), 0.5 * 2**31, "<i4").tobytes()
        form: dict[str, Any] = {"rate": 48_000, "width": 4, "channels": 2}
        await client.write_event(AudioStart(**form).event())
        await client.write_event(AudioChunk(**form, audio=stereo).event())
        await client.write_event(AudioStop().event())
        assert Transcript.from_event(await _next(client)).text == "16000 samples"

    _with(work)


def test_words_stream_and_none_is_taken_back() -> None:
    async def work(_server: WyomingServer, client: AsyncClient) -> None:
        await _send_sound(client, 0.5, chunks=4)
        events = []
        while not events or events[-1].type != "transcript-stop":
            events.append(await _next(client))
        assert events[0].type == "transcript-start"
        said = "".join(TranscriptChunk.from_event(e).text for e in events
                       if e.type == "transcript-chunk")  # fmt: skip
        final = next(e for e in events if e.type == "transcript")
        assert Transcript.from_event(final).text == "16000 samples"
        assert "16000 samples".startswith(said.removesuffix(" um"))

    _with(work, Services(transcribe=_transcribe, partials=_Words))


def test_the_wake_word_is_detected_or_not() -> None:
    async def work(_server: WyomingServer, client: AsyncClient) -> None:
        await client.write_event(Detect().event())
        await _send_sound(client, 0.9, chunks=1)
        found = Detection.from_event(await _next(client))
        assert (found.name, found.timestamp) == ("hey_casekit", 1000)
        await client.write_event(Detect().event())
        await _send_sound(client, 0.1)
        assert NotDetected.is_type((await _next(client)).type)

    _with(work)


async def _sound(client: AsyncClient, until: str) -> int:
    """Samples up to an event of that kind."""
    samples = 0
    while (event := await _next(client)).type != until:
        if AudioChunk.is_type(event.type):
            samples += AudioChunk.from_event(event).samples
    return samples


def test_text_becomes_sound_at_once_and_by_sentence() -> None:
    async def work(_server: WyomingServer, client: AsyncClient) -> None:
        await client.write_event(Synthesize(text="Hello there.").event())
        assert await _sound(client, "audio-stop") == 1200
        await client.write_event(SynthesizeStart().event())
        await client.write_event(SynthesizeChunk(text="One two. Thr").event())
        assert await _sound(client, "audio-stop") == 800  # before the second is complete
        await client.write_event(SynthesizeChunk(text="ee.").event())
        await client.write_event(SynthesizeStop().event())
        assert await _sound(client, "synthesize-stopped") == 600

    _with(work)


def test_text_becomes_intents_or_is_turned_down_and_acted_on() -> None:
    async def work(_server: WyomingServer, client: AsyncClient) -> None:
        await client.write_event(Recognize(text="light to 40").event())
        intent = Intent.from_event(await _next(client))
        assert (intent.name, intent.entities[0].value) == ("HassLightSet", 40.0)
        await client.write_event(Recognize(text="tell a joke").event())
        assert NotRecognized.from_event(await _next(client)).text == "Pardon?"
        await client.write_event(Transcript(text="light on").event())
        assert Handled.from_event(await _next(client)).text == "Done: light on"

    _with(work)


def test_a_failing_service_is_told_without_its_words(caplog: pytest.LogCaptureFixture) -> None:
    async def work(_server: WyomingServer, client: AsyncClient) -> None:
        await client.write_event(Synthesize(text="break").event())
        while not Error.is_type((event := await _next(client)).type):
            pass
        assert "secret" not in Error.from_event(event).text
        await client.write_event(Ping(text="still here").event())
        assert Pong.from_event(await _next(client)).text == "still here"

    _with(work)
    assert "secret" not in caplog.text


def test_a_unix_socket_serves_and_is_private(tmp_path: Path) -> None:
    async def run() -> None:
        path = tmp_path / "w.sock"
        server = WyomingServer(f"unix://{path}", SERVICES)
        await server.start()
        assert path.stat().st_mode & 0o077 == 0
        async with AsyncClient.from_uri(f"unix://{path}") as client:
            await client.write_event(Recognize(text="light").event())
            assert Intent.is_type((await _next(client)).type)
        await server.stop()
        assert not path.exists()

    asyncio.run(run())


@pytest.mark.parametrize("uri", ["http://x:1", "tcp://", "unix://", ""])
def test_an_unusable_address_is_refused(uri: str) -> None:
    with pytest.raises(ParameterError, match="address"):
        WyomingServer(uri, SERVICES)


def _line(**header: Any) -> bytes:
    return json.dumps(header).encode() + b"\n"


TOO_MUCH = [
    b"x" * 40_000,
    b"[1, 2]\n",
    b"not json\n",
    b"{" * 9_000 + b"\n",
    _line(type=7),
    _line(type="ping", data=[1]),
    _line(type="audio-chunk", payload_length=10**12),
    _line(type="audio-chunk", payload_length=-1),
    _line(type="audio-chunk", data_length="5"),
    _line(type="audio-chunk", data={"rate": 0, "width": 2, "channels": 1}),
    _line(type="audio-chunk", data={"rate": 16000, "width": 9, "channels": 1}),
    _line(type="audio-chunk", data={"rate": 16000, "width": 2}),
    _line(type="synthesize"),
    _line(type="synthesize", data={"text": 5}),
    _line(type="recognize", data={"text": "a" * 5000}),
    _line(type="ping", data_length=4) + b"[[[[",
]


@pytest.mark.parametrize("noise", TOO_MUCH)
def test_what_is_malformed_or_too_much_is_answered_and_closed(noise: bytes) -> None:
    async def work(server: WyomingServer, client: AsyncClient) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(noise)
        answer = json.loads(await reader.readline())
        assert answer["type"] == "error"
        await reader.read()  # ... and it hangs up
        writer.close()
        await client.write_event(Ping(text="others go on").event())
        assert Pong.from_event(await _next(client)).text == "others go on"

    _with(work)


def test_random_bytes_end_no_server() -> None:
    draw = random.Random(0)
    seeds = [Describe().event(), Synthesize(text="hi").event(), Recognize(text="light").event(),
             AudioStart(rate=16000, width=2, channels=1).event()]  # fmt: skip

    async def work(server: WyomingServer, client: AsyncClient) -> None:
        for _ in range(150):
            _reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            text = json.dumps({"type": draw.choice(seeds).type, "data": {}}).encode() + b"\n"
            noise = bytearray(text + draw.randbytes(draw.randint(0, 60)) + b"\n")
            for _ in range(draw.randint(0, 6)):
                noise[draw.randrange(len(noise))] = draw.randrange(256)
            writer.write(bytes(noise))
            writer.close()
        await client.write_event(Describe().event())
        assert Info.is_type((await _next(client)).type)

    _with(work, limits=Limits(clients=200))


def test_too_many_clients_and_too_long_a_sound_are_turned_away() -> None:
    async def work(server: WyomingServer, client: AsyncClient) -> None:
        await client.write_event(Ping().event())
        await _next(client)
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        assert b"Too many clients" in await reader.read()
        writer.close()
        await _send_sound(client, 0.5, chunks=1)
        await _send_sound(client, 0.5, chunks=1)
        assert Transcript.is_type((await _next(client)).type)
        assert Transcript.is_type((await _next(client)).type)
        form: dict[str, Any] = {"rate": 16_000, "width": 2, "channels": 1}
        await client.write_event(AudioStart(**form).event())
        for _ in range(2):
            await client.write_event(AudioChunk(**form, audio=_pcm(0.5)).event())
        assert "longer" in Error.from_event(await _next(client)).text

    _with(work, limits=Limits(clients=1, audio_s=1.5))


def test_a_silent_client_is_let_go() -> None:
    async def work(_server: WyomingServer, client: AsyncClient) -> None:
        assert await client.read_event() is None

    _with(work, limits=Limits(idle_s=0.1))
