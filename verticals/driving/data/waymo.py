"""Waymo's frames and motion scenarios from TFRecord, without TensorFlow or Waymo's own package.

The messages are declared in waymo.yaml, as far as they are read (Sun et al., 2020; Ettinger et al.,
2021). Laser range images are not: their labels are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from core.errors import DataError
from verticals.driving.data.images import read_image
from verticals.driving.data.tfrecord import read_records
from verticals.driving.frame import OBJECTS, Boxes2D, Boxes3D, Calibration, Floats, Frame, View

CAMERAS = {1: "front", 2: "front_left", 3: "front_right", 4: "side_left", 5: "side_right"}
_LABELS = {1: "car", 2: "pedestrian", 3: "traffic_sign", 4: "cyclist"}
_TRACKS = {1: "car", 2: "pedestrian", 3: "cyclist"}
# Waymo's cameras look along x, with y to the left; OpenCV's along z, with x to the right.
_OPTICAL = np.array([[0.0, -1, 0, 0], [0, 0, -1, 0], [1, 0, 0, 0], [0, 0, 0, 1]])


@dataclass(frozen=True)
class Motion:
    """One scenario of n objects over t steps of a tenth of a second."""

    name: str
    times_s: Floats  # (t,)
    boxes: Floats  # (n, t, 7) x y z length width height yaw, world axes; NaN where not seen
    velocities: Floats  # (n, t, 2)
    classes: np.ndarray  # (n,) index into OBJECTS
    ids: np.ndarray  # (n,)
    ego: int  # row of the vehicle that recorded
    now: int  # step after which the future begins
    lanes: tuple[Floats, ...]  # (k, 2) centre lines
    edges: tuple[Floats, ...]  # (k, 2) road edges and painted lines


def read_frames(path: Path) -> Iterator[Frame]:
    """The frames of a file, one in memory at a time.

    Raises:
        DataError: A record is broken; names it.
    """
    for number, data in enumerate(read_records(path)):
        where = f"{path}, record {number + 1}"
        message = _parsed("Frame", data, where)
        if not message.images:
            raise DataError("it holds no camera image", where=where,
                            remedy="Give a file of frames, not of scenarios")  # fmt: skip
        yield _frame(message, number, where)


def read_scenarios(path: Path) -> Iterator[Motion]:
    """The motion scenarios of a file.

    Raises:
        DataError: A record is broken or is no scenario; names it.
    """
    for number, data in enumerate(read_records(path)):
        where = f"{path}, record {number + 1}"
        message = _parsed("Scenario", data, where)
        if not message.tracks or not message.timestamps:
            raise DataError("it holds no tracks", where=where,
                            remedy="Give a file of scenarios, not of frames")  # fmt: skip
        yield _motion(message)


def _frame(message: Any, number: int, where: str) -> Frame:
    cameras = {c.name: _calibration(c) for c in message.context.cameras}
    labels = {one.name: one.labels for one in message.camera_labels}
    views = {}
    for camera in sorted(message.images, key=lambda c: c.name):
        name = CAMERAS.get(camera.name, f"camera_{camera.name}")
        views[name] = View(
            read_image(camera.image, where=f"{where}, {name}"), cameras.get(camera.name),
            boxes=_flat(labels.get(camera.name, ())),
        )  # fmt: skip
    return Frame(
        views, time_s=message.timestamp_micros / 1e6, sequence=message.context.name, index=number,
        boxes=_space(message.laser_labels), world_from_ego=_matrix(message.pose), source=where,
    )  # fmt: skip


def _calibration(camera: Any) -> Calibration:
    fu, fv, cu, cv, *bends = camera.intrinsic
    matrix = np.array([[fu, 0, cu], [0, fv, cv], [0, 0, 1]])
    ego_from_camera = _matrix(camera.extrinsic)
    return Calibration(matrix, camera.width, camera.height, np.array(bends),
                       _OPTICAL @ np.linalg.inv(ego_from_camera))  # fmt: skip


def _flat(labels: Sequence[Any]) -> Boxes2D:
    """Boxes in an image: here length goes along x and width along y."""
    rows = [(b.x - b.length / 2, b.y - b.width / 2, b.x + b.length / 2, b.y + b.width / 2)
            for b in (label.box for label in labels)]  # fmt: skip
    classes = [OBJECTS.index(_LABELS.get(label.type, "other")) for label in labels]
    return Boxes2D(np.array(rows).reshape(-1, 4), np.array(classes, np.int64),
                   np.array([_number(label.id) for label in labels], np.int64))  # fmt: skip


def _space(labels: Sequence[Any]) -> Boxes3D:
    rows = [(b.x, b.y, b.z, b.length, b.width, b.height, b.heading)
            for b in (label.box for label in labels)]  # fmt: skip
    speeds = [(label.motion.speed_x, label.motion.speed_y) for label in labels]
    classes = [OBJECTS.index(_LABELS.get(label.type, "other")) for label in labels]
    return Boxes3D(np.array(rows).reshape(-1, 7), np.array(classes, np.int64),
                   np.array([_number(label.id) for label in labels], np.int64),
                   velocity=np.array(speeds).reshape(-1, 2))  # fmt: skip


def _motion(message: Any) -> Motion:
    steps = len(message.timestamps)
    boxes = np.full((len(message.tracks), steps, 7), np.nan)
    speeds = np.full((len(message.tracks), steps, 2), np.nan)
    for row, track in enumerate(message.tracks):
        for step, s in enumerate(track.states[:steps]):
            if s.valid:
                boxes[row, step] = s.x, s.y, s.z, s.length, s.width, s.height, s.heading
                speeds[row, step] = s.velocity_x, s.velocity_y
    features = message.features
    return Motion(
        message.id, np.array(message.timestamps), boxes, speeds,
        np.array([OBJECTS.index(_TRACKS.get(t.type, "other")) for t in message.tracks], np.int64),
        np.array([t.id for t in message.tracks], np.int64), message.ego_track, message.now,
        tuple(_points(f.lane.polyline) for f in features if len(f.lane.polyline)),
        tuple(_points(line.polyline) for f in features for line in (f.road_line, f.road_edge)
              if len(line.polyline)),
    )  # fmt: skip


def _points(polyline: Sequence[Any]) -> Floats:
    return np.array([(point.x, point.y) for point in polyline])


def _matrix(transform: Any) -> Floats:
    values = np.array(transform.transform)
    return values.reshape(4, 4) if values.size == 16 else np.eye(4)


def _number(name: str) -> int:
    """A number for a name, the same every time; 63 bits."""
    import hashlib

    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest()) >> 1


def _parsed(name: str, data: bytes, where: str) -> Any:
    from google.protobuf.message import DecodeError

    try:
        return _messages()[name].FromString(data)
    except DecodeError:
        raise DataError(f"it is no {name} message", where=where,
                        remedy="Give a file of Waymo's open data set") from None  # fmt: skip


@cache
def _messages() -> dict[str, Any]:
    """Classes of the messages in waymo.yaml."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    declared = yaml.safe_load(Path(__file__).with_name("waymo.yaml").read_text(encoding="utf-8"))
    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="casekit_waymo.proto", package="w",
                                              syntax="proto2")  # fmt: skip
    for name, fields in declared.items():
        message = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            plain = kind.removesuffix("[]")
            repeated = kind != plain
            entry = message.field.add(
                name=field, number=number,
                label=kinds.LABEL_REPEATED if repeated else kinds.LABEL_OPTIONAL,
            )  # fmt: skip
            if plain in declared:
                entry.type, entry.type_name = kinds.TYPE_MESSAGE, f".w.{plain}"
            else:
                entry.type = getattr(kinds, f"TYPE_{plain.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"w.{name}"))
            for name in declared}  # fmt: skip
