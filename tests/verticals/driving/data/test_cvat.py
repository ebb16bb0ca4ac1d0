"""Boxes go to CVAT and come back; what CVAT itself exports is read; bad files are named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import DataError
from verticals.driving.data.cvat import (
    read_cvat_images,
    read_cvat_video,
    write_cvat_images,
    write_cvat_video,
)
from verticals.driving.frame import OBJECTS, Boxes2D, Frame

# As CVAT 2 exports a task with one track: two keyframes, and gone from frame 6 on.
VIDEO = """<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version>
  <meta><task><name>street</name><size>9</size><mode>interpolation</mode></task></meta>
  <track id="3" label="person" source="manual">
    <box frame="0" outside="0" occluded="0" keyframe="1" xtl="10" ytl="20" xbr="30" ybr="60" z_order="0">
      <attribute name="detail">walks</attribute></box>
    <box frame="4" outside="0" occluded="1" keyframe="1" xtl="50" ytl="20" xbr="70" ybr="60" z_order="0"/>
    <box frame="6" outside="1" occluded="0" keyframe="1" xtl="50" ytl="20" xbr="70" ybr="60" z_order="0"/>
  </track>
</annotations>"""  # noqa: E501


def same(back: Boxes2D, was: Boxes2D) -> None:
    assert back.xyxy == pytest.approx(was.xyxy, abs=0.006)
    assert back.classes.tolist() == was.classes.tolist()
    assert back.track_ids.tolist() == was.track_ids.tolist()
    assert was.occlusion is not None
    assert np.asarray(back.occlusion) == pytest.approx(was.occlusion, abs=1e-4)


def test_images_there_and_back(corner: Frame, tmp_path: Path) -> None:
    view = corner.views["front"]
    assert view.boxes is not None
    told = replace(
        view.boxes, scores=np.array([0.9, 0.5, 0.25]), details=("car", "Taxi & Co", "car"),
        ignore=np.array([False, True, False]),
    )  # fmt: skip
    empty = replace(corner, index=1, views={"front": replace(view, boxes=None)})
    frames = [replace(corner, views={"front": replace(view, boxes=told)}), empty]
    first, second = read_cvat_images(write_cvat_images(frames, tmp_path / "a.xml"))
    same(first.boxes, told)
    assert (first.width, first.height, first.path.name) == (640, 360, "corner_000000_front.png")
    assert np.asarray(first.boxes.scores).tolist() == [0.9, 0.5, 0.25]
    assert first.boxes.details[1] == "Taxi & Co"
    assert np.asarray(first.boxes.ignore).tolist() == [False, True, False]
    assert (len(second.boxes), second.boxes.scores) == (0, None)


def test_a_video_there_and_back(corner: Frame, tmp_path: Path) -> None:
    boxes = corner.views["front"].boxes
    assert boxes is not None
    none = Boxes2D(np.zeros((0, 4)), np.zeros(0, np.int64), np.zeros(0, np.int64))
    loose = replace(boxes, track_ids=np.array([7, -1, -1]))
    frames = [boxes, none, boxes, loose, none]
    path = write_cvat_video(frames, tmp_path / "v.xml", width=640, height=360)
    back = read_cvat_video(path)
    assert [len(found) for found in back] == [3, 0, 3, 3, 0]
    same(back[2], boxes)
    assert sorted(back[3].track_ids.tolist()) == [7, 10, 11]  # those without a track get their own
    twice = replace(boxes, track_ids=np.array([7, 7, 8]))
    with pytest.raises(ValueError, match="twice"):
        write_cvat_video([twice], path, width=640, height=360)


def test_boxes_between_keyframes_lie_on_the_line(tmp_path: Path) -> None:
    (tmp_path / "v.xml").write_text(VIDEO)
    frames = read_cvat_video(tmp_path / "v.xml")
    assert [len(found) for found in frames] == [1] * 6 + [0] * 3
    assert [float(found.xyxy[0, 0]) for found in frames[:6]] == [10, 20, 30, 40, 50, 50]
    assert OBJECTS[frames[0].classes[0]] == "pedestrian"
    assert frames[0].details == ("walks",)
    assert frames[5].track_ids.tolist() == [3]
    assert np.isnan(np.asarray(frames[4].occlusion)).all()  # hidden, CVAT does not say how much
    assert len(read_cvat_video(tmp_path / "v.xml", frames=2)) == 2


def test_turned_boxes_become_upright_ones(tmp_path: Path) -> None:
    box = '<box label="car" rotation="90" xtl="10" ytl="20" xbr="50" ybr="40"/>'
    image = f'<image id="0" name="a/b.png" width="90" height="60">{box}</image>'
    (tmp_path / "a.xml").write_text(f"<annotations>{image}</annotations>")
    (only,) = read_cvat_images(tmp_path / "a.xml", tmp_path / "pictures")
    assert only.boxes.xyxy[0] == pytest.approx([20, 10, 40, 50])
    assert only.path == tmp_path / "pictures" / "a" / "b.png"


IMAGE = '<annotations><image id="4" name="x" width="9"{}</image></annotations>'


@pytest.mark.parametrize(("text", "said"), [
    (IMAGE.format(' height="9"><box label="car" xtl="1"/>'), "four numbers"),
    (IMAGE.format(">"), "name or size"), ("<html></html>", "no CVAT file"),
    ("<annotations><image", "no sound XML"), ("", "no sound XML"),
    ('<!DOCTYPE x [<!ENTITY a "b">]><annotations>&a;</annotations>', "no sound XML"),
])  # fmt: skip
def test_what_is_no_such_file_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.xml").write_text(text)
    with pytest.raises(DataError, match=said) as raised:
        read_cvat_images(tmp_path / "a.xml")
    assert "a.xml" in raised.value.where
