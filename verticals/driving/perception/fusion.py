"""Camera and laser scanner together: each object once, with a distance, and from which sensor.

Late fusion by frustums (after Qi et al., 2018, without their networks): the points that appear in
a camera's box are split where their depth jumps, and the piece that fits the camera's own guess of
the distance is the object. Both distances are weighed by their measured errors. Either sensor may
be missing: the result is then worse, and says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import DataError
from verticals.driving.frame import OBJECTS, Boxes2D, Boxes3D, Calibration, Floats
from verticals.driving.perception.fusion_points import heights_above_ground, nearest_gap_segments
from verticals.driving.perception.fusion_sizes import SIZES, objects_by_size, standing_box

_ALIVE = 100  # points of a sweep, below which the scanner counts as out
_UNSIZED = tuple(OBJECTS.index(name) for name in ("traffic_light", "traffic_sign", "other"))


@dataclass(frozen=True)
class FusionSettings:
    """How far each sensor is believed; `weighed` measures the errors."""

    camera_error: float = 0.1  # standard deviation of the camera's distance, share of it
    lidar_error: float = 0.35  # ... of the scanner's distance to an object's centre, metres
    size_error: float = 0.2  # ... of a distance from the usual size alone, share of it
    least_points: int = 4  # in a camera's box, for the scanner to have a say
    far: float = 3.5  # standard deviations from the camera's distance: another object's points
    reach: float = 60.0  # metres within which the scanner alone finds objects
    lone_error: float = 0.65  # the scanner's where the kind, and so the size, is a guess; metres
    lone: float = 0.4  # score of an object that only the scanner sees, at best


@dataclass(frozen=True, eq=False)
class Fused:
    """The objects around the vehicle, n of them."""

    boxes: Boxes3D  # ego frame, with scores
    xyxy: Floats  # (n, 4) pixels of the camera's box, NaN where the camera saw none
    distance: Floats  # (n,) metres from the camera to the centre; from the scanner without camera
    error: Floats  # (n,) standard deviation of the distance, metres
    sensors: tuple[str, ...]  # per object: "both", "camera" or "lidar"
    degraded: str = ""  # which sensor is out and what that means; "" if none is


def fuse(
    boxes: Boxes2D | None,
    calibration: Calibration | None,
    points: Floats | None,
    settings: FusionSettings | None = None,
) -> Fused:
    """Objects from one camera and one sweep, or from either alone.

    Args:
        boxes: Detections of the camera; None if it is out. Distances are used if they are there.
        calibration: Of the camera.
        points: (p, 3 or more) metres, ego frame; None if the scanner is out. Points that are not
            numbers are left out.
        settings: How far each is believed.

    Raises:
        DataError: Both are out, or the camera's place is not known.
    """
    settings = settings or FusionSettings()
    place = np.zeros((0, 3)) if points is None else np.asarray(points, float)[:, :3]
    place = place[np.isfinite(place).all(axis=1)]
    blind = len(place) < _ALIVE
    if boxes is None and blind:
        raise DataError("neither camera nor laser scanner gives anything",
                        remedy="Check the sensors; there is nothing to fuse")  # fmt: skip
    if boxes is not None and calibration is None:
        raise DataError("the camera has no calibration",
                        remedy="Give its matrix and place, or leave its boxes out")  # fmt: skip
    solid, floor = _solid(place, settings)
    if boxes is None or calibration is None:
        found = _lone(solid, floor, np.zeros(3), settings)
        return replace(found, degraded="camera out: kinds are guesses from size, nothing is read")
    seen, used = _seen(boxes, calibration, solid, floor, settings)
    if blind:
        return replace(seen, degraded="laser scanner out: distances are the camera's alone")
    eye = np.linalg.inv(calibration.camera_from_ego)[:3, 3]
    return _joined(seen, _lone(solid[~used], floor[~used], eye, settings))


def distance_from_size(boxes: Boxes2D, calibration: Calibration) -> Floats:
    """(n,) metres at which objects of their kind's usual height fill their boxes."""
    known = np.array([SIZES.get(OBJECTS[k], SIZES["other"])[2] for k in boxes.classes])
    tall = np.maximum(boxes.xyxy[:, 3] - boxes.xyxy[:, 1], 1.0)
    found: Floats = calibration.matrix[1, 1] * known / tall
    return found


