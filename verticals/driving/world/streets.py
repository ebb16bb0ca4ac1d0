"""Streets from a plan: ground, lanes with what they lead to, crossings and traffic lights."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from verticals.driving.world.ground import resample
from verticals.driving.world.paint import markings
from verticals.driving.world.plan import Plan
from verticals.driving.world.roadside import furnish
from verticals.driving.world.scene import Area, Crossing, Floats, Lane, Signal, StopLine, StreetMap

_CYCLE = (("green", 14.0), ("amber", 3.0), ("red", 18.0), ("red_amber", 2.0))
_CYCLE_LENGTH = sum(seconds for _, seconds in _CYCLE)


def build(plan: Plan) -> StreetMap:
    """The map of a plan, with everything beside the road."""
    lanes, stops = _lanes(plan)
    signals = _signals(plan)
    street = StreetMap(
        lanes=tuple(lanes),
        areas=tuple(_areas(plan)),
        markings=tuple(markings(plan, lanes)),
        crossings=tuple(_crossings(plan)),
        stop_lines=tuple(stops),
        signals=tuple(signals),
        left_hand=plan.left_hand,
        look=plan.seed,
    )
    return furnish(street, plan)


@dataclass
class _Strips:
    """Collects strips of ground along either street."""

    plan: Plan
    areas: list[Area] = field(default_factory=list)

    def add(
        self, kind: str, s: tuple[float, float], t: tuple[float, float], *, cut: float = 8.0
    ) -> None:
        """A rectangle in street coordinates, cut along s so that it may bend."""
        (s0, s1), (t0, t1) = s, t
        if s1 - s0 < 0.01 or t1 - t0 < 0.01:
            return
        pieces = max(1, int(np.ceil((s1 - s0) / cut))) if self.plan.curvature else 1
        edges = np.linspace(s0, s1, pieces + 1)
        for a, b in pairwise(edges):
            self.polygon(kind, [[a, t0], [b, t0], [b, t1], [a, t1]])

    def polygon(self, kind: str, points: list[list[float]]) -> None:
        """A convex outline in street coordinates, anti-clockwise."""
        self.areas.append(Area(self.plan.world(np.array(points)), kind))  # type: ignore[arg-type]


def _areas(plan: Plan) -> list[Area]:
    strips = _Strips(plan)
    left, right = plan.half
    strips.add("road", (plan.start, plan.end), (-right, left))
    far = 75.0
    for side, half in ((1, left), (-1, right)):
        index = 0 if side > 0 else 1
        verge, pavement = plan.verge[index], plan.pavement[index]
        deep = half + verge + pavement
        if plan.junction == "none":
            spans = [(plan.start, plan.end)]
        else:
            spans = [(plan.start, plan.gap[0]), (plan.gap[1], plan.end)]
        for span in spans:
            for kind, a, b in (("verge", half, half + verge), ("pavement", half + verge, deep)):
                strips.add(kind, span, (min(side * a, side * b), max(side * a, side * b)))
        if plan.junction == "none":
            continue
        inner = plan.side_half
        a, b = sorted((side * half, side * (half + far)))
        strips.add("road", (plan.at - inner, plan.at + inner), (a, b), cut=99.0)
        for way in (-1, 1):  # the rounded corner, then the side street's own pavement
            s0, s1 = plan.at + way * inner, plan.at + way * (inner + 2.5)
            corner = [
                [s0, side * (half + 2.0)],
                [s1, side * half],
                [s1, side * deep],
                [s0, side * deep],
            ]
            if deep < half + 2.0:
                corner[0] = [s0, side * deep]
                corner.pop()
            strips.polygon("pavement", corner if way * side > 0 else corner[::-1])
            t0, t1 = sorted((side * deep, side * (half + far)))
            strips.add("pavement", (min(s0, s1), max(s0, s1)), (t0, t1), cut=99.0)
    return strips.areas


def _lane(plan: Plan, points: list[tuple[float, float]], **columns: object) -> Lane:
    dense = resample(np.array(points, float), 3.0)
    return Lane(centre=plan.world(dense), **columns)  # type: ignore[arg-type]


def _bend(plan: Plan, a: Floats, b: Floats, *, out: Floats, into: Floats, width: float) -> Lane:
    """A lane through the junction: from a, leaving along `out`, to b, arriving along `into`."""
    reach = 0.55 * float(np.hypot(*(b - a)))
    u = np.linspace(0, 1, 9)[:, None]
    p, q = a + reach * out, b - reach * into
    points = (1 - u) ** 3 * a + 3 * u * (1 - u) ** 2 * p + 3 * u**2 * (1 - u) * q + u**3 * b
    return Lane(plan.world(points), width, "turn", left="none", right="none")


def _lanes(plan: Plan) -> tuple[list[Lane], list[StopLine]]:
    """Lanes of the main road first (forward, then back), then the side street's, then turns."""
    hand = 1 if plan.left_hand else -1  # forward lanes lie at t = hand * ...
    lanes: list[Lane] = []
    ins: list[tuple[int, Floats, Floats]] = []  # lane, its end and way in street coordinates
    outs: list[tuple[int, Floats, Floats]] = []
    inner, outer = ("right", "left") if plan.left_hand else ("left", "right")
    for way in (1, -1):
        first = len(lanes)
        for i in range(plan.lanes):
            t = way * hand * (i + 0.5) * plan.lane_width
            ends = (plan.start, plan.end)[::way]
            cuts = (
                [ends]
                if plan.junction == "none"
                else [(ends[0], plan.gap[::way][0]), (plan.gap[::way][1], ends[1])]
            )
            paints = {
                inner: plan.centre if i == 0 else "dashed",
                outer: "dashed" if i + 1 < plan.lanes else "solid",
            }
            for part, (a, b) in enumerate(cuts):
                lanes.append(_lane(plan, [(a, t), (b, t)], width=plan.lane_width, **paints))
                heading = np.array([float(way), 0.0])
                if plan.junction != "none" and part == 0:
                    ins.append((len(lanes) - 1, np.array([b, t]), heading))
                elif plan.junction != "none":
                    outs.append((len(lanes) - 1, np.array([a, t]), heading))
        step = 1 if plan.junction == "none" else 2
        for index in range(first, len(lanes)):
            near, away = index - step, index + step  # towards the middle, towards the kerb
            pair = {
                inner: near if near >= first else -1,
                outer: away if away < first + step * plan.lanes else -1,
            }
            lanes[index] = replace(lanes[index], beside=(pair["left"], pair["right"]))
    if plan.junction == "none":
        return lanes, []
    _side_lanes(plan, hand, lanes, ins, outs)
    return lanes, _through(plan, lanes, ins, outs)


