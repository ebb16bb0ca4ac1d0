"""What groups of laser points are, by nothing but their size: the scanner's eyes when alone.

A rule, and a weak one: a bush of a car's size is a car to it. It is what is left when the camera is
out, and its scores say so.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from verticals.driving.frame import OBJECTS
from verticals.driving.perception.fusion_points import Floats, completed, grouped, rectangle

# Usual length, width and height, metres, of what stands on the ground.
SIZES = {
    "car": (4.3, 1.8, 1.5), "van": (5.2, 1.95, 2.2), "truck": (8.1, 2.4, 3.2),
    "bus": (10.6, 2.55, 3.1), "pedestrian": (0.7, 0.6, 1.7), "cyclist": (1.7, 0.6, 1.72),
    "motorcycle": (1.6, 0.6, 1.6), "other": (1.0, 1.0, 1.0),
}  # fmt: skip
_LARGEST = 14.0  # metres across, above which points are a wall or a hedge
_SPARSE = 25.0  # metres, beyond which rays pass half a metre and more above each other
_POINTS = 4000  # of a scanner of 32 rings on a square metre one metre away


def objects_by_size(
    points: Floats, heights: Floats, eye: Floats, *, reach: float = 60.0, least: int = 4
) -> tuple[Floats, NDArray[np.int64], Floats]:
    """Groups of points that are as large as a road user.

    Args:
        points: (n, 3) metres, ego frame, without the ground.
        heights: (n,) metres above the ground.
        eye: (3,) where the sensor stands.
        reach: Metres, beyond which nothing is looked for.
        least: Points of an object.

    Returns:
        (k, 7) boxes as in `Boxes3D`, (k,) index into OBJECTS, and (k,) the share of the points
        that an object of that kind would return there, at most 1.
    """
    rows: list[list[float]] = []
    kinds: list[int] = []
    shares: list[float] = []
    for own in _groups(points, least):
        away = float(np.hypot(*points[own, :2].mean(axis=0)))
        if away > reach or np.hypot(*np.ptp(points[own, :2], axis=0)) > _LARGEST:
            continue
        seen = rectangle(points[own, :2])
        kind = _kind(seen[2], seen[3], heights[own], far=away > _SPARSE)
        if kind is None:
            continue
        box = standing_box(points[own], heights[own], kind, eye)
        rows.append(box.tolist())
        kinds.append(OBJECTS.index(kind))
        _, width, height = SIZES[kind]
        expected = _POINTS * width * height / max(away, 3.0) ** 2  # on its narrow side
        shares.append(min(1.0, len(own) / expected))
    return (np.array(rows, float).reshape(-1, 7), np.array(kinds, np.int64),
            np.array(shares, float))  # fmt: skip


def standing_box(points: Floats, heights: Floats, kind: str, eye: Floats) -> Floats:
    """(7,) box, as in `Boxes3D`, of an object of that kind of which these points are seen."""
    size = np.array(SIZES[kind])
    flat = completed(rectangle(points[:, :2]), size[:2], eye[:2])
    ground = float(np.median(points[:, 2] - heights))
    tall = float(np.clip(np.quantile(heights, 0.98), 0.7 * size[2], 1.4 * size[2]))
    return np.array([flat[0], flat[1], ground + tall / 2, flat[2], flat[3], tall, flat[4]])


def _groups(points: Floats, least: int) -> list[NDArray[np.intp]]:
    """Rows of the points of each object."""
    named = grouped(points, least=least)
    order = np.argsort(named, kind="stable")
    starts = np.searchsorted(named[order], np.arange(named.max(initial=-1) + 2))
    return [order[a:b] for a, b in pairwise(starts.tolist())]


def _kind(length: float, width: float, heights: Floats, *, far: bool) -> str | None:
    """What a group of points is by its size; None for walls, poles, crowns and hedges."""
    low, top = float(heights.min()), float(heights.max())
    if low > (1.3 if far else 0.9) or top < (0.5 if far else 0.8):  # far rays are a metre apart
        return None
    if length < 1.1 and width < 1.0:
        return "pedestrian" if 1.1 < top < 2.1 and top - low > 0.5 else None
    if length < 2.1 and width < 0.9:
        return "cyclist" if 1.2 < top < 2.1 else None
    if length < 7.0 and width < 2.5:
        return "car" if top < 1.85 else "van" if top < 2.8 else None
    if length < 13.0 and width < 3.2:
        return "truck" if 2.2 < top < 4.2 else None
    return None
