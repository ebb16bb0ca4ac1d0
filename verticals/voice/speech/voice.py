"""What every voice offers, and which voices this machine has."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from core.errors import ModelError, ParameterError


class Voice(Protocol):
    """Speaks sentences."""

    @property
    def names(self) -> tuple[str, ...]:
        """Speakers that it has."""

    def say(
        self,
        text: str,
        *,
        speaker: str | None = None,
        speed: float = 1.0,
        seed: int = 0,
    ) -> np.ndarray:
        """A sentence as sound.

        Args:
            text: English, up to a few sentences.
            speaker: One of `names`; None for the first.
            speed: 1 is normal, 2 twice as fast.
            seed: Of what varies from one time to the next, where anything does.

        Returns:
            (n,) float32 at 16 kHz.

        Raises:
            ParameterError: No such speaker.
        """


# Best first: by bench.voice.speech joe is understood best and begins to speak soonest.
VOICES = ("joe", "kokoro", "espeak-ng", "flite")


def open_voice(name: str = "kokoro", *, threads: int = 2) -> Voice:
    """A voice by name.

    Raises:
        ModelError: Its weights or its program are not on this machine.
        ParameterError: No such voice.
    """
    if name == "kokoro":
        from verticals.voice.speech.kokoro import Kokoro

        return Kokoro.open(threads=threads)
    if name == "joe":
        from verticals.voice.speech.piper import Piper

        return Piper.open(threads=threads)
    if name in ("espeak-ng", "flite"):
        from verticals.voice.speech.programs import Program

        return Program.find(name)
    raise ParameterError(
        f"there is no voice {name!r}", where="voice", remedy=f"Use one of {', '.join(VOICES)}"
    )


def first_voice(*, threads: int = 2) -> Voice | None:
    """The best voice that this machine has; None means that answers are text only."""
    for name in VOICES:
        try:
            return open_voice(name, threads=threads)
        except ModelError:
            continue
    return None


def chosen(names: tuple[str, ...], speaker: str | None) -> str:
    """The speaker meant.

    Raises:
        ParameterError: Not one of the names.
    """
    if speaker is None:
        return names[0]
    if speaker not in names:
        raise ParameterError(
            f"there is no speaker {speaker!r}", where="speaker",
            remedy=f"Use one of {', '.join(names)}",
        )  # fmt: skip
    return speaker
