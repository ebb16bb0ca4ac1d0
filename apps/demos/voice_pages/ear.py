"""Recordings while they are made: blocks from the browser's microphone in, partial words out.

Sound is kept in memory only, for as long as the recording and its answer take.
"""

from __future__ import annotations

import base64
import binascii
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from core.data.audio import SAMPLE_RATE, from_pcm16, resample
from core.errors import DataError
from verticals.voice.recognition.streaming import Partial

if TYPE_CHECKING:
    from verticals.voice.listening.endpoint import Endpointer

LONGEST_S = 30.0
_SILENT_S = 8.0  # after which nobody will speak any more
_MOST = 24  # recordings at once
_FORGOTTEN_S = 120.0
_RATES = (8_000, 192_000)
_LARGEST = 4_000_000  # characters of a block


class Words(Protocol):
    """What recognises while somebody speaks."""

    def push(self, block: np.ndarray, *, spoken: bool) -> Partial:
        """The words so far.

        Args:
            block: (n,) more samples at 16 kHz.
            spoken: Whether anybody has begun to speak.
        """


@dataclass(frozen=True)
class Heard:
    """What the microphone is told after a block."""

    text: str = ""
    settled: str = ""  # the beginning of the text that will stay
    spoke: bool = False  # somebody has begun to
    ended: bool = False
    full: bool = False  # ended because it is as long as one may be


@dataclass
class _Recording:
    words: Words | None
    endpointer: Endpointer | None
    began: float
    blocks: list[np.ndarray] = field(default_factory=list)
    heard: Partial = Partial()  # noqa: RUF009 - it is frozen
    spoke: bool = False
    ended: bool = False

    @property
    def seconds(self) -> float:
        return sum(map(len, self.blocks)) / SAMPLE_RATE

    def told(self) -> Heard:
        full = self.seconds >= LONGEST_S
        return Heard(
            self.heard.text, self.heard.settled, spoke=self.spoke, ended=self.ended or full,
            full=full,
        )  # fmt: skip


class Ear:
    """Every recording that is being made."""

    def __init__(
        self,
        *,
        words: Callable[[], Words] | None = None,
        endpointer: Callable[[], Endpointer] | None = None,
    ) -> None:
        """Begin without any.

        Args:
            words: Opens what recognises one recording while it is made; None for no words then.
            endpointer: Opens what says when somebody has finished; None to wait for the button.
        """
        self._words, self._endpointer = words, endpointer
        self._open: OrderedDict[str, _Recording] = OrderedDict()
        self._lock = threading.Lock()

    def push(self, message: Any) -> Heard:
        """A block of a recording.

        Args:
            message: {"recording": its name, "rate": Hz, "pcm": base64 of 16-bit samples}.

        Raises:
            DataError: The message is none of these.
        """
        name, sound = _read(message)
        recording = self._recording(name)
        if recording.ended:
            return recording.told()
        room = round(LONGEST_S * SAMPLE_RATE) - sum(map(len, recording.blocks))
        sound = sound[: max(0, room)]
        recording.blocks.append(sound)
        recording.ended = self._over(recording, sound)
        if recording.words is not None and len(sound) and not recording.ended:
            recording.heard = recording.words.push(sound, spoken=recording.spoke)
        return recording.told()

    def take(self, name: str) -> np.ndarray:
        """The whole of a recording, (n,) float32 at 16 kHz; it is forgotten here.

        Raises:
            DataError: There is none.
        """
        with self._lock:
            recording = self._open.pop(name, None)
        if recording is None or not sum(map(len, recording.blocks)):
            raise DataError(
                "no sound came from the microphone", where="microphone",
                remedy="Check in the browser's settings which microphone is used, and try again",
            )  # fmt: skip
        return np.concatenate(recording.blocks)

    def drop(self, name: str) -> None:
        """Forget a recording, if there is one."""
        with self._lock:
            self._open.pop(name, None)

    def _recording(self, name: str) -> _Recording:
        now = time.monotonic()
        with self._lock:
            if name not in self._open:
                for old in [n for n, r in self._open.items() if now - r.began > _FORGOTTEN_S]:
                    del self._open[old]
                while len(self._open) >= _MOST:
                    self._open.popitem(last=False)
                self._open[name] = _Recording(
                    self._words() if self._words else None,
                    self._endpointer() if self._endpointer else None, now,
                )  # fmt: skip
            return self._open[name]

    def _over(self, recording: _Recording, sound: np.ndarray) -> bool:
        """Whether the speaker has finished, or never began."""
        if recording.endpointer is None:
            recording.spoke = True  # for all that is known
            return False
        kinds = {event.kind for event in recording.endpointer.push(sound)}
        recording.spoke = recording.spoke or "start" in kinds
        return "end" in kinds or (not recording.spoke and recording.seconds >= _SILENT_S)


def _read(message: Any) -> tuple[str, np.ndarray]:
    """Name and samples at 16 kHz of a message from the browser."""
    wrong = DataError("the browser sent no sound", where="microphone", remedy="Reload the page")
    if not isinstance(message, dict):
        raise wrong
    name, rate, pcm = (message.get(key) for key in ("recording", "rate", "pcm"))
    if not (isinstance(name, str) and 8 <= len(name) <= 64 and isinstance(pcm, str)):
        raise wrong
    if not isinstance(rate, int | float) or not _RATES[0] <= rate <= _RATES[1]:
        raise wrong
    if len(pcm) > _LARGEST:
        raise wrong
    try:
        data = base64.b64decode(pcm, validate=True)
    except binascii.Error:
        raise wrong from None
    sound = from_pcm16(data[: len(data) // 2 * 2])
    return name, sound if round(rate) == SAMPLE_RATE or not len(sound) else resample(
        sound, round(rate)
    )
