"""The whole chain for one home: hear, understand, do, say.

The parts that cost memory are opened once (`open_parts`) and shared; an `Assistant` is one
conversation with one home, and cheap.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from core.errors import ModelError, ParameterError
from verticals.voice.action.background import Background
from verticals.voice.action.connector import Connected, Connector
from verticals.voice.action.executor import Executor
from verticals.voice.action.journal import Journal
from verticals.voice.command import Command, Outcome, Transcript, Turn, Understood
from verticals.voice.home.model import Home
from verticals.voice.home.simulated import SimulatedHome
from verticals.voice.understanding.context import Dialogue
from verticals.voice.understanding.understand import Understander

if TYPE_CHECKING:
    from verticals.voice.speech.voice import Voice
    from verticals.voice.understanding.reject import Limits
    from verticals.voice.wake.detector import WakeWord

NOTHING_HEARD = "I did not hear anything."
NOT_UNDERSTOOD = "Sorry, I did not understand that."


class Hearing(Protocol):
    """What turns sound into words."""

    def transcribe(self, sound: np.ndarray) -> Transcript:
        """The words of (n,) float32 at 16 kHz; empty text where nobody spoke."""


class Knowing(Protocol):
    """What tells people by their voices, and what they may do."""

    def who(self, sound: np.ndarray) -> str | None:
        """The enrolled person who speaks, None if unknown."""

    def allowed(self, speaker: str | None, command: Command) -> bool:
        """Whether they may give a command."""

    def rewrite(self, text: str, *, speaker: str | None = None) -> str:
        """What a sentence means by the aliases and corrections that were learned."""


@dataclass(frozen=True)
class Parts:
    """Everything that conversations share."""

    home: Home
    understander: Understander
    recogniser: Hearing | None = None  # without it, text only
    voice: Voice | None = None
    people: Knowing | None = None
    wake: WakeWord | None = None  # without it, everything that is heard is a request


def open_parts(
    home: Home | None = None,
    *,
    recogniser: str | None = "whisper-tiny.en",
    model: bool = True,
    voice: bool = True,
    people: Knowing | None = None,
    wake: Path | None = None,
    limits: Limits | None = None,
    endpoint: str | None = None,
    threads: int = 2,
) -> Parts:
    """Open what conversations with a home share.

    Args:
        home: Its rooms and devices; the embedded home by default.
        recogniser: As `Recogniser.open` takes it; None for text only.
        model: Whether the learned model reads what the grammar does not cover.
        voice: Whether replies can be spoken; without an installed voice they are text.
        people: Tells people by their voices.
        wake: Folder of a trained wake word.
        limits: Confidences from which the learned model counts.
        endpoint: URL of an OpenAI-compatible endpoint for what nothing else understands.
        threads: Processor threads of every part.

    Raises:
        ModelError: Recogniser or model cannot be opened.
    """
    from verticals.voice.recognition.whisper import Recogniser
    from verticals.voice.speech.voice import first_voice
    from verticals.voice.understanding.model import IntentModel
    from verticals.voice.understanding.tools import open_endpoint
    from verticals.voice.wake.detector import WakeWord

    there = home or Home.open()
    understander = Understander.open(
        there, model=IntentModel.open() if model else None, limits=limits,
        endpoint=open_endpoint(endpoint) if endpoint else None,
    )  # fmt: skip
    plain = Recogniser.open(recogniser, threads=threads) if recogniser else None
    return Parts(
        there, understander,
        recogniser=plain.at_home(there, understander.covers) if plain else None,
        voice=first_voice(threads=threads) if voice else None,
        people=people,
        wake=WakeWord.open(wake, plain) if wake else None,
    )  # fmt: skip


class Assistant:
    """One conversation with one home; close it, or use it in a `with`."""

    def __init__(
        self,
        parts: Parts,
        *,
        connector: Connector | None = None,
        journal: Journal | None = None,
        area: str | None = None,
    ) -> None:
        """Begin a conversation.

        Args:
            parts: Shared with other conversations.
            connector: The home's devices, not yet started; simulated ones of its own by default.
            journal: Where commands are written before they are sent; in memory by default. What
                one that was used before left open is finished first.
            area: Id of the room that the microphone is in.
        """
        self.parts, self._area = parts, area
        self._connector: Connector = connector or SimulatedHome(parts.home)
        self._loop = Background()
        self.dialogue = Dialogue(area=area)
        """What was said before; whoever holds several conversations keeps one for each."""
        allowed = parts.people.allowed if parts.people else None
        if isinstance(self._connector, Connected):
            self._loop.run(self._connector.start())
        self._executor = self._loop.run(_executor(parts, self._connector, journal, allowed))
        self.resumed = tuple(self._loop.run(self._executor.resume())) if journal else ()
        """What came of commands that a crash or a restart had left open."""

    @property
    def home(self) -> Home:
        """Its rooms and devices."""
        return self.parts.home

    def hear(
        self, given: np.ndarray | str, *, speaker: str | None = None,
        transcript: Transcript | None = None,
    ) -> Turn:  # fmt: skip
        """One exchange.

        Args:
            given: (n,) float32 at 16 kHz, or the words if they were typed.
            speaker: Who speaks, if that is known already.
            transcript: Of the sound, if it was recognised already.

        Returns:
            What was heard, understood and done, with the seconds of every stage.

        Raises:
            ModelError: Sound was given and no recogniser is there.
        """
        seconds: dict[str, float] = {}
        with _timed(seconds, "recognition"):
            transcript = transcript or self._transcribed(given)
        if speaker is None and self.parts.people and isinstance(given, np.ndarray):
            with _timed(seconds, "speaker"):
                speaker = self.parts.people.who(given)
        transcript = self._request(transcript)
        if not transcript.text:
            nothing = Understood(status="rejected", question=NOTHING_HEARD)
            return Turn(transcript=transcript, speaker=speaker, understood=nothing,
                        reply=NOTHING_HEARD, seconds=seconds)  # fmt: skip
        with _timed(seconds, "understanding"):
            text = transcript.text
            if self.parts.people is not None:
                text = self.parts.people.rewrite(text, speaker=speaker)
            understood = self.parts.understander.understand(
                text, context=self.dialogue, speaker=speaker
            )
        self.dialogue = self.dialogue.after(understood)
        outcomes: tuple[Outcome, ...] = ()
        if understood.status == "understood" and understood.commands:
            with _timed(seconds, "action"):
                outcomes = self._done(understood.commands, speaker)
        return Turn(
            transcript=transcript, speaker=speaker, understood=understood, outcomes=outcomes,
            reply=_reply(understood, outcomes), seconds=seconds,
        )  # fmt: skip

    def understand(self, text: str) -> Understood:
        """What a first sentence would ask for; nothing is done."""
        return self.parts.understander.understand(text, context=Dialogue(area=self._area))

    def say(self, text: str) -> np.ndarray | None:
        """A reply as (n,) float32 at 16 kHz; None if there is no voice."""
        return self.parts.voice.say(text) if self.parts.voice and text else None

    def states(self) -> dict[str, dict[str, Any]]:
        """The present state of every device of a simulated home.

        Raises:
            ParameterError: The home is a real one.
        """
        return self._simulated().states()

    def move(self, area: str | None) -> None:
        """The microphone is in another room now; what was said before stays known."""
        self._area, self.dialogue = area, replace(self.dialogue, area=area)

    def reset(self) -> None:
        """The simulated home in its first state, and nothing said before.

        Raises:
            ParameterError: The home is a real one.
        """
        self._simulated().reset()
        self.dialogue = Dialogue(area=self._area)

    def close(self) -> None:
        """Leave the home, and stop what runs in the background."""
        if isinstance(self._connector, Connected):
            self._loop.run(self._connector.stop())
        self._loop.close()

    def __enter__(self) -> Assistant:
        """Itself."""
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()

    def _done(self, commands: tuple[Command, ...], speaker: str | None) -> tuple[Outcome, ...]:
        """What came of commands; those that wait for a yes are kept for the next exchange."""
        # A risky command counts as understood only after the yes that was asked for.
        agreed = any(command.risky for command in commands)
        outcomes = self._loop.run(self._executor.run(commands, confirmed=agreed, speaker=speaker))
        waiting = tuple(
            command.model_copy(update={"risky": True})
            for command, outcome in zip(commands, outcomes, strict=True)
            if outcome.status == "waiting"
        )
        if waiting:
            self.dialogue = replace(self.dialogue, pending=waiting)
        return tuple(outcomes)

    def _transcribed(self, given: np.ndarray | str) -> Transcript:
        if isinstance(given, str):
            return Transcript(text=" ".join(given.split()))
        if self.parts.recogniser is None:
            raise ModelError(
                "no speech recogniser is open", where="recogniser",
                remedy="Open the assistant with one, or type",
            )  # fmt: skip
        return self.parts.recogniser.transcribe(given)

    def _request(self, transcript: Transcript) -> Transcript:
        """What was heard, without the wake phrase before it."""
        if self.parts.wake is None:
            return transcript
        text = without_phrase(transcript.text, self.parts.wake.about.spellings)
        return transcript if text == transcript.text else transcript.model_copy(
            update={"text": text}
        )  # fmt: skip

    def _simulated(self) -> SimulatedHome:
        if not isinstance(self._connector, SimulatedHome):
            raise ParameterError(
                "only a simulated home can be looked at whole, or set back", where="connector",
                remedy="Use SimulatedHome",
            )  # fmt: skip
        return self._connector


async def _executor(
    parts: Parts,
    connector: Connector,
    journal: Journal | None,
    allowed: Callable[[str | None, Command], bool] | None,
) -> Executor:
    """Made inside the loop that it will run in."""
    return Executor(connector, journal or Journal.open(None), parts.home, allowed=allowed)


def without_phrase(text: str, spellings: Sequence[str]) -> str:
    """A sentence without a phrase that it begins with, in any spelling; case does not matter."""
    for spelling in sorted(spellings, key=len, reverse=True):
        words = r"\W+".join(re.escape(w) for w in re.findall(r"\w+", spelling))
        if found := re.match(rf"\W*{words}\b\W*", text, flags=re.IGNORECASE):
            return text[found.end() :]
    return text


def _reply(understood: Understood, outcomes: tuple[Outcome, ...]) -> str:
    """What the assistant says."""
    if outcomes:
        return " ".join(dict.fromkeys(outcome.says for outcome in outcomes if outcome.says))
    return understood.question or NOT_UNDERSTOOD


@contextmanager
def _timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    begun = time.perf_counter()
    yield
    seconds[stage] = time.perf_counter() - begun
