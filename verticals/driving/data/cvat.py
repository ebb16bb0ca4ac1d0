"""CVAT's XML, "CVAT for images 1.1" and "CVAT for video 1.1": boxes there and back.

Annotators get a model's boxes to correct, and what they corrected comes back. What CVAT has no
field for travels as attributes of the labels, which the file declares; CVAT drops those that a task
does not know. Polygons, masks and points are left out when reading.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from core.errors import DataError
from verticals.driving.data.coco import Labelled, object_class
from verticals.driving.data.storing import picture_name, store_pictures
from verticals.driving.frame import OBJECTS, Boxes2D, Frame

_SIDES = ("xtl", "ytl", "xbr", "ybr")
_NUMBERS = ("track_id", "occlusion", "truncation", "score")
_REMEDY = "Export from CVAT as 'CVAT for images 1.1' or 'CVAT for video 1.1'"
_COVERED = 0.05  # share hidden from which CVAT's own flag is set
Element = ElementTree.Element
_Row = dict[str, float | str]


def read_cvat_images(path: Path, folder: Path | None = None) -> list[Labelled]:
    """The images of a CVAT file with their boxes; those without any among them.

    Args:
        path: annotations.xml, of images.
        folder: Where the images lie; beside the file by default.

    Returns:
        Labels; track ids, shares hidden and cut, scores and `ignore` if the file has them. Boxes
        that are turned become the upright ones around them.

    Raises:
        DataError: It cannot be read, is no such file, or a box is not four numbers; names it.
    """
    place, found = folder or path.parent, []
    for image in _elements(path, "image"):
        where = f"{path}, image {image.get('id')}"
        try:
            size = (int(image.attrib["width"]), int(image.attrib["height"]))
            name = image.attrib["name"]
        except (KeyError, ValueError):
            raise DataError("it lacks a name or size", where=where, remedy=_REMEDY) from None
        rows = [_row(box, str(box.get("label")), where) for box in image.iter("box")]
        found.append(Labelled(place / name, *size, _boxes(rows)))
    return found


def read_cvat_video(path: Path, frames: int | None = None) -> list[Boxes2D]:
    """Boxes frame by frame; those between two given ones of a track lie on the line between them.

    Args:
        path: annotations.xml, of a video.
        frames: How many the video has; by default as many as the file says, or as the last box.

    Returns:
        As many boxes as frames; `track_ids` are those of the file.

    Raises:
        DataError: It cannot be read, is no such file, or a box is not four numbers; names it.
    """
    rows: dict[int, list[_Row]] = {}
    for number, track in enumerate(_elements(path, "track")):
        where = f"{path}, track {track.get('id', number)}"
        boxes = {}
        for box in track.iter("box"):
            row = _row(box, str(track.get("label")), where)
            row["track_id"] = float(track.get("id", number))
            try:
                boxes[int(box.attrib["frame"])] = (row, box.get("outside") == "1")
            except (KeyError, ValueError):
                raise DataError("a box lacks its frame", where=where, remedy=_REMEDY) from None
        for frame, row in _filled(boxes):
            rows.setdefault(frame, []).append(row)
    if frames is None:
        sizes = [int(size.text or 0) for size in _elements(path, "size")]
        frames = max([max(rows, default=-1) + 1, *sizes])
    return [_boxes(rows.get(number, [])) for number in range(frames)]


def write_cvat_images(
    frames: Iterable[Frame], path: Path, *, pictures: Path | None = None, private: bool = False
) -> Path:
    """Write the boxes of frames as CVAT for images; names as in `write_coco`.

    Args:
        frames: With boxes in their views; every view becomes an image of its own.
        path: The XML file.
        pictures: Folder to store the pictures in, as PNG; they stay where they are by default.
        private: Store them with faces and plates hidden.
    """
    images: list[Element] = []
    for frame in frames:
        if pictures is not None:
            store_pictures(frame, pictures, private=private)
        for camera, view in frame.views.items():
            height, width = view.image.shape[:2]
            image = ElementTree.Element("image", {
                "id": str(len(images)), "width": str(width), "height": str(height),
                "name": picture_name(frame, camera, stored=pictures is not None),
            })  # fmt: skip
            for i in range(0 if view.boxes is None else len(view.boxes)):
                assert view.boxes is not None  # noqa: S101 - for mypy
                box = ElementTree.SubElement(image, "box", {
                    "label": OBJECTS[view.boxes.classes[i]], "source": "manual",
                    **_shape(view.boxes, i), "z_order": "0"})  # fmt: skip
                _attributes(box, view.boxes, i)
            images.append(image)
    return _write(images, len(images), path)


def write_cvat_video(
    frames: Sequence[Boxes2D], path: Path, *, width: int, height: int, name: str = "video"
) -> Path:
    """Write followed objects as CVAT for video; every box is a keyframe.

    Args:
        frames: Boxes with track ids, frame by frame; those without one become tracks of a single
            frame, with ids that no other track has.
        path: The XML file.
        width: Of the video, in pixels.
        height: Likewise.
        name: Of the task.

    Raises:
        ValueError: A track is there twice in one frame.
    """
    tracks: dict[int, dict[int, tuple[Boxes2D, int]]] = {}
    loose = 1 + max((int(b.track_ids.max(initial=-1)) for b in frames), default=-1)
    for number, boxes in enumerate(frames):
        for i, track in enumerate(boxes.track_ids.tolist()):
            if track < 0:
                track, loose = loose, loose + 1  # noqa: PLW2901
            if number in tracks.setdefault(track, {}):
                raise ValueError(f"track {track} is there twice in frame {number}")
            tracks[track][number] = (boxes, i)
    elements = []
    for track, seen in sorted(tracks.items()):
        kinds = [int(boxes.classes[i]) for boxes, i in seen.values()]
        element = ElementTree.Element("track", {
            "id": str(track), "label": OBJECTS[max(set(kinds), key=kinds.count)],
            "source": "manual"})  # fmt: skip
        for number, (boxes, i) in seen.items():
            box = _video_box(element, number, boxes, i, outside=False)
            _attributes(box, boxes, i)
            if number + 1 not in seen and number + 1 < len(frames):  # hidden until it comes again
                _video_box(element, number + 1, boxes, i, outside=True)
        elements.append(element)
    return _write(elements, len(frames), path, name, (width, height))


def _elements(path: Path, name: str) -> Iterator[Element]:
    """The elements of one name, each forgotten after it was used."""
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import ParseError, iterparse

    try:
        with path.open("rb") as file:
            root = None
            for event, element in iterparse(file, events=("start", "end")):
                if root is None:
                    root = element
                    if root.tag != "annotations":
                        raise DataError("it is no CVAT file", where=str(path), remedy=_REMEDY)
                elif event == "end" and element.tag == name:
                    yield element
                    element.clear()
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", where=str(path)) from None
    except (ParseError, DefusedXmlException) as error:
        raise DataError(f"it is no sound XML ({error})", where=str(path), remedy=_REMEDY) from None


def _row(box: Element, label: str, where: str) -> _Row:
    """A box with what its attributes say."""
    try:
        left, top, right, bottom = (float(box.attrib[side]) for side in _SIDES)
        turn = float(box.get("rotation", 0))
        if not np.isfinite([left, top, right, bottom, turn]).all():
            raise ValueError
    except (KeyError, ValueError):
        raise DataError("a box is not four numbers", where=where,
                        remedy="Give xtl, ytl, xbr and ybr") from None  # fmt: skip
    if turn:
        sine, cosine = abs(np.sin(np.radians(turn))), abs(np.cos(np.radians(turn)))
        wide, tall = (right - left) / 2, (bottom - top) / 2
        x, y = (left + right) / 2, (top + bottom) / 2
        wide, tall = wide * cosine + tall * sine, wide * sine + tall * cosine
        left, top, right, bottom = x - wide, y - tall, x + wide, y + tall
    told = {str(a.get("name")): (a.text or "").strip() for a in box.iter("attribute")}
    row: _Row = dict(zip(_SIDES, (left, top, right, bottom), strict=True))
    row |= {"label": label, "detail": told.get("detail", ""), "ignore": told.get("ignore", "")}
    row["occlusion"] = np.nan if box.get("occluded") == "1" else 0.0
    for name in _NUMBERS:
        if not told.get(name):
            continue
        try:
            row[name] = float(told[name])
        except ValueError:
            raise DataError(f"the attribute {name} is {told[name]!r}, no number", where=where,
                            remedy="Correct it in CVAT") from None  # fmt: skip
    return row


def _filled(boxes: dict[int, tuple[_Row, bool]]) -> Iterator[tuple[int, _Row]]:
    """The boxes of a track in every frame in which it is there."""
    given = sorted(boxes)
    for number, after in zip(given, [*given[1:], None], strict=True):
        row, outside = boxes[number]
        if outside:
            continue
        yield number, row
        if after is None:
            continue
        ended, left = boxes[after]
        for between in range(number + 1, after):
            share = 0.0 if left else (between - number) / (after - number)
            moved: _Row = {
                s: float(row[s]) + share * (float(ended[s]) - float(row[s])) for s in _SIDES
            }
            yield between, row | moved


def _boxes(rows: Sequence[_Row]) -> Boxes2D:
    def column(name: str, missing: float) -> np.ndarray:
        return np.array([float(row.get(name, missing)) for row in rows])

    names = [str(row["label"]) for row in rows]
    details = [str(row["detail"]) or name for row, name in zip(rows, names, strict=True)]
    cut = column("truncation", np.nan)
    scored = bool(rows) and all("score" in row for row in rows)
    return Boxes2D(
        np.array([[row[side] for side in _SIDES] for row in rows], float).reshape(-1, 4),
        np.array([object_class(name) for name in names], np.int64),
        column("track_id", -1).astype(np.int64), occlusion=column("occlusion", np.nan),
        truncation=None if np.isnan(cut).all() else cut,
        scores=column("score", np.nan) if scored else None,
        ignore=np.array([row["ignore"] == "true" for row in rows], bool), details=tuple(details),
    )  # fmt: skip


def _shape(boxes: Boxes2D, i: int) -> dict[str, str]:
    hidden = 0.0 if boxes.occlusion is None else float(boxes.occlusion[i])
    sides = dict(zip(_SIDES, (f"{v:.2f}" for v in boxes.xyxy[i]), strict=True))
    return {"occluded": "0" if hidden <= _COVERED else "1", **sides}


def _video_box(track: Element, frame: int, boxes: Boxes2D, i: int, *, outside: bool) -> Element:
    return ElementTree.SubElement(track, "box", {
        "frame": str(frame), "outside": str(int(outside)), "keyframe": "1",
        **_shape(boxes, i), "z_order": "0"})  # fmt: skip


def _attributes(box: Element, boxes: Boxes2D, i: int) -> None:
    told: dict[str, str] = {}
    if boxes.track_ids[i] >= 0:
        told["track_id"] = str(int(boxes.track_ids[i]))
    for name, column in (("occlusion", boxes.occlusion), ("truncation", boxes.truncation),
                         ("score", boxes.scores)):  # fmt: skip
        if column is not None and np.isfinite(column[i]):
            told[name] = f"{float(column[i]):.4f}"
    if boxes.ignore is not None and boxes.ignore[i]:
        told["ignore"] = "true"
    if boxes.details and boxes.details[i] != OBJECTS[boxes.classes[i]]:
        told["detail"] = boxes.details[i]
    for name, text in told.items():
        ElementTree.SubElement(box, "attribute", {"name": name}).text = text


def _write(
    elements: Sequence[Element],
    count: int,
    path: Path,
    name: str = "images",
    size: tuple[int, int] | None = None,
) -> Path:
    root = ElementTree.Element("annotations")
    ElementTree.SubElement(root, "version").text = "1.1"
    task = ElementTree.SubElement(ElementTree.SubElement(root, "meta"), "task")
    mode = "annotation" if size is None else "interpolation"
    for tag, text in (("name", name), ("size", str(count)), ("mode", mode)):
        ElementTree.SubElement(task, tag).text = text
    labels = ElementTree.SubElement(task, "labels")
    for kind in OBJECTS:
        label = ElementTree.SubElement(labels, "label")
        ElementTree.SubElement(label, "name").text = kind
        attributes = ElementTree.SubElement(label, "attributes")
        for attribute in (*_NUMBERS, "detail", "ignore"):
            declared = ElementTree.SubElement(attributes, "attribute")
            flag = attribute == "ignore"
            for tag, text in (("name", attribute), ("mutable", "True"),
                              ("input_type", "checkbox" if flag else "text"),
                              ("default_value", "false" if flag else ""),
                              ("values", "false" if flag else "")):  # fmt: skip
                ElementTree.SubElement(declared, tag).text = text
    if size is not None:
        original = ElementTree.SubElement(task, "original_size")
        for tag, pixels in zip(("width", "height"), size, strict=True):
            ElementTree.SubElement(original, tag).text = str(pixels)
    root.extend(elements)
    ElementTree.indent(root)
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)
    return path
