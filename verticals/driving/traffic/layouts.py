"""The roads that come with the case, and the numbers that make each of them a task.

`highway` and `intersection` take geometry, speeds and rewards from highway-env's environments of
that name (Leurent, 2018), so that a policy learned here can be judged there. The others are our
own: `motorway` is a highway on a busy morning, with lorries, drivers who tailgate and cut in, and
some who brake hard for nothing that others see.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from core.errors import ParameterError
from verticals.driving.traffic.roads import LANE, Floats, Path, Plan, Roads, lay

HIGHWAY, MERGE, STREET, INTERSECTION, EMPTY, MOTORWAY = range(6)  # how a layout is populated


class Rules(NamedTuple):
    """Numbers of a task, as the compiled loops read them."""

    traffic: int  # how it is populated
    actors: int  # rows of the state, the ego included
    dt: float = 0.1  # seconds of a simulation step
    substeps: int = 10  # simulation steps between two decisions
    duration: float = 40.0  # seconds of an episode
    path: int = 0  # of the ego
    goal: float = np.inf  # s where the ego has arrived
    lowest: float = -8.0  # accelerations of the ego, m/s^2
    highest: float = 3.0
    gap: float = 10.0  # of the drivers' IDM: standstill distance between middles, m
    headway: float = 1.5  # ... time gap, s
    eager: float = 3.0  # ... acceleration, m/s^2
    gentle: float = 5.0  # ... comfortable braking, m/s^2
    hardest: float = 6.0  # ... hardest braking, m/s^2
    yields: int = 0  # 1: drivers give way by rank where paths meet
    solid: int = 0  # 1: the others can collide with one another, too
    arriving: float = 0.0  # chance of a new actor after every decision
    startling: float = 0.0  # sudden brakings of every driver per second
    bold: float = 0.0  # share of drivers who tailgate and cut in
    slowest: float = 20.0  # speed that earns nothing
    fastest: float = 30.0  # speed that earns most
    for_speed: float = 0.4  # rewards
    for_lane: float = 0.1
    for_crash: float = -1.0
    for_goal: float = 0.0
    for_red: float = 0.0
    for_unsafe: float = 0.0  # of a second in which a safe distance is broken, if it is watched
    normal: int = 0  # 1: scaled so that the worst is 0 and the best 1
    night: int = 0  # 1: perception errors are those of the night
    sight: float = 150.0  # metres the sensors reach


@dataclass(frozen=True)
class Layout:
    """A task: where one drives, among whom, and what is rewarded."""

    name: str
    roads: Roads
    rules: Rules
    speeds: Floats  # target speeds the ego chooses from, m/s

    def changed(self, **numbers: Any) -> Layout:
        """The same roads with other numbers.

        Raises:
            ParameterError: No number of that name.
        """
        unknown = sorted(set(numbers) - set(Rules._fields))
        if unknown:
            raise ParameterError(f"a layout has no number {unknown[0]!r}", where=self.name,
                                 remedy=f"Choose from {', '.join(Rules._fields)}")  # fmt: skip
        return replace(self, rules=self.rules._replace(**numbers))


@cache
def layout(name: str) -> Layout:
    """A layout by name.

    Raises:
        ParameterError: There is none of that name.
    """
    if name not in _PLANS:
        raise ParameterError(f"there is no layout {name!r}", where="layout",
                             remedy=f"Choose from {', '.join(LAYOUTS)}")  # fmt: skip
    return Layout(name, lay(_PLANS[name]()), _RULES[name], np.array(_SPEEDS[name]))


def _highway(lanes: int = 3) -> Plan:
    """Parallel lanes without end; lane 0 is the leftmost, as in highway-env."""
    return Plan(tuple(
        Path((0.0, -LANE * i, 0.0), ((1000.0, 0.0),), limit=30.0, group=0, offset=-LANE * i)
        for i in range(lanes)
    ))  # fmt: skip


def _merge() -> Plan:
    """Two lanes and a ramp on their right that ends 260 m on."""
    lanes = [Path((0.0, -LANE * i, 0.0), ((600.0, 0.0),), limit=30.0, group=0, offset=-LANE * i,
                  closes=260.0 if i == 2 else np.inf) for i in range(3)]  # fmt: skip
    return Plan(tuple(lanes))


def _street() -> Plan:
    """A street with two lanes each way: a zebra crossing, one with a light, and a zebra again."""
    there = [Path((0.0, y, 0.0), ((400.0, 0.0),), limit=14.0, group=0, offset=y, stop=172.0)
             for y in (-2.0, -6.0)]  # fmt: skip
    back = [Path((400.0, -y, np.pi), ((400.0, 0.0),), limit=14.0, group=1, offset=y, stop=212.0)
            for y in (-2.0, -6.0)]  # fmt: skip
    crossings = ((0, 80.0, 2.0, 0.0), (0, 180.0, 2.0, 1.0), (0, 270.0, 2.0, 0.0))
    return Plan((*there, *back), crossings)


def _intersection() -> Plan:
    """Four arms of one lane each way; path 3 a + t comes from arm a and turns right, on, left.

    Arms are numbered south, west, north, east. East and west have the right of way.
    """
    paths = []
    near, right, left, access = 11.0, 9.0, 13.0, 100.0
    quarter = np.pi / 2
    for arm in range(4):
        turn = -quarter * arm
        x, y = 2.0, -(near + access)
        start = (float(x * np.cos(turn) - y * np.sin(turn)),
                 float(x * np.sin(turn) + y * np.cos(turn)), quarter + turn)  # fmt: skip
        rank = 3.0 if arm % 2 else 1.0
        for piece, lower in (((quarter * right, -1 / right), 0.0), ((2 * near, 0.0), 0.0),
                             ((quarter * left, 1 / left), 1.0)):  # fmt: skip
            pieces = ((access, 0.0), piece, (access, 0.0))
            paths.append(Path(start, pieces, (rank, rank - lower, rank), limit=10.0))
    return Plan(tuple(paths))


def _blind() -> Plan:
    """The intersection with hedges at all corners: who comes from the side is seen late."""
    corners = (
        (7.0, -60.0, 7.0, -9.0), (7.0, -9.0, 60.0, -9.0), (-60.0, -9.0, -7.0, -9.0),
        (-7.0, -9.0, -7.0, -60.0), (-7.0, 9.0, -7.0, 60.0), (7.0, 60.0, 7.0, 9.0),
    )  # fmt: skip
    return Plan(_intersection().paths, hedges=corners)


def _bend() -> Plan:
    """One lane that turns left by a right angle around a hedge."""
    pieces = ((80.0, 0.0), (55.0 * np.pi / 2, 1 / 55.0), (85.0, 0.0))
    hedge = ((40.0, 6.0, 80.0, 6.0), (80.0, 6.0, 104.5, 12.6), (104.5, 12.6, 122.4, 30.5),
             (122.4, 30.5, 129.0, 55.0), (129.0, 55.0, 129.0, 90.0))  # fmt: skip
    return Plan((Path((0.0, 0.0, 0.0), pieces, limit=14.0),), hedges=hedge)


LAYOUTS = ("motorway", "highway", "merge", "street", "intersection", "blind", "bend")
_PLANS = {"motorway": _highway, "highway": _highway, "merge": _merge, "street": _street,
          "intersection": _intersection, "blind": _blind, "bend": _bend}  # fmt: skip
_SPEEDS = {
    "motorway": (0.0, 10.0, 15.0, 20.0, 25.0, 30.0), "highway": (20.0, 25.0, 30.0),
    "merge": (0.0, 10.0, 20.0, 25.0, 30.0),
    "street": (0.0, 4.0, 8.0, 12.0), "intersection": (0.0, 4.5, 9.0), "blind": (0.0, 4.5, 9.0),
    "bend": (0.0, 4.0, 8.0, 12.0),
}  # fmt: skip
_RULES = {
    "motorway": Rules(MOTORWAY, 24, dt=0.1, substeps=5, duration=30.0, path=1, startling=1 / 60,
                      bold=0.4, slowest=10.0, for_speed=0.2, for_lane=0.02, for_crash=-10.0),
    "highway": Rules(HIGHWAY, 21, dt=0.2, substeps=5, duration=30.0, path=1, normal=1,
                     lowest=-16.0, highest=16.0),
    "merge": Rules(MERGE, 14, dt=0.1, substeps=10, duration=30.0, path=2, goal=480.0,
                   slowest=10.0, for_lane=0.0, for_goal=5.0, for_crash=-10.0),
    "street": Rules(STREET, 20, dt=0.1, substeps=5, duration=60.0, path=1, goal=340.0,
                    gap=7.0, eager=2.0, gentle=3.0, slowest=2.0, fastest=12.0, for_speed=0.2,
                    for_lane=0.0, for_crash=-5.0, for_goal=2.0, for_red=-2.0, arriving=0.15),
    "intersection": Rules(INTERSECTION, 16, dt=1 / 15, substeps=15, duration=13.0, path=2,
                          goal=145.4, gap=7.0, eager=6.0, gentle=3.0, yields=1, solid=1,
                          arriving=0.6, slowest=7.0, fastest=9.0, for_speed=1.0, for_lane=0.0,
                          for_crash=-5.0, for_goal=1.0, lowest=-16.0, highest=16.0),
    "bend": Rules(EMPTY, 6, duration=30.0, goal=200.0, slowest=2.0, fastest=12.0, for_goal=2.0),
}  # fmt: skip
_RULES["blind"] = _RULES["intersection"]
