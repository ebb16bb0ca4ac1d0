"""Sweeps of a laser scanner as raw float32, as KITTI (four numbers a point) and nuScenes (five)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from core.errors import DataError
from verticals.driving.frame import Floats


def read_points(path: Path, into_ego: Floats, *, columns: int) -> Floats:
    """A sweep in the ego frame; points that are not numbers are left out.

    Args:
        path: The file.
        into_ego: (4, 4) from the scanner's axes.
        columns: Numbers of a point: KITTI has 4, nuScenes 5; the first three are its place.

    Returns:
        (n, columns) x y z and the rest as it is.

    Raises:
        DataError: It is not there, or its size is no number of points.
    """
    try:
        raw = np.fromfile(path, np.float32)
    except OSError as error:
        raise DataError(
            f"cannot be read: {error.strerror}", where=str(path), remedy="Check the path"
        ) from None
    if not len(raw) or len(raw) % columns:
        raise DataError(
            f"it holds {len(raw)} numbers, which are no points of {columns}", where=str(path),
            remedy="Copy the file again; KITTI has four numbers a point, nuScenes five",
        )  # fmt: skip
    points = raw.reshape(-1, columns)
    points = points[np.isfinite(points).all(axis=1)]
    placed = points[:, :3] @ into_ego[:3, :3].T + into_ego[:3, 3]
    return np.concatenate([placed, points[:, 3:]], axis=1)
