"""Convex flat faces: the only thing that cameras and LiDAR know how to see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from verticals.driving.world.textures import SIDE, layer

Floats = NDArray[np.floating[Any]]

DOUBLE = 1  # seen from both sides
CUTOUT = 2  # the texture's alpha says where there is something
VEIL = 4  # a label covers the small holes of the cutout too, as people annotate trees and railings
FLAT = 8  # lies on the ground and casts no shadow
DRIVABLE = 16  # road that cars may use


@dataclass(frozen=True)
class Faces:
    """f faces as columns."""

    corners: NDArray[np.float32]  # (f, 4, 3) metres, anti-clockwise from outside; triangles repeat
    uv: NDArray[np.float32]  # (f, 4, 2) texture coordinates of the corners, in tiles
    tint: NDArray[np.float32]  # (f, 3) colour times texture, 0 to 1, as on a screen
    texture: NDArray[np.int16]  # (f,) layer of the atlas
    surface: NDArray[np.uint8]  # (f,) index into frame.SURFACES
    instance: NDArray[np.int32]  # (f,) number of the object in the scene, from 1; 0 for none
    flags: NDArray[np.uint8]  # (f,)
    order: NDArray[np.uint8]  # (f,) paint in one plane: higher lies on lower
    glow: NDArray[np.float32]  # (f,) own light
    shine: NDArray[np.float32]  # (f,) share of the sky it mirrors, 0 to 1

    def __len__(self) -> int:
        return len(self.corners)

    def __getitem__(self, rows: Any) -> Faces:
        return Faces(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})

    def placed(
        self, x: float, y: float, yaw: float, z: float = 0.0, *, scale: float = 1.0
    ) -> Faces:
        """Scaled, turned about z, then moved."""
        cos, sin = scale * np.cos(yaw), scale * np.sin(yaw)
        turn = np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, scale]], np.float32)
        return replace(self, corners=self.corners @ turn + np.array([x, y, z], np.float32))

    def flat(self) -> Faces:
        """The same with every face that is not flat cut into two triangles."""
        p = self.corners
        normal = np.cross(p[:, 1] - p[:, 0], p[:, 3] - p[:, 0])
        area = np.sqrt((normal * normal).sum(axis=1))
        lift = np.abs((normal * (p[:, 2] - p[:, 0])).sum(axis=1)) / np.maximum(area, 1e-9)
        bent = lift > 1e-3
        if not bent.any():
            return self
        halves = [
            replace(self[bent], corners=p[bent][:, rows], uv=self.uv[bent][:, rows])
            for rows in ([0, 1, 2, 2], [0, 2, 3, 3])
        ]
        return join([self[~bent], *halves])

    def of(self, instance: int) -> Faces:
        """As parts of one object."""
        return replace(self, instance=np.full(len(self), instance, np.int32))


def faces(
    corners: Any,
    surface: int,
    tint: Any = (1.0, 1.0, 1.0),
    *,
    texture: str = "plain",
    uv: Any = None,
    flags: Any = 0,
    order: int = 0,
    glow: Any = 0.0,
    shine: Any = 0.0,
) -> Faces:
    """Faces of one kind.

    Args:
        corners: (f, 4, 3) metres.
        surface: Index into frame.SURFACES.
        tint: (3,) or (f, 3).
        texture: Name of a texture.
        uv: (4, 2) or (f, 4, 2) tiles; the unit square if absent.
        flags: Sum of the flags above, one or (f,).
        order: Paint above this many other layers.
        glow: One or (f,).
        shine: One or (f,).
    """
    points = np.asarray(corners, np.float32).reshape(-1, 4, 3)
    n = len(points)
    square = [[0, 1], [1, 1], [1, 0], [0, 0]] if uv is None else uv

    def column(value: Any, kind: Any, *shape: int) -> Any:
        filled = np.empty((n, *shape), kind)
        filled[...] = value
        return filled

    return Faces(
        corners=points,
        uv=column(square, np.float32, 4, 2),
        tint=column(tint, np.float32, 3),
        texture=column(layer(texture), np.int16),
        surface=column(surface, np.uint8),
        instance=np.zeros(n, np.int32),
        flags=column(flags, np.uint8),
        order=column(order, np.uint8),
        glow=column(glow, np.float32),
        shine=column(shine, np.float32),
    )


def join(parts: Sequence[Faces]) -> Faces:
    """All of them, in order."""
    kept = [part for part in parts if len(part)]
    if not kept:
        return faces(np.zeros((0, 4, 3)), 0)
    return Faces(
        **{f.name: np.concatenate([getattr(p, f.name) for p in kept]) for f in fields(Faces)}
    )


class Quad(NamedTuple):
    """One face as plain numbers; see `gather`."""

    corners: Any  # (4, 3)
    texture: str = "plain"
    tint: Any = (1.0, 1.0, 1.0)
    uv: Any = ((0, 1), (1, 1), (1, 0), (0, 0))
    flags: int = 0
    surface: int | None = None  # instead of the one given to `gather`


def gather(quads: Sequence[Quad], surface: int) -> Faces:
    """Many single faces at once, which is much cheaper than one by one."""
    made = faces(
        [quad.corners for quad in quads], surface, [quad.tint for quad in quads],
        uv=[quad.uv for quad in quads], flags=[quad.flags for quad in quads],
    )  # fmt: skip
    made.texture[:] = [layer(quad.texture) for quad in quads]
    made.surface[:] = [surface if q.surface is None else q.surface for q in quads]
    return made


def prisms(lower: Floats, upper: Floats) -> Floats:
    """Side faces between pairs of rings.

    Args:
        lower: (n, k, 3) rings, anti-clockwise from above.
        upper: (n, k, 3) the rings they go to.

    Returns:
        (n * k, 4, 3) corners.
    """
    after = [*range(1, lower.shape[1]), 0]
    quads = np.stack([lower, lower[:, after], upper[:, after], upper], axis=2)
    return quads.reshape(-1, 4, 3)


def box(low: Any, high: Any) -> Floats:
    """(6, 4, 3) corners of an upright box: right, front, left, back, top, bottom."""
    (x0, y0, z0), (x1, y1, z1) = low, high
    ring = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], float)
    lower = np.column_stack([ring, np.full(4, z0)])
    upper = np.column_stack([ring, np.full(4, z1)])
    return np.concatenate([prisms(lower[None], upper[None]), upper[None], lower[None, ::-1]])


def post(x: float, y: float, z0: float, z1: float, radius: float, *, sides: int = 6) -> Floats:
    """(sides, 4, 3) corners of an upright post without its ends."""
    angles = np.arange(sides) * 2 * np.pi / sides
    ring = np.column_stack([x + radius * np.cos(angles), y + radius * np.sin(angles), angles * 0])
    low, high = np.array([0, 0, z0]), np.array([0, 0, z1])
    return prisms((ring + low)[None], (ring + high)[None])


@njit(cache=True, nogil=True)
def place(corners: Any, counts: Any, scales: Any, places: Any) -> Any:
    """Scale, turn about z and move runs of faces.

    Args:
        corners: (f, 4, 3) metres.
        counts: (n,) faces of each run.
        scales: (n, 3) factors along the run's own axes.
        places: (n, 4) x, y, yaw and z.

    Returns:
        (f, 4, 3).
    """
    moved = np.empty_like(corners)
    f = 0
    for i in range(len(counts)):
        cos, sin = np.cos(places[i, 2]), np.sin(places[i, 2])
        for _ in range(counts[i]):
            for k in range(4):
                u, v = corners[f, k, 0] * scales[i, 0], corners[f, k, 1] * scales[i, 1]
                moved[f, k, 0] = places[i, 0] + cos * u - sin * v
                moved[f, k, 1] = places[i, 1] + sin * u + cos * v
                moved[f, k, 2] = places[i, 3] + corners[f, k, 2] * scales[i, 2]
            f += 1
    return moved


@dataclass(frozen=True)
class Planes:
    """What the drawing loops need of each face, computed once."""

    plane: NDArray[np.float64]  # (f, 4) unit normal n and distance d: n.p = d
    mapping: NDArray[np.float64]  # (f, 8) u = m[:3].p + m[3], v = m[4:7].p + m[7]
    density: NDArray[np.float64]  # (f,) texels per metre


def planes(corners: NDArray[np.float32], uv: NDArray[np.float32]) -> Planes:
    """Planes and texture maps of (f, 4, 3) corners with (f, 4, 2) texture coordinates."""
    return Planes(*_derive(corners, uv, float(SIDE)))


@njit(cache=True, nogil=True, error_model="numpy")
def _derive(corners: Any, uv: Any, side: float) -> Any:
    n = len(corners)
    plane, mapping, density = np.zeros((n, 4)), np.zeros((n, 8)), np.zeros(n)
    for i in range(n):
        p, q, r = corners[i, 0], corners[i, 1], corners[i, 3]
        px, py, pz = float(p[0]), float(p[1]), float(p[2])
        ax, ay, az = q[0] - px, q[1] - py, q[2] - pz
        bx, by, bz = r[0] - px, r[1] - py, r[2] - pz
        nx, ny, nz = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
        area = np.sqrt(nx * nx + ny * ny + nz * nz)
        if area < 1e-12:
            continue  # a face without area: its plane stays zero and nothing draws it
        nx, ny, nz = nx / area, ny / area, nz / area
        plane[i, 0], plane[i, 1], plane[i, 2] = nx, ny, nz
        plane[i, 3] = nx * px + ny * py + nz * pz
        cx, cy, cz = by * nz - bz * ny, bz * nx - bx * nz, bx * ny - by * nx
        dx, dy, dz = ny * az - nz * ay, nz * ax - nx * az, nx * ay - ny * ax
        for k in range(2):
            s, t = (uv[i, 1, k] - uv[i, 0, k]) / area, (uv[i, 3, k] - uv[i, 0, k]) / area
            gx, gy, gz = s * cx + t * dx, s * cy + t * dy, s * cz + t * dz
            mapping[i, 4 * k], mapping[i, 4 * k + 1], mapping[i, 4 * k + 2] = gx, gy, gz
            mapping[i, 4 * k + 3] = uv[i, 0, k] - (gx * px + gy * py + gz * pz)
            density[i] += 0.5 * side * np.sqrt(gx * gx + gy * gy + gz * gz)
    return plane, mapping, density
