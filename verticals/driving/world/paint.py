"""Paint on the road: lines between lanes and at kerbs, stop lines, arrows, yellow boxes."""

from __future__ import annotations

# ruff: noqa: PERF401 - appending reads better where several kinds of line alternate
import numpy as np

from verticals.driving.world.ground import resample
from verticals.driving.world.plan import Plan
from verticals.driving.world.scene import Lane, Marking


def _line(plan: Plan, s: tuple[float, float], t: float, **columns: object) -> Marking:
    points = resample(np.array([[s[0], t], [s[1], t]]), 3.0 if plan.curvature else 20.0)
    return Marking(plan.world(points), **columns)  # type: ignore[arg-type]


def markings(plan: Plan, lanes: list[Lane]) -> list[Marking]:
    """All paint of a street but its crossings."""
    rng = np.random.default_rng([43, plan.seed])
    dash = ((2.0, 4.0), (3.0, 3.0), (4.0, 2.0), (4.0, 8.0))[rng.integers(4)]
    wide = float(rng.uniform(0.1, 0.18))
    made = []
    for span in _spans(plan):
        made += _middle(plan, span, wide, dash)
        made += _edges(plan, span, wide)
    if plan.junction != "none":
        made += _junction_paint(plan, rng)
    for lane in lanes:
        if lane.kind == "drive" and lane.lengths[-1] > 25 and rng.random() < 0.4:
            made += _arrow(lane, float(rng.uniform(8, lane.lengths[-1] - 12)))
    return made


def _spans(plan: Plan) -> list[tuple[float, float]]:
    """Stretches of the main road with lines along it: neither junction nor zebra."""
    spans = [(plan.start, plan.end)]
    if plan.junction != "none":
        spans = [(plan.start, plan.gap[0] - 0.4), (plan.gap[1] + 0.4, plan.end)]
    if plan.zebra is not None:
        low, high = plan.zebra - 3, plan.zebra + 3
        halves = [half for a, b in spans for half in ((a, min(b, low)), (max(a, high), b))]
        spans = [(a, b) for a, b in halves if b - a > 1]
    return spans


def _middle(
    plan: Plan, span: tuple[float, float], wide: float, dash: tuple[float, float]
) -> list[Marking]:
    """The middle of the road and what parts lanes of one direction."""
    made = []
    if plan.centre == "double":
        made += [_line(plan, span, t, width=wide, kind="double") for t in (-0.12, 0.12)]
    elif plan.centre != "none":
        pattern = dash if plan.centre == "dashed" else (0.0, 0.0)
        made.append(_line(plan, span, 0.0, width=wide, dash=pattern, kind=plan.centre))
    for i in range(1, plan.lanes):
        for t in (-i * plan.lane_width, i * plan.lane_width):
            made.append(_line(plan, span, t, width=wide, dash=dash, kind="dashed"))
    return made


def _edges(plan: Plan, span: tuple[float, float], wide: float) -> list[Marking]:
    """Cycle lanes, parking strips, and yellow or white lines at the kerb."""
    made = []
    drive = plan.lanes * plan.lane_width
    for side, half, parked in zip((1, -1), plan.half, plan.parking, strict=True):
        if plan.cycle_lane:
            made.append(_line(plan, span, side * drive, width=wide, kind="solid"))
        if parked:
            made.append(_line(plan, span, side * (half - 2.2), width=0.1, dash=(1.0, 1.0)))
        elif plan.edge == "yellow":
            for inset in (0.25, 0.5):
                made.append(_line(plan, span, side * (half - inset), width=0.09, yellow=True))
        elif plan.edge == "solid":
            made.append(_line(plan, span, side * (half - 0.25), width=wide, kind="solid"))
    return made


def _junction_paint(plan: Plan, rng: np.random.Generator) -> list[Marking]:
    """Stop or give-way lines, the side street's middle, perhaps a yellow box."""
    left, right = plan.half
    hand = 1 if plan.left_hand else -1
    s0, s1 = plan.gap
    made = []
    if plan.junction == "signals":
        widths = {1: left, -1: right}
        for at, side in ((s0 - 0.6, hand), (s1 + 0.6, -hand)):
            ends = np.array([[at, 0.0], [at, side * widths[side]]])
            made.append(Marking(plan.world(ends), 0.3))
    for side, half in ((1, left), (-1, right)):
        edge = side * (half + (2.0 if plan.junction == "signals" else 0.4))
        near, far = plan.at, plan.at + side * hand * plan.side_half
        ends = np.array([[near, edge], [far, edge]])
        dash = (0.0, 0.0) if plan.junction == "signals" else (0.6, 0.3)
        made.append(Marking(plan.world(ends), 0.25, dash))
        middle = np.array([[plan.at, side * (half + 2.5)], [plan.at, side * (half + 70)]])
        made.append(Marking(plan.world(middle), 0.12, (2.0, 3.0), kind="dashed"))
    if rng.random() < 0.3:
        s = np.linspace(plan.at - plan.side_half, plan.at + plan.side_half, 5)
        t = np.linspace(-right, left, 5)
        for i in range(5):
            for a, b in (((s[0], t[i]), (s[4 - i], t[4])), ((s[i], t[0]), (s[4], t[4 - i])),
                         ((s[0], t[i]), (s[i], t[0])), ((s[i], t[4]), (s[4], t[i]))):  # fmt: skip
                if np.hypot(b[0] - a[0], b[1] - a[1]) > 0.5:
                    made.append(Marking(plan.world(np.array([a, b])), 0.15, yellow=True))
    return made


def _arrow(lane: Lane, at: float) -> list[Marking]:
    """An arrow on the lane: its shaft and its head, as ever narrower strokes."""
    shaft = lane.at(np.array([at, at + 2.6]))[:, :2]
    made = [Marking(shaft, 0.18)]
    for k in range(5):
        stroke = lane.at(np.array([at + 2.6 + 0.3 * k, at + 2.92 + 0.3 * k]))[:, :2]
        made.append(Marking(stroke, 0.7 - 0.14 * k))
    return made
