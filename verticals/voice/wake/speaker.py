"""The third look, where a home wants it: was the phrase said by somebody who is enrolled?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.data.audio import SAMPLE_RATE

if TYPE_CHECKING:
    from verticals.voice.people.people import People
    from verticals.voice.wake.detector import Speaker

# A phrase tells less of a voice than a sentence does: of stretches of 1.2 s (bench data, six people
# enrolled) 6% of their own fall below this cosine, and a fifth of strangers' lie above it.
THRESHOLD = 0.6
_LONGEST_S = 4.0


def enrolled_only(people: People, *, threshold: float = THRESHOLD) -> Speaker:
    """Lets only enrolled people wake it; before anybody is enrolled, everybody may.

    Args:
        people: Of the home, in their present state at every wake.
        threshold: Cosine from which a stretch counts as somebody's.

    Returns:
        For `WakeWord.open(..., speaker=...)`.
    """

    def may(stretch: np.ndarray) -> bool:
        if not people.names:
            return True
        heard = people.score(stretch[-int(_LONGEST_S * SAMPLE_RATE) :])
        return max(heard.values(), default=0.0) >= threshold

    return may