def weighed(
    settings: FusionSettings, camera: Floats, lidar: Floats, truth: Floats
) -> FusionSettings:
    """Settings whose errors are those measured, by medians, so that mix-ups do not count.

    Args:
        settings: Everything else.
        camera: (n,) metres the camera said of objects; NaN where it said nothing.
        lidar: (n,) metres the scanner said of the same; NaN likewise.
        truth: (n,) metres.
    """
    share = np.nanmedian(np.abs(np.log(camera / truth))) * 1.4826
    metres = np.nanmedian(np.abs(lidar - truth)) * 1.4826
    return replace(settings, camera_error=max(float(share), 0.01),
                   lidar_error=max(float(metres), 0.02))  # fmt: skip


def _solid(points: Floats, settings: FusionSettings) -> tuple[Floats, Floats]:
    """Points of what stands on the ground within reach, and each one's height."""
    heights = heights_above_ground(points)
    near = np.hypot(points[:, 0], points[:, 1]) < settings.reach * 1.5
    standing = near & (heights > 0.2) & (heights < 4.5)
    return points[standing], heights[standing]


def _seen(
    boxes: Boxes2D, calibration: Calibration, points: Floats, heights: Floats,
    settings: FusionSettings,
) -> tuple[Fused, NDArray[np.bool_]]:  # fmt: skip
    """The camera's objects, and which points belong to one of them."""
    pixels, depth = calibration.project(points)
    away = np.linalg.norm(
        points @ calibration.camera_from_ego[:3, :3].T + calibration.camera_from_ego[:3, 3], axis=1
    )
    ego_from_camera = np.linalg.inv(calibration.camera_from_ego)
    eye = ego_from_camera[:3, 3]
    guesses, errors = _guesses(boxes, calibration, settings)
    rays = _rays(boxes, calibration) @ ego_from_camera[:3, :3].T
    used, rows, sensors = np.zeros(len(points), bool), [], []
    for i, kind in enumerate(boxes.classes.tolist()):
        size = np.array(SIZES.get(OBJECTS[kind], SIZES["other"]))
        guess, spread = float(guesses[i]), float(errors[i])
        inside = _inside(pixels, depth, boxes.xyxy[i])
        own = _piece(away, np.flatnonzero(inside), (guess, spread), float(size[0]), settings)
        if OBJECTS[kind] not in SIZES or len(own) < settings.least_points:
            rows.append(_placed(eye + rays[i] * guess, size, guess, spread))
            sensors.append("camera")
            continue
        used |= inside & (np.abs(away - away[own].mean()) < size[0] + 1)
        box = standing_box(points[own], heights[own], OBJECTS[kind], eye)
        centre = box[:3]
        measured = float(np.linalg.norm(centre - eye))
        both, error = _weighed_mean(guess, spread, measured, settings.lidar_error)
        centre = eye + (centre - eye) * both / measured
        rows.append([*centre, *box[3:], both, error])
        sensors.append("both")
    table = np.array(rows, float).reshape(-1, 9)
    scores = np.ones(len(boxes)) if boxes.scores is None else boxes.scores
    space = Boxes3D(table[:, :7], boxes.classes, boxes.track_ids, scores=scores,
                    details=boxes.details)  # fmt: skip
    return Fused(space, boxes.xyxy, table[:, 7], table[:, 8], tuple(sensors)), used


def _guesses(
    boxes: Boxes2D, calibration: Calibration, settings: FusionSettings
) -> tuple[Floats, Floats]:
    """The camera's distances and their standard deviations, metres."""
    usual = distance_from_size(boxes, calibration)
    given = np.full(len(boxes), np.nan) if boxes.distance is None else boxes.distance
    said = np.isfinite(given) & (given > 0)
    guess = np.where(said, given, usual)
    sized = np.where(np.isin(boxes.classes, _UNSIZED), 1.0, settings.size_error)
    return guess, guess * np.where(said, settings.camera_error, sized)


def _rays(boxes: Boxes2D, calibration: Calibration) -> Floats:
    """(n, 3) unit vectors through the boxes' middles, camera axes."""
    import cv2

    middle = (boxes.xyxy[:, :2] + boxes.xyxy[:, 2:]) / 2
    if not len(middle):
        return np.zeros((0, 3))
    flat = cv2.undistortPoints(
        middle[:, None].astype(np.float64), calibration.matrix, calibration.distortion
    )[:, 0]
    rays = np.column_stack([flat, np.ones(len(flat))])
    found: Floats = rays / np.linalg.norm(rays, axis=1, keepdims=True)
    return found


