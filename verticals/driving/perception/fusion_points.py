"""Laser points to objects: the ground taken away, the rest grouped, a box laid around each group.

Knows points only. What a camera says of them is `fusion`'s to add.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

CELL = 0.0125  # share of the distance: points in neighbouring cells of that size are one object
_STEEPEST = 0.2  # slope of a road against the vehicle, rise over run
_FLAT = 0.15  # metres: points that near to a plane lie on it
_PATCH = 4.0  # metres: sides of the cells in which the ground may leave the plane
_TURNS = np.radians(np.arange(0, 90, 3.0))  # headings tried when a box is laid around points


def heights_above_ground(points: Floats, *, seed: int = 0, tries: int = 120) -> Floats:
    """How high points are above the ground under them.

    The plane with the most points near it (Fischler and Bolles, 1981), then, in patches of four
    metres, the lower edge of what lies near it: kerbs and gentle slopes count as ground too.

    Args:
        points: (n, 3) metres, z roughly up; finite.
        seed: Of the planes tried.
        tries: Planes tried.

    Returns:
        (n,) metres.
    """
    if len(points) < 3:
        return np.zeros(len(points))
    heights = points[:, 2] - _plane(points, seed, tries)
    reach = np.hypot(points[:, 0], points[:, 1])
    low = np.abs(heights) < _FLAT + 0.03 * reach
    cells = np.floor(points[:, :2] / _PATCH).astype(np.int64)
    cells -= cells.min(axis=0)
    _, patch = np.unique(cells[:, 0] * (cells[:, 1].max() + 1) + cells[:, 1], return_inverse=True)
    count = int(patch.max()) + 1
    ground, order = np.zeros(count), np.lexsort((heights[low], patch[low]))
    sorted_heights, sorted_patch = heights[low][order], patch[low][order]
    starts = np.searchsorted(sorted_patch, np.arange(count + 1))
    sizes = np.diff(starts)
    enough = sizes >= 5
    tenth = starts[:-1] + sizes // 10
    ground[enough] = sorted_heights[tenth[enough]]
    found: Floats = heights - ground[patch]
    return found


def _plane(points: Floats, seed: int, tries: int) -> Floats:
    """(n,) height of the ground plane at each point."""
    random = np.random.default_rng(seed)
    near = points[np.hypot(points[:, 0], points[:, 1]) < 30]
    near = near if len(near) >= 3 else points
    near = near[random.permutation(len(near))[:2000]]
    corners = near[random.integers(len(near), size=(tries, 3))]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    upright = np.abs(normals[:, 2]) > np.hypot(normals[:, 0], normals[:, 1]) / _STEEPEST + 1e-9
    if not upright.any():
        return np.full(len(points), np.quantile(points[:, 2], 0.05))
    normals, corners = normals[upright], corners[upright]
    slopes = -normals[:, :2] / normals[:, 2:]
    level = corners[:, 0, 2] - (slopes * corners[:, 0, :2]).sum(axis=1)
    apart = near[:, 2] - (slopes @ near[:, :2].T + level[:, None])
    best = int((np.abs(apart) < _FLAT).sum(axis=1).argmax())
    on = np.abs(apart[best]) < _FLAT
    fitted = np.linalg.lstsq(np.column_stack([near[on, :2], np.ones(on.sum())]), near[on, 2],
                             rcond=None)[0]  # fmt: skip
    found: Floats = points[:, :2] @ fitted[:2] + fitted[2]
    return found


def grouped(points: Floats, *, cell: float = CELL, least: int = 5) -> NDArray[np.int64]:
    """Which object each point belongs to: points in neighbouring cells of the ground are one.

    Cells grow with the distance from the origin, as the gaps between neighbouring rays do.

    Args:
        points: (n, 3) metres from about where the scanner stands, without the ground.
        cell: Side of a cell, share of its distance; gaps of one to two cells separate objects.
        least: Points below which a group is none.

    Returns:
        (n,) numbers from 0, -1 for points in no group.
    """
    from scipy.ndimage import label

    if not len(points):
        return np.zeros(0, np.int64)
    angle = np.arctan2(points[:, 1], points[:, 0])
    reach = np.log(np.hypot(points[:, 0], points[:, 1]).clip(min=0.5))
    places = np.floor(np.stack([angle, reach], axis=1) / cell).astype(np.int64)
    places -= places.min(axis=0)
    table = np.zeros(places.max(axis=0) + 1, bool)
    table[tuple(places.T)] = True
    groups = label(table, structure=np.ones((3, 3)))[0][tuple(places.T)]
    counts = np.bincount(groups)
    kept = (counts >= least) & (np.arange(len(counts)) > 0)
    numbers = np.where(kept, np.cumsum(kept) - 1, -1)
    found: NDArray[np.int64] = numbers[groups]
    return found


def nearest_gap_segments(depths: Floats, gap: float) -> NDArray[np.int64]:
    """Numbers of the runs of depths without a gap between neighbours: (n,), 0 is the nearest."""
    order = np.argsort(depths, kind="stable")
    runs = np.concatenate([[0], np.cumsum(np.diff(depths[order]) > gap)])
    found = np.zeros(len(depths), np.int64)
    found[order] = runs[: len(depths)]
    return found


def rectangle(points_xy: Floats) -> Floats:
    """The rectangle whose sides lie closest to the points (Zhang et al., 2017, closeness).

    Args:
        points_xy: (n, 2) metres, one or more.

    Returns:
        (5,) x, y of the centre, the two sides in metres, the longer first, and its heading,
        radians from -pi/2 to pi/2.
    """
    axes = np.stack([np.cos(_TURNS), np.sin(_TURNS)])  # (2, t)
    along = points_xy @ axes  # (n, t)
    across = points_xy @ np.stack([-axes[1], axes[0]])
    near = np.minimum(_to_edge(along), _to_edge(across)).clip(min=0.05)
    best = int((1 / near).sum(axis=0).argmax())
    low = np.array([along[:, best].min(), across[:, best].min()])
    high = np.array([along[:, best].max(), across[:, best].max()])
    turn = float(_TURNS[best])
    cos, sin = np.cos(turn), np.sin(turn)
    middle, sides = (low + high) / 2, high - low
    x, y = middle[0] * cos - middle[1] * sin, middle[0] * sin + middle[1] * cos
    if sides[1] > sides[0]:
        sides, turn = sides[::-1], turn - np.pi / 2
    return np.array([x, y, sides[0], sides[1], turn])


def _to_edge(values: Floats) -> Floats:
    """(n, t) distances to the nearer end of the values' range."""
    found: Floats = np.minimum(values.max(axis=0) - values, values - values.min(axis=0))
    return found


