"""Whole folders as KITTI's object benchmark lays them out: read as frames, written from frames."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from core.errors import DataError
from verticals.driving.data.images import read_image
from verticals.driving.data.kitti import (
    EGO_FROM_CAMERA,
    KINDS,
    ego_from_lidar,
    read_calibration,
    read_objects,
)
from verticals.driving.data.points import read_points
from verticals.driving.data.privacy import hide_people
from verticals.driving.frame import OBJECTS, Boxes2D, Boxes3D, Calibration, Frame, View

CAMERA = "image_2"
_TYPES = {ours: theirs for theirs, ours in reversed(KINDS.items())} | {"other": "Misc"}


def read_kitti(
    folder: Path, *, broken: Callable[[DataError], None] | None = None
) -> Iterator[Frame]:
    """The frames of a folder, one in memory at a time, in the order of their names.

    Args:
        folder: With image_2/ and calib/; velodyne/ and label_2/ if there are any.
        broken: Told of a frame that cannot be read, which is then left out; without it, reading
            stops there.

    Raises:
        DataError: No picture is there, or a frame is broken and nobody is told.
    """
    pictures = sorted((folder / CAMERA).glob("*.png")) + sorted((folder / CAMERA).glob("*.jpg"))
    if not pictures:
        raise DataError(
            "no picture is there", where=str(folder / CAMERA),
            remedy="Give a folder with image_2/, calib/, label_2/, velodyne/",
        )  # fmt: skip
    for number, path in enumerate(pictures):
        try:
            yield _frame(folder, path, number)
        except DataError as error:
            if broken is None:
                raise
            broken(error)


def _frame(folder: Path, path: Path, number: int) -> Frame:
    image = read_image(path)
    calib = folder / "calib" / f"{path.stem}.txt"
    calibration = read_calibration(calib, width=image.shape[1], height=image.shape[0])
    sweep, labels = (
        folder / "velodyne" / f"{path.stem}.bin",
        folder / "label_2" / f"{path.stem}.txt",
    )
    points = read_points(sweep, ego_from_lidar(calib), columns=4) if sweep.exists() else None
    flat, space = read_objects(labels) if labels.exists() else (None, None)
    views = {CAMERA: View(image, calibration, boxes=flat)}
    return Frame(
        views, sequence=path.stem, index=number, points=points, boxes=space, source=str(path)
    )


def write_kitti(frames: Iterable[Frame], folder: Path, *, private: bool = False) -> Path:
    """Write frames as KITTI's object benchmark has them; the main camera becomes image_2.

    Points and boxes are given in that camera's place, so the scanner's place is the camera's.

    Args:
        frames: With calibration.
        folder: Where to; made if it is not there.
        private: Store faces and plates as `hide_people` leaves them; the sharp picture is in no
            file then.

    Raises:
        DataError: A frame has no calibration.
        ValueError: It shall be private and has no boxes.
    """
    import cv2

    for name in (CAMERA, "calib", "velodyne", "label_2"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for number, given in enumerate(frames):
        frame = hide_people(given) if private else given
        view = next(iter(frame.views.values()))
        if view.calibration is None:
            raise DataError("it has no calibration", where=frame.source or f"frame {number}",
                            remedy="Give cameras with their matrix and place")  # fmt: skip
        name = f"{number:06d}"
        cv2.imwrite(str(folder / CAMERA / f"{name}.png"), view.image[..., ::-1])
        (folder / "calib" / f"{name}.txt").write_text(_calibration(view.calibration))
        camera_from_ego = view.calibration.camera_from_ego
        if frame.points is not None:
            seen = frame.points[:, :3] @ camera_from_ego[:3, :3].T + camera_from_ego[:3, 3]
            placed = np.concatenate(
                [seen @ EGO_FROM_CAMERA[:3, :3].T, frame.points[:, 3:4]], axis=1
            )
            placed.astype(np.float32).tofile(folder / "velodyne" / f"{name}.bin")
        lines = _labels(view.boxes, frame.boxes, view.calibration)
        (folder / "label_2" / f"{name}.txt").write_text("".join(f"{line}\n" for line in lines))
    return folder


def _calibration(camera: Calibration) -> str:
    projection = np.column_stack([camera.matrix, np.zeros(3)]).ravel()
    rows = {f"P{i}": projection for i in range(4)}
    rows["R0_rect"] = np.eye(3).ravel()
    rows["Tr_velo_to_cam"] = np.linalg.inv(EGO_FROM_CAMERA)[:3].ravel()
    return "".join(f"{k}: {' '.join(f'{v:.9e}' for v in row)}\n" for k, row in rows.items())


def _labels(flat: Boxes2D | None, space: Boxes3D | None, camera: Calibration) -> Iterator[str]:
    """One line for every object in the image; its place in space is that of the same track."""
    if flat is None:
        return
    places = {} if space is None else {int(t): i for i, t in enumerate(space.track_ids) if t >= 0}
    for i, kind in enumerate(flat.classes.tolist()):
        row = places.get(int(flat.track_ids[i]))
        box = " ".join(f"{v:.2f}" for v in flat.xyxy[i])
        cut = 0.0 if flat.truncation is None else float(np.nan_to_num(flat.truncation[i], nan=-1))
        hidden = 0.0 if flat.occlusion is None else float(flat.occlusion[i])
        level = 3 if np.isnan(hidden) else int(np.digitize(hidden, (0.05, 0.5)))
        place = "-1 -1 -1 -1000 -1000 -1000 -10"
        if space is not None and row is not None:
            place = _place(space.boxes[row], camera)
        yield f"{_TYPES[OBJECTS[kind]]} {cut:.2f} {level} -10 {box} {place}"


def _place(box: np.ndarray, camera: Calibration) -> str:
    """Height, width, length, the bottom's centre in the camera's axes, and the turn about its y."""
    turn, length, width, height = camera.camera_from_ego[:3, :3], *box[3:6]
    centre = turn @ box[:3] + camera.camera_from_ego[:3, 3]
    ahead = turn @ np.array([np.cos(box[6]), np.sin(box[6]), 0])
    yaw = np.arctan2(-ahead[2], ahead[0])
    values = (height, width, length, centre[0], centre[1] + height / 2, centre[2], yaw)
    return " ".join(f"{value:.4f}" for value in values)
