"""Lanes as CULane counts them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.verticals.driving.perception.judging.made import (
    line,
    view,
)
from verticals.driving.perception.judging.lanes import lane_scores, overlaps


def test_lanes_are_counted_as_culane_does() -> None:
    true = (line(100, 1), line(300, -1), line(400, -2, top=275), line(480, -3))
    seen = (line(102, 1), line(330, -1), line(401, -2, top=275), line(481, -2))
    scores = lane_scores([seen], [view(lanes=true)], ["a"], draws=5)
    # the first is found, the second missed with a false alarm beside it; others do not count
    assert (scores.precision.value, scores.recall.value, scores.f1.value) == (0.5, 0.5, 0.5)
    assert scores.numbered.value == 1
    empty = lane_scores([()], [view(lanes=true)], ["a"], draws=5)
    assert empty.f1.value == 0
    assert np.isnan(empty.precision.value)


def test_bands_overlap_as_culanes_do_at_its_own_size() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        base = np.column_stack(
            [np.linspace(*rng.uniform(200, 1400, 2), 6), np.linspace(580, 250, 6)]
        )
        other = base + np.column_stack([rng.uniform(-25, 25, 2).repeat(3), np.zeros(6)])
        masks = []
        for one in (base, other):
            mask = np.zeros((590, 1640), np.uint8)
            cv2.polylines(mask, [np.rint(one).astype(np.int32).reshape(-1, 1, 2)], False, 1, 30)
            masks.append(mask > 0)
        theirs = (masks[0] & masks[1]).sum() / (masks[0] | masks[1]).sum()
        scale = 512 / 1640
        ours = overlaps([base * scale], [other * scale], (184, 512))[0, 0]
        assert ours == pytest.approx(theirs, abs=0.03)
    assert overlaps([base], [base, base + 400], (590, 1640)).tolist() == [[1, 0]]
