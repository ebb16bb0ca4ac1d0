"""Safe distances against numbers worked out by hand, and the properties they must have."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verticals.driving.deciding.rss import (
    braking_needed,
    safe_gap,
)  # fmt: skip

speeds = st.floats(0, 40)


def test_the_gap_worked_out_by_hand() -> None:
    # 20 m/s behind 15 m/s, 1 s at 2 m/s^2, then braking at 4 against 8:
    # 20 + 1 + 22^2 / 8 - 15^2 / 16 = 21 + 60.5 - 14.0625
    assert safe_gap(20.0, 15.0, 1.0, 2.0, 4.0, 8.0) == pytest.approx(67.4375)


@settings(deadline=None)  # the first call compiles
@given(speeds, speeds)
def test_a_safe_gap_is_safe_when_both_brake(behind: float, front: float) -> None:
    """Play it out: no contact from a safe gap, contact from clearly less."""

    def least(gap: float) -> float:
        x, v, y, w, dt, t = 0.0, behind, gap, front, 0.002, 0.0
        nearest = gap
        while v > 0 or w > 0:
            a = 1.5 if t < 0.5 else -4.0
            x, v = x + v * dt + 0.5 * a * dt * dt, max(v + a * dt, 0.0)
            y, w = y + w * dt, max(w - 7.0 * dt, 0.0)
            nearest, t = min(nearest, y - x), t + dt
            if t > 0.5 and v == 0:
                break
        return nearest

    gap = safe_gap(behind, front, 0.5, 1.5, 4.0, 7.0)
    assert least(gap + 0.2) > 0


@settings(deadline=None)  # the first call compiles
@given(speeds, speeds, st.floats(0.1, 200), st.floats(1, 9))
def test_braking_needed_agrees_with_the_gap(a: float, b: float, gap: float, brake: float) -> None:
    needed = braking_needed(a, gap, b, 0.4, 7.0)
    safe = safe_gap(a, b, 0.4, 0.0, brake, 7.0)
    if abs(gap - safe) > 1e-6:
        assert (needed > brake) == (gap < safe)


def test_nothing_helps_without_room() -> None:
    assert braking_needed(20.0, 1.0, 0.0, 0.5, 7.0) == math.inf
