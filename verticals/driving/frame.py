"""The one frame type that every reader gives, every renderer draws and every model takes.

Axes. *World* and *ego* are right-handed, in metres: x forward (world: east), y left (north), z up;
the ego origin lies on the ground below the middle of the vehicle's rear axle, or, for data sets
that say no more, wherever their reference sensor stands. *Camera*: x right, y down, z forward.
*Pixels*: x right, y down; (0, 0) is the centre of the first pixel, as OpenCV has it.
Boxes in images are `xyxy` in pixels: left, top, right, bottom. Boxes in space are
`x y z length width height yaw` in the ego frame: the box's *centre*, its extents along its own
axes, and its turn about z, anti-clockwise from ego x, in radians.
What a source does not know is None for whole fields, NaN for numbers and -1 for ids.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
_NEAREST_M = 0.1  # before the camera, from which a corner of a box counts as seen

# What a pixel can be: CamVid's eleven classes, in its order; 11 is left out of loss and metrics.
SURFACES = (
    "sky", "building", "pole", "road", "pavement", "tree",
    "sign", "fence", "car", "pedestrian", "bicyclist",
)  # fmt: skip
UNLABELLED = 11

# What a box can hold; "other" is a known object of none of these kinds (a tram, an animal).
OBJECTS = (
    "car", "van", "truck", "bus", "pedestrian", "cyclist", "motorcycle",
    "traffic_light", "traffic_sign", "other",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Calibration:
    """A pinhole camera with lens distortion, and where it sits."""

    matrix: Floats  # (3, 3) pixels: focal lengths and principal point
    width: int  # pixels
    height: int
    distortion: Floats = field(default_factory=lambda: np.zeros(5))  # (5,) OpenCV: k1 k2 p1 p2 k3
    camera_from_ego: Floats = field(default_factory=lambda: np.eye(4))  # (4, 4) metres

    def project(self, points: Floats) -> tuple[Floats, Floats]:
        """Where ego points appear.

        Args:
            points: (n, 3) metres, in the ego frame.

        Returns:
            (n, 2) pixels, NaN for points behind the camera, and (n,) depths along the optical
            axis in metres (negative behind).
        """
        seen = points @ self.camera_from_ego[:3, :3].T + self.camera_from_ego[:3, 3]
        depth = seen[:, 2]
        ahead = depth > 1e-6
        flat = np.where(ahead[:, None], seen[:, :2], np.nan) / np.where(ahead, depth, 1.0)[:, None]
        pixels = distort(flat, self.distortion) @ self.matrix[:2, :2].T + self.matrix[:2, 2]
        return pixels, depth


def distort(flat: Floats, coefficients: Floats) -> Floats:
    """Bend ideal image coordinates as the lens does (Brown 1966).

    Args:
        flat: (n, 2) x/z and y/z.
        coefficients: (5,) k1 k2 p1 p2 k3.

    Returns:
        (n, 2), in the same units.
    """
    k1, k2, p1, p2, k3 = (float(value) for value in coefficients)
    x, y = flat[:, 0], flat[:, 1]
    r2 = x * x + y * y
    radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
    return np.stack(
        [
            x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x),
            y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y,
        ],
        axis=1,
    )


@dataclass(frozen=True, eq=False)
class Boxes2D:
    """The objects that one image shows, n of them."""

    xyxy: Floats  # (n, 4) pixels, around what is visible
    classes: NDArray[np.int64]  # (n,) index into OBJECTS
    track_ids: NDArray[np.int64]  # (n,) stays with an object over cameras and time; -1
    amodal_xyxy: Floats | None = (
        None  # (n, 4) around the whole object, hidden and outside parts too
    )
    occlusion: Floats | None = None  # (n,) share hidden by others, 0 to 1
    truncation: Floats | None = None  # (n,) share of the amodal box outside the image, 0 to 1
    distance: Floats | None = None  # (n,) metres, camera to the object's centre
    scores: Floats | None = None  # (n,) of a detector; None for labels
    ignore: NDArray[np.bool_] | None = None  # (n,) neither hit nor miss: DontCare, crowds
    details: tuple[str, ...] = ()  # n names or none: sign, light state, or the source's own class

    def __len__(self) -> int:
        return len(self.xyxy)


@dataclass(frozen=True, eq=False)
class Boxes3D:
    """The objects around the vehicle, n of them."""

    boxes: Floats  # (n, 7) x y z length width height yaw, ego frame, metres and radians
    classes: NDArray[np.int64]  # (n,) index into OBJECTS
    track_ids: NDArray[np.int64]  # (n,) as in Boxes2D
    velocity: Floats | None = None  # (n, 2) metres per second over ground, ego axes
    scores: Floats | None = None  # (n,)
    details: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.boxes)

    def corners(self) -> Floats:
        """The eight corners of each box: (n, 8, 3) metres, the lower four first."""
        signs = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]) / 2
        flat = signs * self.boxes[:, None, 3:5]  # (n, 4, 2)
        cos, sin = np.cos(self.boxes[:, 6])[:, None], np.sin(self.boxes[:, 6])[:, None]
        x = self.boxes[:, 0:1] + flat[..., 0] * cos - flat[..., 1] * sin
        y = self.boxes[:, 1:2] + flat[..., 0] * sin + flat[..., 1] * cos
        half = self.boxes[:, 5:6] / 2 + np.zeros_like(x)
        low, high = self.boxes[:, 2:3] - half, self.boxes[:, 2:3] + half
        return np.concatenate([np.stack([x, y, z], axis=-1) for z in (low, high)], axis=1)

    def seen_by(self, camera: Calibration) -> Boxes2D:
        """The upright boxes around what a camera shows of each, as nuScenes' kit makes them.

        Objects behind the camera or outside the image are left out. What hides behind others is
        not: points in space do not tell.
        """
        pixels, depth = camera.project(self.corners().reshape(-1, 3))
        pixels, ahead = pixels.reshape(-1, 8, 2), depth.reshape(-1, 8) > _NEAREST_M
        low = np.where(ahead[..., None], pixels, np.inf).min(axis=1, initial=np.inf)
        high = np.where(ahead[..., None], pixels, -np.inf).max(axis=1, initial=-np.inf)
        size = np.array([camera.width, camera.height], float)
        shown = np.concatenate([np.clip(low, 0, size), np.clip(high, 0, size)], axis=1)
        area, whole = (shown[:, 2:] - shown[:, :2]).prod(axis=1), (high - low).prod(axis=1)
        kept = ahead.any(axis=1) & (area > 0)
        turn, shift = camera.camera_from_ego[:3, :3], camera.camera_from_ego[:3, 3]
        away = np.linalg.norm(self.boxes[:, :3] @ turn.T + shift, axis=1)
        return Boxes2D(
            shown[kept], self.classes[kept], self.track_ids[kept],
            amodal_xyxy=np.concatenate([low, high], axis=1)[kept],
            truncation=1 - area[kept] / whole[kept], distance=away[kept],
            details=tuple(np.array(self.details, object)[kept]) if self.details else (),
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class LaneLine:
    """A painted line as one image shows it."""

    points: Floats  # (k, 2) pixels, near to far
    kind: str  # "solid", "dashed", "double" or "kerb"
    offset: int = 0  # 1 and 2 to the left of the camera, -1 and -2 to its right; 0 unknown


@dataclass(frozen=True, eq=False)
class View:
    """One camera's share of a frame; all maps are (height, width)."""

    image: NDArray[np.uint8]  # (height, width, 3) RGB
    calibration: Calibration | None = None
    boxes: Boxes2D | None = None
    surfaces: NDArray[np.uint8] | None = None  # index into SURFACES, or UNLABELLED
    instances: NDArray[np.int32] | None = None  # track id, 0 where there is no object
    depth: NDArray[np.float32] | None = None  # metres along the optical axis; inf for sky
    drivable: NDArray[np.bool_] | None = None  # road surface that a car may use
    lanes: tuple[LaneLine, ...] | None = None


@dataclass(frozen=True, eq=False)
class Frame:
    """What the vehicle's sensors saw at one time, and what was really there."""

    views: Mapping[str, View]  # by camera name, the main one first
    time_s: float = 0.0
    sequence: str = ""  # video, drive or seed: whatever must never be split
    index: int = 0  # of the frame in its sequence
    points: Floats | None = None  # (p, 4 or more) x y z intensity ..., ego frame, metres
    boxes: Boxes3D | None = None
    world_from_ego: Floats | None = None  # (4, 4) metres
    source: str = ""  # file or seed, to be named in messages
