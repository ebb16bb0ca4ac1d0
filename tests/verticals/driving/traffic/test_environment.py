"""The environment's promises: Gymnasium's checks, determinism, many equal to one, collisions."""

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import ParameterError
from verticals.driving.deciding.perception_error import DEFAULT, errors_of
from verticals.driving.traffic.columns import (
    BOLD,
    CRASHED,
    KIND,
    NOBODY,
    SEEN_X,
    SEEN_Y,
    STARTLED,
    TRACKED,
    TRUCK,
    USUAL,
    WISH,
    A,
    S,
    X,
    Y,
)
from verticals.driving.traffic.environment import Traffic, TrafficEnv
from verticals.driving.traffic.geometry import boxes_touch, normal, uniform
from verticals.driving.traffic.motion import ON

ROADS = ("motorway", "highway", "merge", "street", "intersection")


@pytest.mark.parametrize("road", ROADS)
def test_gymnasium_accepts_it(road: str) -> None:
    check_env(TrafficEnv(road), skip_render_check=True)


@pytest.mark.parametrize("road", ROADS)
def test_many_at_once_are_each_like_one_alone(road: str) -> None:
    rng = np.random.default_rng(1)
    many = Traffic(road, 5, shield=ON, errors=DEFAULT)
    many.reset(seed=40)
    alone = []
    for n in range(5):
        one = Traffic(road, 1, shield=ON, errors=DEFAULT)
        one.reset(seed=40 + n)
        alone.append(one)
    for _ in range(12):
        actions = rng.integers(0, 5, 5)
        seen, rewards, *_ = many.step(actions)
        for n, one in enumerate(alone):
            seen_one, reward_one, *_ = one.step(actions[n : n + 1])
            assert np.array_equal(seen[n], seen_one[0])
            assert rewards[n] == reward_one[0]
            assert np.array_equal(many.state.actors[n], one.state.actors[0])


def test_the_same_seed_gives_the_same_episode_and_another_does_not() -> None:
    traces = []
    for seed in (3, 3, 4):
        traffic = Traffic("highway", 1)
        traffic.reset(seed=seed)
        for _ in range(8):
            traffic.play(np.array([3]))
        traces.append(traffic.state.actors.copy())
    assert np.array_equal(traces[0], traces[1])
    assert not np.array_equal(traces[0], traces[2])


def test_neighbouring_seeds_are_unrelated() -> None:
    traffic = Traffic("highway", 300)
    traffic.reset(seed=0)
    first = traffic.state.actors[:, 1, S] - traffic.state.actors[:, 0, S]
    second = traffic.state.actors[:, 2, S] - traffic.state.actors[:, 1, S]
    for shift in (1, 2, 3):
        assert abs(np.corrcoef(first[:-shift], second[shift:])[0, 1]) < 0.2


def test_a_copied_state_goes_on_alike() -> None:
    traffic = Traffic("street", 3, errors=DEFAULT)
    traffic.reset(seed=5)
    kept = traffic.state.copy()
    actions = np.array([3, 1, 4])
    for _ in range(5):
        traffic.play(actions)
    after, traffic.state = traffic.state, kept
    for _ in range(5):
        traffic.play(actions)
    assert np.array_equal(after.actors, traffic.state.actors)


def test_a_finished_environment_begins_anew_in_the_same_step() -> None:
    traffic = Traffic("highway", 4)
    traffic.reset(seed=0)
    for _ in range(29):
        assert not traffic.step(np.full(4, 4))[3].any()
    _, _, ended, cut, info = traffic.step(np.full(4, 4))
    assert (ended | cut).all()
    assert info["_final_obs"].all()
    assert (traffic.state.actors[:, 0, CRASHED] == 0).all()


def test_no_environments_are_refused() -> None:
    with pytest.raises(ParameterError, match="0 environments"):
        Traffic("street", 0)


