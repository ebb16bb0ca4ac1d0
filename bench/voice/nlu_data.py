"""The public sentence sets of the language benchmarks, as far as their labels can be used."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.errors import DataError
from verticals.voice.understanding.words import Example, read_examples

DATA = Path("..") / "shared" / "data" / "voice"
_HELD_SLURP, _HELD_NLUEVAL = 150, 350  # sentences to calibrate on


def read_set(data: Path, name: str) -> list[Example]:
    """Sentences of a set; those whose tokens are not in their text are left out."""
    return usable(read_examples(data / "nlu" / f"{name}.jsonl.gz"))


def usable(examples: Sequence[Example]) -> list[Example]:
    """Sentences whose labels can be placed in the text (a handful of SLURP's cannot)."""
    found = []
    for example in examples:
        try:
            example.spans()
        except DataError:
            continue
        found.append(example)
    return found


def bare(text: str) -> str:
    """Letters and digits alone: two sentences that differ in case or commas are one."""
    return re.sub(r"[^a-z0-9]", "", text.lower())


def home_rows(data: Path, *, seed: int = 0) -> tuple[list[Example], list[Example]]:
    """Training and calibration rows of SLURP (devel) and NLU-Evaluation-Data (fold 1, train).

    SLURP's sentences count twice: NLU-Evaluation-Data's slots are annotated a little otherwise.
    Intents with one sentence are left out; no sentence is in both parts.
    """
    slurp, other = read_set(data, "slurp_dev"), read_set(data, "nlueval_train")
    counts = Counter(example.intent for example in [*slurp, *other])
    random = np.random.default_rng(seed)
    held: list[Example] = []
    for rows, size in ((slurp, _HELD_SLURP), (other, _HELD_NLUEVAL)):
        order = random.permutation(len(rows))
        held += [rows[i] for i in order[:size] if counts[rows[i].intent] > 20]
    texts = {example.text.lower() for example in held}
    learned = [
        example for example in [*slurp, *slurp, *other]
        if example.text.lower() not in texts and counts[example.intent] > 1
    ]  # fmt: skip
    return learned, held
