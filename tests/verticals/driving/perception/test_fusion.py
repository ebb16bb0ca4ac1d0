"""Fusion on a made-up street whose every point is known, and on KITTI's own frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.errors import DataError
from verticals.driving.data.kitti_folders import read_kitti
from verticals.driving.frame import OBJECTS, Boxes2D, Calibration, Floats
from verticals.driving.perception.fusion import (
    FusionSettings,
    distance_from_size,
    fuse,
    weighed,
)
from verticals.driving.perception.fusion_points import (
    completed,
    grouped,
    heights_above_ground,
    rectangle,
)

CAR, PEDESTRIAN = OBJECTS.index("car"), OBJECTS.index("pedestrian")
CAMERA = Calibration(
    np.array([[700.0, 0, 320], [0, 700, 180], [0, 0, 1]]), 640, 360,
    camera_from_ego=np.array([[0.0, -1, 0, 0], [0, 0, -1, 1.5], [1, 0, 0, 0], [0, 0, 0, 1]]),
)  # fmt: skip
EYE = np.array([0.0, 0.0, 1.5])
PLACES = {"car": (20.0, 2.0, 0.75), "pedestrian": (12.0, -2.5, 0.85)}  # centres


def faces(kind: str) -> Floats:
    """Points on the sides of an object that a scanner at the origin sees."""
    x, y, z = PLACES[kind]
    length, width, height = {"car": (4.3, 1.8, 1.5), "pedestrian": (0.7, 0.6, 1.7)}[kind]
    up = np.linspace(-height / 2 + 0.05, height / 2, 8)
    back = [[x - length / 2, y + w, z + h] for w in np.linspace(-width / 2, width / 2, 10)
            for h in up]  # fmt: skip
    side = y - np.sign(y) * width / 2
    flank = [[x + along, side, z + h] for along in np.linspace(-length / 2, length / 2, 30)
             for h in up]  # fmt: skip
    return np.array(back + flank)


@pytest.fixture(scope="module")
def points() -> Floats:
    """Ground, a wall behind, a car and a pedestrian; intensities besides."""
    random = np.random.default_rng(0)
    ground = np.column_stack([random.uniform(-20, 60, 4000), random.uniform(-15, 15, 4000),
                              random.normal(0, 0.02, 4000)])  # fmt: skip
    wall = np.column_stack([np.full(5000, 45.0), random.uniform(-15, 15, 5000),
                            random.uniform(0, 4, 5000)])  # fmt: skip
    everything = np.concatenate([ground, wall, faces("car"), faces("pedestrian")])
    return np.column_stack([everything, random.random(len(everything))])


def seen(*, off: float = 1.0) -> Boxes2D:
    """The two boxes, with distances that are wrong by a factor."""
    rows = []
    for kind in PLACES:
        pixels, _ = CAMERA.project(faces(kind))
        rows.append([*pixels.min(axis=0), *pixels.max(axis=0)])
    away = np.array([np.linalg.norm(np.array(p) - EYE) for p in PLACES.values()])
    return Boxes2D(np.array(rows), np.array([CAR, PEDESTRIAN]), np.array([1, 2]),
                   distance=away * off, scores=np.array([0.9, 0.8]))  # fmt: skip


def test_the_scanner_mends_the_cameras_distance(points: Floats) -> None:
    found = fuse(seen(off=1.15), CAMERA, points)
    assert found.sensors[:2] == ("both", "both")
    assert found.degraded == ""
    for row, place in enumerate(PLACES.values()):
        assert found.boxes.boxes[row, :3] == pytest.approx(place, abs=0.35)
        assert found.distance[row] == pytest.approx(np.linalg.norm(np.array(place) - EYE), abs=0.4)
    assert (found.error < 0.4).all()


def test_without_the_scanner_the_camera_stands_alone_and_says_so(points: Floats) -> None:
    for nothing in (None, points[:50], np.full_like(points, np.nan)):
        found = fuse(seen(off=1.05), CAMERA, nothing)
        assert found.sensors == ("camera", "camera")
        assert "laser scanner out" in found.degraded
        assert found.distance == pytest.approx(seen(off=1.05).distance)
        assert found.error == pytest.approx(0.1 * found.distance)


def test_without_the_camera_both_are_found_by_their_size(points: Floats) -> None:
    found = fuse(None, None, points)
    assert "camera out" in found.degraded
    assert set(found.sensors) == {"lidar"}
    kinds = found.boxes.classes.tolist()
    for kind, place in PLACES.items():
        row = kinds.index(OBJECTS.index(kind))
        assert found.boxes.boxes[row, :2] == pytest.approx(place[:2], abs=0.3)
    assert len(kinds) == 2  # the wall is none


def test_what_the_camera_missed_is_added_once(points: Floats) -> None:
    both = seen()
    car = Boxes2D(both.xyxy[:1], both.classes[:1], both.track_ids[:1], distance=both.distance[:1],
                  scores=both.scores[:1])  # fmt: skip
    found = fuse(car, CAMERA, points)
    assert found.sensors == ("both", "lidar")
    assert found.boxes.classes.tolist() == [CAR, PEDESTRIAN]
    assert found.boxes.scores[1] <= FusionSettings().lone
    assert np.isnan(found.xyxy[1]).all()


def test_order_of_points_and_broken_points_change_nothing(points: Floats) -> None:
    plain = fuse(seen(), CAMERA, points)
    random = np.random.default_rng(1)
    mixed = np.concatenate([points[random.permutation(len(points))], np.full((9, 4), np.inf)])
    again = fuse(seen(), CAMERA, mixed)
    assert again.sensors == plain.sensors
    assert again.distance == pytest.approx(plain.distance, abs=0.05)


def test_a_distance_far_from_all_points_is_not_taken_from_another_object(points: Floats) -> None:
    """A near object that returns no light, before the wall."""
    box = Boxes2D(np.array([[250.0, 150, 300, 250]]), np.array([PEDESTRIAN]), np.array([1]),
                  distance=np.array([6.0]), scores=np.array([0.9]))  # fmt: skip
    found = fuse(box, CAMERA, points)
    assert found.sensors[0] == "camera"
    assert found.distance[0] == pytest.approx(6.0)


def test_without_sensors_or_calibration_it_says_what_is_missing(points: Floats) -> None:
    with pytest.raises(DataError, match="neither camera nor laser"):
        fuse(None, CAMERA, None)
    with pytest.raises(DataError, match="no calibration"):
        fuse(seen(), None, points)


def test_no_boxes_and_an_unknown_distance_are_fine(points: Floats) -> None:
    none = Boxes2D(np.zeros((0, 4)), np.zeros(0, np.int64), np.zeros(0, np.int64))
    assert len(fuse(none, CAMERA, None).boxes) == 0
    assert set(fuse(none, CAMERA, points).sensors) == {"lidar"}
    boxes = Boxes2D(seen().xyxy, seen().classes, seen().track_ids)
    found = fuse(boxes, CAMERA, None)
    assert found.distance == pytest.approx(distance_from_size(boxes, CAMERA))
    assert found.distance == pytest.approx(seen().distance, rel=0.15)


def test_errors_are_measured_without_being_fooled_by_mix_ups() -> None:
    random = np.random.default_rng(0)
    truth = random.uniform(5, 60, 2000)
    camera = truth * np.exp(random.normal(0, 0.08, 2000))
    lidar = truth + random.normal(0, 0.25, 2000)
    lidar[:100] += 30  # another object's points
    lidar[100:300] = np.nan
    found = weighed(FusionSettings(), camera, lidar, truth)
    assert found.camera_error == pytest.approx(0.08, rel=0.1)
    assert found.lidar_error == pytest.approx(0.25, rel=0.15)


@pytest.mark.parametrize("slope", [0.0, 0.06])
def test_heights_are_above_the_ground_under_them(slope: float) -> None:
    random = np.random.default_rng(0)
    x, y = random.uniform(0, 40, 5000), random.uniform(-8, 8, 5000)
    kerb = np.where(np.abs(y) > 4, 0.12, 0.0)
    ground = np.column_stack([x, y, slope * x + kerb - 1.7])
    above = np.column_stack([x[:200], y[:200], (slope * x + kerb - 1.7)[:200] + 1.0])
    heights = heights_above_ground(np.concatenate([ground, above]))
    assert np.abs(heights[:5000]).max() < 0.2
    assert heights[5000:] == pytest.approx(1.0, abs=0.15)


def test_groups_are_parted_by_gaps() -> None:
    random = np.random.default_rng(0)
    first = random.random((80, 3)) * 0.4 + (10, 0, 0)
    groups = grouped(np.concatenate([first, first + np.array([1.5, 0, 0]), [[9.0, 9, 0]]]))
    assert len(set(groups[:80])) == len(set(groups[80:160])) == 1
    assert groups[0] != groups[80]
    assert groups[160] == -1
    assert len(grouped(np.zeros((0, 3)))) == 0


@pytest.mark.parametrize("yaw", [0.0, 0.4, 1.2, -0.9])
def test_the_rectangle_of_a_corner_seen_is_completed_away_from_the_sensor(yaw: float) -> None:
    turn = np.array([[np.cos(yaw), -np.sin(yaw)], [np.sin(yaw), np.cos(yaw)]])
    flanks = [[x, y] for x in np.linspace(-2.15, 2.15, 40) for y in (-0.9, 0.9)]
    ends = [[x, y] for y in np.linspace(-0.9, 0.9, 20) for x in (-2.15, 2.15)]
    whole = np.array(flanks + ends)
    places = whole @ turn.T + (15, 4)
    x, y, length, width, heading = rectangle(places)
    assert (x, y, length, width) == pytest.approx((15, 4, 4.3, 1.8), abs=0.15)
    assert abs(np.sin(heading - yaw)) < 0.06
    near = places[np.linalg.norm(places, axis=1) < np.linalg.norm(places, axis=1).min() + 1.2]
    x, y, *_ = completed(rectangle(near), np.array([4.3, 1.8]), np.zeros(2))
    assert np.hypot(x, y) > np.linalg.norm(near.mean(axis=0))


def test_a_car_seen_from_behind_has_its_length_along_the_line_of_sight() -> None:
    rear = np.column_stack([np.full(30, 20.0), np.linspace(-0.9, 0.9, 30)])
    x, y, length, width, heading = completed(rectangle(rear), np.array([4.3, 1.8]), np.zeros(2))
    assert (x, y) == pytest.approx((22.15, 0.0), abs=0.1)
    assert (length, width) == pytest.approx((4.3, 1.8), abs=0.1)
    assert abs(np.sin(heading)) < 0.05


def test_kittis_frames_are_measured_by_the_scanner(shared_driving: Path) -> None:
    """Labels' own boxes without their distance: the scanner finds it within a metre or 4%."""
    compared = 0
    for frame in read_kitti(shared_driving / "kitti/training"):
        view = frame.views["image_2"]
        labels, camera = view.boxes, view.calibration
        assert labels is not None
        assert camera is not None
        kept = np.isin(labels.classes, [CAR, PEDESTRIAN, OBJECTS.index("cyclist")])
        if labels.ignore is not None:
            kept &= ~labels.ignore
        boxes = Boxes2D(labels.xyxy[kept], labels.classes[kept], labels.track_ids[kept])
        found = fuse(boxes, camera, frame.points)
        alone = fuse(boxes, camera, None)
        for row, away in enumerate(np.asarray(labels.distance)[kept]):
            assert found.sensors[row] == "both"
            assert abs(found.distance[row] - away) < max(1.0, 0.04 * away)
            assert abs(found.distance[row] - away) < abs(alone.distance[row] - away)
            compared += 1
    assert compared >= 3