def _inside(pixels: Floats, depth: Floats, xyxy: Floats) -> NDArray[np.bool_]:
    """Points that appear in a box, its outermost tenth left and right apart: that is background."""
    margin = 0.08 * (xyxy[2] - xyxy[0])
    with np.errstate(invalid="ignore"):
        found: NDArray[np.bool_] = (
            (depth > 0) & (pixels[:, 0] >= xyxy[0] + margin) & (pixels[:, 0] <= xyxy[2] - margin)
            & (pixels[:, 1] >= xyxy[1] - 1) & (pixels[:, 1] <= xyxy[3] + 1)
        )  # fmt: skip
    return found


def _piece(
    away: Floats, rows: NDArray[np.intp], guess: tuple[float, float], length: float,
    settings: FusionSettings,
) -> NDArray[np.intp]:  # fmt: skip
    """Rows of the run of points that is the object: many of them, and near the guess."""
    if not len(rows):
        return rows
    runs = nearest_gap_segments(away[rows], max(0.6, 0.25 * length))
    counts = np.bincount(runs)
    middle = np.bincount(runs, away[rows]) / counts + 0.3 * length  # of the object, not its face
    off = (middle - guess[0]) / np.hypot(guess[1], settings.lidar_error + 0.3 * length)
    # Rays are spread evenly over angles, so a piece's points say how much of the box it fills.
    worth = np.log(counts) - 0.5 * off**2
    worth[(np.abs(off) > settings.far) | (counts < settings.least_points)] = -np.inf
    best = int(worth.argmax())
    return rows[runs == best] if np.isfinite(worth[best]) else rows[:0]


def _placed(centre: Floats, size: Floats, distance: float, error: float) -> list[float]:
    """A row for an object that no point confirms: as large as usual, heading as the vehicle."""
    return [*centre.tolist(), *size.tolist(), 0.0, distance, error]


def _weighed_mean(camera: float, spread: float, lidar: float, noise: float) -> tuple[float, float]:
    """The mean of two distances by their precisions, and its standard deviation."""
    a, b = spread**-2, noise**-2
    return (camera * a + lidar * b) / (a + b), float((a + b) ** -0.5)


def _lone(points: Floats, heights: Floats, eye: Floats, settings: FusionSettings) -> Fused:
    """What the scanner sees by itself."""
    places, kinds, shares = objects_by_size(
        points, heights, eye, reach=settings.reach, least=settings.least_points
    )
    away, n = np.linalg.norm(places[:, :3] - eye, axis=1), len(places)
    space = Boxes3D(places, kinds, np.full(n, -1), scores=settings.lone * shares)
    return Fused(space, np.full((n, 4), np.nan), away, np.full(n, settings.lone_error),
                 ("lidar",) * n)  # fmt: skip


def _joined(seen: Fused, lone: Fused) -> Fused:
    """The camera's objects, then those that only the scanner sees; doubles left out."""
    new = np.ones(len(lone.boxes), bool)
    if len(seen.boxes) and len(lone.boxes):
        apart = np.linalg.norm(
            seen.boxes.boxes[None, :, :2] - lone.boxes.boxes[:, None, :2], axis=2
        )
        new = (apart > seen.boxes.boxes[None, :, 3] / 2 + 0.5).all(axis=1)
    both: Sequence[tuple[Any, Any]] = (
        (seen.boxes.boxes, lone.boxes.boxes[new]), (seen.boxes.classes, lone.boxes.classes[new]),
        (seen.boxes.track_ids, lone.boxes.track_ids[new]),
        (seen.boxes.scores, lone.boxes.scores[new]),  # type: ignore[index]
    )  # fmt: skip
    places, classes, tracks, scores = (np.concatenate(pair) for pair in both)
    details = (*seen.boxes.details, *[""] * int(new.sum())) if seen.boxes.details else ()
    return Fused(
        Boxes3D(places, classes, tracks, scores=scores, details=details),
        np.concatenate([seen.xyxy, lone.xyxy[new]]),
        np.concatenate([seen.distance, lone.distance[new]]),
        np.concatenate([seen.error, lone.error[new]]),
        (*seen.sensors, *["lidar"] * int(new.sum())),
    )
