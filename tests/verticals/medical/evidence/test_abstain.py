"""When the kit says nothing: signals of a search, and a model over them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from core.errors import ModelError
from verticals.medical.evidence.abstain import (
    SIGNALS,
    AbstentionModel,
    answer_signals,
    fit_abstention,
)
from verticals.medical.retrieval.index import Hit


class Words:
    """A corpus that knows a few words, all equally rare."""

    def knows(self, stem: str) -> bool:
        return stem in {"aspirin", "stroke", "reduc"}

    def rarity(self, words: Any) -> np.ndarray:
        return np.ones(len(words))


def hit(row: int, cosine: float, both: bool = True) -> Hit:
    return Hit(row, 6.0, row, cosine, row if both else -1, 0.0, 0.0, 3.0, 4.0)


def signals(question: str, texts: list[str], support: list[list[float]]) -> dict[str, float]:
    hits = [hit(n, 0.9 - 0.1 * n) for n in range(len(texts))]
    scores = [np.array(s) for s in support]
    found = answer_signals(question, hits, texts, scores, Words())  # type: ignore[arg-type]
    return {name: round(float(v), 4) for name, v in zip(SIGNALS, found, strict=True)}


def test_signals_say_what_was_found() -> None:
    seen = signals(
        "aspirin reduces stroke",
        ["Aspirin was given.", "Aspirin reduces strokes."],
        [[0.2, 0.4], [0.8]],
    )
    assert seen["cosine"] == 0.9
    assert seen["words"] == 1.0
    assert seen["words_first"] == 0.3333
    assert seen["pairs"] == 1.0
    assert seen["bm25_share"] == 2.0
    assert (seen["support"], seen["support_first"]) == (0.8, 0.4)
    assert seen["support_three"] == round((0.8 + 0.4 + 0.2) / 3, 4)
    assert seen["agreement"] == 0.2
    assert seen["unknown"] == 0.0


def test_words_that_no_passage_uses_are_counted() -> None:
    assert signals("aspirin for zeppelins", ["Aspirin."], [[0.1]])["unknown"] == 0.5


def test_nothing_found_and_nothing_read_are_no_errors() -> None:
    assert not answer_signals("x", [], [], [], Words()).any()  # type: ignore[arg-type]
    seen = answer_signals("the", [hit(0, 0.1)], [], [], Words())  # type: ignore[arg-type]
    assert np.isfinite(seen).all()


def trained() -> tuple[AbstentionModel, np.ndarray, np.ndarray]:
    """A model over made-up signals, of which one says whether there is an answer."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(400, len(SIGNALS)))
    answerable = rows[:, SIGNALS.index("support")] + 0.3 * rng.normal(size=400) > 0.8
    return fit_abstention(rows, answerable), rows, answerable


def test_it_tells_questions_with_an_answer_from_those_without() -> None:
    model, rows, answerable = trained()
    confidence = np.array([model.confidence(row) for row in rows])
    assert ((confidence > 0) & (confidence < 1)).all()
    assert confidence[answerable].mean() > 0.8 > 0.3 > confidence[~answerable].mean()


def test_how_many_had_no_answer_does_not_move_the_confidence() -> None:
    _, rows, answerable = trained()
    once = fit_abstention(rows, answerable, strength=1e6)
    many = fit_abstention(rows, answerable, importance=np.where(answerable, 1.0, 5.0), strength=1e6)
    at = rows[np.argsort([abs(once.confidence(r) - 0.5) for r in rows])[:20]]
    gaps = [once.confidence(r) - many.confidence(r) for r in at]
    assert abs(np.mean(gaps)) < 0.1


def test_it_is_kept_with_its_threshold_and_refuses_other_signals(tmp_path: Path) -> None:
    model, rows, _ = trained()
    model.save(tmp_path)
    opened = AbstentionModel.open(tmp_path)
    assert opened.threshold == model.threshold
    assert opened.confidence(rows[0]) == pytest.approx(model.confidence(rows[0]))
    file = tmp_path / "abstain.json"
    read = orjson.loads(file.read_bytes())
    read["signals"][0] = "another"
    file.write_bytes(orjson.dumps(read))
    with pytest.raises(ModelError, match="other signals"):
        AbstentionModel.open(tmp_path)
    with pytest.raises(ModelError, match="no model"):
        AbstentionModel.open(tmp_path / "nowhere")


def test_the_reason_names_what_is_missing() -> None:
    model, *_ = trained()
    assert "Nothing in this corpus" in model.reason(0.0, 0)
    assert "31%" in model.reason(0.31, 3)


def test_what_is_shipped_is_surer_of_a_better_search() -> None:
    model = AbstentionModel.open()
    best, worst = model.mean + model.scale * model.weights, model.mean - model.scale * model.weights
    assert model.confidence(best) > 0.5 > model.confidence(worst)
