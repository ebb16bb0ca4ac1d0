"""Words that somebody said, as they lie in a folder of recordings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.data.audio import SUFFIXES, read_audio
from core.errors import DataError

_LONGEST_S = 10.0
_FEWEST = 2


@dataclass(frozen=True)
class Clip:
    """One word, said once."""

    word: str
    speaker: str
    sound: np.ndarray  # (n,) float32 at 16 kHz


def read_keywords(folder: str | Path) -> list[Clip]:
    """The recordings of a home's keywords: FOLDER/WORD/SPEAKER/any.wav, or FOLDER/WORD/any.wav.

    Recordings that lie beside each other without a speaker's folder are taken for one person's.

    Raises:
        DataError: No such folder, fewer than two words, or a recording that cannot be used.
    """
    place = Path(folder)
    words = sorted(p for p in place.iterdir() if p.is_dir()) if place.is_dir() else []
    clips = [
        Clip(word.name, path.parent.name if path.parent != word else "",
             read_audio(path, max_seconds=_LONGEST_S))
        for word in words for path in sorted(word.rglob("*")) if path.suffix.lower() in SUFFIXES
    ]  # fmt: skip
    if len({clip.word for clip in clips}) < _FEWEST:
        raise DataError(
            "it holds no recordings of two words or more", where=str(place),
            remedy="Make one folder a word, with a folder a speaker in it",
        )  # fmt: skip
    return clips
