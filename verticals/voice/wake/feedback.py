"""Learns from false wakes: what woke it by mistake becomes an example of what must not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.data.audio import SAMPLE_RATE
from core.errors import DataError, ModelError
from verticals.voice.recognition.whisper import Recogniser
from verticals.voice.wake.check import PhraseCheck
from verticals.voice.wake.detector import About, read_about
from verticals.voice.wake.embedding import SPAN, SpeechEmbedding
from verticals.voice.wake.head import HEAD, Head, export_head, train_head
from verticals.voice.wake.training import EXAMPLES, save_examples, write_about

_LONGEST_S = 10.0
_LEEWAY = 0.5
_RAISED = 6.0  # at most, of a detector that does not know how deaf it may become
_TIMES = 5  # that a real mistake counts beside made-up examples
_MISSED = 0.1  # of the examples of the phrase may the head refuse


@dataclass(frozen=True)
class Lesson:
    """What a detector learned from its mistakes."""

    about: About
    still: tuple[int, ...]
    """Places of the recordings that would wake it still: they are too like the phrase."""


def learn_from(folder: Path, false_wakes: Sequence[np.ndarray], recogniser: Recogniser) -> Lesson:
    """Make a detector deafer to what woke it by mistake, and only as deaf as that needs.

    The head is trained again with the mistakes among its examples. The recogniser's threshold is
    raised just above their scores; where that would lose the phrase itself, it stays below, and
    the head may overrule the recogniser from now on.

    Args:
        folder: Of the detector; it is changed in place.
        false_wakes: What woke it: (n,) float32 at 16 kHz each, up to ten seconds.
        recogniser: As when it was trained.

    Raises:
        DataError: No recordings, or one is longer than ten seconds.
        ModelError: The folder holds no detector, or not the examples it learned from.
    """
    about = read_about(folder)
    _usable(false_wakes)
    right, wrong = _examples(folder)
    check = PhraseCheck(recogniser.decoder, about.spellings)
    scores = np.array([check.score(sound) for sound in false_wakes])
    ceiling = about.check_threshold + _RAISED if about.ceiling is None else about.ceiling
    wanted = max(about.check_threshold, float(scores.max()) + _LEEWAY)
    limit = max(about.check_threshold, min(wanted, ceiling))

    embedding = SpeechEmbedding.open()
    padded = [np.pad(s, (SPAN, SAMPLE_RATE // 2)) for s in false_wakes]
    new = np.concatenate([embedding.windows(s) for s in padded])
    wrong = np.concatenate([wrong, np.repeat(new, _TIMES, axis=0)])
    sha256 = export_head(train_head(right, wrong, seed=about.seed), folder)
    save_examples(folder, right, wrong)
    head = Head.open(folder / HEAD)
    deafest = float(np.quantile(head.scores(right), _MISSED))
    heard = np.array([head.best(embedding, sound) for sound in false_wakes])
    sure = min(float(heard.max()) + _LEEWAY, deafest)
    veto = about.veto
    if wanted > limit or veto is not None:
        veto = sure if veto is None else max(veto, sure)
    learned = about.model_copy(update={
        "check_threshold": round(limit, 3), "veto": veto, "head_sha256": sha256,
        "alone_threshold": round(max(about.alone_threshold, sure), 3),
    })  # fmt: skip
    write_about(folder, learned)
    wakes = (scores >= limit) & (heard >= (-np.inf if veto is None else veto))
    return Lesson(learned, tuple(int(i) for i in np.flatnonzero(wakes)))


def _examples(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    try:
        with np.load(folder / EXAMPLES) as kept:
            return kept["right"].astype(np.float32), kept["wrong"].astype(np.float32)
    except (OSError, ValueError, KeyError):
        raise ModelError(
            "the examples that it learned from are not there", where=str(folder / EXAMPLES),
            remedy="Train it anew with train_wake_word",
        ) from None  # fmt: skip


def _usable(false_wakes: Sequence[np.ndarray]) -> None:
    if not false_wakes:
        raise DataError("there is no recording", where="false_wakes", remedy="Give one or more")
    for number, sound in enumerate(false_wakes, 1):
        if len(sound) > _LONGEST_S * SAMPLE_RATE:
            raise DataError(
                f"recording {number} lasts {len(sound) / SAMPLE_RATE:.0f} s", where="false_wakes",
                remedy=f"Cut it to the {_LONGEST_S:.0f} s that woke it",
            )  # fmt: skip