@settings(max_examples=200, deadline=None)
@given(st.tuples(*[st.floats(-6, 6)] * 2, *[st.floats(-3.2, 3.2)] * 2, *[st.floats(0.5, 5)] * 4))
def test_boxes_touch_as_polygons_do(numbers: tuple[float, ...]) -> None:
    import cv2

    x, y, h1, h2, l1, w1, l2, w2 = numbers
    first = ((0.0, 0.0), (l1, w1), np.degrees(h1))
    second = ((x, y), (l2, w2), np.degrees(h2))
    kind, points = cv2.rotatedRectangleIntersection(first, second)
    area = 0.0 if points is None or len(points) < 3 else cv2.contourArea(cv2.convexHull(points))
    touching = boxes_touch(0.0, 0.0, h1, l1, w1, x, y, h2, l2, w2)
    if area > 1e-3:
        assert touching
    if not touching:
        assert area < 1e-3
    grown = cv2.rotatedRectangleIntersection(
        ((0.0, 0.0), (l1 + 0.02, w1 + 0.02), np.degrees(h1)), second
    )[0]
    if touching:
        assert grown != cv2.INTERSECT_NONE or kind != cv2.INTERSECT_NONE


def test_random_numbers_are_uniform_and_normal() -> None:
    stream = np.array([7], np.uint64)
    drawn = np.array([uniform(stream) for _ in range(20_000)])
    assert 0 <= drawn.min() < drawn.max() < 1
    assert drawn.mean() == pytest.approx(0.5, abs=0.01)
    assert np.histogram(drawn, 10)[0].std() < 80
    bell = np.array([normal(stream) for _ in range(20_000)])
    assert (bell.mean(), bell.std()) == pytest.approx((0.0, 1.0), abs=0.02)


def test_perception_errs_as_the_table_says() -> None:
    """Detected shares and position errors of clear vehicles, by distance, against the table."""
    traffic = Traffic("highway", 400, errors=DEFAULT)
    traffic.reset(seed=0)
    found = np.zeros((2, 5))
    errors: list[list[float]] = [[] for _ in range(5)]
    for _ in range(6):
        traffic.play(np.full(400, 1))
        actors = traffic.state.actors
        away = np.hypot(*(actors[..., [X, Y]] - actors[:, :1, [X, Y]]).transpose(2, 0, 1))
        bins = np.digitize(away, DEFAULT.edges_m)
        others = (actors[..., KIND] != NOBODY) & (actors[..., 19] > 0.99)
        others[:, 0] = False
        for b in range(5):
            chosen = others & (bins == b)
            found[0, b] += chosen.sum()
            found[1, b] += (chosen & (actors[..., TRACKED] == 1)).sum()
            seen = chosen & (actors[..., TRACKED] == 1)
            gap = np.hypot(
                actors[..., SEEN_X] - actors[..., X], actors[..., SEEN_Y] - actors[..., Y]
            )
            errors[b] += list(gap[seen])
    shares = found[1] / found[0]
    assert shares == pytest.approx(DEFAULT.found["vehicle day clear"], abs=0.05)
    both = np.hypot(DEFAULT.range_sigma_m, DEFAULT.side_sigma_m)
    measured = [np.sqrt(np.mean(np.square(some))) for some in errors]
    assert measured == pytest.approx(both, rel=0.1)
    assert errors_of(None).active == 0


def test_a_motorway_has_lorries_tailgaters_and_sudden_brakers() -> None:
    traffic = Traffic("motorway", 200)
    traffic.reset(seed=0)
    others = traffic.state.actors[:, 1:]
    cars = others[others[..., KIND] != TRUCK]
    assert (others[..., KIND] == TRUCK).mean() == pytest.approx(0.4 / 3, abs=0.04)
    assert (cars[:, BOLD] >= 0.5).mean() == pytest.approx(0.4, abs=0.03)
    wished = others[..., WISH].copy()
    begun, before = 0, np.zeros(others.shape[:2], bool)
    for _ in range(40):
        traffic.play(np.full(200, 1))
        startled = others[..., STARTLED] > 0
        begun += int((startled & ~before).sum())
        assert (others[startled, WISH] < 0.75 * others[startled, USUAL]).all()
        before = startled
    assert begun / (200 * others.shape[1] * 20.0) == pytest.approx(1 / 60, rel=0.15)  # a second
    assert others[before, A].mean() < -2.0  # those who are slow enough already do not brake
    assert np.array_equal(others[~before, WISH], wished[~before])  # they go on as they were


def test_on_the_calm_highway_nobody_is_bold_or_startled() -> None:
    traffic = Traffic("highway", 20)
    traffic.reset(seed=0)
    for _ in range(10):
        traffic.play(np.full(20, 1))
    assert not traffic.state.actors[..., [BOLD, STARTLED]].any()
