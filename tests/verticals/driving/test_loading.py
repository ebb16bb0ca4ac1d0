"""A client's folder in every layout: read, and its calibration doubted where points say so."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from PIL import Image

from core.errors import DataError
from verticals.driving import loading
from verticals.driving.data.cvat import write_cvat_images
from verticals.driving.data.kitti import calibration_rows
from verticals.driving.data.nuscenes import read_key_frames
from verticals.driving.frame import OBJECTS, Boxes2D, Frame, View
from verticals.driving.parameters import Layout, RoadParameters


def read(folder: Path, layout: Layout) -> loading.Loaded:
    return loading.load(RoadParameters(data=str(folder), layout=layout))


def masks(folder: Path, count: int = 6) -> Path:
    """A folder as CamVid lays it out, of tiny films."""
    for name in ("images", "masks"):
        (folder / name).mkdir()
    random = np.random.default_rng(0)
    for i in range(count):
        image = random.integers(0, 255, (36, 48, 3), dtype=np.uint8)
        Image.fromarray(image).save(folder / "images" / f"film{i}_001.png")
        mask = np.repeat(np.arange(12, dtype=np.uint8), 3)[:, None].repeat(48, axis=1)
        Image.fromarray(mask).save(folder / "masks" / f"film{i}_001.png")
    return folder


def test_masks_are_read_and_what_they_lack_is_said(tmp_path: Path) -> None:
    found = read(masks(tmp_path), "camvid")
    assert len(found.frames) == 6
    findings = loading.check(found).findings.set_index("finding")
    assert findings.loc["images without calibration", "how many"] == 6
    assert "no objects are labelled" in findings.index


def test_a_photograph_without_its_mask_is_named_and_left_out(tmp_path: Path) -> None:
    (masks(tmp_path) / "masks" / "film2_001.png").unlink()
    found = read(tmp_path, "camvid")
    assert len(found.frames) == 5
    (said,) = found.broken
    assert "film2_001.png" in said


@pytest.mark.parametrize("layout", get_args(Layout))
def test_an_empty_or_missing_folder_is_named(tmp_path: Path, layout: Layout) -> None:
    for place in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(DataError, match=r"\(.*\)\. "):
            read(place, layout)


def test_what_annotators_corrected_is_read_back(tmp_path: Path) -> None:
    boxes = Boxes2D(np.array([[4.0, 5, 30, 20]]), np.array([OBJECTS.index("bus")]), np.array([3]))
    frame = Frame({"camera": View(np.zeros((36, 48, 3), np.uint8), boxes=boxes)}, source="a.png")
    write_cvat_images([frame], tmp_path / "annotations.xml")
    (tmp_path / "images").mkdir()
    broken = tmp_path / "images" / "a.png"
    with pytest.raises(DataError, match=r"a\.png"):
        read(tmp_path, "cvat")  # the labels of a picture that is not there
    Image.new("RGB", (48, 36)).save(broken)
    (one,) = read(tmp_path, "cvat").frames
    assert one.view.boxes is not None
    assert one.view.boxes.xyxy.tolist() == boxes.xyxy.tolist()


def test_kitti_s_lidar_fits_and_a_turned_calibration_is_named(
    shared_driving: Path, tmp_path: Path
) -> None:
    folder = shared_driving / "kitti/training"
    right = read(folder, "kitti")
    assert len(right.frames) == 3
    assert all(one.view.calibration is not None for one in right.frames)
    assert "looks turned" not in str(loading.check(right).findings["remedy"].tolist())
    wrong = tmp_path / "training"
    shutil.copytree(folder, wrong)
    turn = np.array([[np.cos(0.07), 0, np.sin(0.07)], [0, 1, 0], [-np.sin(0.07), 0, np.cos(0.07)]])
    for path in (wrong / "calib").iterdir():
        path.chmod(0o644)
        moved = turn @ calibration_rows(path)["Tr_velo_to_cam"].reshape(3, 4)
        lines = [line for line in path.read_text().splitlines() if "Tr_velo" not in line and line]
        path.write_text("\n".join([*lines, "Tr_velo_to_cam: " + " ".join(map(str, moved.ravel()))]))
    found = loading.check(read(wrong, "kitti")).findings.set_index("finding")
    said = found.loc["frames where laser points miss their objects", "remedy"]
    assert said.endswith("scanner, yaw -4.0 degrees")


def test_a_waymo_folder_is_read_past_a_broken_file(shared_driving: Path, tmp_path: Path) -> None:
    shutil.copy(shared_driving / "waymo/pvps_data_one_frame.tfrecord", tmp_path / "a.tfrecord")
    (tmp_path / "b.tfrecord").write_bytes(b"no record")
    found = read(tmp_path, "waymo")
    assert len({one.source for one in found.frames}) == len(found.frames) == 5
    assert len({one.sequence for one in found.frames}) == 1
    (said,) = found.broken
    assert "b.tfrecord" in said


def test_a_nuscenes_folder_needs_one_set_of_tables(tmp_path: Path) -> None:
    for version in ("v1.0-mini", "v1.0-trainval"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "sample.json").write_text("[]")
    with pytest.raises(DataError, match="2 files"):
        read(tmp_path, "nuscenes")


def test_objects_in_space_are_boxed_where_cameras_show_them(shared_driving: Path) -> None:
    """Of nuScenes' own frame: each box holds the object's middle, and the edges cut it off."""
    folder = shared_driving / "nuscenes"
    (frame,) = read_key_frames(folder / "info.json", folder)
    assert frame.boxes is not None
    shown = 0
    for view in frame.views.values():
        assert view.calibration is not None
        boxes = frame.boxes.seen_by(view.calibration)
        middles, depth = view.calibration.project(frame.boxes.boxes[:, :3])
        width, height = view.calibration.width, view.calibration.height
        inside = (depth > 5) & (middles > 0).all(axis=1) & (middles < [width, height]).all(axis=1)
        holds = (boxes.xyxy[:, None, :2] <= middles[inside]).all(axis=2) & (
            boxes.xyxy[:, None, 2:] >= middles[inside]
        ).all(axis=2)  # fmt: skip
        assert holds.any(axis=0).all()
        assert (boxes.xyxy >= 0).all()
        assert (boxes.xyxy <= [width, height, width, height]).all()
        assert boxes.truncation is not None
        assert ((boxes.truncation >= 0) & (boxes.truncation < 1)).all()
        shown += len(boxes)
    assert len(frame.boxes) <= shown < 2 * len(frame.boxes)  # a few are in two cameras, none in six


def test_a_box_cut_by_the_edge_says_how_much_is_missing() -> None:
    from verticals.driving.frame import Boxes3D, Calibration

    flat = np.array([[0.0, -1, 0, 0], [0, 0, -1, 0], [1, 0, 0, 0], [0, 0, 0, 1]])
    camera = Calibration(np.array([[100.0, 0, 100], [0, 100, 50], [0, 0, 1]]), 200, 100,
                         camera_from_ego=flat)  # fmt: skip
    boxes = Boxes3D(np.array([[10.0, 10, 0, 1e-6, 2, 1, 0], [-10, 0, 0, 1, 1, 1, 0]]),
                    np.zeros(2, np.int64), np.array([4, 5]))  # fmt: skip
    (left, top, right, bottom), = boxes.seen_by(camera).xyxy.tolist()  # fmt: skip
    assert (left, top, right, bottom) == pytest.approx((0, 45, 10, 55), abs=1e-3)
    assert boxes.seen_by(camera).truncation == pytest.approx([0.5], abs=1e-3)
    assert boxes.seen_by(replace(camera, width=400)).track_ids.tolist() == [4]
