"""What is drawn over an image lies where it should, and the image itself stays."""

from __future__ import annotations

import numpy as np
import pytest

from verticals.driving.frame import OBJECTS, UNLABELLED, Boxes2D, Boxes3D, LaneLine
from verticals.driving.overlays import (
    caption,
    colour_of,
    draw_boxes,
    draw_boxes3d,
    draw_lanes,
    draw_points,
    draw_surfaces,
)
from verticals.driving.world.cameras import mount, pinhole

CAMERA = pinhole(320, 180, np.radians(70), mount(position=(0.0, 0.0, 1.5)))


@pytest.fixture
def image() -> np.ndarray:
    return np.full((180, 320, 3), 90, np.uint8)


def boxes() -> Boxes2D:
    return Boxes2D(
        xyxy=np.array([[100.0, 60, 160, 120], [-30, -30, 20, 20]]),
        classes=np.array([OBJECTS.index("car"), OBJECTS.index("traffic_sign")]),
        track_ids=np.array([7, -1]),
        distance=np.array([12.4, np.nan]),
        scores=np.array([0.91, 0.5]),
        ignore=np.array([False, True]),
        details=("", "stop"),
    )


def changed(before: np.ndarray, after: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.nonzero((before != after).any(axis=2))


def test_captions_say_what_is_known() -> None:
    assert caption(boxes(), 0) == "car #7 12 m 0.91"
    assert caption(boxes(), 1) == "stop 0.50"


def test_boxes_are_drawn_on_a_copy(image: np.ndarray) -> None:
    before = image.copy()
    drawn = draw_boxes(image, boxes(), captions=["", ""])
    np.testing.assert_array_equal(image, before)
    assert tuple(drawn[90, 100]) == colour_of(7)
    assert tuple(drawn[20, 10]) == (150, 150, 150)  # ignored
    assert tuple(drawn[90, 130]) == (90, 90, 90)


def test_boxes_far_beyond_the_image_do_no_harm(image: np.ndarray) -> None:
    wild = Boxes2D(np.array([[-1e12, np.nan, 1e12, 50.0]]), np.zeros(1, int), np.array([1]))
    assert draw_boxes(image, wild).shape == image.shape


def test_unlabelled_pixels_keep_their_colour(image: np.ndarray) -> None:
    surfaces = np.full((180, 320), UNLABELLED, np.uint8)
    surfaces[:90] = 3
    y, _ = changed(image, draw_surfaces(image, surfaces))
    assert set(y) == set(range(90))


def test_a_box_in_space_is_drawn_around_its_projection(image: np.ndarray) -> None:
    space = Boxes3D(
        np.array([[15.0, 1.0, 0.8, 4.0, 1.8, 1.6, 0.4]]), np.zeros(1, int), np.ones(1, int)
    )
    pixels, _ = CAMERA.project(space.corners()[0])
    y, x = changed(image, draw_boxes3d(image, space, CAMERA))
    np.testing.assert_allclose([x.min(), y.min()], pixels.min(axis=0), atol=2)
    np.testing.assert_allclose([x.max(), y.max()], pixels.max(axis=0), atol=2)


def test_a_box_behind_the_camera_is_left_out(image: np.ndarray) -> None:
    space = Boxes3D(np.array([[-9.0, 0, 1, 4, 2, 2, 0]]), np.zeros(1, int), np.ones(1, int))
    np.testing.assert_array_equal(draw_boxes3d(image, space, CAMERA), image)


def test_points_are_drawn_where_they_project(image: np.ndarray) -> None:
    points = np.array([[20.0, 2.0, 1.0], [-20.0, 2.0, 1.0]])
    pixels, _ = CAMERA.project(points[:1])
    y, x = changed(image, draw_points(image, points, CAMERA))
    assert len(y) == 2
    assert abs(x[0] - pixels[0, 0]) < 1
    assert abs(y[0] - pixels[0, 1]) < 1


def test_no_points_change_nothing(image: np.ndarray) -> None:
    np.testing.assert_array_equal(draw_points(image, np.zeros((0, 5)), CAMERA), image)


def test_lanes_left_and_right_differ(image: np.ndarray) -> None:
    lines = [
        LaneLine(np.array([[x, 170.0], [160, 90]]), "solid", side)
        for x, side in ((60.0, 1), (260.0, -1))
    ]
    drawn = draw_lanes(image, lines)
    left, right = drawn[160, 60:90].reshape(-1, 3), drawn[160, 230:260].reshape(-1, 3)
    assert left[:, 1].max() > 200
    assert right[:, 2].max() > 240


def test_colours_of_neighbours_differ() -> None:
    colours = {colour_of(number) for number in range(30)}
    assert len(colours) == 30


def test_corners_turn_with_the_yaw() -> None:
    box = Boxes3D(np.array([[0.0, 0, 1, 4, 2, 2, np.pi / 2]]), np.zeros(1, int), np.ones(1, int))
    corners = box.corners()[0]
    np.testing.assert_allclose(np.ptp(corners, axis=0), [2, 4, 2], atol=1e-9)
    assert (corners[:4, 2] == 0).all()
    assert (corners[4:, 2] == 2).all()
