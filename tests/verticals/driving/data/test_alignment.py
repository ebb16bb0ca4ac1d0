"""A scanner that is turned against the camera is found, and the turn is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from verticals.driving.data.alignment import alignment, points_in_boxes, scanner_turn
from verticals.driving.data.nuscenes import read_key_frames
from verticals.driving.frame import Frame


def turned(frame: Frame, axis: str, degrees: float) -> Frame:
    """The frame with its camera turned about one of its own axes."""
    view = frame.views["front"]
    assert view.calibration is not None
    turn = np.eye(4)
    turn[:3, :3] = Rotation.from_euler(axis, degrees, degrees=True).as_matrix()
    moved = replace(view.calibration, camera_from_ego=turn @ view.calibration.camera_from_ego)
    return replace(frame, views={"front": replace(view, calibration=moved)})


def test_points_of_objects_lie_in_their_boxes(corner: Frame) -> None:
    assert corner.points is not None
    assert corner.boxes is not None
    found, which = points_in_boxes(corner.points[:, :3], corner.boxes)
    assert len(found) == len(corner.points)
    assert np.bincount(which).tolist() == [200, 200, 200]
    away = corner.points[:, :3] + np.array([0, 0, 5.0])
    assert len(points_in_boxes(away, corner.boxes)[0]) == 0


def test_a_right_calibration_is_not_suspected(corner: Frame) -> None:
    found = alignment(corner)
    assert (found.points, found.inside, found.suspect) == (600, 1.0, "")


@pytest.mark.parametrize(("axis", "name"), [("x", "pitch"), ("y", "yaw")])
@pytest.mark.parametrize("degrees", [2.0, -4.0])
def test_a_turned_camera_is_named_with_its_turn(
    corner: Frame, axis: str, name: str, degrees: float
) -> None:
    found = alignment(turned(corner, axis, degrees))
    assert found.inside < 0.95
    assert found.inside_then > found.inside + 0.03
    assert found.suspect == f"{name} {degrees:+.1f} degrees"


def test_too_few_points_say_nothing(corner: Frame) -> None:
    assert corner.points is not None
    few = replace(turned(corner, "y", 4.0), points=corner.points[:10])
    assert alignment(few).suspect == ""
    with pytest.raises(ValueError, match="needs points"):
        alignment(replace(corner, points=None))


@pytest.mark.parametrize(("axis", "degrees"), [("yaw", 4.0), ("yaw", -2.0), ("pitch", 4.0)])
def test_a_turned_scanner_is_named_with_its_turn(
    shared_driving: Path, axis: str, degrees: float
) -> None:
    """On nuScenes' own sweep, whose 68 objects were labelled in it."""
    folder = shared_driving / "nuscenes"
    (frame,) = read_key_frames(folder / "info.json", folder)
    assert frame.points is not None
    assert not scanner_turn(frame)
    about = {"pitch": np.array([0, 1, 0]), "yaw": np.array([0, 0, 1])}[axis]
    turn = Rotation.from_rotvec(np.radians(degrees) * about)
    moved = np.column_stack([turn.apply(frame.points[:, :3]), frame.points[:, 3:]])
    assert scanner_turn(replace(frame, points=moved)) == f"{axis} {degrees:+.1f} degrees"
