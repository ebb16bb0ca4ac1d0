"""Houses: walls of bays and storeys, shops with awnings, roofs."""

# ruff: noqa: PLR0917 - drawing takes coordinates by position

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from verticals.driving.frame import SURFACES
from verticals.driving.world.facades import BAYS, SHOPS, bay_wall
from verticals.driving.world.faces import DOUBLE, Faces, Floats, Quad, box, gather, join
from verticals.driving.world.scene import Building

_SURFACE = {name: index for index, name in enumerate(SURFACES)}
BRICKS = np.array(
    [(0.62, 0.36, 0.27), (0.72, 0.52, 0.36), (0.78, 0.68, 0.48), (0.48, 0.30, 0.25),
     (0.66, 0.60, 0.52), (0.55, 0.45, 0.38)]
)  # fmt: skip
_RENDERS = np.array(
    [(0.93, 0.92, 0.88), (0.90, 0.84, 0.70), (0.78, 0.78, 0.78), (0.62, 0.64, 0.66),
     (0.85, 0.72, 0.62), (0.70, 0.76, 0.78), (0.45, 0.43, 0.42)]
)  # fmt: skip
_ROOFS = np.array([(0.30, 0.30, 0.33), (0.45, 0.28, 0.22), (0.36, 0.32, 0.30), (0.5, 0.38, 0.3)])


def buildings(houses: Sequence[Building]) -> Faces:
    """Walls of bays and storeys, perhaps a shop below, a roof above."""
    quads = [quad for house in houses for quad in _building(house)]
    if not quads:
        return join([])
    return gather(quads, _SURFACE["building"]).flat()


def _building(house: Building) -> list[Quad]:
    rng = np.random.default_rng([31, house.look])
    style = int(rng.integers(BAYS))
    wall = bay_wall(style)
    options = _RENDERS if wall == "render" else BRICKS
    tint = options[rng.integers(len(options))] * rng.uniform(0.6, 1.12)
    tint = np.clip(tint + rng.normal(0, 0.03, 3), 0.05, 0.97)
    ground_floor = rng.uniform(3.2, 4.2) if rng.random() < 0.5 else 0.0
    bay, storey = rng.uniform(2.2, 4.2), rng.uniform(2.7, 3.6)
    corners = [(float(x), float(y)) for x, y in house.corners]
    quads: list[Quad] = []
    for i in range(4):
        a, b = corners[i], corners[(i + 1) % 4]
        length, low = math.dist(a, b), 0.0
        floors = max(1, round((house.height - ground_floor) / storey)) + (
            i != 0 and ground_floor > 0
        )
        blind = i == 2 or (i != 0 and rng.random() < 0.35)
        texture = wall if blind else f"bay{style}"
        if i == 0 and ground_floor:
            low = ground_floor
            shops = max(1, round(length / 6.5))
            quads.append(_wall(a, b, (0.0, low), f"shop{rng.integers(SHOPS)}", (shops, 1)))
            quads += _awnings(a, b, low, rng)
        tiles = (max(1, round(length / bay)), floors)
        quads.append(_wall(a, b, (low, house.height), texture, tiles, tint))
    roof = _ROOFS[rng.integers(len(_ROOFS))] * rng.uniform(0.8, 1.2)
    if rng.random() < 0.6:
        quads += _gables(corners, house.height, roof, tint, rng)
    else:
        flat = [(*corner, house.height) for corner in corners]
        uv = [(x / 4, y / 4) for x, y in corners]
        quads.append(Quad(flat, "concrete", roof * 0.9, uv))
    return quads


Corner = tuple[float, float]


def _wall(
    a: Corner, b: Corner, reach: tuple[float, float], texture: str, tiles: tuple[int, int],
    tint: Any = (1.0, 1.0, 1.0),
) -> Quad:  # fmt: skip
    """An upright wall from a to b; its outside is on the right of that way."""
    (low, high), (u, v) = reach, tiles
    uv = ((0, v), (u, v), (u, 0), (0, 0))
    return Quad([(*a, low), (*b, low), (*b, high), (*a, high)], texture, tint, uv)


def _awnings(a: Corner, b: Corner, top: float, rng: np.random.Generator) -> list[Quad]:
    """Awnings and hanging signs along a shop front; the signs count as signs."""
    length = math.dist(a, b)
    along = ((b[0] - a[0]) / length, (b[1] - a[1]) / length)
    out = (along[1], -along[0])

    def point(s: float, t: float, z: float) -> tuple[float, float, float]:
        return a[0] + s * along[0] + t * out[0], a[1] + s * along[1] + t * out[1], z

    made = []
    if rng.random() < 0.35:
        depth, drop = rng.uniform(0.5, 1.4), rng.uniform(0.2, 0.6)
        low, high = top - 0.6 - drop, top - 0.6
        corners = [point(0, depth, low), point(length, depth, low), point(length, 0, high),
                   point(0, 0, high)]  # fmt: skip
        uv = ((0, 0), (0, length / 3), (0.4, length / 3), (0.4, 0))
        cloth = "stripes" if rng.random() < 0.5 else "cloth"
        made.append(Quad(corners, cloth, rng.uniform(0.2, 0.95, 3), uv, DOUBLE))
    for _ in range(rng.integers(0, 3)):
        s, size = rng.uniform(0.5, max(0.6, length - 0.5)), rng.uniform(0.5, 1.0)
        z = rng.uniform(top - 0.6, top + 0.8)
        corners = [point(s, 0.15, z), point(s, 0.15 + size, z), point(s, 0.15 + size, z + size),
                   point(s, 0.15, z + size)]  # fmt: skip
        board = f"board{rng.integers(8)}"
        made.append(Quad(corners, board, flags=DOUBLE, surface=_SURFACE["sign"]))
    return made


def _gables(
    corners: list[Corner], height: float, tint: Floats, wall: Floats, rng: np.random.Generator
) -> list[Quad]:
    """Two slopes with the ridge along the front, gables, perhaps chimneys."""
    a, b, c, d = (np.array(corner) for corner in corners)
    rise = rng.uniform(1.8, 4.0)
    left, right = (a + d) / 2, (b + c) / 2
    ridge_left, ridge_right = (*left, height + rise), (*right, height + rise)
    out = (a - d) / math.dist(a, d) * 0.35
    front = [(*(p + out), height - 0.1) for p in (a, b)]
    back = [(*(p - out), height - 0.1) for p in (c, d)]
    span = math.dist(a, b) / 3
    uv = ((0, 1.5), (span, 1.5), (span, 0), (0, 0))
    gable = ((0, 2), (3, 2), (1.5, 0), (1.5, 0))
    made = [
        Quad([*front, ridge_right, ridge_left], "tiles", tint, uv, DOUBLE),
        Quad([*back, ridge_left, ridge_right], "tiles", tint, uv, DOUBLE),
        Quad([(*d, height), (*a, height), ridge_left, ridge_left], "bricks", wall, gable, DOUBLE),
        Quad([(*b, height), (*c, height), ridge_right, ridge_right], "bricks", wall, gable, DOUBLE),
    ]
    for _ in range(rng.integers(0, 3)):
        x, y = left + (right - left) * rng.uniform(0.1, 0.9)
        top = height + rise + rng.uniform(0.6, 1.4)
        stack = box((x - 0.4, y - 0.3, height), (x + 0.4, y + 0.3, top))
        made += [Quad(side, "bricks", wall * 0.9) for side in stack[:5]]
    return made
