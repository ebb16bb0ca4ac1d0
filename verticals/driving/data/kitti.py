"""KITTI's object and tracking benchmarks (Geiger et al., 2012): calibration, labels, detections.

KITTI's reference is the rectified left camera: x right, y down, z forward. Frames want the ego
axes, x forward, y left, z up: `EGO_FROM_CAMERA` turns one into the other about the camera's place,
so the ego origin of a KITTI frame is the camera, not the ground.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from core.errors import DataError
from verticals.driving.frame import OBJECTS, Boxes2D, Boxes3D, Calibration, Floats

EGO_FROM_CAMERA = np.array([[0.0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 0, 1]])
KINDS = {
    "Car": "car", "Van": "van", "Truck": "truck", "Pedestrian": "pedestrian", "Cyclist": "cyclist",
    "Tram": "other", "Misc": "other", "Person_sitting": "other", "Person": "other",
}  # fmt: skip
DONT_CARE = "DontCare"
HARDEST_OCCLUSION = 2  # largely occluded; 3 is unknown
_HIDDEN = {0: 0.0, 1: 0.3, 2: 0.7, 3: np.nan}  # what KITTI's levels mean, roughly
_COLUMNS = 15  # of an object label; tracking has frame and track before, results a score after


def read_calibration(path: Path, *, width: int = 1242, height: int = 375) -> Calibration:
    """The left colour camera (P2), in the ego frame of a KITTI frame.

    Args:
        path: A calib/NNNN.txt of either benchmark.
        width: Of the images, in pixels; the file does not say.
        height: Likewise.

    Raises:
        DataError: The file cannot be read or has no P2.
    """
    rows = calibration_rows(path)
    projection = _matrix(rows, ("P2", "P2:"), (3, 4), path)
    matrix = projection[:, :3].copy()
    offset = np.linalg.solve(matrix, projection[:, 3])  # of the second camera from the reference
    camera = np.eye(4)
    camera[:3, 3] = offset
    return Calibration(matrix, width, height, camera_from_ego=camera @ np.linalg.inv(
        EGO_FROM_CAMERA
    ))  # fmt: skip


def ego_from_lidar(path: Path) -> Floats:
    """(4, 4) that takes points of the laser scanner into the ego frame of a KITTI frame.

    Raises:
        DataError: The file lacks the scanner's place.
    """
    rows = calibration_rows(path)
    rectified, lidar = np.eye(4), np.eye(4)
    rectified[:3, :3] = _matrix(rows, ("R0_rect", "R_rect"), (3, 3), path)
    lidar[:3] = _matrix(rows, ("Tr_velo_to_cam", "Tr_velo_cam"), (3, 4), path)
    return np.asarray(EGO_FROM_CAMERA @ rectified @ lidar)


def read_objects(path: Path) -> tuple[Boxes2D, Boxes3D]:
    """The labels of one image.

    Args:
        path: A label_2/NNNNNN.txt.

    Returns:
        All objects in the image, DontCare regions among them and marked to be ignored; and the
        same objects in space, without the regions.

    Raises:
        DataError: A line is not as KITTI has it; names the line.
    """
    return _boxes([_fields(line, 0, path, n) for n, line in enumerate(_lines(path), 1)])


def read_tracks(path: Path, frames: int | None = None) -> list[tuple[Boxes2D, Boxes3D]]:
    """The labels of one drive, frame by frame.

    What the benchmark does not count is marked `ignore`: DontCare regions, which have no track id,
    and objects that are cut by the image or hidden beyond `HARDEST_OCCLUSION`, which have one.

    Args:
        path: A label_02/NNNN.txt.
        frames: How many the drive has; as many as the last label says by default.

    Raises:
        DataError: A line is not as KITTI has it; names the line.
    """
    rows: dict[int, list[list[str]]] = {}
    for number, line in enumerate(_lines(path), 1):
        fields = _fields(line, 2, path, number)
        rows.setdefault(int(fields[0]), []).append(fields[1:])
    count = max(rows, default=-1) + 1 if frames is None else frames
    return [_boxes(rows.get(number, []), tracked=True) for number in range(count)]


def read_detections(path: Path, frames: int) -> Iterator[tuple[Boxes2D, Boxes3D]]:
    """What a detector found in a drive, frame by frame.

    Args:
        path: Lines of frame, type, l, t, r, b, score, h, w, l, x, y, z, ry, alpha with commas, as
            Weng et al. (2020) give PointRCNN's; type 1 pedestrian, 2 car, 3 cyclist.
        frames: How many the drive has.

    Raises:
        DataError: It is not there or not such a table.
    """
    try:
        table = np.loadtxt(path, delimiter=",", ndmin=2)
    except OSError as error:
        raise _unreadable(path, error) from None
    except ValueError as error:
        raise DataError(str(error), where=str(path), remedy="Give numbers with commas") from None
    if table.size and table.shape[1] != 15:
        raise DataError(
            f"it has {table.shape[1]} columns, not 15", where=str(path),
            remedy="Give frame, type, box, score, size, place, turn and angle",
        )  # fmt: skip
    table = table.reshape(-1, 15)
    kinds = {1: "pedestrian", 2: "car", 3: "cyclist"}
    for number in range(frames):
        part = table[table[:, 0] == number]
        classes = np.array([OBJECTS.index(kinds[int(t)]) for t in part[:, 1]], np.int64)
        unknown = np.full(len(part), -1)
        yield (
            Boxes2D(part[:, 2:6], classes, unknown, scores=part[:, 6]),
            Boxes3D(in_space(part[:, 7:14]), classes, unknown, scores=part[:, 6]),
        )


def in_space(kitti: Floats) -> Floats:
    """KITTI's boxes as frames have them.

    Args:
        kitti: (n, 7) height, width, length, x, y, z of the *bottom's* centre in the camera's axes,
            and the turn about its y.

    Returns:
        (n, 7) x y z length width height yaw: centre and turn in the ego frame.
    """
    height, width, length, x, y, z, turn = kitti.T
    yaw = -turn - np.pi / 2
    yaw = (yaw + np.pi) % (2 * np.pi) - np.pi
    return np.stack([z, -x, -(y - height / 2), length, width, height, yaw], axis=1)


def calibration_rows(path: Path) -> dict[str, Floats]:
    """Name and numbers of every line of a calibration file."""
    rows = {}
    for number, line in enumerate(_lines(path), 1):
        name, *values = line.split()
        try:
            rows[name.rstrip(":")] = np.array([float(v) for v in values])
        except ValueError:
            raise DataError(
                f"{line[:40]!r} is not a name and numbers", where=f"{path}, line {number}",
                remedy="Give KITTI's calibration file",
            ) from None  # fmt: skip
    return rows


def _boxes(rows: Sequence[list[str]], *, tracked: bool = False) -> tuple[Boxes2D, Boxes3D]:
    """Lines of labels; the first field is the track where they have one."""
    first = 1 if tracked else 0
    ids = np.array([int(r[0]) if tracked else -1 for r in rows], np.int64)
    types = [r[first] for r in rows]
    numbers = np.array([[float(v) for v in r[first + 1 : first + 15]] for r in rows])
    numbers = numbers.reshape(-1, 14)
    region = np.array([t == DONT_CARE for t in types], bool)
    classes = np.array([OBJECTS.index(KINDS.get(t, "other")) for t in types], np.int64)
    cut, hidden = numbers[:, 0], numbers[:, 1].astype(int)
    uncounted = tracked & ((cut > 0) | (hidden > HARDEST_OCCLUSION))
    place = numbers[:, 10:13]
    flat = Boxes2D(
        numbers[:, 3:7], classes, np.where(region, -1, ids),
        occlusion=np.array([_HIDDEN.get(h, np.nan) for h in hidden]),
        truncation=None if tracked else np.where(region, np.nan, cut),
        distance=np.where(region, np.nan, np.linalg.norm(place, axis=1)),
        ignore=region | uncounted, details=tuple(types),
    )  # fmt: skip
    solid = ~region
    space = Boxes3D(
        in_space(numbers[solid, 7:14]), classes[solid], ids[solid],
        details=tuple(t for t in types if t != DONT_CARE),
    )  # fmt: skip
    return flat, space


def _fields(line: str, before: int, path: Path, number: int) -> list[str]:
    """The fields of a line of labels, checked."""
    fields = line.split()
    where = f"{path}, line {number}"
    wanted = _COLUMNS + before
    if len(fields) not in (wanted, wanted + 1):  # results have a score behind
        raise DataError(
            f"it has {len(fields)} fields, not {wanted}", where=where,
            remedy="Give KITTI's label format",
        )  # fmt: skip
    if fields[before] not in (*KINDS, DONT_CARE):
        raise DataError(
            f"there is no type {fields[before]!r}", where=where,
            remedy=f"Use one of {', '.join((*KINDS, DONT_CARE))}",
        )  # fmt: skip
    try:
        [float(v) for v in (*fields[:before], *fields[before + 1 :])]
    except ValueError:
        raise DataError("a field is not a number", where=where, remedy="Mend the line") from None
    return fields


def _matrix(
    rows: dict[str, Floats], names: Sequence[str], shape: tuple[int, int], path: Path
) -> Floats:
    for name in names:
        if name in rows and rows[name].size == shape[0] * shape[1]:
            return rows[name].reshape(shape)
    raise DataError(
        f"it has no {names[0]} of {shape[0] * shape[1]} numbers", where=str(path),
        remedy="Give KITTI's calibration file",
    )  # fmt: skip


def _lines(path: Path) -> list[str]:
    try:
        return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> DataError:
    said = getattr(error, "strerror", None) or "it is not text"
    return DataError(f"cannot be read: {said}", where=str(path), remedy="Check the path")
