"""Bodies of people on foot and on bicycles: tapered limbs that swing with the gait.

Every limb (`limbs.py`) is a prism between two joints. All people of a scene are posed, built and
placed by one compiled loop.
"""

# ruff: noqa: PLR0917 - compiled loops take columns by position

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from verticals.driving.frame import SURFACES
from verticals.driving.world.faces import CUTOUT, DOUBLE, Faces, Floats
from verticals.driving.world.limbs import COLUMNS, MOST, arms, legs, rider, trunk, tubes
from verticals.driving.world.textures import layer
from verticals.driving.world.wardrobe import HELMET, looks_of

_PEDESTRIAN, _BICYCLIST = SURFACES.index("pedestrian"), SURFACES.index("bicyclist")
_TYRE = 10  # pieces of a tyre


def bodies(
    seeds: NDArray[np.integer[Any]],
    phases: Floats,
    speeds: Floats,
    rides: NDArray[np.bool_],
    heights: Floats,
    places: Floats,
    *,
    sides: int = 8,
) -> tuple[Faces, NDArray[np.int64]]:
    """Faces of n people, one after the other, and how many each has.

    Args:
        seeds: (n,) of what they look like.
        phases: (n,) radians, of the gait or the pedals.
        speeds: (n,) metres per second; those who walk stand at zero.
        rides: (n,) on a bicycle.
        heights: (n,) metres.
        places: (n, 4) x, y, yaw and the height of the ground.
        sides: Of each limb, even; fewer for people far away.
    """
    looks = looks_of(seeds)
    strides = np.minimum(1.0, np.abs(speeds) / 1.3) * 0.95
    return _built(looks, phases, strides, rides, heights, places, sides)


def bicycle(seed: int, height: float = 1.75) -> Faces:
    """A bicycle alone, for a rider of that height, at the origin."""
    look = looks_of(np.array([seed]))
    one, none = np.ones(1), np.zeros((1, 4))
    return _built(look, one, one, np.ones(1, bool), one * height, none, 4, alone=True)[0]


def _built(
    looks: Any, phases: Floats, strides: Floats, rides: NDArray[np.bool_], heights: Floats,
    places: Floats, sides: int, *, alone: bool = False,
) -> tuple[Faces, NDArray[np.int64]]:  # fmt: skip
    textures = np.array([layer(name) for name in ("plain", "skin", "hair", "face", "spokes")])
    corners, uv, tint, texture, flags, counts = _build(
        looks, np.asarray(phases, float), np.asarray(strides, float), rides,
        np.asarray(heights, float), np.asarray(places, float), sides, textures, alone,
    )  # fmt: skip
    n = len(corners)
    surface = np.where(rides, _BICYCLIST, _PEDESTRIAN).astype(np.uint8)
    zeros = np.zeros(n, np.float32)
    faces = Faces(
        corners, uv, tint, texture, np.repeat(surface, counts), np.zeros(n, np.int32), flags,
        np.zeros(n, np.uint8), zeros, zeros,
    )  # fmt: skip
    return faces, counts


def reach(heights: Floats, speeds: Floats, rides: NDArray[np.bool_]) -> Floats:
    """Length and width of the box that holds a body in every phase of its gait.

    Args:
        heights: (n,) metres.
        speeds: (n,) metres per second.
        rides: (n,) on a bicycle.

    Returns:
        (n, 2) metres.
    """
    stride = np.minimum(1.0, np.abs(speeds) / 1.3)
    length = np.where(rides, 0.98, 0.49 + 0.17 * stride)
    return heights[:, None] * np.column_stack([length, np.full(len(heights), 0.36)])


