"""A made-up street corner, seen by one camera and one laser scanner, exactly."""

from __future__ import annotations

import numpy as np
import pytest

from verticals.driving.frame import OBJECTS, Boxes2D, Boxes3D, Calibration, Frame, View

MATRIX = np.array([[700.0, 0, 320], [0, 700, 180], [0, 0, 1]])
# A camera 1.5 m above the ground that looks along ego x.
CAMERA = np.array([[0.0, -1, 0, 0], [0, 0, -1, 1.5], [1, 0, 0, 0], [0, 0, 0, 1]])


@pytest.fixture
def corner() -> Frame:
    """Three cars and their points; boxes in the image are those of the corners."""
    boxes = Boxes3D(
        np.array([[12, 2, 0.8, 4.2, 1.8, 1.6, 0.3], [20, -4, 0.8, 4.5, 1.9, 1.6, 1.2],
                  [35, 1, 0.8, 4.0, 1.7, 1.6, -0.4]]),
        np.full(3, OBJECTS.index("car")), np.array([7, 8, 9]),
    )  # fmt: skip
    camera = Calibration(MATRIX, 640, 360, camera_from_ego=CAMERA)
    pixels, _ = camera.project(boxes.corners().reshape(-1, 3))
    pixels = pixels.reshape(3, 8, 2)
    xyxy = np.concatenate([pixels.min(axis=1), pixels.max(axis=1)], axis=1)
    random = np.random.default_rng(0)
    inside = random.uniform(-0.5, 0.5, (3, 200, 3))
    yaw = boxes.boxes[:, 6][:, None]
    size = boxes.boxes[:, None, 3:6] * inside
    x = boxes.boxes[:, None, 0] + size[..., 0] * np.cos(yaw) - size[..., 1] * np.sin(yaw)
    y = boxes.boxes[:, None, 1] + size[..., 0] * np.sin(yaw) + size[..., 1] * np.cos(yaw)
    z = boxes.boxes[:, None, 2] + size[..., 2]
    points = np.stack([x, y, z, np.full_like(x, 0.5)], axis=-1).reshape(-1, 4)
    flat = Boxes2D(xyxy, boxes.classes, boxes.track_ids, occlusion=np.array([0.0, 0.3, 0.8]),
                   truncation=np.zeros(3))  # fmt: skip
    image = random.integers(0, 255, (360, 640, 3), dtype=np.uint8)
    view = View(image, camera, boxes=flat)
    return Frame({"front": view}, sequence="corner", points=points, boxes=boxes)
