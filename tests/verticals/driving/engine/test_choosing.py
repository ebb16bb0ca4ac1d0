"""Frames are chosen for doubt and difference, without a table of all distances."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from verticals.driving.engine.choosing import (
    choose_frames,
    doubt,
    frame_doubt,
    nearest_squared,
)


def test_doubt_is_how_close_the_second_best_comes() -> None:
    given = np.array([[1, 0, 0], [0.5, 0.5, 0], [0.6, 0.1, 0.3]])
    assert doubt(given) == pytest.approx([0, 1, 0.7])


def test_doubt_of_a_frame_is_the_chance_that_something_is_wrong() -> None:
    assert frame_doubt(np.zeros(0)) == 0
    assert frame_doubt(np.array([0.9, 0.2])) == pytest.approx(1 - 0.9 * 0.8)
    assert frame_doubt(np.array([1.0]), np.full((2, 2), 0.75)) == pytest.approx(0.25)


def test_every_scene_is_drawn_once_before_any_twin() -> None:
    random = np.random.default_rng(0)
    scene = np.repeat(np.arange(20), 30)
    points = random.normal(0, 10, (20, 8))[scene] + random.normal(0, 1e-3, (600, 8))
    rows = choose_frames(np.ones(600), points, 20, seed=4)
    assert len(set(scene[rows])) == 20
    more = choose_frames(np.ones(600), points, 10, labelled=np.flatnonzero(scene < 10), seed=4)
    assert set(scene[more].tolist()) == set(range(10, 20))


def test_frames_without_doubt_are_left_until_nothing_else_is() -> None:
    random = np.random.default_rng(1)
    points, sure = random.normal(size=(50, 3)), np.arange(50) % 5 > 0
    rows = choose_frames((~sure).astype(float), points, 50, labelled=[0], seed=2)
    assert sorted(rows.tolist()) == list(range(1, 50))  # all, once, without the labelled one
    assert not sure[rows[:9]].any()


@pytest.mark.parametrize("power", [1.0, 2.0])
def test_draws_follow_doubt_times_squared_distance(power: float) -> None:
    points = np.array([[0.0], [1.0], [2.0], [3.0]])
    doubts = np.array([1.0, 0.8, 0.1, 0.2])
    first = [
        int(choose_frames(doubts, points, 1, labelled=[0], sharpness=power, seed=s)[0])
        for s in range(3000)
    ]
    weights = doubts**power * points[:, 0] ** 2
    assert np.bincount(first, minlength=4) / 3000 == pytest.approx(
        weights / weights.sum(), abs=0.03
    )


def test_twins_and_wrong_numbers() -> None:
    assert len(choose_frames(np.ones(4), np.zeros((4, 2)), 3)) == 3
    assert len(choose_frames(np.zeros(4), np.zeros((4, 2)), 9)) == 4
    for doubts in (np.array([1, np.nan]), np.array([1, -1.0])):
        with pytest.raises(ValueError, match="finite"):
            choose_frames(doubts, np.zeros((2, 2)), 1)


def test_nearest_squared_is_what_it_says() -> None:
    random = np.random.default_rng(2)
    points, centres = random.normal(size=(40, 5)), random.normal(size=(7, 5))
    wanted = ((points[:, None] - centres[None]) ** 2).sum(axis=2).min(axis=1)
    assert nearest_squared(points, centres) == pytest.approx(wanted, abs=1e-5)


def test_a_hundred_thousand_frames_fit() -> None:
    points = np.random.default_rng(3).normal(size=(100_000, 16)).astype(np.float32)
    tracemalloc.start()
    rows = choose_frames(np.ones(100_000), points, 30, labelled=np.arange(5000), seed=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(set(rows.tolist())) == 30
    assert peak < 100e6  # a table of distances to the labelled alone would be 2 GB
