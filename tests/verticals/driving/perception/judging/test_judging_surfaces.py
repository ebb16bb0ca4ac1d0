"""Overlap of surfaces against scikit-learn, and the drawing again of frames."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import jaccard_score

from core.errors import DataError, ParameterError
from tests.verticals.driving.perception.judging.made import (
    view,
)
from verticals.driving.frame import SURFACES, View
from verticals.driving.perception.judging.resampling import interval, units_of
from verticals.driving.perception.judging.surfaces import surface_scores, usual_surfaces


def test_surfaces_against_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 12, (12, 20, 30)).astype(np.uint8)
    seen = np.where(rng.random(truth.shape) < 0.6, truth, rng.integers(0, 11, truth.shape))
    seen = np.minimum(seen, 10).astype(np.uint8)
    views = [View(np.zeros((20, 30, 3), np.uint8), surfaces=t) for t in truth]
    names = [f"s{i}" for i in range(12)]
    scores = surface_scores(list(seen), views, names)
    kept = truth < 11
    theirs = jaccard_score(truth[kept], seen[kept], average=None, labels=range(11))
    np.testing.assert_allclose(scores.classes["iou"], theirs)
    assert scores.miou.value == pytest.approx(theirs.mean())
    assert scores.miou.low < scores.miou.value < scores.miou.high
    assert scores.unit == "sequence"
    some = surface_scores(list(seen), views, names, classes=["road", "car"])
    assert some.miou.value == pytest.approx(theirs[[3, 8]].mean())
    assert scores.confusion.to_numpy().sum() == kept.sum()


def test_surfaces_that_the_truth_lacks_are_no_part_of_the_mean() -> None:
    truth = np.full((4, 4), SURFACES.index("road"), np.uint8)
    seen = truth.copy()
    seen[0, 0] = SURFACES.index("car")
    truth[3, 3] = 11
    one = View(np.zeros((4, 4, 3), np.uint8), surfaces=truth)
    scores = surface_scores([seen], [one], ["a"])
    assert scores.miou.value == pytest.approx(14 / 15)
    with pytest.raises(DataError, match="differ in size"):
        surface_scores([seen[:2]], [one], ["a"])
    with pytest.raises(ParameterError, match="water"):
        surface_scores([seen], [one], ["a"], classes=["water"])
    with pytest.raises(DataError, match="no frame"):
        surface_scores([seen], [view()], ["a"])
    assert usual_surfaces([one, one])[0, 0] == SURFACES.index("road")


def test_few_sequences_are_drawn_as_blocks_of_frames() -> None:
    one = units_of(["a"] * 100)
    assert one.kind == "block of frames"
    assert one.of.max() + 1 == 20
    assert (np.diff(one.of) >= 0).all()
    two = units_of(["a", "b"] * 50)
    assert not set(two.of[::2]) & set(two.of[1::2])
    assert units_of([f"s{i // 3}" for i in range(30)]).kind == "sequence"
    assert units_of(["a"]).of.tolist() == [0]


def test_medians_of_draws_are_those_of_the_rows_drawn() -> None:
    rng = np.random.default_rng(0)
    units = units_of([f"s{i}" for i in range(9)], draws=20)
    frames, values = rng.integers(0, 9, 41), rng.normal(size=41)
    for row, median in enumerate(units.medians(values, frames)):
        often = units.weights[row, units.of[frames]].astype(int)
        assert median == pytest.approx(np.median(np.repeat(values, often)))
    found = interval(units.medians(values, frames), 41)
    assert found.low <= found.value <= found.high
