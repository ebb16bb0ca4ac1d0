"""The benchmark's rules on cases worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from verticals.driving.frame import OBJECTS, Boxes2D
from verticals.driving.tracking.scoring import iou, measure, occlusions, prepare, score

CAR, VAN = OBJECTS.index("car"), OBJECTS.index("van")


def labels(*rows: tuple[float, int, int, bool]) -> Boxes2D:
    """Boxes of 40 by 40 pixels: left edge, class, track, ignored."""
    left = np.array([r[0] for r in rows], float)
    xyxy = np.stack([left, np.zeros(len(rows)), left + 40, np.full(len(rows), 40.0)], 1)
    return Boxes2D(xyxy, np.array([r[1] for r in rows], np.int64),
                   np.array([r[2] for r in rows], np.int64),
                   ignore=np.array([r[3] for r in rows], bool))  # fmt: skip


def found(*rows: tuple[float, int]) -> Boxes2D:
    return labels(*((left, CAR, track, False) for left, track in rows))


def test_what_lies_on_a_van_a_hidden_car_or_a_dont_care_region_counts_for_nothing() -> None:
    truth = labels(
        (0, CAR, 5, False), (100, VAN, 6, False), (200, CAR, 7, True), (300, CAR, -1, True)
    )
    result = found((2, 1), (102, 2), (202, 3), (302, 4), (500, 9))
    video = prepare([truth], [result], kind=CAR, neighbours=(VAN,))
    assert len(video.truth[0]) == 1
    assert len(video.found[0]) == 2  # the car, and the false one at 500
    scores = score([measure(video)])
    assert (scores.missed, scores.false, scores.switches) == (0, 1, 0)


def test_small_results_that_hit_nothing_are_ignored() -> None:
    small = Boxes2D(np.array([[500.0, 0, 520, 20]]), np.array([CAR]), np.array([3]))
    assert len(prepare([labels((0, CAR, 1, False))], [small], kind=CAR).found[0]) == 0


def test_an_identity_that_changes_after_an_occlusion() -> None:
    truth = [labels((0, CAR, 1, False))] * 4
    results = [found((0, 1)), found(), found(), found((0, 2))]
    video = prepare(truth, results, kind=CAR)
    scores = score([measure(video)])
    assert scores.switches == 1
    assert scores.mota == pytest.approx(1 - (2 + 1) / 4)
    assert occlusions([video]) == (1, 1)
    kept = prepare(truth, [found((0, 1)), found(), found(), found((0, 1))], kind=CAR)
    assert occlusions([kept]) == (1, 0)


def test_perfect_tracks_score_one() -> None:
    truth = [labels((10.0 * f, CAR, 1, False), (200, CAR, 2, False)) for f in range(5)]
    scores = score([measure(prepare(truth, truth, kind=CAR))])
    assert (scores.hota, scores.mota, scores.idf1) == pytest.approx((1, 1, 1))


def test_iou_of_boxes_by_hand() -> None:
    first = np.array([[0.0, 0, 10, 10]])
    second = np.array([[0.0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30]])
    assert iou(first, second)[0] == pytest.approx([1, 1 / 3, 0])
