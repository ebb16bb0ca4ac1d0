"""The second look at what may be the wake phrase: does the speech recogniser hear it too?

Whisper is made to spell the phrase over the sound (teacher forcing), and the probability it gives
is the score: every token is judged against all others, so nothing has to be trained for a phrase.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from verticals.voice.recognition.decoding import Decoder

_MARGIN = 3_200  # samples of silence put around: words at the very edge are lost
_LEVEL = 0.5  # of the loudest sample


@dataclass(frozen=True)
class PhraseCheck:
    """The recogniser, asked for one phrase."""

    decoder: Decoder
    spellings: tuple[str, ...]

    def score(self, sound: np.ndarray) -> float:
        """Log-probability that a stretch of sound begins with the phrase, in any spelling.

        Args:
            sound: (n,) float32 at 16 kHz, up to thirty seconds.
        """
        return float(np.logaddexp.reduce(self.by_spelling(sound)))

    def by_spelling(self, sound: np.ndarray) -> np.ndarray:
        """The log-probability of every spelling: (spellings,)."""
        loudest = float(np.abs(sound).max(initial=0.0))
        level = _LEVEL / loudest if loudest > 0 else 1.0
        given = np.pad(sound * level, _MARGIN).astype(np.float32)
        return np.array(self.decoder.likelihoods(self.decoder.encode(given), self.spellings))


def spelled(phrase: str) -> tuple[str, ...]:
    """How a recogniser may write a phrase: small, with a capital, every word with one."""
    small, title = phrase.lower(), phrase.title()
    first = small.capitalize()
    paused = title.replace(" ", ", ", 1)
    return tuple(dict.fromkeys((small, first, title, paused, small.upper())))
