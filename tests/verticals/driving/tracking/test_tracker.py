"""Made-up drives whose truth is known; the filter against matrices written out."""

from __future__ import annotations

import numpy as np
import pytest

from verticals.driving.tracking.settings import TrackerSettings
from verticals.driving.tracking.tracker import PP, PV, VV, VX, Tracker, Tracks, X

STEP = 0.1
SURE = 9.0


def boxes(positions: np.ndarray) -> np.ndarray:
    """Boxes of cars at these places in a camera of 700 pixels focal length."""
    scale = 700 / positions[:, 0]
    middle = 620 - positions[:, 1] * scale
    return np.stack([middle - scale, 200 - 0.75 * scale, middle + scale, 200 + 0.75 * scale], 1)


def drive(
    tracker: Tracker, paths: np.ndarray, seen: np.ndarray, score: float = SURE
) -> list[Tracks]:
    """Follow (frames, n, 2) places of which (frames, n) are detected."""
    found = []
    for number, (places, there) in enumerate(zip(paths, seen, strict=True)):
        at = places[there]
        found.append(tracker.update(at, boxes(at), np.full(len(at), score), number * STEP))
    return found


def two_cars(frames: int) -> np.ndarray:
    """One comes nearer, one keeps its distance and drifts to the right."""
    times = np.arange(frames) * STEP
    return np.stack([
        np.stack([40 - 5 * times, np.full(frames, 2.0)], 1),
        np.stack([np.full(frames, 20.0), -3 - 1.5 * times], 1),
    ], axis=1)  # fmt: skip


def test_identities_stay_and_velocities_are_learned() -> None:
    paths = two_cars(30)
    found = drive(Tracker(), paths, np.ones((30, 2), bool))
    assert all(list(t.ids) == [1, 2] for t in found)
    assert found[-1].velocities == pytest.approx(np.array([[-5, 0], [0, -1.5]]), abs=0.2)
    assert found[-1].positions == pytest.approx(paths[-1], abs=0.05)


def test_a_hidden_object_keeps_its_identity_and_is_not_reported_while_hidden() -> None:
    seen = np.ones((30, 2), bool)
    seen[12:20, 0] = False
    found = drive(Tracker(), two_cars(30), seen)
    assert [list(t.ids) for t in found[12:20]] == [[2]] * 8
    assert list(found[-1].ids) == [1, 2]


def test_the_order_of_detections_does_not_matter() -> None:
    paths = two_cars(20)
    straight = drive(Tracker(), paths, np.ones((20, 2), bool))
    turned = drive(Tracker(), paths[:, ::-1], np.ones((20, 2), bool))
    for one, other in zip(straight, turned, strict=True):
        order = np.argsort(other.positions[:, 0])[::-1]
        assert one.positions == pytest.approx(other.positions[order])


def test_weak_detections_continue_a_track_and_do_not_begin_one() -> None:
    paths = two_cars(12)[:, :1]
    weak = TrackerSettings().score_zero - 2.0
    assert all(len(t.ids) == 0 for t in drive(Tracker(), paths, np.ones((12, 1), bool), weak))
    tracker = Tracker()
    drive(tracker, paths, np.ones((12, 1), bool))
    far = np.array([[34.0, 2.0]])
    after = tracker.update(far, boxes(far), np.array([weak]), 12 * STEP)
    assert list(after.ids) == [1]


def test_a_large_box_must_be_surer_than_a_small_one() -> None:
    for distance, reported in ((8.0, 0), (60.0, 1)):
        at = np.array([[distance, 0.0]])
        assert len(Tracker().update(at, boxes(at), np.array([5.0]), 0.0).ids) == reported


def test_the_filter_is_kalman_s() -> None:
    settings = TrackerSettings(acceleration_by_distance=0.0)
    tracker = Tracker(settings)
    places = np.array([[20.0, 1.0], [20.3, 1.0], [20.9, 1.0]])
    move = np.array([[1, STEP], [0, 1]])
    shake = settings.acceleration**2 * np.array(
        [[STEP**4 / 4, STEP**3 / 2], [STEP**3 / 2, STEP**2]]
    )
    state, spread = np.array([20.0, 0.0]), np.zeros((2, 2))
    for number, at in enumerate(places):
        noise = (settings.noise_m + settings.noise_by_distance * np.hypot(*at)) ** 2
        tracker.update(at[None], boxes(at[None]), np.array([SURE]), number * STEP)
        if number == 0:
            spread = np.diag([noise, settings.speed**2])
            continue
        state, spread = move @ state, move @ spread @ move.T + shake
        gain = spread[:, 0] / (spread[0, 0] + noise)
        state = state + gain * (at[0] - state[0])
        spread = spread - np.outer(gain, spread[0])
    (row,) = tracker._table
    assert row[[X, VX]] == pytest.approx(state)
    assert row[[PP, PV, VV]] == pytest.approx([spread[0, 0], spread[0, 1], spread[1, 1]])


def test_empty_frames_and_time_that_stands_still() -> None:
    tracker, none = Tracker(), np.zeros((0, 2))
    assert len(tracker.update(none, np.zeros((0, 4)), np.zeros(0), 0.0).ids) == 0
    at = np.array([[20.0, 0.0]])
    tracker.update(at, boxes(at), np.array([SURE]), 0.1)
    for number in range(40):  # forgotten after `longest_s`: memory does not grow
        tracker.update(none, np.zeros((0, 4)), np.zeros(0), 0.2 + number * STEP)
    assert len(tracker._table) == 0
    with pytest.raises(ValueError, match="time went from"):
        tracker.update(at, boxes(at), np.array([SURE]), 1.0)
