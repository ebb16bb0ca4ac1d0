"""The second opinion: whom it sees on rendered streets, and how two opinions are joined."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from core.errors import ModelError
from verticals.driving.frame import OBJECTS, Boxes2D
from verticals.driving.perception.second_opinion import (
    PEDESTRIAN,
    SecondOpinion,
    calibration,
    iou,
    merge,
    windows,
)

CAR, CYCLIST = OBJECTS.index("car"), OBJECTS.index("cyclist")


def boxes(*rows: tuple[float, float, float, float, float], kind: int = PEDESTRIAN) -> Boxes2D:
    values = np.array(rows, float).reshape(-1, 5)
    n = len(values)
    return Boxes2D(values[:, :4], np.full(n, kind), np.full(n, -1), scores=values[:, 4])


@pytest.fixture(scope="module")
def opinion() -> SecondOpinion:
    return SecondOpinion.open()


@pytest.mark.parametrize("size", [(1, 1), (40, 400), (300, 300)])
def test_an_empty_picture_of_any_shape_shows_nobody(
    opinion: SecondOpinion, size: tuple[int, int]
) -> None:
    found = opinion.boxes([np.full((*size, 3), 120, np.uint8)])
    assert len(found) == 1
    assert len(found[0]) == 0


def test_another_file_is_refused(tmp_path) -> None:
    other = tmp_path / "frozen_inference_graph.pb"
    other.write_bytes(b"something else")
    with pytest.raises(ModelError, match="not the pinned file"):
        SecondOpinion.open(other)


def test_windows_cover_a_wide_picture_with_overlapping_squares() -> None:
    found = list(windows(1242, 375))
    assert found[0] == (0, 0, 1242, 375)
    squares = found[1:]
    assert all(right - left == 375 for left, _, right, _ in squares)
    assert squares[0][0] == 0
    assert squares[-1][2] == 1242
    assert all(b[0] - a[0] <= 375 / 2 + 1 for a, b in pairwise(squares))
    assert list(windows(400, 400)) == [(0, 0, 400, 400)]


def test_iou_of_known_boxes() -> None:
    a = np.array([[0.0, 0, 10, 10]])
    b = np.array([[0.0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30]])
    assert iou(a, b)[0] == pytest.approx([1, 1 / 3, 0])


def test_what_both_see_is_likelier_and_lies_between() -> None:
    merged = merge(boxes((0, 0, 40, 100, 0.8)), boxes((4, 0, 44, 100, 0.8)), trust=0.5)
    assert merged.seen_by == ("both",)
    assert merged.boxes.scores == pytest.approx([1 - 0.2 * 0.6])
    assert 0 < merged.boxes.xyxy[0, 0] < 4
    assert not merged.disputed.any()


def test_what_one_alone_is_sure_of_is_disputed_unless_too_small_for_the_other() -> None:
    first = boxes((0, 0, 40, 100, 0.9), (200, 0, 208, 20, 0.9))
    merged = merge(first, boxes((400, 0, 440, 100, 0.9)), least_height=24)
    assert merged.seen_by == ("network", "network", "second")
    assert merged.disputed.tolist() == [True, False, True]
    assert merged.boxes.scores == pytest.approx([0.9, 0.9, 0.45])


def test_riders_and_other_classes_are_left_to_the_network() -> None:
    first = boxes((0, 0, 60, 120, 0.9), kind=CYCLIST)
    merged = merge(first, boxes((10, 0, 50, 90, 0.9)))
    assert merged.boxes.classes.tolist() == [CYCLIST]
    car = merge(boxes((0, 0, 40, 100, 0.9), kind=CAR), boxes((0, 0, 40, 100, 0.9)))
    assert sorted(car.boxes.classes.tolist()) == sorted([CAR, PEDESTRIAN])


def test_merging_with_nothing_changes_nothing() -> None:
    merged = merge(boxes((0, 0, 40, 100, 0.3), (50, 0, 90, 100, 0.7)), boxes())
    assert merged.boxes.scores == pytest.approx([0.7, 0.3])
    assert len(merge(boxes(), boxes()).boxes) == 0


def test_each_person_makes_one_box_right() -> None:
    found = boxes((0, 0, 40, 100, 0.6), (1, 0, 41, 100, 0.9), (200, 0, 240, 100, 0.5))
    scores, right = calibration([found], [boxes((0, 0, 40, 100, 1))])
    assert scores.tolist() == [0.6, 0.9, 0.5]
    assert right.tolist() == [False, True, False]
