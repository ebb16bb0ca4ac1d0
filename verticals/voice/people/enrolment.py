"""Learns a voice from a few clips, and turns down what would not be recognised again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.errors import DataError
from verticals.voice.people.voices import Voices

ENROLMENTS = 3  # clips at least
_ENOUGH_S = 3.0  # of speech in all of them
_AGREE = 0.6  # cosine of each with the mean of the others


def voice_of(clips: Sequence[np.ndarray], voices: Voices) -> np.ndarray:
    """The mean voice of clips that agree: (512,) of length 1.

    Args:
        clips: Three or more, each (n,) float32 at 16 kHz.
        voices: The encoders.

    Raises:
        DataError: Too few clips, hardly any speech, or they are not of one person.
    """
    if len(clips) < ENROLMENTS:
        raise DataError(f"{len(clips)} clips are too few", where="clips",
                        remedy=f"Record {ENROLMENTS} sentences")  # fmt: skip
    found, speech_s = [], 0.0
    for number, clip in enumerate(clips, 1):
        try:
            heard = voices.hear(clip)
        except DataError as error:
            raise DataError(error.what, where=f"clip {number}", remedy=error.remedy) from None
        found.append(heard.vector)
        speech_s += heard.speech_s
    if speech_s < _ENOUGH_S:
        raise DataError(f"only {speech_s:.1f} s of the clips are speech", where="clips",
                        remedy="Record sentences of three seconds")  # fmt: skip
    vectors = np.stack(found)
    others = vectors.sum(axis=0) - vectors
    agree = (vectors * others).sum(axis=1) / np.linalg.norm(others, axis=1)
    if agree.min() < _AGREE:
        raise DataError(
            "it does not sound like the same person as the others",
            where=f"clip {int(agree.argmin()) + 1}",
            remedy="Record it again, alone and close to the microphone",
        )  # fmt: skip
    mean: np.ndarray = vectors.mean(axis=0)
    return mean / np.linalg.norm(mean)
