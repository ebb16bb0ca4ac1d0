"""What trees see of a sentence, and that the model learns from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ModelError
from verticals.medical.evidence.sentence_features import FEATURE_NAMES, sentence_features
from verticals.medical.evidence.support import SupportModel, fit_support, score_passages

COLUMN = {name: place for place, name in enumerate(FEATURE_NAMES)}


def rarity(words: Any) -> np.ndarray:
    return np.ones(len(words))


def features(question: str, sentences: list[str], title: str = "") -> dict[str, list[float]]:
    vectors = np.eye(len(sentences), 6, dtype=np.float32)
    table = sentence_features(question, vectors[0], sentences, vectors, rarity, title=title)
    assert table.shape == (len(sentences), len(FEATURE_NAMES))
    return {name: table[:, place].astype(float).round(4).tolist() for name, place in COLUMN.items()}


def test_shared_words_are_shares_of_the_question() -> None:
    seen = features(
        "aspirin reduces stroke",
        ["Aspirin was given.", "It reduced stroke.", "Aspirin reduces stroke."],
        title="Stroke",
    )
    assert seen["words"] == [0.3333, 0.6667, 1.0]
    assert seen["words_place"] == [2, 1, 0]
    assert seen["words_new"] == [0.3333, 0.3333, 0.6667]  # without the title's "stroke"
    assert seen["words_with_before"] == [0.3333, 1.0, 1.0]
    assert seen["words_before"] == [0.0, 0.3333, 0.6667]
    assert seen["words_after"] == [0.6667, 1.0, 0.0]
    assert seen["pairs"] == [0.0, 0.5, 1.0]


def test_the_nearest_sentence_stands_first_and_neighbours_know_it() -> None:
    seen = features("x", ["One.", "Two.", "Three."])
    assert seen["cosine"] == [1.0, 0.0, 0.0]
    assert seen["cosine_place"][0] == 0
    assert seen["cosine_before"] == [0.0, 1.0, 0.0]
    assert seen["cosine_after"] == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("cue", "sentence", "other"),
    [
        ("finding", "We found a benefit.", "Mice were fed."),
        ("statistic", "Lower (p < 0.05).", "Lower."),
        ("negation", "It did not help.", "It helped."),
        ("doubt", "It may help.", "It helps."),
        ("aim", "We sought to help.", "It helped."),
        ("method", "Patients were randomised.", "Patients improved."),
        ("result_label", "RESULTS It helped.", "METHODS It was given."),
        ("other_label", "METHODS It was given.", "RESULTS It helped."),
        ("heading", "METHODS", "This sentence is neither short nor in capitals."),
    ],
)
def test_cues_are_read_from_the_wording(cue: str, sentence: str, other: str) -> None:
    assert features("x", [sentence, other])[cue] == [1.0, 0.0]


def test_rises_are_told_apart_by_what_the_question_speaks_of() -> None:
    sentences = ["It increased.", "It decreased."]
    assert features("x increases y", sentences)["rise"] == [3.0, 0.0]
    assert features("x decreases y", sentences)["rise"] == [5.0, 0.0]
    assert features("x decreases y", sentences)["fall"] == [0.0, 5.0]


@given(st.text(max_size=60), st.lists(st.text(max_size=60), min_size=1, max_size=6))
def test_any_text_gives_finite_features(question: str, sentences: list[str]) -> None:
    vectors = np.eye(len(sentences), 6, dtype=np.float32)
    table = sentence_features(question, vectors[0], sentences, vectors, rarity)
    assert np.isfinite(table).all()


def trained() -> tuple[SupportModel, np.ndarray, np.ndarray]:
    """Trees over made-up sentences that count as evidence when they share words."""
    rng = np.random.default_rng(0)
    rows = rng.random((1500, len(FEATURE_NAMES))).astype(np.float32)
    labels = rows[:, COLUMN["words"]] > 0.7
    return fit_support(rows, labels), rows, labels


def test_it_learns_and_is_kept(tmp_path: Path) -> None:
    model, rows, labels = trained()
    scores = model.score(rows)
    assert scores[labels].min() > scores[~labels].mean()
    assert ((scores >= 0) & (scores <= 1)).all()
    model.save(tmp_path / "kept")
    np.testing.assert_allclose(SupportModel.open(tmp_path / "kept").score(rows), scores, rtol=1e-9)
    with pytest.raises(ModelError, match="no trained trees"):
        SupportModel.open(tmp_path)


class Letters:
    """Vectors of letters: enough to encode without a model."""

    def encode(self, texts: Any) -> np.ndarray:
        counts = np.array([[t.lower().count(c) + 0.1 for c in "aeiostr"] for t in texts])
        return (counts / np.linalg.norm(counts, axis=1, keepdims=True)).astype(np.float32)


def test_passages_are_scored_apart_whatever_is_beside_them() -> None:
    model, *_ = trained()
    passages = [["Aspirin reduces stroke.", "It rained."], [], ["Aspirin.", "Stroke.", "Mice."]]
    titles = ["Aspirin", "", "Mice"]
    together = score_passages("aspirin", passages, model, Letters(), rarity, titles=titles)
    assert [len(s) for s in together] == [2, 0, 3]
    for passage, title, scores in zip(passages, titles, together, strict=True):
        alone = score_passages("aspirin", [passage], model, Letters(), rarity, titles=[title])[0]
        np.testing.assert_allclose(alone, scores)
    assert [len(s) for s in score_passages("x", [[], []], model, Letters(), rarity)] == [0, 0]


def test_what_is_shipped_prefers_a_finding_to_an_unrelated_sentence() -> None:
    sentences = ["Aspirin significantly reduced stroke in patients.", "Mice were fed with grain."]
    model = SupportModel.open()
    bears, other = score_passages("Aspirin reduces stroke.", [sentences], model, Letters(), rarity)[
        0
    ]
    assert bears > other
