"""What a plan puts beside its roads: houses in rows, trees, lamps, signs and clutter."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from verticals.driving.world.plan import Plan
from verticals.driving.world.scene import KERB, Building, Fence, Floats, Prop, Sign, StreetMap
from verticals.driving.world.signs import SIGNS

_SETBACK = {"shops": (0.0, 1.0), "suburb": (3.0, 9.0), "park": (6.0, 22.0), "office": (0.5, 8.0)}
_HEIGHTS = {"shops": (6.5, 13.0), "suburb": (5.0, 8.0), "park": (6.0, 12.0), "office": (9.0, 26.0)}
_GAPS = {"shops": 0.1, "suburb": 0.3, "park": 0.6, "office": 0.25}
_FENCES = {
    "railing": (0.9, 1.8), "wall": (0.6, 2.4), "hedge": (0.9, 2.2), "panel": (1.0, 2.4),
}  # heights  # fmt: skip

Span = tuple[float, float]  # from, to, in metres


def furnish(street: StreetMap, plan: Plan) -> StreetMap:
    """The map with everything that stands beside its roads."""
    yard = _Yard(plan, np.random.default_rng([51, plan.seed]))
    for side in (1, -1):
        kind = plan.kind if yard.rng.random() < 0.6 else str(yard.rng.choice(list(_GAPS)))
        for span in _spans(plan):
            yard.row(side, span, kind)
        yard.clutter(side, kind)
        if plan.junction != "none":
            yard.side_row(side)
    yard.horizon()
    return replace(
        street,
        signs=tuple(_signs(plan, yard.rng)),
        buildings=tuple(yard.houses),
        props=tuple(yard.props),
        fences=tuple(yard.fences),
    )


def _spans(plan: Plan) -> list[Span]:
    if plan.junction == "none":
        return [(plan.start, plan.end)]
    wide = plan.side_half + 3.0
    return [(plan.start, plan.at - wide), (plan.at + wide, plan.end)]


@dataclass
class _Yard:
    """Collects what stands beside the roads of one plan."""

    plan: Plan
    rng: np.random.Generator
    houses: list[Building] = field(default_factory=list)
    props: list[Prop] = field(default_factory=list)
    fences: list[Fence] = field(default_factory=list)

    def edge(self, side: int) -> float:
        """Metres from the middle of the road to the back of the pavement."""
        index = 0 if side > 0 else 1
        return self.plan.half[index] + self.plan.verge[index] + self.plan.pavement[index]

    def look(self) -> int:
        """A seed for the looks of one thing."""
        return int(self.rng.integers(1 << 30))

    def put(
        self, kind: str, place: Span, size: float, *, yaw: float | None = None, base: float = 0.0
    ) -> None:
        """One prop at s, t; turned at random unless `yaw` says how."""
        turn = float(self.rng.uniform(0, 2 * np.pi)) if yaw is None else yaw
        position = np.array(self.plan.point(*place))
        self.props.append(
            Prop(kind, position, self.plan.yaw(place[0]) + turn, size, self.look(), base)
        )

    def house(self, side: int, s: Span, t: Span, height: float) -> None:
        """A block whose front looks at the main road."""
        (s0, s1), (near, far) = s, t
        if side > 0:
            corners = [[s0, near], [s1, near], [s1, far], [s0, far]]
        else:
            corners = [[s1, -near], [s0, -near], [s0, -far], [s1, -far]]
        self.houses.append(Building(self.plan.world(np.array(corners)), height, self.look()))

    def boundary(self, side: int, s: Span) -> None:
        """A fence along the back of the pavement."""
        kind = str(self.rng.choice(["railing", "railing", "railing", "wall", "hedge", "panel"]))
        t, pieces = side * (self.edge(side) + 0.1), max(2, int((s[1] - s[0]) / 4) + 1)
        points = self.plan.world(np.linspace([s[0], t], [s[1], t], pieces))
        height = float(self.rng.uniform(*_FENCES[kind]))
        self.fences.append(Fence(points, height, kind, self.look()))  # type: ignore[arg-type]

    def row(self, side: int, span: Span, kind: str) -> None:
        """Houses along one side of the main road, gardens and trees in the gaps."""
        rng, edge = self.rng, self.edge(side)
        back = rng.uniform(*_SETBACK[kind])
        s = span[0]
        while s < span[1] - 4:
            width = min(rng.uniform(6, 22), span[1] - s)
            if rng.random() < _GAPS[kind]:
                self.garden(side, (s, s + width))
            else:
                if rng.random() < 0.3:
                    back = rng.uniform(*_SETBACK[kind])
                near, deep = edge + back, rng.uniform(8, 14)
                self.house(side, (s, s + width), (near, near + deep), rng.uniform(*_HEIGHTS[kind]))
                if back > 2.5:
                    self.front(side, (s, s + width), back)
            s += width + (rng.uniform(0, 3) if kind in ("suburb", "office") else 0.0)

    def garden(self, side: int, s: Span) -> None:
        """A gap between houses: trees and bushes, perhaps behind a fence."""
        rng, edge = self.rng, self.edge(side)
        if rng.random() < 0.75:
            self.boundary(side, s)
        for _ in range(int(rng.integers(1, 6))):
            t = side * (edge + rng.uniform(1.5, 16))
            self.put("tree", (rng.uniform(*s), t), rng.uniform(4, 13))
        for _ in range(int(rng.integers(0, 4))):
            t = side * (edge + rng.uniform(0.8, 5))
            self.put("bush", (rng.uniform(*s), t), rng.uniform(0.6, 1.8))

    def front(self, side: int, s: Span, back: float) -> None:
        """The front garden of a house that stands back."""
        rng = self.rng
        if rng.random() < 0.7:
            self.boundary(side, s)
        for _ in range(int(rng.integers(0, 4))):
            t = side * (self.edge(side) + rng.uniform(0.8, back - 0.5))
            tree = rng.random() < 0.4
            size = rng.uniform(3, 7) if tree else rng.uniform(0.5, 1.5)
            self.put("tree" if tree else "bush", (rng.uniform(*s), t), size)

    def side_row(self, side: int) -> None:
        """Houses along the side street, beyond the corner house."""
        plan, rng = self.plan, self.rng
        for way in (1, -1):
            t = self.edge(side) + 15.0
            while t < 75:
                width = rng.uniform(7, 18)
                near = plan.side_half + 3.0 + rng.uniform(0, 4)
                s0, s1 = plan.at + way * near, plan.at + way * (near + rng.uniform(8, 12))
                a, b = sorted((side * t, side * (t + width)))
                corners = [[s0, b], [s0, a], [s1, a], [s1, b]]
                if way < 0:
                    corners = [[s0, a], [s0, b], [s1, b], [s1, a]]
                block = plan.world(np.array(corners))
                self.houses.append(Building(block, float(rng.uniform(5, 12)), self.look()))
                t += width

    def clutter(self, side: int, kind: str) -> None:
        """Street furniture on one pavement."""
        plan, rng = self.plan, self.rng
        index = 0 if side > 0 else 1
        kerb, verge, pavement = plan.half[index], plan.verge[index], plan.pavement[index]
        inward = -side * np.pi / 2  # towards the road
        self.line(side, "lamp", rng.uniform(24, 40), t=kerb + 0.5, size=(5.5, 9.5), yaw=inward)
        if rng.random() < (0.8 if verge or kind == "park" else 0.35):
            at = kerb + verge / 2 if verge else kerb + min(0.9, pavement / 3)
            self.line(side, "tree", rng.uniform(7, 18), t=at, size=(5.0, 11.0))
        if rng.random() < 0.3 and not verge:
            self.line(side, "bollard", rng.uniform(1.5, 4), t=kerb + 0.4, size=(0.8, 1.1))
        back = kerb + verge + pavement
        for thing, odds, most, t, size, yaw in (
            ("pole", 0.6, 5, kerb + 0.4, (2.5, 7.0), None),
            ("bin", 0.6, 5, back - pavement * 0.8 + 0.3, (0.9, 1.3), None),
            ("hoarding", 0.4, 3, kerb + verge + 0.6, (0.7, 2.2), np.pi * rng.integers(2)),
            ("shelter", 0.25, 1, back - pavement * 0.4, (0.9, 1.3), inward),
            ("cycle", 0.4, 9, back - 0.6, (1.0, 1.0), None),
        ):
            if rng.random() >= odds:
                continue
            middle = rng.uniform(0, 80)
            for _ in range(int(rng.integers(1, most + 1))):
                bunched = thing == "cycle"
                s = rng.normal(middle, 2.5) if bunched else rng.uniform(plan.start, plan.end)
                if self.clear(s):
                    self.put(thing, (s, side * t), rng.uniform(*size), yaw=yaw, base=KERB)

    def clear(self, s: float) -> bool:
        """Neither junction nor zebra is near."""
        plan = self.plan
        crossing = plan.junction != "none" and abs(s - plan.at) < plan.side_half + 4
        return not crossing and (plan.zebra is None or abs(s - plan.zebra) >= 3)

    def line(
        self,
        side: int,
        thing: str,
        spacing: float,
        *,
        t: float,
        size: Span,
        yaw: float | None = None,
    ) -> None:
        """The same thing again and again along a pavement."""
        for s in np.arange(self.plan.start + self.rng.uniform(0, spacing), self.plan.end, spacing):
            if self.clear(s):
                self.put(thing, (s, side * t), self.rng.uniform(*size), yaw=yaw, base=KERB)

    def horizon(self) -> None:
        """A ring of houses and trees around the map, so that every view ends at something."""
        plan, rng = self.plan, self.rng
        middle = plan.world(np.array([[(plan.start + plan.end) / 2, 0.0]]))[0]
        reach = (plan.end - plan.start) / 2
        for angle in np.arange(64) * 2 * np.pi / 64:
            far, turn = reach * rng.uniform(1.08, 1.35) + 12, angle + rng.uniform(0, 0.05)
            out = np.array([np.cos(turn), np.sin(turn)])
            place, along = middle + far * out, np.array([-out[1], out[0]])
            if rng.random() < 0.5:
                half, deep = rng.uniform(5, 11), 10 * out
                a, b = place + half * along, place - half * along
                block: Floats = np.array([a, b, b + deep, a + deep])
                self.houses.append(Building(block, float(rng.uniform(6, 20)), self.look()))
            for _ in range(int(rng.integers(0, 4))):
                spot = place + rng.uniform(-10, 10) * along - out * rng.uniform(0, 15)
                self.props.append(
                    Prop("tree", spot, 0.0, float(rng.uniform(6, 14)), self.look(), 0.0)
                )


def _signs(plan: Plan, rng: np.random.Generator) -> list[Sign]:
    """Signs for both directions, at the kerb of those who shall read them."""
    kinds = list(SIGNS)
    hand = 1 if plan.left_hand else -1
    made = []

    def put(kind: str, s: float, t: float, yaw: float) -> None:
        size = float(rng.uniform(0.5, 0.8)) * (1.6 if kind == "directions" else 1.0)
        turn = plan.yaw(s) + yaw + float(rng.normal(0, 0.08))
        made.append(
            Sign(kind, plan.world(np.array([[s, t]]))[0], turn, float(rng.uniform(2.0, 2.8)), size)
        )

    for way in (1, -1):
        side = hand * way
        kerb = plan.half[0 if side > 0 else 1] + 0.45
        for _ in range(int(rng.integers(2, 7))):
            s = float(rng.uniform(plan.start, plan.end))
            if plan.junction != "none" and abs(s - plan.at) < plan.side_half + 4:
                continue
            put(str(rng.choice(kinds)), s, side * kerb, np.pi if way > 0 else 0.0)
        if plan.zebra is not None:
            put("crossing", plan.zebra - way * 2.4, side * kerb, np.pi if way > 0 else 0.0)
    if plan.junction == "priority":
        for side, half in ((1, plan.half[0]), (-1, plan.half[1])):
            s = plan.at + side * hand * (plan.side_half + 0.5)
            put(str(rng.choice(["stop", "yield"])), s, side * (half + 2.6), side * np.pi / 2)
    return made