def _side_lanes(plan: Plan, hand: int, lanes: list[Lane], ins: list, outs: list) -> None:
    for side, half in ((1, plan.half[0]), (-1, plan.half[1])):
        edge, far = side * (half + 2.0), side * (half + 70.0)
        # facing along +t, the left is at smaller s
        s_out, s_in = (plan.at - side * hand * k * plan.side_lane / 2 for k in (1, -1))
        for s, points, table, way in (
            (s_in, [(s_in, far), (s_in, edge)], ins, -side),
            (s_out, [(s_out, edge), (s_out, far)], outs, side),
        ):
            paints = (
                {"left": "solid", "right": "dashed"}
                if hand > 0
                else {"left": "dashed", "right": "solid"}
            )
            lanes.append(_lane(plan, points, width=plan.side_lane, limit=8.9, **paints))
            table.append((len(lanes) - 1, np.array([s, edge]), np.array([0.0, float(way)])))


def _through(plan: Plan, lanes: list[Lane], ins: list, outs: list) -> list[StopLine]:
    """Connect every way in with the ways out that it may take; its stop line."""
    stops = []
    for index, end, way in ins:
        follows = []
        for target, begin, heading in outs:
            back = float(way @ heading) < -0.9
            straight = float(way @ heading) > 0.9
            shift = abs(float((begin - end) @ np.array([-way[1], way[0]])))
            if back or (straight and shift > 1.5):
                continue
            follows.append(len(lanes))
            turn = _bend(plan, end, begin, out=way, into=heading, width=plan.side_lane)
            lanes.append(replace(turn, follows=(target,), limit=13.4 if straight else 6.0))
        lanes[index] = replace(lanes[index], follows=tuple(follows))
        main = abs(way[0]) > 0.5
        signal = -1
        if plan.junction == "signals":
            signal = (0 if way[0] > 0 else 1) if main else (2 if way[1] < 0 else 3)
        elif main:
            continue
        stops.append(StopLine(index, float(lanes[index].lengths[-1]) - 0.4, signal))
    return stops


def _signals(plan: Plan) -> list[Signal]:
    """Four heads: forward, back, from the left street, from the right street."""
    if plan.junction != "signals":
        return []
    left, right = plan.half
    hand = 1 if plan.left_hand else -1
    phase = float(np.random.default_rng([42, plan.seed]).uniform(0, _CYCLE_LENGTH))
    yaw = plan.yaw(plan.at)
    kerb = {1: left + 0.6, -1: right + 0.6}
    s0, s1 = plan.gap
    inner = plan.side_half + 0.7
    heads = [
        ([s0 - 0.3, hand * kerb[hand]], yaw + np.pi, 0.0),
        ([s1 + 0.3, -hand * kerb[-hand]], yaw, 0.0),
        ([plan.at + hand * inner, left + 2.9], yaw + np.pi / 2, _CYCLE_LENGTH / 2),
        ([plan.at - hand * inner, -right - 2.9], yaw - np.pi / 2, _CYCLE_LENGTH / 2),
    ]
    return [
        Signal(plan.world(np.array([place]))[0], turn, _CYCLE, phase + shift)
        for place, turn, shift in heads
    ]


def _crossings(plan: Plan) -> list[Crossing]:
    left, right = plan.half
    found = []
    if plan.zebra is not None:
        found.append((plan.zebra - 1.6, plan.zebra + 1.6, True, -1))
    if plan.junction == "signals":
        s0, s1 = plan.gap
        found += [(s0 + 0.2, s0 + 2.6, False, 0), (s1 - 2.6, s1 - 0.2, False, 1)]
    return [
        Crossing(
            plan.world(np.array([[a, -right], [a, left], [b, left], [b, -right]])), striped, signal
        )
        for a, b, striped, signal in found
    ]
