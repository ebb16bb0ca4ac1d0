"""Boxes as COCO's JSON has them (Lin et al., 2014): read, checked, written, scored elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import DataError
from verticals.driving.data.images import read_image
from verticals.driving.data.storing import picture_name, store_pictures
from verticals.driving.frame import OBJECTS, Boxes2D, Frame, View

# Names that label tools use for what OBJECTS calls otherwise.
ALIASES = {
    "person": "pedestrian", "bicyclist": "cyclist", "bicycle": "cyclist", "rider": "cyclist",
    "motorbike": "motorcycle", "traffic light": "traffic_light", "traffic sign": "traffic_sign",
    "stop sign": "traffic_sign",
}  # fmt: skip


@dataclass(frozen=True)
class Labelled:
    """One image's labels, its pixels not yet read."""

    path: Path
    width: int
    height: int
    boxes: Boxes2D

    def frame(self, index: int = 0) -> Frame:
        """With its pixels.

        Raises:
            DataError: The image cannot be read.
        """
        views = {"camera": View(read_image(self.path), boxes=self.boxes)}
        return Frame(views, sequence=self.path.stem, index=index, source=str(self.path))


def read_coco(path: Path, folder: Path | None = None) -> list[Labelled]:
    """The images of a COCO file with their boxes; those without any among them.

    Args:
        path: JSON with images, annotations and categories.
        folder: Where the images lie; beside the file by default.

    Raises:
        DataError: No such file, a field is missing, or an annotation is of no image; names it.
    """
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        images = {image["id"]: image for image in told["images"]}
        kinds = {c["id"]: str(c["name"]) for c in told["categories"]}
        rows: dict[Any, list[dict[str, Any]]] = {number: [] for number in images}
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", where=str(path)) from None
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"it is no COCO file ({error})", where=str(path),
                        remedy="Give images, annotations and categories") from None  # fmt: skip
    for number, row in enumerate(told.get("annotations", ())):
        where = f"{path}, annotations[{number}]"
        if row.get("image_id") not in rows:
            raise DataError(f"there is no image {row.get('image_id')!r}", where=where)
        box = row.get("bbox", ())
        if len(box) != 4 or not np.isfinite(np.array(box, float)).all():
            raise DataError("its bbox is not four numbers", where=where,
                            remedy="Give left, top, width and height")  # fmt: skip
        if row.get("category_id") not in kinds:
            raise DataError(f"there is no category {row.get('category_id')!r}", where=where)
        rows[row["image_id"]].append(row)
    place = folder or path.parent
    return [
        Labelled(place / image["file_name"], int(image["width"]), int(image["height"]),
                 _boxes(rows[number], kinds))
        for number, image in images.items()
    ]  # fmt: skip


def write_coco(
    frames: Iterable[Frame], path: Path, *, pictures: Path | None = None, private: bool = False
) -> Path:
    """Write the boxes of frames; image names are their `source`, or sequence and number.

    Args:
        frames: With boxes in their views; every view becomes an image of its own.
        path: The JSON file.
        pictures: Folder to store the pictures in, as PNG; they stay where they are by default.
        private: Store them with faces and plates hidden.
    """
    images: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    for frame in frames:
        if pictures is not None:
            store_pictures(frame, pictures, private=private)
        for name, view in frame.views.items():
            number = len(images) + 1
            height, width = view.image.shape[:2]
            file = picture_name(frame, name, stored=pictures is not None)
            images.append({"id": number, "file_name": file, "width": width, "height": height})
            rows += [row | {"id": len(rows) + i, "image_id": number}
                     for i, row in enumerate(_rows(view.boxes), 1)]  # fmt: skip
    kinds = [{"id": i, "name": name} for i, name in enumerate(OBJECTS, 1)]
    told = {"images": images, "annotations": rows, "categories": kinds}
    path.write_text(json.dumps(told), encoding="utf-8")
    return path


def _rows(boxes: Boxes2D | None) -> Iterator[dict[str, Any]]:
    if boxes is None:
        return
    crowd = np.zeros(len(boxes), bool) if boxes.ignore is None else boxes.ignore
    for i, (left, top, right, bottom) in enumerate(boxes.xyxy.tolist()):
        row: dict[str, Any] = {
            "category_id": int(boxes.classes[i]) + 1, "iscrowd": int(crowd[i]),
            "bbox": [left, top, right - left, bottom - top],
            "area": (right - left) * (bottom - top),
        }  # fmt: skip
        if boxes.track_ids[i] >= 0:
            row["track_id"] = int(boxes.track_ids[i])
        if boxes.scores is not None:
            row["score"] = float(boxes.scores[i])
        yield row


def _boxes(rows: list[dict[str, Any]], kinds: dict[Any, str]) -> Boxes2D:
    flat = np.array([row["bbox"] for row in rows], float).reshape(-1, 4)
    flat[:, 2:] += flat[:, :2]
    names = tuple(kinds[row["category_id"]] for row in rows)
    return Boxes2D(
        flat, np.array([object_class(name) for name in names], np.int64),
        np.array([int(row.get("track_id", -1)) for row in rows], np.int64),
        ignore=np.array([bool(row.get("iscrowd", 0)) for row in rows], bool), details=names,
    )  # fmt: skip


def object_class(name: str) -> int:
    """Index into OBJECTS of what a label tool calls it; that of "other" if nothing is like it."""
    plain = ALIASES.get(name.lower(), name.lower())
    return OBJECTS.index(plain if plain in OBJECTS else "other")
