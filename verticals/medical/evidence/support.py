"""Which sentences bear on a question: trees over vectors, shared words and place in the passage."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from verticals.medical.retrieval.lexical import stems
from verticals.medical.retrieval.reranker import open_boosters, save_boosters

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.models.encoder import TextEncoder

SHIPPED = Path(__file__).parents[1] / "weights" / "support"
SEEDS = 3
TREES, RATE, LEAVES, LEAST = 150, 0.04, 8, 30
FEATURE_NAMES = (
    "cosine",  # of question and sentence
    "cosine_below_best",  # of the passage
    "cosine_z",  # standard deviations above the passage's mean
    "cosine_place",  # 0 for the nearest sentence of the passage
    "words",  # share of the question's words, by rarity
    "words_below_best",
    "words_place",
    "position",  # 0 for the first sentence, towards 1 for the last
    "sentences_left",
    "sentences",  # of the passage
    "characters",
    "centrality",  # cosine of sentence and passage
    "digits",
    "finding",  # says that something was shown or concluded
    "statistic",  # gives a p-value or a confidence interval
    "heading",  # all capitals, or very short
    "cosine_before",
    "cosine_after",
    "passage_cosine",  # of question and passage
    "pairs",  # share of the question's neighbouring words that are neighbours here
    "words_before",  # of the sentence before
    "words_after",
    "words_of_sentence",  # the shared words' part of all that is rare in the sentence
    "rarity",  # of its words, on average
    "change",  # says that something rises, falls or goes with something
    "opening",  # begins as results and conclusions do
)
_FINDING = re.compile(
    r"conclu|suggest|demonstrat|show|found|indicat|reveal|thus|therefore|recommend|should"
    r"|these (?:results|findings|data)|here we", re.IGNORECASE,
)  # fmt: skip
_CHANGE = re.compile(r"significant|associat|increas|decreas|reduc|higher|lower", re.IGNORECASE)
_OPENING = re.compile(
    r"(?:here|we|our|these|this|in conclusion|conclusion|results|thus|overall)\b", re.IGNORECASE
)
_STATISTIC = re.compile(r"\bp ?[<=>]|95% ?ci|confidence", re.IGNORECASE)
_SHORT = 25  # characters; below, a sentence is hardly one


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
    encoder: TextEncoder,
    rarity: Callable[[Sequence[str]], np.ndarray],
) -> list[np.ndarray]:
    """Probabilities of every sentence of some passages, encoded in one go.

    Args:
        question: What they are read for.
        passages: Their sentences.
        model: The trees.
        encoder: Of question and sentences.
        rarity: Inverse document frequency of stems, `LexicalIndex.rarity`.

    Returns:
        By passage, (sentences,) probabilities.
    """
    flat = [sentence for sentences in passages for sentence in sentences]
    if not flat:
        return [np.zeros(0) for _ in passages]
    vectors = encoder.encode([question, *flat])
    counts = np.cumsum([0, *(len(s) for s in passages)]) + 1
    rows = [
        sentence_features(question, vectors[0], sentences, vectors[a:b], rarity)
        for sentences, a, b in zip(passages, counts, counts[1:], strict=False)
        if len(sentences)
    ]
    scores = model.score(np.concatenate(rows))
    return [scores[a - 1 : b - 1] for a, b in pairwise(counts)]


def sentence_features(
    question: str,
    question_vector: np.ndarray,
    sentences: Sequence[str],
    vectors: np.ndarray,
    rarity: Callable[[Sequence[str]], np.ndarray],
) -> np.ndarray:
    """Features of all sentences of one passage.

    Args:
        question: What they are read for.
        question_vector: (d,) of length one.
        sentences: Of the passage, in order; at least one.
        vectors: (n, d) theirs, of length one.
        rarity: Inverse document frequency of stems.

    Returns:
        (n, len(FEATURE_NAMES)) float32.
    """
    n = len(sentences)
    cosine = vectors @ question_vector
    order = stems(question)
    words = list(dict.fromkeys(order))
    weights = rarity(words)
    total = float(weights.sum()) or 1.0
    split = [stems(s) for s in sentences]
    rare = _rarities(split, rarity)
    met = np.array([_share(words, weights, set(s)) for s in split])
    shares = met / total
    weight = np.array([sum(rare[w] for w in set(s)) for s in split])
    pairs = set(pairwise(order))
    middle = vectors.mean(axis=0)
    middle /= np.linalg.norm(middle) or 1.0
    at = np.arange(n)
    columns = (
        cosine, cosine - cosine.max(), (cosine - cosine.mean()) / (cosine.std() + 1e-6),
        _places(cosine), shares, shares - shares.max(), _places(shares), at / n, n - at,
        np.full(n, n), [len(s) for s in sentences], vectors @ middle,
        [any(c.isdigit() for c in s) for s in sentences],
        [bool(_FINDING.search(s)) for s in sentences],
        [bool(_STATISTIC.search(s)) for s in sentences],
        [s.isupper() or len(s) < _SHORT for s in sentences],
        np.concatenate([[0.0], cosine[:-1]]), np.concatenate([cosine[1:], [0.0]]),
        np.full(n, middle @ question_vector),
        [len(pairs & set(pairwise(s))) / max(len(pairs), 1) for s in split],
        np.concatenate([[0.0], shares[:-1]]), np.concatenate([shares[1:], [0.0]]),
        met / np.maximum(weight, 1e-6),
        weight / [max(len(set(s)), 1) for s in split],
        [bool(_CHANGE.search(s)) for s in sentences],
        [bool(_OPENING.match(s)) for s in sentences],
    )  # fmt: skip
    return np.stack([np.asarray(c, np.float32) for c in columns], axis=1)


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
            "min_data_in_leaf": LEAST, "feature_fraction": 0.6, "bagging_fraction": 0.8,
            "bagging_freq": 1, "verbose": -1, "num_threads": 1, "seed": seed + offset,
            "deterministic": True,
        }  # fmt: skip
        boosters.append(lightgbm.train(settings, data, TREES))
    return SupportModel(tuple(boosters))


def _rarities(
    split: Sequence[Sequence[str]], rarity: Callable[[Sequence[str]], np.ndarray]
) -> dict[str, float]:
    """How rare every stem of some sentences is."""
    distinct = sorted({word for words in split for word in words})
    return dict(zip(distinct, rarity(distinct).tolist(), strict=True))


def _share(words: Sequence[str], weights: np.ndarray, present: set[str]) -> float:
    return float(sum(w for word, w in zip(words, weights, strict=True) if word in present))


def _places(values: np.ndarray) -> np.ndarray:
    """(n,) place of every value, 0 for the highest."""
    places = np.empty(len(values), int)
    places[np.argsort(-values, kind="stable")] = np.arange(len(values))
    return places
