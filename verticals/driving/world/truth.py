"""Labels that need more than a look-up: boxes, hidden and missing shares, lane lines."""

# ruff: noqa: PLR0917 - compiled loops take plain arrays by position

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from verticals.driving.frame import Boxes2D, Calibration, Floats, LaneLine
from verticals.driving.world.faces import DRIVABLE
from verticals.driving.world.ground import resample
from verticals.driving.world.mesh import Mesh
from verticals.driving.world.scene import Scene, StreetMap

_FEWEST = 12  # pixels that an object shows, or it has no label
_READABLE = 0.26  # cosine of the turn to the camera, 75 degrees, up to which a face can be read
_NEAR = 0.25
_LANE_REACH = 60.0  # metres ahead to which lane lines are labelled


@dataclass(frozen=True, eq=False)
class Maps:
    """Labels of every pixel of an image, and how much of each object shows."""

    surfaces: NDArray[np.uint8]  # (h, w)
    instances: NDArray[np.int32]  # (h, w) track ids
    drivable: NDArray[np.bool_]  # (h, w)
    boxes: Floats  # (objects, 4) around the visible pixels
    counts: NDArray[np.int64]  # (objects,) visible pixels


def maps_of(mesh: Mesh, labels: NDArray[np.int32]) -> Maps:
    """Label maps from the face that labels each pixel, -1 for sky."""
    shape = labels.shape
    surfaces, instances = np.empty(shape, np.uint8), np.empty(shape, np.int32)
    drivable = np.empty(shape, np.bool_)
    tracks = np.concatenate([[0], mesh.objects.track_ids]).astype(np.int32)
    faces = mesh.faces
    boxes, counts = _look_up(
        labels, faces.surface, faces.flags, faces.instance, tracks, surfaces, instances, drivable
    )
    return Maps(surfaces, instances, drivable, boxes, counts)


def boxes_of(
    mesh: Mesh,
    calibration: Calibration,
    world_from_ego: Floats,
    maps: Maps,
    hidden: Floats,
) -> Boxes2D:
    """Boxes of what an image shows.

    Args:
        mesh: The scene.
        calibration: Of the camera.
        world_from_ego: (4, 4).
        maps: Of the image.
        hidden: (objects,) share of each object's pixels that others cover.
    """
    n = len(mesh.objects)
    rows = np.flatnonzero(maps.counts >= _FEWEST)
    camera_from_world = calibration.camera_from_ego @ np.linalg.inv(world_from_ego)
    lens = calibration.matrix[[0, 1, 0, 1], [0, 1, 2, 2]]
    wanted = np.zeros(n + 1, np.bool_)
    wanted[rows + 1] = True
    corner = np.array([calibration.width, calibration.height]) / lens[:2]
    whole = _reach(
        mesh.faces.corners, mesh.faces.instance, wanted, camera_from_world, lens,
        calibration.distortion.astype(np.float64), float((corner**2).sum()),
    )[rows]  # fmt: skip
    size = [calibration.width - 1, calibration.height - 1]
    inside = np.clip(whole, 0, [*size, *size])
    full = np.maximum(np.prod(whole[:, 2:] - whole[:, :2], axis=1), 1e-6)
    part = np.prod(inside[:, 2:] - inside[:, :2], axis=1)
    centres = mesh.objects.boxes[rows, :3] @ camera_from_world[:3, :3].T + camera_from_world[:3, 3]
    return Boxes2D(
        xyxy=maps.boxes[rows],
        classes=mesh.objects.classes[rows],
        track_ids=mesh.objects.track_ids[rows],
        amodal_xyxy=whole,
        occlusion=hidden[rows],
        truncation=np.clip(1 - part / full, 0, 1),
        distance=np.linalg.norm(centres, axis=1),
        details=_readable(mesh, rows, np.linalg.inv(camera_from_world)[:3, 3]),
    )


