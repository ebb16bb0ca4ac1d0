"""What the Wyoming server offers: the callables behind it, and how it describes itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from wyoming.info import Info

    from verticals.voice.command import Understood

_URL = "https://github.com/rhasspy/wyoming"


class Partial(Protocol):
    """What is heard so far."""

    @property
    def text(self) -> str:
        """The words."""


class PartialStream(Protocol):
    """A recogniser that hears while someone speaks."""

    def push(self, block: np.ndarray) -> Partial:
        """Take (n,) float32 samples at 16 kHz; returns what is heard so far."""


class WakeDetection(Protocol):
    """A wake word that was heard."""

    @property
    def time_s(self) -> float:
        """When, from the start of the sound."""


class WakeStream(Protocol):
    """A detector that listens."""

    def push(self, block: np.ndarray) -> Sequence[WakeDetection]:
        """Take (n,) float32 samples at 16 kHz; returns what was detected."""


@dataclass(frozen=True)
class Services:
    """What is behind the server; None: not offered. All of it may take long."""

    transcribe: Callable[[np.ndarray], str] | None = None
    """(n,) float32 at 16 kHz → text, "" where nobody spoke."""
    partials: Callable[[], PartialStream] | None = None
    """A new stream, for words while someone speaks."""
    speak: Callable[[str, str | None], Iterable[np.ndarray]] | None = None
    """Text and the voice's name → pieces of (n,) float32 at 16 kHz."""
    voices: tuple[str, ...] = ("default",)
    """Names of the voices."""
    wake: Callable[[], WakeStream] | None = None
    """A new stream of the wake word."""
    wake_phrase: str = "hey casekit"
    """What it listens for."""
    understand: Callable[[str], Understood] | None = None
    """Text → commands, none carried out."""
    handle: Callable[[str, str], tuple[bool, str]] | None = None
    """Text and the name of the conversation → whether it was done, and what to say."""


def description(services: Services) -> Info:
    """The answer to `describe`."""
    from wyoming.info import (
        AsrModel,
        AsrProgram,
        HandleModel,
        HandleProgram,
        Info,
        IntentModel,
        IntentProgram,
        TtsProgram,
        TtsVoice,
        WakeModel,
        WakeProgram,
    )

    def named(name: str, about: str, **more: Any) -> dict[str, Any]:
        return {**_artifact(name, about), **more}

    def model(about: str) -> dict[str, Any]:
        return named("home", about, languages=["en"])

    info = Info()
    if services.transcribe is not None:
        asr = named("casekit-asr", "Speech recognition", models=[AsrModel(**model("English"))])
        info.asr = [AsrProgram(**asr, supports_transcript_streaming=services.partials is not None)]
    if services.speak is not None:
        voices = [TtsVoice(**named(v, "A voice", languages=["en"])) for v in services.voices]
        tts = named("casekit-tts", "Speech", voices=voices)
        info.tts = [TtsProgram(**tts, supports_synthesize_streaming=True)]
    if services.wake is not None:
        phrase = services.wake_phrase
        wake = WakeModel(**named(_slug(phrase), phrase, languages=["en"], phrase=phrase))
        info.wake = [WakeProgram(**named("casekit-wake", "Wake word", models=[wake]))]
    if services.understand is not None:
        models = [IntentModel(**model("Requests of a home"))]
        info.intent = [IntentProgram(**named("casekit-intent", "Understanding", models=models))]
    if services.handle is not None:
        handles = [HandleModel(**model("Requests of a home"))]
        handle = named("casekit-handle", "Acting", models=handles)
        info.handle = [HandleProgram(**handle, supports_home_control=True)]
    return info


def _artifact(name: str, about: str) -> dict[str, Any]:
    from wyoming.info import Attribution

    try:
        own = version("casekit")
    except PackageNotFoundError:
        own = "0"
    return {
        "name": name, "description": about, "installed": True, "version": own,
        "attribution": Attribution(name="casekit", url=_URL),
    }  # fmt: skip


def _slug(phrase: str) -> str:
    return "_".join(phrase.lower().split())
