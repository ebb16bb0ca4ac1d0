"""The curve of labels bought: the same start for all ways, and a gain where there is one."""

from __future__ import annotations

import numpy as np
import pytest

from verticals.driving.engine.curve import (
    RANDOM,
    LabelCurve,
    Rows,
    at_random,
    engine,
    label_curve,
    most_doubted,
)
from verticals.driving.frame import Floats

SCENE = np.repeat(np.arange(40), np.r_[[60] * 10, [3] * 30])  # ten common scenes and thirty rare
POINTS = np.random.default_rng(0).normal(0, 5, (40, 6))[SCENE] + np.random.default_rng(1).normal(
    0, 0.05, (690, 6)
)


def covered(rows: Rows, seed: int) -> tuple[float, Floats]:
    """A model that knows the scenes it has seen: quality is their share, doubt is for the rest."""
    del seed
    seen = np.unique(SCENE[rows])
    return len(seen) / 40, np.where(np.isin(SCENE, seen), 0.1, 1.0)


def test_choosing_beats_chance_and_saves_labels() -> None:
    curve = label_curve(covered, POINTS, (5, 15, 25, 45), seeds=range(6),
                        ways={"ours": engine, "doubted": most_doubted})  # fmt: skip
    assert set(curve.quality) == {"ours", "doubted", RANDOM}
    start = [curve.quality[way][:, 0].tolist() for way in curve.quality]
    assert start[0] == start[1] == start[2]
    assert curve.interval("ours")[-1].value > 0.95
    assert curve.gain("ours")[-1].low > 0.2
    assert curve.saved("ours").low > 0.3
    assert curve.interval("ours")[-1].value > curve.interval("doubted")[-1].value


def test_no_way_takes_a_frame_twice() -> None:
    labelled = np.arange(600)
    for way in (engine, most_doubted, at_random):
        rows = way(np.ones(690), POINTS, 90, labelled, 0)
        assert sorted(rows.tolist()) == list(range(600, 690))


def test_saved_labels_lie_between_the_budgets() -> None:
    quality = {RANDOM: np.array([[0.1, 0.3, 0.5]]), "a": np.array([[0.1, 0.6, 0.9]]),
               "b": np.array([[0.1, 0.2, 0.4]]), "c": np.array([[0.7, 0.6, 0.9]])}  # fmt: skip
    curve = LabelCurve((10, 20, 40), quality)
    assert curve.saved("a").value == pytest.approx(1 - 18 / 40)
    assert curve.saved("b").value == 0
    assert curve.saved("c").value == pytest.approx(1 - 10 / 40)


def test_budgets_must_rise_and_fit() -> None:
    for budgets in ((5, 5), (9, 3), (0, 4), (5, 700)):
        with pytest.raises(ValueError, match="rise"):
            label_curve(covered, POINTS, budgets)
