"""Times until objects are met, against positions moved on in small steps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from verticals.driving.tracking.risk import risks

EGO = (4.5, 1.9)
CAR = np.array([[4.3, 1.8]])


def test_a_car_ahead_that_brakes_is_met_when_the_gap_is_used_up() -> None:
    found = risks(np.array([[24.4, 0.0]]), np.array([[-5.0, 0.0]]), CAR, ego_speed=10.0)
    assert found.gap_m[0] == pytest.approx(20.0)
    assert found.time_to_collision_s[0] == pytest.approx(4.0)
    assert found.headway_s[0] == pytest.approx(2.0)


def test_what_passes_beside_leaves_or_stands_still_is_not_met() -> None:
    places = np.array([[30.0, 3.5], [30.0, 0.0], [30.0, 0.0], [-30.0, 0.0]])
    moves = np.array([[-20.0, 0.0], [3.0, 0.0], [0.0, 0.0], [-3.0, 0.0]])
    found = risks(places, moves, np.repeat(CAR, 4, axis=0), ego_speed=10.0)
    assert np.isinf(found.time_to_collision_s).all()
    assert np.isfinite(found.headway_s).tolist() == [False, True, True, False]


def test_bodies_that_overlap_already_are_met_now() -> None:
    found = risks(np.array([[1.0, 0.5]]), np.array([[0.0, 0.0]]), CAR, ego_speed=0.0)
    assert found.time_to_collision_s[0] == 0
    assert np.isinf(found.headway_s[0])  # the ego stands


@given(
    x=st.floats(-40, 40), y=st.floats(-15, 15), vx=st.floats(-20, 20), vy=st.floats(-8, 8)
)  # fmt: skip
def test_as_moving_on_in_steps_of_a_hundredth(x: float, y: float, vx: float, vy: float) -> None:
    found = risks(np.array([[x, y]]), np.array([[vx, vy]]), CAR, ego_speed=5.0)
    times = np.arange(0, 10, 0.01)
    reach = (CAR[0] + np.array(EGO)) / 2
    path = np.array([x, y]) + times[:, None] * np.array([vx, vy])
    touching = np.flatnonzero((np.abs(path) <= reach).all(axis=1))
    time = found.time_to_collision_s[0]
    if len(touching):
        assert time <= times[touching[0]] + 1e-6
        assert time >= times[touching[0]] - 0.011
    else:  # grazed between two steps, or never
        end = (np.array([x, y]) + time * np.array([vx, vy])) if np.isfinite(time) else path[-1]
        assert time > 9.98 or np.isclose(np.abs(end), reach, atol=0.3).any()
