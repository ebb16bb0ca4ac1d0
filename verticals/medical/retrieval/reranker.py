"""The learned reranker: gradient-boosted trees over what both lists and the words say."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import ModelError
from verticals.medical.retrieval.features import FEATURE_NAMES, RISES, blend, passage_features

if TYPE_CHECKING:
    from verticals.medical.corpus.documents import Passage
    from verticals.medical.retrieval.index import Hit, SearchIndex

SHIPPED = Path(__file__).parents[1] / "weights" / "reranker"
SEEDS = 3  # models averaged
TREES, RATE, LEAVES, LEAST = 300, 0.03, 8, 80
DEPTH = 60  # of each list, when candidates are taken for training
MOST = 60  # candidates looked at closely, those with the highest blend of both scores


@dataclass(frozen=True)
class Reranker:
    """Trees that rank by a listwise loss (XE-NDCG, Bruch 2021), averaged over seeds."""

    boosters: tuple[Any, ...]  # lightgbm.Booster

    @classmethod
    def open(cls, path: Path | None = None) -> Reranker:
        """The models of a folder; by default those that the kit ships.

        Raises:
            ModelError: There are none, or they were trained on other features.
        """
        return cls(open_boosters(path or SHIPPED, FEATURE_NAMES))

    def save(self, folder: Path) -> None:
        """Write the models as LightGBM's text."""
        save_boosters(self.boosters, folder)

    def rerank(self, question: str, hits: Sequence[Hit], index: SearchIndex) -> list[Hit]:
        """The same hits with the models' scores, best first."""
        if not hits:
            return []
        near, far = nearest(hits)
        scores = self.score(self.features(question, near, index))
        scored = [replace(h, score=float(s)) for h, s in zip(near, scores, strict=True)]
        least = float(scores.min())
        rest = [replace(h, score=least - place) for place, h in enumerate(far, 1)]
        return [*sorted(scored, key=lambda hit: -hit.score), *rest]

    def features(self, question: str, hits: Sequence[Hit], index: SearchIndex) -> np.ndarray:
        """(len(hits), len(FEATURE_NAMES)) what the models see."""
        return features_of(question, hits, index)[0]

    def score(self, features: np.ndarray) -> np.ndarray:
        """(n,) scores of feature rows; higher is better."""
        return np.mean([b.predict(features, num_threads=1) for b in self.boosters], axis=0)


def fit_reranker(
    questions: Sequence[tuple[str, Collection[str]]], index: SearchIndex, *, seed: int = 0
) -> Reranker:
    """Train on labelled questions.

    Args:
        questions: Each with the identifiers of the documents that answer it.
        index: Finds the candidates; its own reranker plays no part.
        seed: Of the trees.

    Raises:
        ModelError: No candidate of any question is right: nothing can be learned.
    """
    rows, groups, labels = [], [], []
    for question, relevant in questions:
        features, documents = candidates(question, index)
        rows.append(features)
        groups.append(len(documents))
        labels += [name in relevant for name in documents]
    return fit_trees(np.concatenate(rows), np.array(labels), np.array(groups), seed=seed)


def candidates(question: str, index: SearchIndex) -> tuple[np.ndarray, list[str]]:
    """Features of a question's candidates, and which document each is of."""
    near, _ = nearest(index.candidates(question, depth=DEPTH))
    features, passages = features_of(question, near, index)
    return features, [p.document for p in passages]


def nearest(hits: Sequence[Hit]) -> tuple[list[Hit], list[Hit]]:
    """The `MOST` hits with the highest blend of both scores, and the others, best first."""
    order = np.argsort(-blend(hits), kind="stable").tolist()
    return [hits[i] for i in order[:MOST]], [hits[i] for i in order[MOST:]]


def features_of(
    question: str, hits: Sequence[Hit], index: SearchIndex
) -> tuple[np.ndarray, list[Passage]]:
    """Features of hits, and their passages."""
    rows = [h.row for h in hits]
    titled = index.corpus.titled(rows)
    passages = [passage for _, passage in titled]
    features = passage_features(
        question, hits, passages, [title for title, _ in titled],
        vectors=index.vectors_of(rows), lexical=index.lexical,
    )  # fmt: skip
    return features, passages


def fit_trees(
    features: np.ndarray, labels: np.ndarray, groups: np.ndarray, *, seed: int = 0
) -> Reranker:
    """Train on features.

    Args:
        features: (n, len(FEATURE_NAMES)) of all candidates, question by question.
        labels: (n,) whether the candidate is right.
        groups: How many candidates each question has, in order; sums to n.
        seed: Of the trees.
    """
    import lightgbm

    if not labels.any():
        raise ModelError("no candidate is labelled right", remedy="Label documents of the corpus")
    boosters = []
    for offset in range(SEEDS):
        data = lightgbm.Dataset(
            features, labels.astype(int), group=groups, feature_name=list(FEATURE_NAMES),
            free_raw_data=True,
        )  # fmt: skip
        settings = {
            "objective": "rank_xendcg", "monotone_constraints": list(RISES), "learning_rate": RATE,
            "num_leaves": LEAVES, "min_data_in_leaf": LEAST, "feature_fraction": 0.6,
            "bagging_fraction": 0.8, "bagging_freq": 1, "lambda_l2": 5.0, "verbose": -1,
            "num_threads": 1, "seed": seed + offset, "deterministic": True,
        }  # fmt: skip
        boosters.append(lightgbm.train(settings, data, TREES))
    return Reranker(tuple(boosters))


def open_boosters(folder: Path, names: Sequence[str]) -> tuple[Any, ...]:
    """LightGBM models of a folder, checked to see these features.

    Raises:
        ModelError: There are none, or they see others.
    """
    import lightgbm

    files = sorted(folder.glob("trees-*.txt"))
    if not files:
        raise ModelError(
            "the folder holds no trained trees", where=str(folder), remedy="Train them again"
        )
    boosters = tuple(lightgbm.Booster(model_file=str(f)) for f in files)
    for booster in boosters:
        if tuple(booster.feature_name()) != tuple(names):
            raise ModelError(
                "the trees were trained on other features than this version computes",
                where=str(folder), remedy="Train them again, or use the version that made them",
            )  # fmt: skip
    return boosters


def save_boosters(boosters: Sequence[Any], folder: Path) -> None:
    """Write LightGBM models as text, one file each."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, booster in enumerate(boosters):
        text = booster.model_to_string()
        (folder / f"trees-{number}.txt").write_text(text, encoding="utf-8")
