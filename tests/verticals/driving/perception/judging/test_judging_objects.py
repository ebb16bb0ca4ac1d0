"""Distance, lights, signs and errors, on cases worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import DataError
from tests.verticals.driving.perception.judging.made import (
    CAR,
    LIGHT,
    SIGN,
    boxes,
    view,
)
from verticals.driving.deciding.perception_error import DEFAULT
from verticals.driving.frame import Calibration
from verticals.driving.perception.judging.error_table import error_table
from verticals.driving.perception.judging.matching import match
from verticals.driving.perception.judging.objects import (
    distance_scores,
    light_scores,
    perception_errors,
    sign_scores,
    smooth_states,
)


def test_distance_error_is_the_median_of_relative_errors() -> None:
    labels = boxes([[0, 0, 40, 40], [100, 0, 140, 40], [200, 0, 240, 40]], [CAR] * 3,
                   distance=[10, 20, 100])  # fmt: skip
    seen = boxes(labels.xyxy, [CAR] * 3, scores=[0.9] * 3, distance=[11, 16, 101])
    scores = distance_scores(match([seen] * 12, [view(labels)] * 12, list("abcdefghijkl")))
    assert scores.error.value == pytest.approx(0.1)
    assert scores.bias.value == pytest.approx(0.01)
    bins = scores.bins.set_index("bin")
    assert bins.loc["15-30 m", "error"] == pytest.approx(0.2)
    assert bins.loc["15-30 m", "bias"] == pytest.approx(-0.2)
    assert scores.baseline == pytest.approx(0.8)  # all say 20 m: 1.0, 0.0 and 0.8 off
    with pytest.raises(DataError, match="known distance"):
        distance_scores(match([seen], [view(boxes(labels.xyxy, [CAR] * 3))], ["a"]))


def test_light_states_over_time_outlive_a_wrong_frame_and_a_gap() -> None:
    place = [[100, 50, 120, 100]]
    said = ["red", "red", "green", "red", None, "green", "green"]
    true = ["red", "red", "red", "red", "red", "green", "green"]
    views, found = [], []
    for now, before in zip(said, true, strict=True):
        views.append(view(boxes(place, [LIGHT], details=(before,), track_ids=[7])))
        found.append(boxes(place if now else [], [LIGHT] if now else [],
                           scores=[0.9] if now else [], details=(now,) if now else ()))  # fmt: skip
    scores = light_scores(match(found, views, ["a"] * 7, draws=20))
    assert scores.right.value == pytest.approx(5 / 6)
    assert scores.over_time is not None
    # red while green flashes and while unseen; green, red, green, then its majority: all right
    assert scores.over_time.value == 1
    assert scores.over_time.n == 7
    assert scores.baseline == pytest.approx(4 / 6)
    assert scores.confusion.loc["red", "green"] == 1


def test_smoothing_is_a_majority_in_which_the_later_breaks_a_tie() -> None:
    shares = np.array([[np.nan, np.nan], [1, 0], [0, 1], [1, 0], [1, 0]])
    smooth = smooth_states(shares, last=2)
    assert np.isnan(smooth[0]).all()
    assert smooth[1:].argmax(axis=1).tolist() == [0, 1, 0, 0]
    np.testing.assert_allclose(smooth_states(shares, last=1)[1:], shares[1:])


def test_sign_names_count_on_signs_whose_name_was_learned() -> None:
    labels = boxes([[0, 0, 40, 40], [100, 0, 140, 40], [200, 0, 240, 40]], [SIGN] * 3,
                   details=("stop", "yield", "elk"))  # fmt: skip
    seen = boxes(labels.xyxy, [SIGN] * 3, scores=[0.9] * 3, details=("stop", "stop", "stop"))
    scores = sign_scores(match([seen], [view(labels)], ["a"], draws=5))
    assert (scores.right.value, scores.right.n, scores.over_time) == (0.5, 2, None)


def test_errors_name_what_became_of_every_object() -> None:
    camera = Calibration(np.array([[500.0, 0, 256], [0, 500, 144], [0, 0, 1]]), 512, 288)
    labels = boxes([[0, 0, 40, 40], [100, 0, 140, 40], [200, 0, 208, 8]], [CAR] * 3,
                   distance=[10, 20, 80])  # fmt: skip
    seen = boxes([[5, 0, 45, 40], [300, 0, 340, 40]], [CAR] * 2, scores=[0.9, 0.7],
                 distance=[12, 30])  # fmt: skip
    errors = perception_errors(match([seen], [view(labels, calibration=camera)], ["a"], draws=1))
    assert errors.objects["missed"].tolist() == [False, True, True]
    assert errors.objects["counted"].tolist() == [True, True, False]  # the small one
    assert errors.objects["ratio"][0] == pytest.approx(1.2)
    assert errors.objects["side_m"][0] == pytest.approx(5 / 500 * 10)
    assert errors.objects["ratio"].isna().tolist() == [False, True, True]
    assert errors.false_alarms["distance"].tolist() == [30]


def test_the_error_table_holds_what_was_measured_and_says_what_was_not() -> None:
    views, found = [], []
    for i in range(60):  # a car at 30 m, missed in frames 10 and 11, always 1 m too far
        views.append(view(boxes([[0, 0, 40, 40]], [CAR], distance=[30], track_ids=[1],
                                occlusion=[0.5])))  # fmt: skip
        there = i not in (10, 11)
        found.append(boxes([[0, 0, 40, 40]] if there else [], [CAR] * there, scores=[0.9] * there,
                           distance=[31] * there))  # fmt: skip
    errors = perception_errors(match(found, views, ["a"] * 60, draws=1))
    table = error_table(errors, [True] * 60, step_s=0.1)
    assert table.found["vehicle night partly"][1] == pytest.approx(58 / 60)
    assert table.found["vehicle night clear"] == DEFAULT.found["vehicle night clear"]
    assert table.range_sigma_m[1] == pytest.approx(1.4826)
    assert table.range_sigma_m[0] == DEFAULT.range_sigma_m[0]
    assert table.side_sigma_m == DEFAULT.side_sigma_m  # no calibration, no bearing
    assert table.miss_s == pytest.approx(0.2)
    assert "1 of 40" in table.source
    with pytest.raises(DataError, match="nights"):
        error_table(errors, [True], step_s=0.1)
