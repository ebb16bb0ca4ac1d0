"""BDD100K's JSON, of 2020 and of 2018: boxes, colours, lines, areas and tracks arrive."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.errors import DataError
from verticals.driving.data.bdd import read_bdd
from verticals.driving.frame import OBJECTS

NAME = "0ace96c3-48481887.jpg"


def box(kind: str, left: float, **marks: Any) -> dict[str, Any]:
    return {"id": "7", "category": kind, "attributes": marks,
            "box2d": {"x1": left, "y1": 20.0, "x2": left + 30, "y2": 60.0}}  # fmt: skip


def line(kind: str, vertices: list[list[float]], types: str, **marks: Any) -> dict[str, Any]:
    return {"id": "9", "category": kind, "attributes": marks,
            "poly2d": [{"vertices": vertices, "types": types, "closed": False}]}  # fmt: skip


def written(folder: Path, name: str, frames: Any) -> Path:
    path = folder / name
    path.write_text(json.dumps(frames))
    return path


@pytest.fixture
def images(tmp_path: Path) -> Path:
    Image.new("RGB", (160, 90), (1, 2, 3)).save(tmp_path / NAME)
    return tmp_path


def test_files_of_several_kinds_are_laid_over_each_other(images: Path) -> None:
    boxes = written(images, "det.json", [{"name": NAME, "timestamp": 10000, "labels": [
        box("traffic light", 10, trafficLightColor="G", occluded=False, truncated=False),
        box("traffic light", 50, trafficLightColor="NA", occluded=True),
        box("rider", 90), box("other person", 120),
    ]}])  # fmt: skip
    lanes = written(images, "lane.json", [{"name": NAME, "labels": [
        line("single white", [[80, 50], [40, 89]], "LL", laneStyle="dashed",
             laneDirection="parallel"),
        line("double yellow", [[0, 80], [0, 60], [30, 50], [60, 50]], "LCCC",
             laneDirection="parallel"),
        line("road curb", [[100, 89], [100, 60]], "LL"),
        line("crosswalk", [[0, 70], [90, 70]], "LL"),
        line("single white", [[0, 75], [90, 75]], "LL", laneDirection="vertical"),
    ]}])  # fmt: skip
    areas = written(images, "area.json", [{"name": NAME, "labels": [
        line("direct", [[20, 50], [60, 50], [60, 80], [20, 80]], "LLLL")]}])  # fmt: skip
    (frame,) = read_bdd(images, boxes, lanes, areas)
    view = frame.views["camera"]
    assert (frame.time_s, frame.sequence, view.image.shape) == (10.0, "0ace96c3", (90, 160, 3))
    assert view.boxes is not None
    assert [OBJECTS[k] for k in view.boxes.classes] == [
        "traffic_light", "traffic_light", "cyclist", "pedestrian"]  # fmt: skip
    assert view.boxes.details == ("green", "traffic light", "rider", "other person")
    assert view.boxes.xyxy[0].tolist() == [10, 20, 40, 60]
    assert np.isnan(np.asarray(view.boxes.occlusion)).tolist() == [False, True, False, False]
    assert np.asarray(view.boxes.ignore).tolist() == [False, False, False, True]
    assert view.boxes.track_ids.tolist() == [-1] * 4  # numbers of labels, not of objects
    assert view.lanes is not None
    assert [lane.kind for lane in view.lanes] == ["dashed", "double", "kerb"]
    near_first = [lane.points[0, 1] >= lane.points[-1, 1] for lane in view.lanes]
    assert near_first == [True] * 3
    curve = view.lanes[1].points  # Bezier: at half, a + 3b + 3c + d by 8
    assert np.abs(curve - [18.75, 57.5]).sum(axis=1).min() == pytest.approx(0, abs=1e-9)
    assert view.drivable is not None
    assert view.drivable[60, 30]
    assert int(view.drivable.sum()) == 41 * 31


def test_names_of_2018_and_videos_with_tracks(images: Path) -> None:
    (images / "v1").mkdir()
    Image.new("RGB", (160, 90)).save(images / "v1" / "v1-0000002.jpg")
    told = {"frames": [{"name": "v1-0000002.jpg", "videoName": "v1", "frameIndex": 1, "labels": [
        box("person", 10), box("bike", 20), box("motor", 30, crowd=True),
        box("traffic light", 40, trafficLightColor="red")]}]}  # fmt: skip
    (frame,) = read_bdd(images, written(images, "t.json", told))
    boxes = frame.views["camera"].boxes
    assert boxes is not None
    assert (frame.sequence, frame.index) == ("v1", 1)
    assert [OBJECTS[k] for k in boxes.classes] == [
        "pedestrian", "cyclist", "motorcycle", "traffic_light"]  # fmt: skip
    assert boxes.track_ids.tolist() == [7] * 4
    assert np.asarray(boxes.ignore).tolist() == [False, False, True, False]
    assert boxes.details[3] == "red"
    assert frame.views["camera"].lanes is None  # no file speaks of lanes


def test_what_is_broken_is_named_and_may_be_left_out(images: Path) -> None:
    wrong = box("car", 1)
    del wrong["box2d"]["y2"]
    told = [{"name": NAME, "labels": [wrong]}, {"name": "gone.jpg", "labels": []},
            {"name": NAME.replace("0ace", "0acf"), "labels": None}]  # fmt: skip
    Image.new("RGB", (16, 9)).save(images / NAME.replace("0ace", "0acf"))
    path = written(images, "x.json", told)
    with pytest.raises(DataError, match="y2") as raised:
        list(read_bdd(images, path))
    assert NAME in raised.value.where
    problems: list[DataError] = []
    (left,) = read_bdd(images, path, broken=problems.append)
    assert len(problems) == 2
    assert "gone.jpg" in problems[1].where
    boxes = left.views["camera"].boxes
    assert boxes is not None
    assert len(boxes) == 0
    curve = [{"name": NAME, "labels": [line("single white", [[0, 0], [1, 1]], "LCC")]}]
    for content, said in ((curve, "3 types for 2"), ({"a": 1}, "list of frames"),
                          ([{"labels": []}], "no name")):  # fmt: skip
        with pytest.raises(DataError, match=said):
            list(read_bdd(images, written(images, "y.json", content)))
    (images / "z.json").write_text("{")
    with pytest.raises(DataError, match="no JSON"):
        list(read_bdd(images, images / "z.json"))


def test_real_photographs_with_labels_of_our_own(shared_driving: Path, tmp_path: Path) -> None:
    folder = shared_driving / "bdd100k"
    names = sorted(path.name for path in folder.glob("*.jpg"))
    told = [{"name": name, "labels": [box("car", 100)]} for name in names]
    frames = list(read_bdd(folder, written(tmp_path, "x.json", told)))
    assert [frame.views["camera"].image.shape for frame in frames] == [(720, 1280, 3)] * 6
