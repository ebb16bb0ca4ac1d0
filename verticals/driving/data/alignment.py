"""Whether the laser scanner sits where the calibration says: points must lie where objects are.

A box in space and its box in the image hold the same points if, and only if, the way from one
sensor to the other is right. What share does is measured, and again with the calibration turned a
little to every side: if one of those fits clearly better, the calibration is wrong, and by about
that much. Where boxes in space are labelled in the camera's axes, as KITTI's are, it is the scanner
that may be turned against both: points then fall beside the boxes rather than into them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.transform import Rotation

from verticals.driving.frame import Boxes3D, Calibration, Floats, Frame, View

TURNS_DEG = (0.5, 1.0, 2.0, 4.0)
LEAST = 30  # points on objects, below which nothing can be said
BETTER = 0.03  # share of points by which another turn must fit better
CLEARER = 0.1  # share of points by which another turn of the scanner must fill boxes better
_GROUND, _EDGE, _BESIDE = 0.25, 0.1, 0.6  # metres above a box's floor, around it, and beside it
_AXES = {"roll": 2, "pitch": 0, "yaw": 1}  # of the camera: about z, x and y
_ROOM = 2.0  # pixels around a box


@dataclass(frozen=True)
class Alignment:
    """How well points and pictures fit."""

    points: int  # that lie on objects
    inside: float  # share of them inside the object's box in the image
    suspect: str  # "" if nothing fits better, else what is wrong, as "yaw +2.0 degrees"
    inside_then: float  # the share with that put right


def alignment(frame: Frame, camera: str | None = None) -> Alignment:
    """Check one camera of a frame against the points.

    Args:
        frame: With points, boxes in space, and a view with calibration.
        camera: Its name; the main one by default.

    Raises:
        ValueError: Points, boxes or calibration are not there.
    """
    view = frame.views[camera or next(iter(frame.views))]
    if view.calibration is None or frame.points is None or frame.boxes is None:
        raise ValueError("the frame needs points, boxes in space and a calibration")
    on, where = points_in_boxes(frame.points[:, :3], frame.boxes)
    targets = _targets(view, frame.boxes)
    count, now = _share(on, where, view.calibration, targets)
    if count < LEAST:
        return Alignment(count, now, "", now)
    best, name = now, ""
    for axis, index in _AXES.items():
        for degrees in (sign * turn for turn in TURNS_DEG for sign in (1, -1)):
            share = _share(on, where, _turned(view.calibration, index, degrees), targets)[1]
            if share > best + 1e-9:
                best, name = share, f"{axis} {-degrees:+.1f} degrees"
    if best - now < BETTER:
        return Alignment(count, now, "", now)
    return Alignment(count, now, name, best)


def scanner_turn(frame: Frame) -> str:
    """What is wrong with the scanner's place, as "yaw +2.0 degrees"; "" if no turn fits better.

    A box that fits is full and has nothing around it, so the share of points in boxes among those
    in and within 0.6 m of them is compared between turns; what lies near the ground is left out.

    Args:
        frame: With points and boxes in space.

    Raises:
        ValueError: Points or boxes are not there.
    """
    if frame.points is None or frame.boxes is None:
        raise ValueError("the frame needs points and boxes in space")
    points, boxes = frame.points[:, :3], frame.boxes.boxes
    reach = np.linalg.norm(boxes[:, :3], axis=1) * np.sin(np.radians(max(TURNS_DEG)))
    reach += np.linalg.norm(boxes[:, 3:6], axis=1) / 2 + _BESIDE
    near = [points[np.linalg.norm(points - box[:3], axis=1) < far]
            for box, far in zip(boxes, reach, strict=True)]  # fmt: skip
    straight = _filled(near, boxes)
    best, name = straight[1] + CLEARER, ""
    for i, axis in enumerate(("roll", "pitch", "yaw")):
        for degrees in (sign * turn for turn in TURNS_DEG for sign in (1, -1)):
            turn = Rotation.from_rotvec(np.radians(degrees) * np.eye(3)[i]).as_matrix()
            count, share = _filled([part @ turn.T for part in near], boxes)
            if count >= max(LEAST, straight[0]) and share > best:
                best, name = share, f"{axis} {-degrees:+.1f} degrees"
    return name


def _filled(near: list[Floats], boxes: Floats) -> tuple[int, float]:
    """Points in the boxes, and their share among those in or beside them.

    Args:
        near: The points around each box.
        boxes: (n, 7).
    """
    held = around = 0
    for points, (x, y, z, length, width, height, yaw) in zip(near, boxes.tolist(), strict=True):
        offset = points - (x, y, z)
        along = np.abs(offset[:, 0] * np.cos(yaw) + offset[:, 1] * np.sin(yaw)) - length / 2
        across = np.abs(offset[:, 1] * np.cos(yaw) - offset[:, 0] * np.sin(yaw)) - width / 2
        off = np.maximum(along, across)[np.abs(offset[:, 2] - _GROUND / 2) < (height - _GROUND) / 2]
        held += int((off < _EDGE).sum())
        around += int((off < _BESIDE).sum())
    return held, held / around if around else 0.0


def points_in_boxes(
    points: Floats, boxes: Boxes3D, *, room: float = 0.1
) -> tuple[Floats, np.ndarray]:
    """Points that lie in boxes, and in which.

    Args:
        points: (p, 3) metres, ego frame.
        boxes: Around the objects.
        room: Metres that boxes are too narrow at most.

    Returns:
        (q, 3) points and (q,) rows of `boxes`; a point in two boxes comes twice.
    """
    found, which = [], []
    for row, (x, y, z, length, width, height, yaw) in enumerate(boxes.boxes.tolist()):
        near = points[(np.abs(points[:, :2] - (x, y)) < length + width).all(axis=1)] - (x, y, z)
        along = near[:, 0] * np.cos(yaw) + near[:, 1] * np.sin(yaw)
        across = near[:, 1] * np.cos(yaw) - near[:, 0] * np.sin(yaw)
        inside = (
            (np.abs(along) < length / 2 + room) & (np.abs(across) < width / 2 + room)
            & (np.abs(near[:, 2]) < height / 2 + room)
        )  # fmt: skip
        found.append(near[inside] + (x, y, z))
        which.append(np.full(int(inside.sum()), row))
    if not found:
        return np.zeros((0, 3)), np.zeros(0, np.int64)
    return np.concatenate(found), np.concatenate(which)


def _targets(view: View, boxes: Boxes3D) -> Floats:
    """(n, 4) where every object appears: the label's box in the image, NaN where there is none."""
    targets = np.full((len(boxes), 4), np.nan)
    if view.boxes is None:
        return targets
    if (boxes.track_ids >= 0).any():
        rows = {int(t): i for i, t in enumerate(view.boxes.track_ids)}
        for i, track in enumerate(boxes.track_ids.tolist()):
            if track >= 0 and track in rows:
                targets[i] = view.boxes.xyxy[rows[track]]
        return targets
    # KITTI's label files list the same objects in the same order, regions to ignore left out.
    counted = np.ones(len(view.boxes), bool) if view.boxes.ignore is None else ~view.boxes.ignore
    if int(counted.sum()) == len(boxes):
        targets = view.boxes.xyxy[counted]
    return targets


def _share(
    points: Floats, which: np.ndarray, camera: Calibration, targets: Floats
) -> tuple[int, float]:
    """How many points appear in the image, and the share inside their boxes."""
    pixels, depth = camera.project(points)
    target = targets[which]
    seen = (depth > 0) & ~np.isnan(target[:, 0])
    with np.errstate(invalid="ignore"):
        inside = (
            (pixels >= target[:, :2] - _ROOM) & (pixels <= target[:, 2:] + _ROOM)
        ).all(axis=1)  # fmt: skip
    count = int(seen.sum())
    return count, float(inside[seen].mean()) if count else float("nan")


def _turned(camera: Calibration, axis: int, degrees: float) -> Calibration:
    angle, turn = np.radians(degrees), np.eye(4)
    i, j = [k for k in range(3) if k != axis]
    turn[i, i] = turn[j, j] = np.cos(angle)
    turn[i, j], turn[j, i] = -np.sin(angle), np.sin(angle)
    if axis == 1:
        turn[i, j], turn[j, i] = turn[j, i], turn[i, j]
    return replace(camera, camera_from_ego=turn @ camera.camera_from_ego)
