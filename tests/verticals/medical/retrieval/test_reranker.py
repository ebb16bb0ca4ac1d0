"""What the reranker sees of a candidate, and that it learns to use it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from core.errors import ModelError
from verticals.medical.corpus.documents import Passage
from verticals.medical.retrieval.features import (
    FEATURE_NAMES,
    RISES,
    blend,
    content,
    passage_features,
)
from verticals.medical.retrieval.index import Hit
from verticals.medical.retrieval.reranker import MOST, Reranker, fit_reranker, fit_trees, nearest

COLUMN = {name: place for place, name in enumerate(FEATURE_NAMES)}


@dataclass
class Words:
    """A corpus' words: how many passages each is in, of a thousand."""

    counts: dict[str, int] = field(default_factory=dict)

    def knows(self, stem: str) -> bool:
        return stem in self.counts

    def rarity(self, words: Any) -> np.ndarray:
        return np.array([np.log(1000 / self.counts.get(w, 1)) for w in words], float)


def hit(row: int, bm25_z: float = 1.0, dense_z: float = 1.0) -> Hit:
    return Hit(row, bm25_z, row, 0.5, row, 0.01, 0.01, bm25_z, dense_z)


def features(question: str, texts: list[str], titles: list[str] | None = None) -> np.ndarray:
    passages = [Passage(f"d{n}", 0, len(t), "", t) for n, t in enumerate(texts)]
    hits = [hit(n) for n in range(len(texts))]
    vectors = np.eye(len(texts), 8, dtype=np.float32)
    return passage_features(
        question, hits, passages, titles or [""] * len(texts), vectors=vectors,
        lexical=Words({"aspirin": 10, "stroke": 100, "reduc": 500}),
    )  # fmt: skip


def seen(table: np.ndarray, name: str) -> list[float]:
    return [round(float(v), 4) for v in table[:, COLUMN[name]]]


def test_words_count_by_their_rarity() -> None:
    total = np.log(100) + np.log(10) + np.log(2)
    table = features("aspirin reduces stroke", ["Aspirin works.", "Stroke reduced.", "Nothing."])
    expected = [np.log(100) / total, (np.log(10) + np.log(2)) / total, 0.0]
    assert seen(table, "passage_words") == [round(e, 4) for e in expected]
    assert seen(table, "rarest") == [1.0, 0.0, 0.0]


def test_a_sentence_with_all_words_beats_words_spread_over_sentences() -> None:
    table = features(
        "aspirin reduces stroke",
        ["Aspirin reduces stroke. It rained.", "Aspirin was given. Stroke was rare. It reduced."],
    )
    together, apart = seen(table, "sentence_words")
    assert together == 1.0
    assert apart < 1.0
    assert seen(table, "pairs") == [1.0, 0.0]


def test_numbers_and_titles_are_looked_for() -> None:
    table = features(
        "aspirin 81 mg", ["Aspirin 81 mg daily.", "Aspirin 325 mg."], ["Stroke", "Aspirin"]
    )
    assert seen(table, "numbers") == [1.0, 0.0]
    assert seen(table, "title_words")[0] == 0.0 < seen(table, "title_words")[1]


def test_words_that_only_ask_are_left_out_unless_nothing_else_is_there() -> None:
    assert content("What should I do about stroke?") == content("about stroke")
    assert content("What should I do?")


def test_candidates_like_the_leaders_stand_out() -> None:
    hits = [hit(0, 5, 5), hit(1, 4, 4), hit(2, 1, 1), hit(3, 1, 1)]
    vectors = np.array([[1, 0], [1, 0], [1, 0], [0, 1]], np.float32)
    passages = [Passage(f"d{n}", 0, 1, "", "x") for n in range(4)]
    table = passage_features(
        "stroke", hits, passages, [""] * 4, vectors=vectors, lexical=Words({"stroke": 1})
    )
    like = seen(table, "like_best")
    assert like[2] > like[3]
    assert seen(table, "blend_place") == [0.0, 1.0, 2.0, 3.0]


