"""The shield: what it forbids and why, and that driving within it ends without collisions."""

import math

import numpy as np
import pytest

from verticals.driving.deciding import shield
from verticals.driving.deciding.evaluation import collisions, evaluate
from verticals.driving.deciding.perception_error import DEFAULT, ERROR_SHAPES, errors_of
from verticals.driving.deciding.policies import Decide, always, rule_driver
from verticals.driving.deciding.rss import Duties, safe_gap
from verticals.driving.deciding.shield import REASONS, lane_free, limits
from verticals.driving.traffic.columns import (
    CAR,
    CRASHED,
    CYCLIST,
    HELD,
    IDLE,
    KIND,
    MODE,
    OBSTACLE,
    PEDESTRIAN,
    PHI,
    SEEN_X,
    STRAIGHT,
    TIME,
    TRACKED,
)  # fmt: skip
from verticals.driving.traffic.environment import Traffic
from verticals.driving.traffic.layouts import EMPTY, layout
from verticals.driving.traffic.population import put
from verticals.driving.traffic.records import packed


def scene(name: str, *actors: tuple) -> Traffic:
    """An environment with given actors: (kind, path, s, d, v), the ego first."""
    road = layout(name).changed(traffic=EMPTY, arriving=0.0, goal=math.inf, duration=1e9)
    traffic = Traffic(road, 1)
    traffic.reset(seed=0)
    for row, (kind, path, s, d, v) in enumerate(actors):
        put(traffic.records[0], traffic.state.actors[0], row, kind, path, s, d, v)
    traffic.look()
    return traffic


def judged(traffic: Traffic) -> tuple[float, str, int]:
    """The cap, the reason in words and the actor it is for."""
    roads, rules, _, duties = traffic.records
    cap, reason, who = limits(roads, rules, duties, traffic.state.actors[0], traffic.state.world[0])
    return cap, REASONS[int(reason)], who


def test_it_brakes_exactly_where_the_safe_gap_ends() -> None:
    duties = Duties()
    gap = safe_gap(25.0, 20.0, duties.response, 0.0, duties.brake, duties.front_brake)
    middle = gap + duties.margin + 5.0
    cap, why, who = judged(scene("highway", (CAR, 1, 0, 0, 25), (CAR, 1, middle - 0.1, 0, 20)))
    assert cap < -duties.brake
    assert (why, who) == (REASONS[shield.TOO_CLOSE], 1)
    assert judged(scene("highway", (CAR, 1, 0, 0, 25), (CAR, 1, middle + 0.1, 0, 20)))[0] >= 0
    assert (
        judged(scene("highway", (CAR, 1, 0, 0, 25), (CAR, 1, middle + 5, 0, 20)))[0] == shield.FREE
    )


def test_the_neighbouring_lane_is_none_of_its_business_until_one_cuts_in() -> None:
    traffic = scene("highway", (CAR, 1, 0, 0, 25), (CAR, 0, 10, 0, 22))
    assert judged(traffic)[0] == shield.FREE
    traffic.state.actors[0, 1, PHI] = -0.15
    traffic.play(np.array([IDLE]))
    traffic = scene("highway", (CAR, 1, 0, 0, 25), (CAR, 0, 12, -1.2, 22))
    traffic.state.actors[0, 1, 17 - 1] = -0.15  # heading
    traffic.look()
    cap, why, _ = judged(traffic)
    assert cap < 0
    assert why == REASONS[shield.CUTTING_IN]


def test_a_person_on_the_way_and_one_walking_away() -> None:
    towards = scene("street", (CAR, 1, 56, 0, 11), (PEDESTRIAN, 0, 78, -7, 1.4))
    towards.state.actors[0, 1, [MODE, PHI, 16]] = STRAIGHT, math.pi / 2, math.pi / 2
    towards.look()
    assert judged(towards)[1] == REASONS[shield.PERSON]
    away = scene("street", (CAR, 1, 50, 0, 11), (PEDESTRIAN, 0, 100, -8, 1.4))
    away.state.actors[0, 1, [MODE, PHI, 16]] = STRAIGHT, -math.pi / 2, -math.pi / 2
    away.look()
    assert judged(away)[0] == shield.FREE


def test_red_is_red_and_amber_only_if_one_can_stop() -> None:
    traffic = scene("street", (CAR, 1, 155, 0, 11))
    traffic.state.world[0, TIME] = 24.0
    assert judged(traffic)[1] == REASONS[shield.LIGHT]
    traffic.state.world[0, TIME] = 21.0
    assert judged(traffic)[0] == shield.FREE  # 14.5 m would take more than comfortable braking
    traffic.state.world[0, TIME] = 5.0
    assert judged(traffic)[0] == shield.FREE


