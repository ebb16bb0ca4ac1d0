"""nuScenes' own tables (Caesar et al., 2020): the JSON files of v1.0-mini, -trainval and -test.

The ego frame is the vehicle's at the time of the sweep; cameras, which fire some milliseconds
earlier or later, are placed where they were then, so that points and boxes project onto the picture
that was taken while the vehicle moved.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import DataError
from verticals.driving.data.images import read_image
from verticals.driving.data.points import read_points
from verticals.driving.frame import OBJECTS, Boxes3D, Calibration, Floats, Frame, View

KINDS = {
    "vehicle.car": "car", "vehicle.truck": "truck", "vehicle.trailer": "truck",
    "vehicle.construction": "truck", "vehicle.bus": "bus", "vehicle.motorcycle": "motorcycle",
    "vehicle.bicycle": "cyclist", "human.pedestrian": "pedestrian",
    "vehicle.emergency.ambulance": "van", "vehicle.emergency.police": "car",
}  # fmt: skip
LIDAR = "LIDAR_TOP"
_MOST_APART_S = 1.5  # of two labels that give a velocity, as in nuScenes' own kit
_REMEDY = "Unpack nuScenes so that the folder holds samples/ and the version's tables"
Row = dict[str, Any]


@dataclass(frozen=True)
class _Tables:
    scenes: list[Row]
    samples: dict[str, Row]
    data: dict[str, dict[str, Row]]  # key frames' rows by sample and channel
    sensors: dict[str, Row]  # calibrated, by token
    poses: dict[str, Row]
    annotations: dict[str, Row]
    by_sample: dict[str, list[Row]]
    instances: dict[str, tuple[int, str]]  # number and category name


def read_nuscenes(
    folder: Path, version: str = "v1.0-mini", *, broken: Callable[[DataError], None] | None = None
) -> Iterator[Frame]:
    """The key frames, scene after scene, one in memory at a time; the tables stay in memory.

    Args:
        folder: Holds samples/ and the folder of tables.
        version: Name of the folder of tables.
        broken: Told of a frame that cannot be read, which is then left out; without it, reading
            stops there.

    Yields:
        Frames whose `sequence` is the scene's name; boxes with track ids and velocities.

    Raises:
        DataError: A table or file is missing, or a row points to one that is not there; names it.
    """
    tables = _read(folder / version)
    number = 0
    for scene in tables.scenes:
        token, index = scene["first_sample_token"], 0
        while token:
            where = f"{folder / version}, sample {token}"
            try:
                sample = tables.samples[token]
                frame = _frame(tables, sample, folder, where, scene=str(scene["name"]), index=index)
            except KeyError as error:
                problem = DataError(f"there is no row or field {error}", where=where,
                                    remedy=_REMEDY)  # fmt: skip
                if broken is None or token not in tables.samples:  # else nothing says what is next
                    raise problem from None
                broken(problem)
            except DataError as error:
                if broken is None:
                    raise
                broken(error)
            else:
                yield frame
            token, index, number = sample["next"], index + 1, number + 1
            if number > len(tables.samples):
                raise DataError("the samples of a scene go round in a circle", where=where,
                                remedy=_REMEDY)  # fmt: skip


def _read(folder: Path) -> _Tables:
    rows = {name: _table(folder, name) for name in (
        "scene", "sample", "sensor", "calibrated_sensor", "instance", "category")}  # fmt: skip
    try:
        channels = {row["token"]: row["channel"] for row in rows["sensor"]}
        sensors = {row["token"]: row for row in rows["calibrated_sensor"]}
        data: dict[str, dict[str, Row]] = {}
        for row in _table(folder, "sample_data"):  # ten times as long as the key frames
            if row["is_key_frame"]:
                channel = channels[sensors[row["calibrated_sensor_token"]]["sensor_token"]]
                data.setdefault(row["sample_token"], {})[channel] = row
        used = {row["ego_pose_token"] for found in data.values() for row in found.values()}
        names = {row["token"]: str(row["name"]) for row in rows["category"]}
        annotations = _table(folder, "sample_annotation")
        by_sample: dict[str, list[Row]] = {}
        for row in annotations:
            by_sample.setdefault(row["sample_token"], []).append(row)
        return _Tables(
            rows["scene"], {row["token"]: row for row in rows["sample"]}, data, sensors,
            {row["token"]: row for row in _table(folder, "ego_pose") if row["token"] in used},
            {row["token"]: row for row in annotations}, by_sample,
            {row["token"]: (i, names[row["category_token"]])
             for i, row in enumerate(rows["instance"])},
        )  # fmt: skip
    except (KeyError, TypeError) as error:
        raise DataError(f"a table lacks the row or field {error}", where=str(folder),
                        remedy=_REMEDY) from None  # fmt: skip


def _table(folder: Path, name: str) -> list[Row]:
    path = folder / f"{name}.json"
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"the table cannot be read: {error.strerror}", where=str(path),
                        remedy=_REMEDY) from None  # fmt: skip
    except ValueError:
        raise DataError("the table is no JSON", where=str(path), remedy=_REMEDY) from None
    if not isinstance(told, list):
        raise DataError("the table is no list of rows", where=str(path), remedy=_REMEDY)
    return told


def _frame(
    tables: _Tables, sample: Row, folder: Path, where: str, *, scene: str, index: int
) -> Frame:
    found = tables.data[sample["token"]]
    sweep = found[LIDAR]
    world_from_ego = _placed(tables.poses[sweep["ego_pose_token"]])
    views = {}
    for channel in sorted((c for c in found if c.startswith("CAM")), key=lambda c: (len(c), c)):
        row = found[channel]
        sensor = tables.sensors[row["calibrated_sensor_token"]]
        then = _placed(tables.poses[row["ego_pose_token"]]) @ _placed(sensor)
        image = read_image(folder / row["filename"])
        calibration = Calibration(
            np.array(sensor["camera_intrinsic"], float), image.shape[1], image.shape[0],
            camera_from_ego=np.linalg.inv(then) @ world_from_ego,
        )  # fmt: skip
        views[channel.lower()] = View(image, calibration)
    into_ego = _placed(tables.sensors[sweep["calibrated_sensor_token"]])
    return Frame(
        dict(sorted(views.items(), key=lambda item: item[0] != "cam_front")),
        time_s=sample["timestamp"] / 1e6, sequence=scene, index=index,
        points=read_points(folder / sweep["filename"], into_ego, columns=5),
        boxes=_boxes(tables, tables.by_sample.get(sample["token"], []), world_from_ego),
        world_from_ego=world_from_ego, source=where,
    )  # fmt: skip


def _boxes(tables: _Tables, rows: list[Row], world_from_ego: Floats) -> Boxes3D:
    ego_from_world = np.linalg.inv(world_from_ego)
    boxes, speeds = np.empty((len(rows), 7)), np.empty((len(rows), 2))
    for i, row in enumerate(rows):
        placed = ego_from_world @ _placed(row)
        width, length, height = row["size"]
        boxes[i] = (*placed[:3, 3], length, width, height, np.arctan2(placed[1, 0], placed[0, 0]))
        speeds[i] = (ego_from_world[:3, :3] @ _velocity(tables, row))[:2]
    known = [tables.instances[row["instance_token"]] for row in rows]
    return Boxes3D(
        boxes, np.array([OBJECTS.index(_kind(name)) for _, name in known], np.int64),
        np.array([number for number, _ in known], np.int64), velocity=speeds,
        details=tuple(name for _, name in known),
    )  # fmt: skip


def _velocity(tables: _Tables, row: Row) -> Floats:
    """(3,) metres per second, world axes, from the labels before and after; NaN if there are none.

    As nuScenes' kit does: over both neighbours if they are there, else over one.
    """
    first, last = (tables.annotations.get(row[side], row) for side in ("prev", "next"))
    if first is last:
        return np.full(3, np.nan)
    begun, ended = (tables.samples[r["sample_token"]]["timestamp"] / 1e6 for r in (first, last))
    both = first is not row and last is not row
    if not 0 < ended - begun <= _MOST_APART_S * (2 if both else 1):
        return np.full(3, np.nan)
    moved = np.subtract(last["translation"], first["translation"])
    return np.asarray(moved / (ended - begun), float)


def _kind(name: str) -> str:
    """By the longest part of a name that is known, as vehicle.bus of vehicle.bus.rigid."""
    while name and name not in KINDS:
        name = name.rpartition(".")[0]
    return KINDS.get(name, "other")


def _placed(row: Row) -> Floats:
    """(4, 4) of a row's translation and rotation, a quaternion w x y z."""
    from scipy.spatial.transform import Rotation

    matrix = np.eye(4)
    w, x, y, z = row["rotation"]
    matrix[:3, :3] = Rotation.from_quat([x, y, z, w]).as_matrix()
    matrix[:3, 3] = row["translation"]
    return matrix
