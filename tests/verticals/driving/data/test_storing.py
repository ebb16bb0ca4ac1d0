"""Pictures are stored with people hidden: the sharp ones are in no file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from verticals.driving.data.coco import read_coco, write_coco
from verticals.driving.data.cvat import read_cvat_images, write_cvat_images
from verticals.driving.data.images import read_image
from verticals.driving.data.kitti_folders import write_kitti
from verticals.driving.data.privacy import hide_people
from verticals.driving.frame import OBJECTS, Frame


@pytest.fixture
def people(corner: Frame) -> Frame:
    """The corner with a person who sits in it, whom KITTI does not count."""
    view = corner.views["front"]
    assert view.boxes is not None
    boxes = replace(view.boxes, classes=np.full(3, OBJECTS.index("other")),
                    details=("Person_sitting", "Misc", "Misc"))  # fmt: skip
    return replace(corner, views={"front": replace(view, boxes=boxes)})


def kitti(frames: list[Frame], folder: Path) -> Path:
    return write_kitti(frames, folder, private=True) / "image_2" / "000000.png"


def coco(frames: list[Frame], folder: Path) -> Path:
    write_coco(frames, folder / "a.json", pictures=folder, private=True)
    return read_coco(folder / "a.json")[0].path


def cvat(frames: list[Frame], folder: Path) -> Path:
    write_cvat_images(frames, folder / "a.xml", pictures=folder, private=True)
    return read_cvat_images(folder / "a.xml")[0].path


@pytest.mark.parametrize("write", [kitti, coco, cvat])
def test_stored_pixels_are_the_hidden_ones(
    people: Frame, tmp_path: Path, write: Callable[[list[Frame], Path], Path]
) -> None:
    stored = read_image(write([people], tmp_path))
    sharp = people.views["front"].image
    assert np.array_equal(stored, hide_people(people).views["front"].image)
    boxes = people.views["front"].boxes
    assert boxes is not None
    left, top, right, bottom = boxes.xyxy[0].astype(int)
    head = slice(top, top + int(0.25 * (bottom - top))), slice(left + 1, right - 1)
    assert (stored[head] != sharp[head]).any(axis=2).mean() > 0.95
    assert len(list(tmp_path.rglob("*.png"))) == 1


def test_without_boxes_nothing_private_is_stored(corner: Frame, tmp_path: Path) -> None:
    bare = replace(corner, views={"front": replace(corner.views["front"], boxes=None)})
    for write in (kitti, coco, cvat):
        with pytest.raises(ValueError, match="detect people first"):
            write([bare], tmp_path)
    assert not list(tmp_path.rglob("*.png"))


def test_coco_pictures_have_the_names_of_their_sources(corner: Frame, tmp_path: Path) -> None:
    frame = replace(corner, source="/far/away/street.jpg")
    (read,) = read_coco(write_coco([frame], tmp_path / "a.json", pictures=tmp_path / "p"),
                        tmp_path / "p")  # fmt: skip
    assert read.path.name == "street.png"
    assert np.array_equal(read.frame().views["camera"].image, corner.views["front"].image)
