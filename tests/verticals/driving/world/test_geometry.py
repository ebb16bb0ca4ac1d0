"""Cameras and LiDAR against independent mathematics: OpenCV's projection, rays cut with slabs."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from core.errors import DataError
from tests.verticals.driving.world.scenes import block, mesh_of
from verticals.driving.frame import Calibration
from verticals.driving.world.cameras import mount, pinhole, rig
from verticals.driving.world.lidar import Lidar, sweep
from verticals.driving.world.mesh import Mesh
from verticals.driving.world.render import _bend, _ideal, rasterise
from verticals.driving.world.truth import boxes_of, hidden_shares, maps_of

EGO = np.eye(4)
LENS = np.array([-0.28, 0.08, 0.001, -0.0007, 0.0])


def opencv(calibration: Calibration, points: np.ndarray) -> np.ndarray:
    """(n, 2) pixels by OpenCV."""
    pose = calibration.camera_from_ego
    rotation, _ = cv2.Rodrigues(pose[:3, :3])
    pixels, _ = cv2.projectPoints(
        points.astype(float), rotation, pose[:3, 3], calibration.matrix, calibration.distortion
    )
    return pixels[:, 0]


def slab(origin: np.ndarray, rays: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """(n,) distance in ray lengths to an upright box, inf where it is missed (Kay, Kajiya 1986)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        a, b = (low - origin) / rays, (high - origin) / rays
    near, far = np.minimum(a, b).max(axis=1), np.maximum(a, b).min(axis=1)
    return np.where((near <= far) & (far > 0), near, np.inf)


def camera(*, bent: bool = False, yaw: float = 0.1) -> Calibration:
    pose = mount(position=(1.5, 0.2, 1.4), yaw=yaw, pitch=-0.05, roll=0.03)
    return pinhole(320, 180, np.radians(70), pose, LENS if bent else None)


@pytest.mark.parametrize("bent", [False, True])
def test_projection_agrees_with_opencv(bent: bool) -> None:
    points = np.random.default_rng(0).uniform([4, -3, -1], [40, 3, 3], (200, 3))
    pixels, depth = camera(bent=bent).project(points)
    np.testing.assert_allclose(pixels, opencv(camera(bent=bent), points), atol=1e-6)
    assert (depth > 0).all()


def test_what_lies_behind_has_no_pixel() -> None:
    pixels, depth = camera().project(np.array([[-5.0, 0.0, 1.0]]))
    assert np.isnan(pixels).all()
    assert depth[0] < 0


def test_axes_of_the_front_camera() -> None:
    front = rig()[0].calibration
    pixels, _ = front.project(np.array([[20.0, 0, 1.45], [20.0, 3, 1.45], [20.0, 0, 4.0]]))
    middle, left, up = pixels
    np.testing.assert_allclose(middle, [(front.width - 1) / 2, (front.height - 1) / 2])
    assert left[0] < middle[0]
    assert up[1] < middle[1]


def test_six_cameras_see_all_around() -> None:
    angles = np.radians(np.arange(0, 360, 5))
    points = np.column_stack([30 * np.cos(angles), 30 * np.sin(angles), np.full(72, 1.4)])
    seen = np.zeros(72, bool)
    for each in rig(6):
        pixels, _ = each.calibration.project(points)
        with np.errstate(invalid="ignore"):
            seen |= (pixels[:, 0] >= 0) & (pixels[:, 0] < each.calibration.width)
    assert seen.all()


def test_a_rig_has_at_most_six_cameras() -> None:
    with pytest.raises(ValueError, match="1 to 6"):
        rig(7)


@pytest.mark.parametrize("seed", range(6))
def test_depth_is_where_the_ray_meets_the_block(seed: int) -> None:
    rng = np.random.default_rng(seed)
    low = rng.uniform([6, -4, 0], [20, 2, 1])
    high = low + rng.uniform(0.5, 4, 3)
    calibration = camera(yaw=float(rng.uniform(-0.2, 0.2)))
    drawn = rasterise(mesh_of(block(tuple(low), tuple(high))), calibration, EGO)
    rows, columns = np.mgrid[:180, :320]
    flat = np.stack([columns, rows, np.ones_like(rows)], -1).reshape(-1, 3)
    rays = flat @ np.linalg.inv(calibration.matrix).T @ calibration.camera_from_ego[:3, :3]
    origin = np.linalg.inv(calibration.camera_from_ego)[:3, 3]
    expected = slab(origin, rays, low, high)
    seen = drawn.seen.ravel() >= 0
    assert seen.sum() > 20
    edge = np.isfinite(expected) != seen
    assert edge.mean() < 1e-3  # points on an edge may fall to either side
    mesh = mesh_of(block(tuple(low), tuple(high)))
    normal = mesh.planes.plane[drawn.seen.ravel()[seen]]
    depth = (normal[:, 3] - normal[:, :3] @ origin) / (normal[:, :3] * rays[seen]).sum(axis=1)
    both = np.isfinite(expected[seen])
    np.testing.assert_allclose(depth[both], expected[seen][both], rtol=1e-5)


@pytest.mark.parametrize("bent", [False, True])
def test_boxes_are_around_the_projected_corners(bent: bool) -> None:
    low, high = (10.0, -2.0, 0.0), (14.0, 0.0, 1.5)
    mesh, calibration = mesh_of(block(low, high)), camera(bent=bent)
    boxes = labelled(mesh, calibration)
    corners = opencv(calibration, mesh.faces.corners.reshape(-1, 3))
    around = [*corners.min(axis=0), *corners.max(axis=0)]
    np.testing.assert_allclose(boxes.amodal_xyxy[0], around, atol=0.01)
    np.testing.assert_allclose(boxes.xyxy[0], around, atol=1.1)
    assert boxes.truncation[0] == 0
    assert boxes.occlusion[0] == 0


