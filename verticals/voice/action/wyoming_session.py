"""One client's conversation in Wyoming: sound in, words out; text in, sound or intents out."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from core.data.audio import SAMPLE_RATE, resample, to_pcm16
from verticals.voice.action.wyoming_services import (
    PartialStream,
    Services,
    WakeStream,
    description,
)
from verticals.voice.action.wyoming_wire import Limits, WireError

if TYPE_CHECKING:
    from wyoming.event import Event, Eventable

T = TypeVar("T")
_RATES = (4_000, 192_000)
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_CHUNK = 2048  # samples of one chunk of sound that is sent


class Session:
    """The state of one connection; `handle` takes its events in order."""

    def __init__(
        self, services: Services, limits: Limits, send: Callable[[Event], Awaitable[None]],
        turn: asyncio.Semaphore,
    ) -> None:  # fmt: skip
        """Begin.

        Args:
            services: What is behind the server.
            limits: What the client may ask for.
            send: Sends it an event.
            turn: Held while a model computes, so that clients share the processor.
        """
        self._services, self._limits, self._send, self._turn = services, limits, send, turn
        self._name = uuid.uuid4().hex
        self._waking = False
        self._text, self._speaking = "", False
        self._voice: str | None = None
        self._reset()

    def _reset(self) -> None:
        self._blocks: list[np.ndarray] = []
        self._seconds, self._rate = 0.0, SAMPLE_RATE
        self._stream: PartialStream | None = None
        self._wake: WakeStream | None = None
        self._detected = False
        self._last, self._told = "", ""

    async def handle(self, event: Event) -> None:
        """Answer an event; kinds that are unknown or not offered are passed over.

        Raises:
            WireError: Its data make no sense, or there is too much of it.
        """
        answers: dict[str, Callable[[Event], Awaitable[None]]] = {
            "describe": self._describe, "ping": self._ping, "transcribe": self._transcribe,
            "detect": self._detect, "audio-start": self._audio_start,
            "audio-chunk": self._audio_chunk, "audio-stop": self._audio_stop,
            "synthesize": self._synthesize, "synthesize-start": self._speak_start,
            "synthesize-chunk": self._speak_chunk, "synthesize-stop": self._speak_stop,
            "recognize": self._recognize, "transcript": self._act,
        }  # fmt: skip
        answer = answers.get(event.type)
        if answer is None:
            return
        try:
            await answer(event)
        except (KeyError, TypeError, AttributeError) as error:
            raise WireError("An event lacks its data", where=event.type) from error

    async def _describe(self, _event: Event) -> None:
        await self._say(description(self._services))

    async def _ping(self, event: Event) -> None:
        from wyoming.ping import Pong

        await self._say(Pong(text=_text(event.data.get("text") or "", self._limits)))

    async def _transcribe(self, _event: Event) -> None:
        self._waking = False
        self._reset()

    async def _detect(self, _event: Event) -> None:
        self._waking = True
        self._reset()

    async def _audio_start(self, _event: Event) -> None:
        self._reset()
        if self._waking and self._services.wake is not None:
            self._wake = await self._compute(self._services.wake)
        elif self._services.partials is not None:
            from wyoming.asr import TranscriptStart

            self._stream = await self._compute(self._services.partials)
            await self._say(TranscriptStart(language="en"))

    async def _audio_chunk(self, event: Event) -> None:
        block, rate = _sound(event)
        self._rate = rate
        if self._waking:
            await self._listen(resample(block, rate))
            return
        self._seconds += len(block) / rate
        if self._seconds > self._limits.audio_s:
            raise WireError(f"The sound is longer than {self._limits.audio_s:g} s")
        self._blocks.append(block)
        if self._stream is not None and len(block):
            heard = await self._compute(self._stream.push, resample(block, rate))
            await self._tell_partial(heard.text)

    async def _audio_stop(self, _event: Event) -> None:
        from wyoming.asr import Transcript, TranscriptChunk, TranscriptStop
        from wyoming.wake import NotDetected

        if self._waking:
            if not self._detected:
                await self._say(NotDetected())
            self._reset()
            return
        if self._services.transcribe is None:
            return
        sound = np.concatenate(self._blocks) if self._blocks else np.zeros(0, np.float32)
        sound = resample(sound, self._rate) if len(sound) else sound
        text = await self._compute(self._services.transcribe, sound) if len(sound) else ""
        if self._stream is not None and text.startswith(self._told) and text != self._told:
            await self._say(TranscriptChunk(text=text[len(self._told) :]))
        await self._say(Transcript(text=text, language="en"))
        if self._stream is not None:
            await self._say(TranscriptStop())
        self._reset()

    async def _tell_partial(self, text: str) -> None:
        """Send the words on which two partials in a row agree: a chunk cannot be taken back."""
        from wyoming.asr import TranscriptChunk

        agreed = []
        for old, new in zip(self._last.split(), text.split(), strict=False):
            if old != new:
                break
            agreed.append(new)
        self._last, stable = text, " ".join(agreed)
        if stable.startswith(self._told) and len(stable) > len(self._told):
            await self._say(TranscriptChunk(text=stable[len(self._told) :]))
            self._told = stable

    async def _listen(self, block: np.ndarray) -> None:
        from wyoming.wake import Detection

        if self._wake is None and self._services.wake is not None:
            self._wake = await self._compute(self._services.wake)
        if self._wake is None or not len(block):
            return
        for found in await self._compute(self._wake.push, block):
            self._detected = True
            name = "_".join(self._services.wake_phrase.lower().split())
            await self._say(Detection(name=name, timestamp=round(1000 * found.time_s)))

    async def _synthesize(self, event: Event) -> None:
        if self._speaking:
            return  # sent along for servers that do not stream
        text = _text(event.data["text"], self._limits)
        await self._speak([text], _voice(event))

    async def _speak_start(self, event: Event) -> None:
        self._text, self._voice, self._speaking = "", _voice(event), True

    async def _speak_chunk(self, event: Event) -> None:
        if not self._speaking:
            return
        self._text = _text(self._text + _text(event.data["text"], self._limits), self._limits)
        *whole, self._text = _SENTENCE.split(self._text)
        await self._speak(whole, self._voice)

    async def _speak_stop(self, _event: Event) -> None:
        from wyoming.tts import SynthesizeStopped

        if self._text.strip():
            await self._speak([self._text], self._voice)
        self._text, self._speaking = "", False
        await self._say(SynthesizeStopped())

    async def _speak(self, texts: list[str], voice: str | None) -> None:
        from wyoming.audio import AudioChunk, AudioStart, AudioStop

        if self._services.speak is None or not texts:
            return
        form: dict[str, Any] = {"rate": SAMPLE_RATE, "width": 2, "channels": 1}
        await self._say(AudioStart(**form))
        for text in texts:
            pieces: Iterator[np.ndarray] = iter(
                await self._compute(self._services.speak, text, voice)
            )
            while (piece := await self._compute(next, pieces, None)) is not None:
                for at in range(0, len(piece), _CHUNK):
                    sound = to_pcm16(piece[at : at + _CHUNK])
                    await self._say(AudioChunk(**form, audio=sound))
        await self._say(AudioStop())

    async def _recognize(self, event: Event) -> None:
        from wyoming.intent import Entity, Intent, IntentsStart, IntentsStop, NotRecognized

        if self._services.understand is None:
            return
        text = _text(event.data["text"], self._limits)
        found = await self._compute(self._services.understand, text)
        commands = found.commands if found.status in ("understood", "confirm") else ()
        if not commands:
            await self._say(NotRecognized(text=found.question or None))
            return
        intents = [
            Intent(
                name=command.intent, text=command.text or None,
                entities=[Entity(name=slot.name, value=slot.value) for slot in command.slots],
            )
            for command in commands
        ]  # fmt: skip
        if len(intents) > 1:
            await self._say(IntentsStart())
        for intent in intents:
            await self._say(intent)
        if len(intents) > 1:
            await self._say(IntentsStop())

    async def _act(self, event: Event) -> None:
        from wyoming.handle import Handled, NotHandled

        if self._services.handle is None:
            return
        text = _text(event.data["text"], self._limits)
        done, says = await self._compute(self._services.handle, text, self._conversation(event))
        await self._say(Handled(text=says) if done else NotHandled(text=says))

    def _conversation(self, event: Event) -> str:
        """Its name, by the client's own id where it sends one: others' questions are not theirs."""
        name = (event.data.get("context") or {}).get("conversation_id")
        return name[:64] if isinstance(name, str) and name else self._name

    async def _compute(self, work: Callable[..., T], *values: Any) -> T:
        async with self._turn:
            return await asyncio.to_thread(work, *values)

    async def _say(self, answer: Eventable) -> None:
        await self._send(answer.event())


def _text(value: object, limits: Limits) -> str:
    if not isinstance(value, str):
        raise WireError("The text is no text")
    if len(value) > limits.text_chars:
        raise WireError(f"The text is longer than {limits.text_chars} characters")
    return value


def _voice(event: Event) -> str | None:
    voice = event.data.get("voice") or {}
    name = voice.get("name")
    return name if isinstance(name, str) else None


def _sound(event: Event) -> tuple[np.ndarray, int]:
    """(n,) float32 in [-1, 1] of a chunk, channels averaged, and its rate."""
    rate, width, channels = (event.data[name] for name in ("rate", "width", "channels"))
    whole = all(isinstance(v, int) and not isinstance(v, bool) for v in (rate, width, channels))
    if not whole or not _RATES[0] <= rate <= _RATES[1] or not 1 <= channels <= 8:
        raise WireError("The sound has no usable format")
    payload = event.payload or b""
    usable = len(payload) - len(payload) % (width * channels or 1)
    kinds: dict[int, tuple[str, float, float]] = {
        1: ("u1", 128.0, 128.0), 2: ("<i2", 0.0, 32_768.0), 4: ("<i4", 0.0, 2_147_483_648.0),
    }  # fmt: skip
    if width not in kinds:
        raise WireError("The sound has no usable sample width")
    kind, zero, full = kinds[width]
    samples = (np.frombuffer(payload[:usable], kind).astype(np.float32) - zero) / full
    mono = samples.reshape(-1, channels).mean(axis=1, dtype=np.float32)
    return mono, int(rate)
