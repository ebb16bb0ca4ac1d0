"""nuScenes key frames (Caesar et al., 2020) from the info files that MMDetection3D makes of them.

The ego frame is nuScenes' own, which has the axes of frames. Boxes come in the scanner's axes and
are moved; points have five numbers, the last of which is the ring.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import DataError
from verticals.driving.data.images import read_image
from verticals.driving.data.points import read_points
from verticals.driving.frame import OBJECTS, Boxes3D, Calibration, Floats, Frame, View

KINDS = {
    "car": "car", "truck": "truck", "trailer": "truck", "bus": "bus", "motorcycle": "motorcycle",
    "bicycle": "cyclist", "pedestrian": "pedestrian", "construction_vehicle": "truck",
}  # fmt: skip


def read_key_frames(info: Path, folder: Path | None = None) -> Iterator[Frame]:
    """The key frames of an info file, one in memory at a time.

    Args:
        info: JSON with `metainfo` and `data_list`.
        folder: Where images and points lie; beside the file by default.

    Raises:
        DataError: A file is missing or a field is not there; names the sample.
    """
    place = folder or info.parent
    try:
        told = json.loads(info.read_text(encoding="utf-8"))
        categories = {number: name for name, number in told["metainfo"]["categories"].items()}
        samples = told["data_list"]
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", where=str(info)) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise DataError(
            "it is no info file", where=str(info),
            remedy="Give JSON with metainfo.categories and data_list",
        ) from None  # fmt: skip
    for number, sample in enumerate(samples):
        where = f"{info}, sample {sample.get('token', number)}"
        try:
            yield _frame(sample, categories, place, number, where)
        except (KeyError, TypeError, IndexError) as error:
            raise DataError(
                f"the field {error} is not as it should be", where=where,
                remedy="Make the info file again",
            ) from None  # fmt: skip


def _frame(
    sample: dict[str, Any], categories: dict[int, str], place: Path, number: int, where: str
) -> Frame:
    lidar = sample["lidar_points"]
    into_ego = np.array(lidar["lidar2ego"])
    views = {}
    for name, camera in sample["images"].items():
        image = read_image(place / Path(camera["img_path"]).name)
        calibration = Calibration(
            np.array(camera["cam2img"]), image.shape[1], image.shape[0],
            camera_from_ego=np.array(camera["lidar2cam"]) @ np.linalg.inv(into_ego),
        )  # fmt: skip
        views[name.lower()] = View(image, calibration)
    return Frame(
        views, time_s=float(sample["timestamp"]), sequence=str(sample["token"]), index=number,
        points=read_points(place / Path(lidar["lidar_path"]).name, into_ego, columns=5),
        boxes=_boxes(sample["instances"], categories, into_ego),
        world_from_ego=np.array(sample["ego2global"]), source=where,
    )  # fmt: skip


def _boxes(
    instances: list[dict[str, Any]], categories: dict[int, str], into_ego: Floats
) -> Boxes3D:
    kept = [one for one in instances if one["bbox_label_3d"] in categories]
    boxes = np.array([one["bbox_3d"] for one in kept]).reshape(-1, 7)
    turn = into_ego[:3, :3]
    boxes[:, :3] = boxes[:, :3] @ turn.T + into_ego[:3, 3]
    ahead = np.stack([np.cos(boxes[:, 6]), np.sin(boxes[:, 6]), np.zeros(len(boxes))], 1) @ turn.T
    boxes[:, 6] = np.arctan2(ahead[:, 1], ahead[:, 0])
    speeds = np.array([one.get("velocity", (np.nan, np.nan)) for one in kept]).reshape(-1, 2)
    names = tuple(categories[one["bbox_label_3d"]] for one in kept)
    return Boxes3D(
        boxes, np.array([OBJECTS.index(KINDS.get(n, "other")) for n in names], np.int64),
        np.full(len(kept), -1), velocity=speeds @ turn[:2, :2].T, details=names,
    )  # fmt: skip