def test_no_candidates_no_rows() -> None:
    none = passage_features("x", [], [], [], vectors=np.zeros((0, 4)), lexical=Words())
    assert none.shape == (0, len(FEATURE_NAMES))
    assert len(RISES) == len(FEATURE_NAMES)


def test_only_the_best_blended_are_looked_at_closely() -> None:
    hits = [hit(n, float(n), float(n)) for n in range(MOST + 5)]
    near, far = nearest(hits)
    assert len(near) == MOST
    assert min(blend(near)) > max(blend(far))


def trained(seed: int = 0) -> tuple[Reranker, np.ndarray, np.ndarray]:
    """Trees over made-up queries whose answer is the candidate with the highest `words`."""
    rng = np.random.default_rng(seed)
    rows = rng.random((60 * 20, len(FEATURE_NAMES)))
    table = rows.reshape(60, 20, -1)[:, :, COLUMN["passage_words"]]
    labels = (table == table.max(axis=1, keepdims=True)).ravel()
    return fit_trees(rows, labels, np.full(60, 20)), rows, labels


def test_it_learns_an_order_that_features_give() -> None:
    model, _, _ = trained()
    _, rows, labels = trained(seed=1)
    best = model.score(rows).reshape(60, 20).argmax(axis=1)
    assert labels.reshape(60, 20)[np.arange(60), best].mean() > 0.5  # by chance .05


def test_more_shared_words_never_lower_a_score() -> None:
    model, rows, _ = trained()
    low, high = rows[:50].copy(), rows[:50].copy()
    high[:, COLUMN["passage_words"]] += 0.3
    assert (model.score(high) >= model.score(low) - 1e-9).all()


def test_saved_trees_score_alike_and_others_are_refused(tmp_path: Path) -> None:
    model, rows, _ = trained()
    model.save(tmp_path / "kept")
    opened = Reranker.open(tmp_path / "kept")
    np.testing.assert_allclose(opened.score(rows), model.score(rows), rtol=1e-9)
    file = tmp_path / "kept" / "trees-0.txt"
    file.write_text(file.read_text().replace("bm25_z", "another"))
    with pytest.raises(ModelError, match="other features"):
        Reranker.open(tmp_path / "kept")
    with pytest.raises(ModelError, match="no trained trees"):
        Reranker.open(tmp_path)


def test_what_is_shipped_fits_what_is_computed() -> None:
    assert len(Reranker.open().boosters) >= 1


def index_over(texts: list[str], score: list[float]) -> Any:
    """A search that finds every text, with these z-scores."""
    passages = [Passage(f"d{n}", 0, len(t), "", t) for n, t in enumerate(texts)]
    return SimpleNamespace(
        corpus=SimpleNamespace(titled=lambda rows: [("", passages[r]) for r in rows]),
        vectors_of=lambda rows: np.ones((len(rows), 4), np.float32) / 2,
        lexical=Words({"aspirin": 10, "stroke": 100}),
        candidates=lambda question, depth: [hit(n, s, s) for n, s in enumerate(score)],
    )


def test_reranking_keeps_every_hit_once() -> None:
    model, *_ = trained()
    index = index_over(["Aspirin. Stroke."] * (MOST + 7), list(range(MOST + 7)))
    hits = index.candidates("aspirin stroke", depth=9)
    ranked = model.rerank("aspirin stroke", hits, index)
    assert sorted(h.row for h in ranked) == list(range(MOST + 7))
    scores = [h.score for h in ranked]
    assert scores == sorted(scores, reverse=True)
    assert model.rerank("aspirin", [], index) == []


def test_training_without_a_right_candidate_says_so() -> None:
    with pytest.raises(ModelError, match="labelled right"):
        fit_reranker([("aspirin", {"elsewhere"})], index_over(["Aspirin."], [1.0]))
