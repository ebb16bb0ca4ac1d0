"""Rule drivers against closed forms: the IDM's equilibrium, MOBIL's incentives, lights, walkers."""

import math

import numpy as np
import pytest

from verticals.driving.traffic.columns import (
    CAR,
    CRASHED,
    DELTA,
    IDLE,
    KIND,
    MODE,
    PEDESTRIAN,
    PHI,
    SCRIPTED,
    STRAIGHT,
    WISH,
    D,
    S,
    V,
)  # fmt: skip
from verticals.driving.traffic.drivers import AMBER, GREEN, RED_LIGHT, idm, lamp, mobil
from verticals.driving.traffic.environment import Traffic
from verticals.driving.traffic.layouts import EMPTY, Layout, Rules, layout
from verticals.driving.traffic.motion import RULE
from verticals.driving.traffic.population import put
from verticals.driving.traffic.records import packed
from verticals.driving.traffic.roads import Path, Plan, lay


def scene(name: str, *actors: tuple, **numbers: float) -> Traffic:
    """An environment with given actors: (kind, path, s, d, v), the ego first."""
    road = layout(name).changed(traffic=EMPTY, arriving=0.0, goal=math.inf, duration=1e9, **numbers)
    traffic = Traffic(road, 1)
    traffic.reset(seed=0)
    for row, (kind, path, s, d, v) in enumerate(actors):
        put(traffic.records[0], traffic.state.actors[0], row, kind, path, s, d, v)
    return traffic


def test_idm_holds_its_equilibrium_gap() -> None:
    rules = packed(Rules(EMPTY, 2), {})
    v, wish = 20.0, 30.0
    gap = (rules["gap"] + v * rules["headway"]) / math.sqrt(1 - (v / wish) ** 4)
    assert idm(rules, v, wish, 4.0, gap, 0.0, 1.5) == pytest.approx(0.0, abs=1e-9)
    assert (
        idm(rules, v, wish, 4.0, gap - 1, 0.0, 1.5)
        < 0
        < idm(rules, v, wish, 4.0, gap + 1, 0.0, 1.5)
    )
    assert idm(rules, 30.0, 30.0, 4.0, math.inf, 0.0, 1.5) == pytest.approx(0.0)


def test_a_follower_settles_at_the_equilibrium_gap() -> None:
    lane = lay(Plan((Path((0.0, 0.0, 0.0), ((200.0, 0.0),)),)))
    traffic = Traffic(Layout("lane", lane, Rules(EMPTY, 3, duration=1e9), np.array([0.0, 1.0])), 1)
    traffic.reset(seed=0)
    actors = traffic.state.actors[0]
    for row, (s, v) in enumerate(((-900.0, 0.0), (0.0, 15.0), (60.0, 15.0))):
        put(traffic.records[0], actors, row, CAR, 0, s, 0.0, v)
    actors[1, WISH], actors[2, MODE] = 25.0, SCRIPTED
    for _ in range(200):
        traffic.play(np.array([IDLE]))
    expected = (10 + 15 * 1.5) / math.sqrt(1 - (15 / 25) ** 4)
    assert actors[2, S] - actors[1, S] == pytest.approx(expected, rel=0.02)
    assert actors[1, V] == pytest.approx(15.0, abs=0.05)


@pytest.mark.parametrize(
    ("ahead", "behind_gap", "changes"),
    [(30, None, True), (2000, None, False), (30, 3, False), (30, 80, True)],
)
def test_mobil_changes_only_for_gain_and_only_if_safe(
    ahead: float, behind_gap: float | None, changes: bool
) -> None:
    others = [(CAR, 1, ahead, 0, 15)]
    if behind_gap is not None:
        others.append((CAR, 0, -behind_gap, 0, 28))
    traffic = scene("highway", (CAR, 1, 0, 0, 25), *others)
    actors = traffic.state.actors[0]
    actors[:, WISH] = 28.0
    roads, rules, _, _ = traffic.records
    assert bool(mobil(roads, rules, actors, 0, 0)) is changes


def test_the_light_has_its_phases() -> None:
    traffic = scene("street", (CAR, 1, 0, 0, 8))
    roads = traffic.records[0]
    assert [lamp(roads, t) for t in (0.0, 19.9, 20.1, 23.1, 34.9, 35.1)] == [
        GREEN, GREEN, AMBER, RED_LIGHT, RED_LIGHT, GREEN,
    ]  # fmt: skip


def test_a_rule_driver_waits_at_red_and_goes_at_green() -> None:
    traffic = scene("street", (CAR, 1, 120, 0, 10))
    traffic.state.actors[0, 0, WISH] = 12.0
    traffic.state.world[0, 0] = 23.0  # red for 12 s
    for _ in range(22):
        traffic.play(np.array([RULE]))
    assert traffic.state.actors[0, 0, S] + 2.5 <= 172.0
    assert traffic.state.actors[0, 0, V] < 0.5
    for _ in range(14):
        traffic.play(np.array([RULE]))
    assert traffic.state.actors[0, 0, S] > 175.0


def test_a_rule_driver_stops_for_who_is_on_the_zebra() -> None:
    traffic = scene("street", (CAR, 1, 40, 0, 10), (PEDESTRIAN, 0, 80, -7, 1.2))
    actors = traffic.state.actors[0]
    actors[1, MODE], actors[1, PHI], actors[1, WISH] = STRAIGHT, math.pi / 2, 1.2
    fastest_near = 0.0
    for _ in range(24):
        traffic.play(np.array([RULE]))
        if abs(actors[1, D] + 4.0) < 2.0 and actors[0, S] < 78:
            fastest_near = max(fastest_near, actors[0, V] if actors[0, S] > 70 else 0.0)
    assert actors[0, CRASHED] == 0.0
    assert fastest_near < 4.0


def test_who_comes_from_the_minor_road_gives_way() -> None:
    traffic = scene("intersection", (CAR, 0, 0, 0, 0), (CAR, 1, 80, 0, 8), (CAR, 4, 80, 0, 8))
    actors = traffic.state.actors[0]
    actors[1:3, WISH], actors[0, KIND] = 8.0, 0.0
    slowest = {1: 8.0, 2: 8.0}
    for _ in range(4):
        traffic.play(np.array([IDLE]))
        slowest = {row: min(v, actors[row, V]) for row, v in slowest.items()}
    assert slowest[1] < 4.0 < slowest[2]
    assert actors[1, CRASHED] == actors[2, CRASHED] == 0.0
    assert actors[1, DELTA] == 4.0
