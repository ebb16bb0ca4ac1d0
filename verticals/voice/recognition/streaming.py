"""Words while somebody speaks: what is likely so far, and what will not change any more.

What was heard is decoded again as it grows, and words on which two readings in a row agree are
settled (LocalAgreement-2, Macháček et al., 2023). Readings become rarer as the sound becomes
longer, so that all of them together decode no more than a fixed multiple of it. At the end the
whole is decoded as if it had been a file.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import takewhile

import numpy as np

from core.data.audio import SAMPLE_RATE
from verticals.voice.command import Transcript
from verticals.voice.recognition.decoding import WINDOW_S
from verticals.voice.recognition.whisper import Recogniser
from verticals.voice.understanding.normalise import plain_words

_LATE_S = 5.0  # of what is open: where it may be cut


@dataclass(frozen=True)
class Pace:
    """How often to listen again."""

    every_s: float = 0.6
    """New sound before another reading."""
    growth: float = 0.2
    """… or this share of what was decoded before, if that is longer."""
    longest_s: float = WINDOW_S - 5.0
    """Sound that may be open; then what was heard is settled and let go."""


@dataclass(frozen=True)
class Partial:
    """What is heard so far."""

    text: str = ""
    """All words."""
    settled: str = ""
    """Those of its beginning that will stay."""


class PartialStream:
    """One utterance, while it is spoken. Memory is bounded by `Pace.longest_s`."""

    def __init__(self, recogniser: Recogniser, pace: Pace | None = None) -> None:
        """Begin with silence.

        Args:
            recogniser: As for whole recordings; readings on the way take its best path only.
            pace: How often to listen again.
        """
        self.decoded_s = 0.0  # on the way, again and again: what partial words cost
        self._recogniser, self._pace = recogniser, pace or Pace()
        self._quick = replace(recogniser, beam=1, prefers=None, snap=None)
        self._open = np.zeros(0, np.float32)
        self._read = 0  # samples that the last reading knew
        self._before: list[str] = []  # its words
        self._settled: list[str] = []  # of them
        self._done = ""  # of sound that was let go
        self._heard = Partial()

    def push(self, block: np.ndarray) -> Partial:
        """Take (n,) float32 at 16 kHz, of any length; what is heard so far.

        Raises:
            AudioError: Samples that are not numbers.
        """
        longest = round(self._pace.longest_s * SAMPLE_RATE)
        every = self._pace.every_s * SAMPLE_RATE
        at = 0
        while at < len(block):
            piece = block[at : at + longest - len(self._open)]
            at += len(piece)
            self._open = np.concatenate([self._open, piece.astype(np.float32, copy=False)])
            if len(self._open) >= longest:
                self._let_go()
            elif len(self._open) - self._read >= max(every, self._pace.growth * self._read):
                self._listen()
        return self._heard

    def finish(self) -> Transcript:
        """The utterance is over: its words, as the recogniser hears the whole of it.

        Raises:
            AudioError: Samples that are not numbers.
        """
        last = self._recogniser.transcribe(self._open)
        if not self._done:
            return last
        return Transcript(text=_joined(self._done, last.text), confidence=last.confidence)

    def _listen(self) -> None:
        self._read = len(self._open)
        self.decoded_s += self._read / SAMPLE_RATE
        words = self._quick.transcribe(self._open).text.split()
        # A sentence may still end otherwise: punctuation and case do not count.
        pairs = zip(words, self._before, strict=False)
        agreed = [word for word, _ in takewhile(lambda pair: _same(*pair), pairs)]
        # What was settled once is not taken back, whatever a later reading says.
        self._settled += agreed[len(self._settled) :]
        self._before = words
        settled, rest = " ".join(self._settled), " ".join(words[len(self._settled) :])
        self._heard = Partial(_joined(self._done, settled, rest), _joined(self._done, settled))

    def _let_go(self) -> None:
        """Settle what is open up to its quietest moment of late, and forget that sound."""
        cut = quietest(self._open, len(self._open) - min(round(_LATE_S * SAMPLE_RATE),
                                                         len(self._open) // 2))  # fmt: skip
        self.decoded_s += cut / SAMPLE_RATE
        self._done = _joined(self._done, self._recogniser.transcribe(self._open[:cut]).text)
        self._open, self._read = self._open[cut:], 0
        self._before, self._settled = [], []
        self._heard = Partial(self._done, self._done)


def quietest(sound: np.ndarray, since: int) -> int:
    """The middle of the quietest fifth of a second after a sample: where no word is cut.

    Args:
        sound: (n,) samples.
        since: The first that may be it.
    """
    level = np.cumsum(np.pad(sound[since:].astype(np.float64) ** 2, (1, 0)))
    span = min(SAMPLE_RATE // 5, len(level) - 1)
    return since + int((level[span:] - level[:-span]).argmin()) + span // 2


def _joined(*texts: str) -> str:
    return " ".join(text for text in texts if text)


def _same(one: str, other: str) -> bool:
    return plain_words(one) == plain_words(other)
