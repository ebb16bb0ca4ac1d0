"""BDD100K's labels (Yu et al., 2020): boxes, light colours, lane lines, drivable areas, tracks.

Its JSON is a list of frames, each with labels that carry a `box2d` or a `poly2d`. The kinds of
labels come in files of their own (det_train.json, lane_train.json, drivable_train.json): all that
are given are laid over each other by image name.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import DataError
from verticals.driving.data.images import read_image
from verticals.driving.frame import OBJECTS, Boxes2D, Floats, Frame, LaneLine, View

# Names of 2020 and, where they differ, of 2018.
KINDS = {
    "pedestrian": "pedestrian", "person": "pedestrian", "other person": "pedestrian",
    "rider": "cyclist", "bicycle": "cyclist", "bike": "cyclist", "motorcycle": "motorcycle",
    "motor": "motorcycle", "car": "car", "truck": "truck", "trailer": "truck", "bus": "bus",
    "train": "other", "other vehicle": "other", "traffic light": "traffic_light",
    "traffic sign": "traffic_sign",
}  # fmt: skip
IGNORED = ("other person", "other vehicle", "trailer")  # left out of the benchmark's counts
_LIGHTS = {"r": "red", "red": "red", "y": "amber", "yellow": "amber", "g": "green",
           "green": "green"}  # fmt: skip
_AREAS = ("direct", "alternative", "area/drivable", "area/alternative")
_STEPS = 8  # points on a curved piece of a line
_REMEDY = "Give BDD100K's JSON: a list of frames with name and labels"


def read_bdd(
    images: Path, *labels: Path, broken: Callable[[DataError], None] | None = None
) -> Iterator[Frame]:
    """Labelled photographs, one in memory at a time, in the order of the first file.

    Args:
        images: Folder of the photographs; of a tracking set, of the videos' folders.
        labels: JSON files whose labels are laid over each other.
        broken: Told of a frame that cannot be read, which is then left out; without it, reading
            stops there.

    Yields:
        Frames with boxes; with `lanes` and `drivable` if any file has such labels. `details` are
        the colour of a light that shows one, and BDD's category otherwise. Track ids are given for
        videos only. Photographs whose names begin alike may be of one drive and are one `sequence`.

    Raises:
        DataError: A file is no such list, a label is not as it should be, a photograph is missing
            or broken; names it.
    """
    told: dict[str, dict[str, Any]] = {}
    for path in labels:
        for row, frame in enumerate(_frames(path)):
            where = f"{path}, frame {row}"
            if not isinstance(frame, dict) or not isinstance(frame.get("name"), str):
                raise DataError("it has no name", where=where, remedy=_REMEDY)
            known = told.setdefault(frame["name"], frame | {"labels": [], "where": where})
            known["labels"] += frame.get("labels") or []
    every = [label for frame in told.values() for label in frame["labels"]]
    lanes, areas = (any(map(test, every)) for test in (_is_lane, _is_area))
    for number, frame in enumerate(told.values()):
        try:
            yield _frame(frame, images, number, lanes, areas)
        except DataError as error:
            if broken is None:
                raise
            broken(error)


def _frames(path: Path) -> list[Any]:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", where=str(path)) from None
    except ValueError:
        raise DataError("it is no JSON", where=str(path), remedy=_REMEDY) from None
    frames = told.get("frames") if isinstance(told, dict) else told
    if not isinstance(frames, list):
        raise DataError("it holds no list of frames", where=str(path), remedy=_REMEDY)
    return frames


def _frame(told: dict[str, Any], images: Path, number: int, lanes: bool, areas: bool) -> Frame:
    name, video, where = told["name"], str(told.get("videoName") or ""), told["where"]
    path = images / video / name if video and (images / video).is_dir() else images / name
    image = read_image(path)
    try:
        view = View(
            image, boxes=_boxes(told["labels"], tracked=bool(video)),
            lanes=_lanes(told["labels"]) if lanes else None,
            drivable=_drivable(told["labels"], image.shape[:2]) if areas else None,
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(
            f"a label is not as it should be ({type(error).__name__}: {error})",
            where=f"{where}, {name}", remedy="Give box2d with x1 y1 x2 y2, or poly2d with vertices",
        ) from None  # fmt: skip
    return Frame(
        {"camera": view}, time_s=float(told.get("timestamp") or 0) / 1000,
        sequence=video or Path(name).stem.partition("-")[0],
        index=int(told.get("frameIndex", number)), source=str(path),
    )  # fmt: skip


def _boxes(labels: Sequence[dict[str, Any]], *, tracked: bool) -> Boxes2D:
    rows = [label for label in labels if label.get("box2d")]
    flat = [[float(label["box2d"][side]) for side in ("x1", "y1", "x2", "y2")] for label in rows]
    names = [str(label["category"]).lower() for label in rows]
    marks = [label.get("attributes") or {} for label in rows]
    lights = [_LIGHTS.get(str(m.get("trafficLightColor", "")).lower(), "") for m in marks]
    return Boxes2D(
        np.array(flat).reshape(-1, 4),
        np.array([OBJECTS.index(KINDS.get(name, "other")) for name in names], np.int64),
        np.array([int(label["id"]) if tracked else -1 for label in rows], np.int64),
        occlusion=np.array([np.nan if m.get("occluded") else 0.0 for m in marks]),
        truncation=np.array([np.nan if m.get("truncated") else 0.0 for m in marks]),
        ignore=np.array([name in IGNORED or bool(m.get("crowd"))
                         for name, m in zip(names, marks, strict=True)], bool),
        details=tuple(light or name for light, name in zip(lights, names, strict=True)),
    )  # fmt: skip


def _is_lane(label: dict[str, Any]) -> bool:
    """A line along the road: no crosswalk, no stop line."""
    name, marks = str(label.get("category", "")), label.get("attributes") or {}
    if not label.get("poly2d") or _is_area(label) or "crosswalk" in _style(name, marks):
        return False
    known = name.startswith(("lane", "single ", "double ", "road curb"))
    return known and marks.get("laneDirection", marks.get("direction")) != "vertical"


def _is_area(label: dict[str, Any]) -> bool:
    return bool(label.get("poly2d")) and label.get("category") in _AREAS


def _style(name: str, marks: dict[str, Any]) -> str:
    return f"{name} {marks.get('laneTypes', marks.get('type', ''))}"


def _lanes(labels: Sequence[dict[str, Any]]) -> tuple[LaneLine, ...]:
    lines = []
    for label in filter(_is_lane, labels):
        marks = label.get("attributes") or {}
        style = _style(label["category"], marks)
        dashed = marks.get("laneStyle", marks.get("style")) == "dashed"
        kind = "kerb" if "curb" in style else "double" if "double" in style else (
            "dashed" if dashed else "solid")  # fmt: skip
        for polygon in label["poly2d"]:
            points = _polyline(polygon)
            lines.append(LaneLine(points if points[0, 1] >= points[-1, 1] else points[::-1], kind))
    return tuple(lines)


def _drivable(labels: Sequence[dict[str, Any]], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    import cv2

    mask = np.zeros(shape, np.uint8)
    for label in filter(_is_area, labels):
        for polygon in label["poly2d"]:
            cv2.fillPoly(mask, [np.round(_polyline(polygon)).astype(np.int32)], 1)
    return mask.astype(bool)


def _polyline(polygon: dict[str, Any]) -> Floats:
    """(k, 2) pixels; three C in `types` are two control points and the end of a cubic Bezier."""
    vertices = np.array(polygon["vertices"], float).reshape(-1, 2)
    types = str(polygon.get("types") or "L" * len(vertices))
    if len(types) != len(vertices) or len(vertices) < 2:
        raise ValueError(f"{len(types)} types for {len(vertices)} vertices")
    points, i = [vertices[0]], 1
    share = np.arange(1, _STEPS + 1)[:, None] / _STEPS
    while i < len(vertices):
        if types[i : i + 3] == "CCC":
            a, b, c, d = points[-1], *vertices[i : i + 3]
            points += list((1 - share) ** 3 * a + 3 * (1 - share) ** 2 * share * b
                           + 3 * (1 - share) * share**2 * c + share**3 * d)  # fmt: skip
            i += 3
        else:
            points.append(vertices[i])
            i += 1
    return np.array(points)
