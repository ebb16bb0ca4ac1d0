"""Which sentences bear on a question: trees over vectors, shared words and place in the passage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from verticals.medical.evidence.sentence_features import (
    FEATURE_NAMES,
    Rarity,
    sentence_features,
)
from verticals.medical.retrieval.reranker import open_boosters, save_boosters

SHIPPED = Path(__file__).parents[1] / "weights" / "support"
SEEDS = 3
TREES, RATE, LEAVES, LEAST = 300, 0.03, 16, 20


class Encodes(Protocol):
    """What turns texts into vectors: a `TextEncoder`, or one that remembers."""

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """(n, d) float32 of length one."""


@dataclass(frozen=True)
class SupportModel:
    """Probability that a sentence bears on a question, from its passage's point of view."""

    boosters: tuple[Any, ...]  # lightgbm.Booster, averaged

    @classmethod
    def open(cls, path: Path | None = None) -> SupportModel:
        """The models of a folder; by default those that the kit ships.

        Raises:
            ModelError: There are none, or they were trained on other features.
        """
        return cls(open_boosters(path or SHIPPED, FEATURE_NAMES))

    def save(self, folder: Path) -> None:
        """Write the models as LightGBM's text."""
        save_boosters(self.boosters, folder)

    def score(self, features: np.ndarray) -> np.ndarray:
        """(n,) probabilities of rows of `sentence_features`."""
        if not len(features):
            return np.zeros(0)
        return np.mean([b.predict(features, num_threads=1) for b in self.boosters], axis=0)


def score_passages(
    question: str,
    passages: Sequence[Sequence[str]],
    model: SupportModel,
    encoder: Encodes,
    rarity: Rarity,
    *,
    titles: Sequence[str] = (),
) -> list[np.ndarray]:
    """Probabilities of every sentence of some passages, encoded in one go.

    Args:
        question: What they are read for.
        passages: Their sentences.
        model: The trees.
        encoder: Of question and sentences.
        rarity: Inverse document frequency of stems, `LexicalIndex.rarity`.
        titles: Of the passages' documents, if they have any.

    Returns:
        By passage, (sentences,) probabilities.
    """
    flat = [sentence for sentences in passages for sentence in sentences]
    if not flat:
        return [np.zeros(0) for _ in passages]
    vectors = encoder.encode([question, *flat])
    counts = np.cumsum([0, *(len(s) for s in passages)]) + 1
    rows = [
        sentence_features(question, vectors[0], sentences, vectors[a:b], rarity, title=title)
        for sentences, title, (a, b) in zip(
            passages, titles or [""] * len(passages), pairwise(counts), strict=True
        )
        if len(sentences)
    ]
    scores = model.score(np.concatenate(rows))
    return [scores[a - 1 : b - 1] for a, b in pairwise(counts)]


def fit_support(features: np.ndarray, labels: np.ndarray, *, seed: int = 0) -> SupportModel:
    """Train on labelled sentences.

    Args:
        features: (n, len(FEATURE_NAMES)) of `sentence_features`.
        labels: (n,) whether an annotator named the sentence as evidence.
        seed: Of the trees.
    """
    import lightgbm

    boosters = []
    for offset in range(SEEDS):
        data = lightgbm.Dataset(features, labels.astype(int), feature_name=list(FEATURE_NAMES))
        settings = {
            "objective": "binary", "learning_rate": RATE, "num_leaves": LEAVES,
            "min_data_in_leaf": LEAST, "feature_fraction": 0.4, "lambda_l2": 5.0,
            "bagging_fraction": 0.8, "bagging_freq": 1, "verbose": -1, "num_threads": 1,
            "seed": seed + offset, "deterministic": True,
        }  # fmt: skip
        boosters.append(lightgbm.train(settings, data, TREES))
    return SupportModel(tuple(boosters))