def labelled(mesh: Mesh, calibration: Calibration):  # type: ignore[no-untyped-def]
    ideal = _ideal(calibration)
    drawn = rasterise(mesh, ideal, EGO)
    labels = drawn.labels
    if calibration.distortion.any():
        labels = np.take(labels, _bend(calibration).nearest)
    hidden = hidden_shares(mesh, drawn.labels, drawn.area)
    return boxes_of(mesh, calibration, EGO, maps_of(mesh, labels), hidden)


def test_half_hidden_is_half_occluded() -> None:
    behind = block((20.0, -2.0, 0.0), (21.0, 2.0, 2.0))
    # a wall half as far away, over the right half: everything of it is nearer
    ahead = block((10.0, -9.0, -3.0), (10.5, 0.1, 9.0))
    calibration = pinhole(320, 180, np.radians(70), mount(position=(0, 0.2, 1.4)))
    boxes = labelled(mesh_of(behind, ahead), calibration)
    left = calibration.project(np.array([[20.0, 2.0, 1.0], [10.5, 0.1, 1.0], [20.0, -2.0, 1.0]]))[0]
    expected = (left[2, 0] - left[1, 0]) / (left[2, 0] - left[0, 0])
    assert boxes.occlusion[0] == pytest.approx(expected, abs=0.03)
    assert boxes.occlusion[1] == 0


def test_what_leaves_the_image_is_truncated() -> None:
    calibration = pinhole(320, 180, np.radians(70), mount(position=(0, 0, 1.4)))
    edge = np.tan(np.radians(35)) * 10.0
    boxes = labelled(mesh_of(block((10.0, -edge - 2, 0.5), (10.01, -edge + 2, 2.0))), calibration)
    assert boxes.truncation[0] == pytest.approx(0.5, abs=0.02)
    assert boxes.amodal_xyxy[0, 2] > calibration.width
    assert boxes.xyxy[0, 2] <= calibration.width


def test_a_lens_that_bends_back_is_named() -> None:
    wild = pinhole(64, 36, np.radians(100), mount(), np.array([-0.5, 0.0, 0, 0, 0]))
    with pytest.raises(DataError, match="bends back"):
        _ideal(wild)


def test_bending_the_image_agrees_with_opencv() -> None:
    calibration = camera(bent=True)
    bend = _bend(calibration)
    across = bend.whole[..., 0] + bend.part % 32 / 32  # in steps of 1/32
    down = bend.whole[..., 1] + bend.part // 32 / 32
    rng = np.random.default_rng(1)
    rows, columns = rng.integers(0, 180, 100), rng.integers(0, 320, 100)
    ideal = _ideal(calibration)
    flat = np.column_stack([across[rows, columns], down[rows, columns], np.ones(100)])
    points = flat @ np.linalg.inv(ideal.matrix).T
    bent, _ = cv2.projectPoints(
        points, np.zeros(3), np.zeros(3), calibration.matrix, calibration.distortion
    )
    np.testing.assert_allclose(bent[:, 0], np.column_stack([columns, rows]), atol=0.05 + 1 / 64)


@pytest.mark.parametrize("seed", range(4))
def test_every_lidar_ray_stops_at_the_nearest_surface(seed: int) -> None:
    rng = np.random.default_rng(seed)
    lows = rng.uniform([-20, -20, -1], [20, 20, 1], (6, 3))
    highs = lows + rng.uniform(0.5, 6, (6, 3))
    lidar = Lidar(columns=256, elevations=np.radians(np.linspace(-30, 20, 16)))
    origin = np.array(lidar.position)
    clear = ((origin < lows - 0.6) | (origin > highs + 0.6)).any(axis=1)
    parts = [block(tuple(a), tuple(b)) for a, b in zip(lows[clear], highs[clear], strict=True)]
    measured = sweep(mesh_of(*parts), lidar, EGO).ranges
    angles = np.arange(256) * 2 * np.pi / 256
    up = lidar.elevations[:, None]
    rays = np.stack(
        [np.cos(up) * np.cos(angles), np.cos(up) * np.sin(angles), np.sin(up) + 0 * angles], -1
    ).reshape(-1, 3)
    cuts = [slab(origin, rays, a, b) for a, b in zip(lows[clear], highs[clear], strict=True)]
    nearest = np.min(cuts, axis=0)
    nearest[nearest > lidar.reach] = np.inf
    same = np.isfinite(nearest) == np.isfinite(measured.ravel())
    assert same.mean() > 0.998  # a ray along an edge may go either way
    both = np.isfinite(nearest) & np.isfinite(measured.ravel())
    difference = np.abs(measured.ravel()[both] - nearest[both]) / nearest[both]
    assert (difference < 1e-4).mean() > 0.998


def test_the_ground_below_the_lidar_is_a_plane() -> None:
    floor = mesh_of(block((-80.0, -80.0, -1.0), (80.0, 80.0, 0.0)))
    lidar = Lidar(columns=128)
    result = sweep(floor, lidar, EGO)
    np.testing.assert_allclose(result.points[:, 2], 0, atol=1e-3)
    down = lidar.elevations < np.radians(-2)
    assert np.isfinite(result.ranges[down]).all()
    expected = lidar.position[2] / np.sin(-lidar.elevations[down])
    np.testing.assert_allclose(result.ranges[down], expected[:, None] + np.zeros(128), rtol=1e-4)
