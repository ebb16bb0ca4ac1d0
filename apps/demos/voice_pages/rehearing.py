"""Words while somebody speaks, for many visitors on one machine: one listens at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import numpy as np

from verticals.voice.recognition.streaming import Partial, PartialStream

if TYPE_CHECKING:
    from verticals.voice.assistant import Hearing


class Stream(Protocol):
    """A recogniser that hears while somebody speaks."""

    def push(self, block: np.ndarray) -> Partial:
        """What is heard so far, given (n,) more samples at 16 kHz."""


class Rehearing:
    """The words of one recording that is being made."""

    def __init__(self, stream: Stream, turn: threading.Lock) -> None:
        """Begin with nothing heard.

        Args:
            stream: Hears.
            turn: Held while one listens; who finds it taken keeps the words it has.
        """
        self._stream, self._turn = stream, turn
        self._waiting: list[np.ndarray] = []
        self._heard = Partial()

    def push(self, block: np.ndarray, *, spoken: bool) -> Partial:
        """The words so far, given (n,) more samples at 16 kHz."""
        self._waiting.append(block)
        if spoken and self._turn.acquire(blocking=False):
            try:
                self._heard = self._stream.push(np.concatenate(self._waiting))
                self._waiting.clear()
            finally:
                self._turn.release()
        return self._heard


def rehearings(recogniser: Hearing) -> Callable[[], Rehearing] | None:
    """Opens partial words for recordings; None where the recogniser can only hear whole ones.

    Args:
        recogniser: Hears the final words.
    """
    from verticals.voice.recognition.whisper import Recogniser

    if not isinstance(recogniser, Recogniser):
        return None
    turn = threading.Lock()
    return lambda: Rehearing(PartialStream(recogniser), turn)
