"""What is written as KITTI is read back, by us and by the formats' own rules."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import DataError
from verticals.driving.data.alignment import alignment
from verticals.driving.data.kitti_folders import read_kitti, write_kitti
from verticals.driving.frame import Frame


def test_a_frame_survives_the_way_through_files(corner: Frame, tmp_path: Path) -> None:
    write_kitti([corner], tmp_path)
    (back,) = read_kitti(tmp_path)
    view, was = back.views["image_2"], corner.views["front"]
    assert np.array_equal(view.image, was.image)
    assert view.boxes is not None
    assert was.boxes is not None
    assert view.boxes.xyxy == pytest.approx(was.boxes.xyxy, abs=0.01)
    assert back.boxes is not None
    assert corner.boxes is not None
    # The ego frame of what is read is the camera's place: 1.5 m higher.
    assert back.boxes.boxes == pytest.approx(corner.boxes.boxes - [0, 0, 1.5, 0, 0, 0, 0], abs=1e-3)
    assert back.points is not None
    assert corner.points is not None
    assert back.points[:, :3] == pytest.approx(corner.points[:, :3] - [0, 0, 1.5], abs=1e-5)
    assert alignment(back).inside == 1.0


def test_a_broken_frame_is_named_and_left_out(corner: Frame, tmp_path: Path) -> None:
    write_kitti([corner, corner, corner], tmp_path)
    (tmp_path / "label_2" / "000001.txt").write_text("Car 1 2 3\n")
    told: list[DataError] = []
    frames = list(read_kitti(tmp_path, broken=told.append))
    assert [frame.index for frame in frames] == [0, 2]
    assert "000001.txt, line 1" in told[0].where
    with pytest.raises(DataError, match="4 fields"):
        list(read_kitti(tmp_path))


def test_without_calibration_nothing_is_written_or_read(corner: Frame, tmp_path: Path) -> None:
    bare = replace(corner, views={"front": replace(corner.views["front"], calibration=None)})
    with pytest.raises(DataError, match="no calibration"):
        write_kitti([bare], tmp_path / "a")
    write_kitti([corner], tmp_path / "b")
    (tmp_path / "b" / "calib" / "000000.txt").unlink()
    with pytest.raises(DataError, match="cannot be read"):
        list(read_kitti(tmp_path / "b"))