def _readable(mesh: Mesh, rows: NDArray[np.int64], eye: Floats) -> tuple[str, ...]:
    """Details of objects; a light or sign seen from its back or edge tells none."""
    boxes = mesh.objects.boxes[rows]
    to_eye = eye[:2] - boxes[:, :2]
    facing = (np.stack([np.cos(boxes[:, 6]), np.sin(boxes[:, 6])], axis=1) * to_eye).sum(axis=1)
    shown = facing > _READABLE * np.hypot(*to_eye.T)
    names = mesh.objects.details
    return tuple(names[row] if seen else "" for row, seen in zip(rows, shown, strict=True))


@njit(cache=True, nogil=True)
def _look_up(
    labels: Any, surface: Any, flags: Any, instance: Any, tracks: Any,
    surfaces: Any, instances: Any, drivable: Any,
) -> Any:  # fmt: skip
    """Fill the maps; (objects, 4) pixel edges around each object and (objects,) its pixels."""
    height, width = labels.shape
    n = len(tracks) - 1
    box, counts = np.empty((n, 4)), np.zeros(n, np.int64)
    box[:, :2], box[:, 2:] = 1e9, -1e9
    for y in range(height):
        for x in range(width):
            f = labels[y, x]
            if f < 0:
                surfaces[y, x], instances[y, x], drivable[y, x] = 0, 0, False
                continue
            surfaces[y, x] = surface[f]
            drivable[y, x] = flags[f] & DRIVABLE != 0
            i = instance[f] - 1
            instances[y, x] = tracks[i + 1]
            if i >= 0:
                counts[i] += 1
                box[i, 0], box[i, 1] = min(box[i, 0], x - 0.5), min(box[i, 1], y - 0.5)
                box[i, 2], box[i, 3] = max(box[i, 2], x + 0.5), max(box[i, 3], y + 0.5)
    return box, counts


@njit(cache=True, nogil=True)
def _count(labels: Any, instance: Any, n: int) -> Any:
    counts = np.zeros(n + 1, np.int64)
    for y in range(labels.shape[0]):
        for x in range(labels.shape[1]):
            f = labels[y, x]
            if f >= 0:
                counts[instance[f]] += 1
    return counts[1:]


def hidden_shares(mesh: Mesh, labels: NDArray[np.int32], area: NDArray[np.int64]) -> Floats:
    """(objects,) share of each object's pixels in an ideal image that others cover."""
    shown = _count(labels, mesh.faces.instance, len(mesh.objects))
    return np.clip(1 - shown / np.maximum(area[1:], 1), 0, 1)


@njit(cache=True, nogil=True, error_model="numpy")
def _reach(
    corners: Any, instance: Any, wanted: Any, pose: Any, lens: Any, bend: Any, limit: float
) -> Any:
    """(objects, 4) boxes around all projected corners, the hidden and the outside ones too."""
    n = len(wanted) - 1
    box = np.empty((n, 4))
    box[:, :2], box[:, 2:] = 1e9, -1e9
    view = np.empty((4, 3))
    for f in range(len(corners)):
        i = instance[f]
        if i <= 0 or not wanted[i]:
            continue
        for k in range(4):
            for r in range(3):
                view[k, r] = (
                    pose[r, 0] * corners[f, k, 0] + pose[r, 1] * corners[f, k, 1]
                    + pose[r, 2] * corners[f, k, 2] + pose[r, 3]
                )  # fmt: skip
        for k in range(4):
            j = (k + 1) % 4
            a, b = view[k, 2], view[j, 2]
            for cut in range(2):
                if cut == 0 and a >= _NEAR:
                    x, y, z = view[k, 0], view[k, 1], a
                elif cut == 1 and (a >= _NEAR) != (b >= _NEAR):
                    t = (_NEAR - a) / (b - a)
                    x = view[k, 0] + t * (view[j, 0] - view[k, 0])
                    y = view[k, 1] + t * (view[j, 1] - view[k, 1])
                    z = _NEAR
                else:
                    continue
                x, y = x / z, y / z
                r2 = min(x * x + y * y, limit)  # the lens model holds near the image only
                radial = 1 + r2 * (bend[0] + r2 * (bend[1] + r2 * bend[4]))
                u = x * radial + 2 * bend[2] * x * y + bend[3] * (r2 + 2 * x * x)
                v = y * radial + bend[2] * (r2 + 2 * y * y) + 2 * bend[3] * x * y
                u, v = lens[0] * u + lens[2], lens[1] * v + lens[3]
                box[i - 1, 0], box[i - 1, 1] = min(box[i - 1, 0], u), min(box[i - 1, 1], v)
                box[i - 1, 2], box[i - 1, 3] = max(box[i - 1, 2], u), max(box[i - 1, 3], v)
    return box


