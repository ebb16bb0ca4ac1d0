"""The dice of one street: everything that is random about its roads, thrown once.

A plan lives in street coordinates: s metres along the main road, t metres to its left. One bend of
the whole plane turns them into the world, so a junction on a curve needs no case of its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from verticals.driving.world.scene import Floats

Junction = Literal["none", "signals", "priority"]


@dataclass(frozen=True)
class Plan:
    """The dice of one street, all thrown."""

    start: float = -70.0  # metres along the main road
    end: float = 180.0
    curvature: float = 0.0  # per metre, positive bends left
    lanes: int = 1  # each way
    lane_width: float = 3.2
    parking: tuple[bool, bool] = (False, False)  # strips on the left and right of the road
    cycle_lane: bool = False
    pavement: tuple[float, float] = (2.5, 2.5)  # left and right
    verge: tuple[float, float] = (0.0, 0.0)  # grass between pavement and road
    junction: Junction = "none"
    at: float = 45.0  # s of the junction's middle
    side_lane: float = 3.0  # width of the side street's two lanes
    zebra: float | None = None  # s of a zebra crossing
    left_hand: bool = True
    centre: Literal["dashed", "solid", "double", "none"] = "dashed"
    edge: Literal["none", "solid", "yellow"] = "none"
    kind: Literal["shops", "suburb", "park", "office"] = "shops"
    seed: int = 0

    @property
    def half(self) -> tuple[float, float]:
        """Half the road, to the left and to the right, in metres."""
        drive = self.lanes * self.lane_width + (1.5 if self.cycle_lane else 0.0)
        left, right = (drive + (2.2 if parked else 0.0) for parked in self.parking)
        return left, right

    @property
    def side_half(self) -> float:
        """Half the side street."""
        return self.side_lane + 0.3

    @property
    def gap(self) -> tuple[float, float]:
        """The stretch of the main road that the junction takes."""
        return self.at - self.side_half - 2.5, self.at + self.side_half + 2.5

    def world(self, points: Floats) -> Floats:
        """(k, 2) street coordinates to (k, 2) metres in the world."""
        s, t = np.asarray(points, float).T
        if abs(self.curvature) < 1e-6:
            return np.stack([s, t], axis=1)
        angle, radius = s * self.curvature, 1 / self.curvature
        return np.stack([np.sin(angle) * (radius - t), radius - np.cos(angle) * (radius - t)], 1)

    def point(self, s: float, t: float) -> tuple[float, float]:
        """One point of the street in the world; quicker than `world` for one."""
        if abs(self.curvature) < 1e-6:
            return s, t
        angle, radius = s * self.curvature, 1 / self.curvature
        return math.sin(angle) * (radius - t), radius - math.cos(angle) * (radius - t)

    def yaw(self, s: float) -> float:
        """The main road's direction."""
        return s * self.curvature


def draw_plan(seed: int) -> Plan:
    """A plan at random; the same seed gives the same street."""
    rng = np.random.default_rng([41, seed])
    bend = rng.uniform(-1, 1) / 90 if rng.random() < 0.35 else rng.uniform(-1, 1) / 600
    kind = str(rng.choice(["shops", "shops", "suburb", "park", "office"]))
    parking = tuple(bool(v) for v in rng.random(2) < 0.4)
    verge = tuple(float(v) for v in rng.uniform(1.0, 4.0, 2) * (rng.random(2) < 0.25))
    zebra = float(rng.uniform(10, 90)) if rng.random() < 0.35 else None
    junction = str(rng.choice(["none", "signals", "signals", "priority"]))
    at = float(rng.uniform(18, 80))
    if zebra is not None and junction != "none" and abs(zebra - at) < 22:
        zebra = None
    return Plan(
        curvature=float(bend),
        lanes=int(rng.choice([1, 1, 1, 2])),
        lane_width=float(rng.uniform(2.8, 3.7)),
        parking=(parking[0], parking[1]),
        cycle_lane=bool(rng.random() < 0.2),
        pavement=(float(rng.uniform(1.6, 4.5)), float(rng.uniform(1.6, 4.5))),
        verge=(verge[0], verge[1]),
        junction=junction,  # type: ignore[arg-type]
        at=at,
        side_lane=float(rng.uniform(2.7, 3.4)),
        zebra=zebra,
        left_hand=bool(rng.random() < 0.6),
        centre=str(rng.choice(["dashed", "dashed", "dashed", "solid", "double"])),  # type: ignore[arg-type]
        edge=str(rng.choice(["none", "solid", "yellow", "yellow"])),  # type: ignore[arg-type]
        kind=kind,  # type: ignore[arg-type]
        seed=seed,
    )
