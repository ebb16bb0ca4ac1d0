"""KITTI's formats: what a file says arrives in the frame's axes; a broken line is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.errors import DataError
from verticals.driving.data.kitti import (
    ego_from_lidar,
    in_space,
    read_calibration,
    read_detections,
    read_objects,
    read_tracks,
)
from verticals.driving.data.points import read_points
from verticals.driving.frame import OBJECTS

CALIBRATION = """P0: 700 0 600 0 0 700 180 0 0 0 1 0
P2: 700 0 600 42 0 700 180 0 0 0 1 0
R0_rect: 1 0 0 0 1 0 0 0 1
Tr_velo_to_cam: 0 -1 0 0 0 0 -1 -0.08 1 0 0 -0.27
"""
# A car 20 m ahead and 2 m to the left, that drives away; its bottom 1.6 m below the camera.
CAR = "Car 0.00 1 -1.57 100 150 200 250 1.5 1.8 4.2 -2.0 1.6 20.0 -1.5708"
REGION = "DontCare -1 -1 -10 300 150 320 170 -1 -1 -1 -1000 -1000 -1000 -10"


@pytest.fixture
def calibration(tmp_path: Path) -> Path:
    path = tmp_path / "calib.txt"
    path.write_text(CALIBRATION)
    return path


def test_a_car_ahead_to_the_left_stands_so_in_ego_axes(tmp_path: Path, calibration: Path) -> None:
    (tmp_path / "label.txt").write_text(f"{CAR}\n{REGION}\n")
    flat, space = read_objects(tmp_path / "label.txt")
    assert list(np.asarray(flat.ignore)) == [False, True]
    assert len(space) == 1
    assert space.boxes[0] == pytest.approx([20, 2, -0.85, 4.2, 1.8, 1.5, 0], abs=1e-4)
    camera = read_calibration(calibration)
    pixels, depth = camera.project(space.boxes[:, :3])
    # By the file's own matrix: (700 * -2 + 600 * 20 + 42) / 20.
    assert pixels[0] == pytest.approx([(700 * -2 + 600 * 20 + 42) / 20, 180 + 700 * 0.85 / 20])
    assert depth[0] == pytest.approx(20)


def test_points_of_the_scanner_land_beside_the_camera(tmp_path: Path, calibration: Path) -> None:
    sweep = np.array([[10, 1, 0.5, 0.3], [np.nan, 0, 0, 0]], np.float32)
    sweep.tofile(tmp_path / "sweep.bin")
    points = read_points(tmp_path / "sweep.bin", ego_from_lidar(calibration), columns=4)
    assert points.shape == (1, 4)
    assert points[0] == pytest.approx([10 - 0.27, 1, 0.5 + 0.08, 0.3], abs=1e-5)


def test_drives_frame_by_frame_with_what_the_benchmark_ignores(tmp_path: Path) -> None:
    cut = CAR.replace("Car 0.00 1", "Car 1 0")
    far = CAR.replace("Car 0.00 1", "Car 0 3")
    lines = [f"0 4 {CAR}", f"2 4 {cut}", f"2 5 {far}", f"2 -1 {REGION}"]
    (tmp_path / "0000.txt").write_text("\n".join(lines))
    frames = read_tracks(tmp_path / "0000.txt", 4)
    assert [len(flat) for flat, _ in frames] == [1, 0, 3, 0]
    flat = frames[2][0]
    assert list(flat.track_ids) == [4, 5, -1]
    assert list(np.asarray(flat.ignore)) == [True, True, True]


def test_detections_of_a_drive(tmp_path: Path) -> None:
    row = "1,2,100,150,200,250,7.5,1.5,1.8,4.2,-2,1.6,20,-1.5708,-1.6"
    (tmp_path / "found.txt").write_text(row + "\n")
    nothing, (flat, space) = read_detections(tmp_path / "found.txt", 2)
    assert len(nothing[0]) == 0
    assert OBJECTS[flat.classes[0]] == "car"
    assert flat.scores == pytest.approx([7.5])
    assert space.boxes[0] == pytest.approx([20, 2, -0.85, 4.2, 1.8, 1.5, 0], abs=1e-4)


@pytest.mark.parametrize(
    ("text", "said"),
    [("Car 0 0", "3 fields"), (CAR.replace("Car", "Spaceship"), "Spaceship"),
     (CAR.replace("20.0", "far"), "not a number")],
)  # fmt: skip
def test_a_broken_line_is_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "label.txt").write_text(f"{CAR}\n{text}\n")
    with pytest.raises(DataError, match=said) as raised:
        read_objects(tmp_path / "label.txt")
    assert "line 2" in raised.value.where


def test_files_that_are_missing_or_cut_are_named(tmp_path: Path, calibration: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_tracks(tmp_path / "none.txt")
    np.zeros(7, np.float32).tofile(tmp_path / "cut.bin")
    with pytest.raises(DataError, match="no points of 4"):
        read_points(tmp_path / "cut.bin", ego_from_lidar(calibration), columns=4)
    (tmp_path / "calib2.txt").write_text("P0: 1 2 3\n")
    with pytest.raises(DataError, match="no P2"):
        read_calibration(tmp_path / "calib2.txt")


def test_turns_stay_within_half_a_turn() -> None:
    kitti = np.zeros((5, 7))
    kitti[:, 6] = [-np.pi, -np.pi / 2, 0, np.pi / 2, np.pi]
    assert (np.abs(in_space(kitti)[:, 6]) <= np.pi + 1e-9).all()