@njit(cache=True, nogil=True)
def _prism(
    limb: Any, sides: int, scale: float, place: Any, f: int,
    corners: Any, uv: Any, tint: Any, texture: Any,
) -> int:  # fmt: skip
    """Write the faces of a limb from row f on; its far end is closed. The row after the last."""
    sx, sy, sz = limb[3] - limb[0], limb[4] - limb[1], limb[5] - limb[2]
    long = np.sqrt(sx * sx + sy * sy + sz * sz) + 1e-9
    sx, sy, sz = sx / long, sy / long, sz / long
    # depth: across the limb, forwards if it is upright, else whatever is square to it
    if abs(sy) > 0.9:
        dx, dy, dz = -sy, sx, 0.0
    else:
        dx, dy, dz = sz, 0.0, -sx
    size = np.sqrt(dx * dx + dy * dy + dz * dz) + 1e-9
    dx, dy, dz = dx / size, dy / size, dz / size
    wx, wy, wz = sy * dz - sz * dy, sz * dx - sx * dz, sx * dy - sy * dx
    cos, sin = np.cos(place[2]), np.sin(place[2])
    ring = np.empty((2, sides, 3))
    for k in range(sides):
        angle = (k + (0.5 if sides == 4 else 0.0)) * 2 * np.pi / sides
        c, s = np.cos(angle) * limb[8], np.sin(angle)
        ux, uy, uz = c * dx + s * wx, c * dy + s * wy, c * dz + s * wz
        for end in range(2):
            r = limb[6 + end]
            x, y = scale * (limb[3 * end] + r * ux), scale * (limb[3 * end + 1] + r * uy)
            ring[end, k, 0] = place[0] + cos * x - sin * y
            ring[end, k, 1] = place[1] + sin * x + cos * y
            ring[end, k, 2] = place[3] + scale * (limb[3 * end + 2] + r * uz)
    for k in range(sides):
        after = (k + 1) % sides
        for j in range(3):
            corners[f, 0, j], corners[f, 1, j] = ring[0, k, j], ring[0, after, j]
            corners[f, 2, j], corners[f, 3, j] = ring[1, after, j], ring[1, k, j]
        left, right = k / sides, (k + 1) / sides
        uv[f, 0, 0], uv[f, 1, 0], uv[f, 2, 0], uv[f, 3, 0] = left, right, right, left
        uv[f, 0, 1], uv[f, 1, 1], uv[f, 2, 1], uv[f, 3, 1] = 1, 1, 0, 0
        f += 1
    first = f - sides
    for lid in range(sides // 2 - 1):
        rows = (0, 2 * lid + 1, 2 * lid + 2, 2 * lid + 3)
        for i in range(4):
            for j in range(3):
                corners[f, i, j] = ring[1, rows[i], j]
        uv[f, 0, 0], uv[f, 1, 0], uv[f, 2, 0], uv[f, 3, 0] = 0.3, 0.7, 0.7, 0.3
        uv[f, 0, 1], uv[f, 1, 1], uv[f, 2, 1], uv[f, 3, 1] = 0.7, 0.7, 0.3, 0.3
        f += 1
    for i in range(first, f):
        tint[i, 0], tint[i, 1], tint[i, 2] = limb[9], limb[10], limb[11]
        texture[i] = int(limb[12])
    return f


@njit(cache=True, nogil=True)
def _wheels(
    scale: float, place: Any, spokes: int, plain: int, f: int,
    corners: Any, uv: Any, tint: Any, texture: Any, flags: Any,
) -> int:  # fmt: skip
    """Write two wheels from row f on: a disc of spokes each and a tyre seen from the ends."""
    cos, sin = np.cos(place[2]), np.sin(place[2])
    radius = 0.19
    for wheel in range(2):
        middle = -0.3 if wheel == 0 else 0.3
        for piece in range(-1, _TYRE):
            for i in range(4):
                if piece < 0:
                    y, u, v = 0.0, 1.0 if i in (1, 2) else 0.0, 1.0 if i < 2 else 0.0
                    x, z = middle + radius * (2 * u - 1), 2 * radius * (1 - v)
                else:
                    angle = (piece + (1 if i in (1, 2) else 0)) * 2 * np.pi / _TYRE
                    y, u, v = (-0.011 if i < 2 else 0.011), 0.5, 0.5
                    x, z = middle + radius * np.cos(angle), radius * (1 + np.sin(angle))
                corners[f, i, 0] = place[0] + scale * (cos * x - sin * y)
                corners[f, i, 1] = place[1] + scale * (sin * x + cos * y)
                corners[f, i, 2] = place[3] + scale * z
                uv[f, i, 0], uv[f, i, 1] = u, v
            tone = 0.6 if piece < 0 else 0.08
            tint[f, 0], tint[f, 1], tint[f, 2] = tone, tone, tone
            texture[f] = spokes if piece < 0 else plain
            flags[f] = DOUBLE | CUTOUT if piece < 0 else DOUBLE
            f += 1
    return f


@njit(cache=True, nogil=True)
def _build(
    looks: Any, phases: Any, strides: Any, rides: Any, heights: Any, places: Any, sides: int,
    textures: Any, alone: bool,
) -> Any:  # fmt: skip
    """Columns of the faces of all people, and (n,) how many faces each has."""
    n = len(looks)
    room = n * (MOST * (sides + sides // 2 - 1) + 2 * (_TYRE + 1))
    corners, uv = np.empty((room, 4, 3), np.float32), np.empty((room, 4, 2), np.float32)
    tint, texture = np.empty((room, 3), np.float32), np.empty(room, np.int16)
    flags, counts = np.zeros(room, np.uint8), np.zeros(n, np.int64)
    limbs = np.empty((MOST, COLUMNS))
    f = 0
    for i in range(n):
        look, before, m = looks[i], f, 0
        head = int(look.head)
        if rides[i]:
            m = tubes(limbs, m, look, textures[0])
            if not alone:
                m = rider(limbs, m, look, phases[i], textures)
                if int(look.top[0] * 1000) % 2:
                    head = HELMET
                m = trunk(limbs, m, look, head, 0.53, 0.80, 0.25, 0.1, 0.0, textures)
        else:
            m = legs(limbs, m, look, phases[i], strides[i], textures[1])
            m = arms(limbs, m, look, phases[i], strides[i], textures[1])
            m = trunk(limbs, m, look, head, 0.508, 0.818, 0.012, 0.0, look.coat, textures)
        for k in range(m):
            f = _prism(limbs[k], sides, heights[i], places[i], f, corners, uv, tint, texture)
        if rides[i]:
            f = _wheels(heights[i], places[i], textures[4], textures[0], f, corners, uv, tint,
                        texture, flags)  # fmt: skip
        counts[i] = f - before
    return corners[:f], uv[:f], tint[:f], texture[:f], flags[:f], counts