def completed(seen: Floats, size: Floats, sensor_xy: Floats) -> Floats:
    """A rectangle as large as its kind, grown away from the sensor: far sides are not seen.

    Args:
        seen: (5,) of `rectangle`.
        size: (2,) usual length and width, metres.
        sensor_xy: (2,) where the scanner stands.

    Returns:
        (5,) the same kind of rectangle, whose length runs along its heading.
    """
    x, y, longer, shorter, turn = (float(value) for value in seen)
    length, width = (float(value) for value in size)
    sides, heading = np.array([longer, shorter]), turn
    # A car seen from behind shows its width: then the length runs along the line of sight.
    if longer < 1.25 * width:
        sight = np.arctan2(y - sensor_xy[1], x - sensor_xy[0])
        if abs(np.cos(turn - sight)) < np.sqrt(0.5):
            sides, heading = sides[::-1], turn + np.pi / 2
    axes = np.array([[np.cos(heading), np.sin(heading)], [-np.sin(heading), np.cos(heading)]])
    towards = np.sign(axes @ (np.array([x, y]) - sensor_xy))
    whole = np.maximum(sides, [length, width])
    middle = np.array([x, y]) + (towards * (whole - sides) / 2) @ axes
    heading = (heading + np.pi / 2) % np.pi - np.pi / 2
    return np.array([middle[0], middle[1], whole[0], whole[1], heading])