@lru_cache(maxsize=4)
def _dense(street: StreetMap) -> tuple[tuple[str, ...], NDArray[np.int64], Floats]:
    """Kinds of the painted lines that bound lanes, where each begins, and all their points."""
    kinds, lines = [], []
    doubled = False
    for marking in street.markings:
        if not marking.kind or (marking.kind == "double" and doubled):
            continue  # of a double line one is enough
        doubled = marking.kind == "double"
        kinds.append(marking.kind)
        lines.append(resample(marking.points, 1.0))
    starts = np.cumsum([0, *(len(line) for line in lines)])
    return tuple(kinds), starts, np.concatenate([np.zeros((0, 2)), *lines])


def lane_lines(scene: Scene, calibration: Calibration) -> tuple[LaneLine, ...]:
    """Painted lines that bound lanes, as the image shows them, near to far.

    Lines hidden by traffic are given too, as people annotate them.
    """
    kinds, starts, world = _dense(scene.street)
    pose = scene.ego.pose()
    camera = np.linalg.inv(calibration.camera_from_ego)
    ego = np.column_stack([(world - pose[:2, 3]) @ pose[:2, :2], np.zeros(len(world))])
    offset = ego - camera[:3, 3]
    distance = np.hypot(offset[:, 0], offset[:, 1])
    ahead = (offset @ camera[:3, 2] > 1.0) & (distance < _LANE_REACH)
    pixels = np.full((len(ego), 2), np.nan)
    pixels[ahead] = calibration.project(ego[ahead])[0]
    size = np.array([calibration.width, calibration.height])
    with np.errstate(invalid="ignore"):
        inside = np.all((pixels >= 0) & (pixels < size), axis=1)
    found: list[tuple[float, LaneLine]] = []
    for kind, start, end in zip(kinds, starts[:-1], starts[1:], strict=True):
        rows = start + np.flatnonzero(inside[start:end])
        if len(rows) < 3:
            continue
        rows = rows[np.argsort(distance[rows])]
        along, across = np.abs(ego[rows[-1]] - ego[rows[0]])[:2]
        if along < across:
            continue  # of a street that crosses
        nearest = rows[np.argmin(np.abs(ego[rows, 0] - 4.0))]
        found.append((float(ego[nearest, 1]), LaneLine(pixels[rows], kind)))
    return _numbered(found)


def _numbered(found: list[tuple[float, LaneLine]]) -> tuple[LaneLine, ...]:
    """Give 1, 2, ... to the lines on the left, nearest first, and -1, -2, ... on the right."""
    lefts = sorted((d, i) for i, (d, _) in enumerate(found) if d > 0)
    rights = sorted((-d, i) for i, (d, _) in enumerate(found) if d <= 0)
    numbers = {i: k for k, (_, i) in enumerate(lefts, 1)}
    numbers |= {i: -k for k, (_, i) in enumerate(rights, 1)}
    return tuple(LaneLine(line.points, line.kind, numbers[i]) for i, (_, line) in enumerate(found))