def test_who_has_the_right_of_way() -> None:
    minor = scene("intersection", (CAR, 1, 92, 0, 9), (CAR, 4, 90, 0, 9))
    assert judged(minor)[1] == REASONS[shield.RIGHT_OF_WAY]
    major = scene("intersection", (CAR, 4, 88, 0, 9), (CAR, 1, 70, 0, 5))
    assert judged(major)[0] == shield.FREE


def test_a_van_hides_people_and_a_hedge_hides_cars() -> None:
    van = scene("street", (CAR, 1, 62, 0, 11), (OBSTACLE, 1, 73, -3.2, 0))
    assert judged(van)[1] == REASONS[shield.HIDDEN]
    assert judged(scene("street", (CAR, 1, 62, 0, 11)))[0] == shield.FREE
    assert judged(scene("blind", (CAR, 1, 92, 0, 9)))[1] == REASONS[shield.HIDDEN]
    assert judged(scene("bend", (CAR, 0, 75, 0, 25)))[1] == REASONS[shield.HIDDEN]


@pytest.mark.parametrize(
    ("other", "free"),
    [((CAR, 0, 40, 0, 25), True), ((CAR, 0, 8, 0, 20), False), ((CAR, 0, -8, 0, 30), False),
     ((CAR, 0, -60, 0, 25), True), ((CAR, 0, 3, 0, 25), False), ((CYCLIST, 1, 30, 0, 25), True)],
)  # fmt: skip
def test_a_lane_is_free_only_with_safe_gaps_in_front_and_behind(other: tuple, free: bool) -> None:
    traffic = scene("highway", (CAR, 1, 0, 0, 25), other)
    roads, _, _, duties = traffic.records
    assert (lane_free(roads, duties, traffic.state.actors[0], 0) == 0) is free


def test_overrides_carry_their_reason() -> None:
    traffic = Traffic("highway", 1, shield=2)
    traffic.reset(seed=0)
    put(traffic.records[0], traffic.state.actors[0], 1, CAR, int(traffic.state.actors[0, 0, 2]),
        traffic.state.actors[0, 0, 3] + 12, 0.0, 15.0)  # fmt: skip
    _, _, _, _, info = traffic.step(np.array([3]))
    assert REASONS[info["reason"][0]] == REASONS[shield.TOO_CLOSE]


def test_who_was_lost_a_moment_ago_is_minded_where_it_must_be_now() -> None:
    traffic = scene("highway", (CAR, 1, 0, 0, 25), (CAR, 1, 30, 0, 15))
    it = traffic.state.actors[0, 1]
    braking = judged(traffic)
    it[TRACKED], it[HELD] = 0.0, 0.5
    assert judged(traffic) == braking
    it[HELD] = 0.0
    assert judged(traffic)[0] == shield.FREE


def test_the_memory_of_a_lost_car_moves_on_and_fades() -> None:
    blind = DEFAULT.model_copy(update={"found": {key: [0.0] * 5 for key in DEFAULT.found}})
    traffic = scene("highway", (CAR, 1, 0, 0, 20), (CAR, 1, 40, 0, 20))
    traffic.errors = packed(errors_of(blind), ERROR_SHAPES)
    it = traffic.state.actors[0, 1]
    it[TRACKED], it[HELD] = 0.0, 2.0
    x = it[SEEN_X]
    traffic.play(np.array([IDLE]))
    assert it[SEEN_X] - x == pytest.approx(20.0, abs=0.1)  # a second later
    assert it[HELD] == pytest.approx(1.0)
    traffic.play(np.array([IDLE]))
    traffic.play(np.array([IDLE]))
    assert it[HELD] <= 0.0


@pytest.mark.parametrize("road", ["motorway", "highway", "merge", "street", "intersection"])
@pytest.mark.parametrize("decide", [always(3), rule_driver], ids=["always faster", "rule driver"])
def test_within_the_shield_nobody_causes_a_collision(road: str, decide: Decide) -> None:
    seeds = range(120)
    bare = evaluate(road, always(3), seeds)
    with_shield = evaluate(road, decide, seeds, shield=True)
    assert with_shield.crashed.mean() <= 0.05 < bare.crashed.mean() + 0.06
    hit = [s for s, crashed in zip(seeds, with_shield.crashed, strict=True) if crashed]
    assert not [c for c in collisions(road, decide, hit, shield=True) if c.avoidable]


def test_crashing_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    traffic = scene("highway", (CAR, 1, 0, 0, 30), (OBSTACLE, 1, 20, 0, 0))
    traffic.play(np.array([IDLE]))
    assert traffic.state.actors[0, 0, CRASHED] == 1.0
    assert traffic.state.actors[0, 1, KIND] == OBSTACLE
