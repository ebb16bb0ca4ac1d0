"""When somebody begins and ends to speak, told while they do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.data.audio import SAMPLE_RATE
from verticals.voice.listening.vad import WINDOW, WINDOW_S, Vad


@dataclass(frozen=True)
class Event:
    """The beginning or the end of an utterance."""

    kind: Literal["start", "end"]
    time_s: float
    """Of the first or last speech, in seconds since the stream began."""


@dataclass(frozen=True)
class Patience:
    """How long to wait, and how sure to be."""

    sure: float = 0.5
    """Probability from which a window is speech."""
    unsure: float = 0.35
    """Probability below which it is silence; between both it stays what it was."""
    speech_s: float = 0.16
    """Speech, all windows counted, before an utterance begins: shorter is a click."""
    silence_s: float = 0.6
    """Silence that ends an utterance: people pause for less within a sentence."""
    longest_s: float = 15.0
    """An utterance is ended after this."""


class Endpointer:
    """Follows one stream of sound."""

    def __init__(self, vad: Vad, patience: Patience | None = None) -> None:
        """Begin a stream.

        Args:
            vad: Says how likely speech is.
            patience: How long to wait.
        """
        self._stream, self._patience = vad.stream(), patience or Patience()
        self._windows = 0  # that were looked at
        self._speech = self._silence = 0  # windows since the last change
        self._since: int | None = None  # window in which the present utterance began
        self._first: int | None = None  # of what may become an utterance
        self._last = 0  # window of speech

    @property
    def speaking(self) -> bool:
        """Whether an utterance has begun and not ended."""
        return self._since is not None

    @property
    def silent_s(self) -> float:
        """How long nobody has spoken within the present utterance."""
        return self._silence * WINDOW_S if self.speaking else 0.0

    def push(self, block: np.ndarray) -> list[Event]:
        """Take (n,) float32 samples at 16 kHz; give what began or ended in them."""
        return [e for p in self._stream.push(block) if (e := self._window(p)) is not None]

    def finish(self) -> list[Event]:
        """The stream is over: end what has begun."""
        return [self._ended()] if self.speaking else []

    def _window(self, probability: float) -> Event | None:
        here, self._windows = self._windows, self._windows + 1
        limits = self._patience
        if probability >= limits.sure or (self.speaking and probability >= limits.unsure):
            self._speech, self._silence, self._last = self._speech + 1, 0, here
            if self._first is None:
                self._first = here
        else:
            self._silence += 1
        if not self.speaking:
            return self._maybe_begun()
        begun = self._since if self._since is not None else here
        late = (here - begun) * WINDOW_S >= limits.longest_s
        return self._ended() if late or self._silence * WINDOW_S >= limits.silence_s else None

    def _maybe_begun(self) -> Event | None:
        limits = self._patience
        if self._first is not None and self._speech * WINDOW_S >= limits.speech_s:
            self._since = self._first
            return Event("start", self._first * WINDOW_S)
        if self._silence * WINDOW_S >= limits.speech_s:  # a click is forgotten
            self._speech, self._first = 0, None
        return None

    def _ended(self) -> Event:
        self._since = self._first = None
        self._speech = 0
        return Event("end", (self._last + 1) * WINDOW_S)


def segments(
    sound: np.ndarray, vad: Vad, patience: Patience | None = None
) -> Iterator[tuple[float, float]]:
    """The utterances of a recording: begin and end in seconds.

    Args:
        sound: (n,) float32 at 16 kHz.
        vad: Says how likely speech is.
        patience: How long to wait.
    """
    follower = Endpointer(vad, patience)
    padded = np.pad(sound, (0, -len(sound) % WINDOW))
    begun = 0.0
    for event in (*follower.push(padded), *follower.finish()):
        if event.kind == "start":
            begun = event.time_s
        else:
            yield begun, min(event.time_s, len(sound) / SAMPLE_RATE)
