"""From a scene to a frame: images, depth, labels and boxes of every camera, and the LiDAR sweep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import DataError
from verticals.driving.frame import Boxes3D, Calibration, Floats, Frame, View
from verticals.driving.world.cameras import Camera
from verticals.driving.world.lens import develop
from verticals.driving.world.lidar import Lidar, sweep
from verticals.driving.world.mesh import Kept, Mesh, assemble, in_frame
from verticals.driving.world.raster import cast_shadows, draw
from verticals.driving.world.scene import Scene
from verticals.driving.world.shading import Light, Shadows, mirror_ground, shade
from verticals.driving.world.textures import alphas, layer, packed
from verticals.driving.world.truth import boxes_of, hidden_shares, lane_lines, maps_of
from verticals.driving.world.weather import DAY, Weather, light_of

_NEAR, _FAR = 0.25, 220.0  # metres
_SHADOW_SIDE, _SHADOW_METRES, _SHADOW_STEP = 512, 80.0, 8.0
_AHEAD = 0.7  # cosine: cameras turned less than 45 degrees from straight ahead ...
_TAIL = 15.0  # ... see nothing of what drives farther behind than this, in metres
_WIDEST = 4  # times the image that an ideal camera may need
_COARSE = 4  # pixels between the nodes at which a lens is solved
_SEEN_3D = 100.0  # metres from the ego within which boxes are labelled


@dataclass(frozen=True, eq=False)
class Drawn:
    """The z-buffer of one ideal pinhole camera."""

    seen: NDArray[np.int32]  # (h, w) face that gives the colour, -1 for sky
    labels: NDArray[np.int32]  # (h, w) face that gives the label
    area: NDArray[np.int64]  # (objects + 1,) pixels of each object if nothing hid it


def render_frame(
    scene: Scene,
    cameras: Sequence[Camera],
    weather: Weather = DAY,
    rng: np.random.Generator | None = None,
    *,
    lidar: Lidar | None = None,
) -> Frame:
    """What the ego's sensors see, with the truth about it.

    Args:
        scene: The moment.
        cameras: One to many, the main one first.
        weather: Sky and hour.
        rng: For noise, drops and whatever else differs from shot to shot; absent: from the
            scene's seed and index.
        lidar: Sweep with this one; no points without.

    Returns:
        A frame with images, all label maps, boxes in images and space, lane lines, points.
    """
    dice = rng or np.random.default_rng([scene.seed, scene.index])
    dusk = weather.sun_height < 0.12 or weather.rain > 0.2 or weather.fog > 0.01
    ahead = all(camera.calibration.camera_from_ego[2, 0] > _AHEAD for camera in cameras)
    behind = _TAIL if ahead and lidar is None else np.inf
    mesh = assemble(scene, lights_on=dusk, behind=behind)
    pose = scene.ego.pose()
    light = light_of(weather, mesh.lamps)
    shadows = _shadows(mesh, light, pose)
    views = {
        camera.name: _view(mesh, camera, light, shadows, weather=weather, scene=scene, rng=dice)
        for camera in cameras
    }
    near = np.hypot(*(mesh.objects.boxes[:, :2] - pose[:2, 3]).T) < _SEEN_3D
    near[: len(scene.street.signs) + len(scene.street.signals)] = False
    turn = pose[:2, :2]
    return Frame(
        views=views,
        time_s=scene.time_s,
        sequence=f"seed-{scene.seed}",
        index=scene.index,
        points=None if lidar is None else sweep(mesh, lidar, pose, weather, dice).points,
        boxes=Boxes3D(
            boxes=in_frame(mesh.objects.boxes[near], pose),
            classes=mesh.objects.classes[near],
            track_ids=mesh.objects.track_ids[near],
            velocity=mesh.objects.velocity[near] @ turn,
        ),
        world_from_ego=pose,
        source=f"rendered scene, seed {scene.seed}, frame {scene.index}",
    )


def rasterise(mesh: Mesh, calibration: Calibration, world_from_ego: Floats) -> Drawn:
    """Which face each pixel sees, as if the lens did not bend."""
    height, width = calibration.height, calibration.width
    rotation, position = _eye(calibration, world_from_ego)
    nearness, label_nearness = np.zeros((2, height, width), np.float32)
    seen, labels = np.full((2, height, width), -1, np.int32)
    stamp = np.zeros((height, width), np.int32)
    area = np.zeros(len(mesh.objects) + 1, np.int64)
    faces, planes = mesh.faces, mesh.planes
    draw(
        faces.corners, planes.plane, planes.mapping, planes.density, faces.texture, faces.flags,
        faces.order, faces.instance, alphas(), rotation, position, _lens(calibration), _NEAR, _FAR,
        nearness, seen, label_nearness, labels, stamp, area,
    )  # fmt: skip
    return Drawn(seen, labels, area)


def _eye(calibration: Calibration, world_from_ego: Floats) -> tuple[Floats, Floats]:
    """Rotation camera from world, and the camera's place."""
    camera_from_world = calibration.camera_from_ego @ np.linalg.inv(world_from_ego)
    rotation = np.ascontiguousarray(camera_from_world[:3, :3])
    return rotation, -rotation.T @ camera_from_world[:3, 3]


def _lens(calibration: Calibration) -> Floats:
    m = calibration.matrix
    return np.array([m[0, 0], m[1, 1], m[0, 2], m[1, 2]])


def _shadows(mesh: Mesh, light: Light, pose: Floats) -> Shadows:
    """The scene from the sun, ahead of the ego."""
    soft = light.to_sun[2] > 0.97
    metres = _SHADOW_METRES
    centre = pose[:3, 3] + 0.32 * metres * pose[:3, 0]
    centre = np.round(centre / _SHADOW_STEP) * _SHADOW_STEP
    towards = light.to_sun
    across = np.cross([0.0, 0.0, 1.0], towards)
    if np.linalg.norm(across) < 1e-6:
        across = np.array([1.0, 0.0, 0.0])
    across /= np.linalg.norm(across)
    basis = np.stack([across, np.cross(towards, across), towards])
    if not light.sun.any():
        empty = np.zeros((1, 1), np.float32)
        return Shadows(empty, basis, centre, 1.0, 1)
    scale, place = _SHADOW_SIDE / metres, (*basis.ravel().tolist(), *centre.tolist())
    first = 0 if mesh.kept is None else len(mesh.kept.faces)
    height = _still_shadows(mesh.kept, place).copy()
    faces, planes = mesh.faces, mesh.planes
    cast_shadows(
        faces.corners[first:], planes.plane[first:], planes.mapping[first:], faces.texture[first:],
        faces.flags[first:], alphas(), basis, centre, scale, height,
    )  # fmt: skip
    return Shadows(height, basis, centre, scale, 3 if soft else 1)


@lru_cache(maxsize=16)
def _still_shadows(kept: Kept | None, place: tuple[float, ...]) -> NDArray[np.float32]:
    """The map of what stands; an ego needs a new one every few metres only."""
    height = np.full((_SHADOW_SIDE, _SHADOW_SIDE), -np.inf, np.float32)
    if kept is not None:
        faces, planes = kept.faces, kept.planes
        cast_shadows(
            faces.corners, planes.plane, planes.mapping, faces.texture, faces.flags, alphas(),
            np.array(place[:9]).reshape(3, 3), np.array(place[9:]), _SHADOW_SIDE / _SHADOW_METRES,
            height,
        )  # fmt: skip
    return height


def _view(
    mesh: Mesh, camera: Camera, light: Light, shadows: Shadows, *,
    weather: Weather, scene: Scene, rng: np.random.Generator,
) -> View:  # fmt: skip
    """One camera's image and truth."""
    ideal = _ideal(camera.calibration)
    pose = scene.ego.pose()
    drawn = rasterise(mesh, ideal, pose)
    faces, planes = mesh.faces, mesh.planes
    rotation, position = _eye(ideal, pose)
    image: Any = np.empty((*drawn.seen.shape, 3), np.uint8)
    depth: Any = np.empty(drawn.seen.shape, np.float32)
    exposed = light._replace(exposure=light.exposure * camera.imaging.exposure)
    shade(
        drawn.seen, planes.plane, planes.mapping, planes.density, faces.texture, faces.tint,
        faces.flags, faces.glow, faces.shine, packed(), layer("cloud"), layer("stain"), rotation,
        position, _lens(ideal), exposed, shadows, image, depth,
    )  # fmt: skip
    if weather.wet > 0.05:
        mirror_ground(image, drawn.seen, faces.flags, 0.75 * weather.wet, cv2.blur(image, (3, 15)))
    labels: Any = drawn.labels
    if camera.calibration.distortion.any():
        bend = _bend(camera.calibration)
        image = cv2.remap(image, bend.whole, bend.part, cv2.INTER_LINEAR)
        labels, depth = np.take(labels, bend.nearest), np.take(depth, bend.nearest)
    maps = maps_of(mesh, labels)
    hidden = hidden_shares(mesh, drawn.labels, drawn.area)
    return View(
        image=develop(image, camera, weather, light, ego=scene.ego, rng=rng),
        calibration=camera.calibration,
        boxes=boxes_of(mesh, camera.calibration, pose, maps, hidden),
        surfaces=maps.surfaces,
        instances=maps.instances,
        depth=depth,
        drivable=maps.drivable,
        lanes=lane_lines(scene, camera.calibration),
    )


@lru_cache(maxsize=64)
def _ideal(calibration: Calibration) -> Calibration:
    """A pinhole camera that sees at least what the bent one sees, at the same scale."""
    if not calibration.distortion.any():
        return calibration
    grid = _undistorted(calibration)
    low = np.floor(grid.reshape(-1, 2).min(axis=0)) - 1
    high = np.ceil(grid.reshape(-1, 2).max(axis=0)) + 2
    matrix = calibration.matrix.copy()
    matrix[:2, 2] -= low
    width, height = (int(v) for v in high - low)
    if width > _WIDEST * calibration.width or height > _WIDEST * calibration.height:
        raise DataError(
            "the lens bends back on itself inside the image",
            where=f"distortion {calibration.distortion.tolist()}",
            remedy="Calibrate again, or give a smaller image",
        )
    return replace(calibration, matrix=matrix, width=width, height=height, distortion=np.zeros(5))


class Bend(NamedTuple):
    """Where each pixel of a bent camera lies in its ideal one."""

    whole: NDArray[np.int16]  # (h, w, 2) as OpenCV's fixed-point maps have it
    part: NDArray[np.uint16]  # (h, w)
    nearest: NDArray[np.int64]  # (h, w) flat index of the nearest pixel


@lru_cache(maxsize=64)
def _bend(calibration: Calibration) -> Bend:
    ideal = _ideal(calibration)
    shift = ideal.matrix[:2, 2] - calibration.matrix[:2, 2]
    grid = (_undistorted(calibration) + shift).astype(np.float32)
    across, down = np.ascontiguousarray(grid[..., 0]), np.ascontiguousarray(grid[..., 1])
    whole: Any
    part: Any
    whole, part = cv2.convertMaps(across, down, cv2.CV_16SC2)
    near = np.clip(np.rint(grid).astype(np.int64), 0, [ideal.width - 1, ideal.height - 1])
    return Bend(whole, part, near[..., 1] * ideal.width + near[..., 0])


@lru_cache(maxsize=4)
def _undistorted(calibration: Calibration) -> Floats:
    """(h, w, 2) pixels of the ideal camera with the same matrix, for every pixel.

    Solved on every fourth pixel and interpolated: a lens bends smoothly.
    """
    height, width = calibration.height, calibration.width
    down, across = (np.arange(0, n + _COARSE, _COARSE, dtype=float) for n in (height, width))
    nodes = np.stack(np.meshgrid(across, down), axis=-1)
    matrix, bend = calibration.matrix, calibration.distortion
    flat = cv2.undistortPoints(nodes.reshape(-1, 1, 2), matrix, bend, P=matrix).reshape(nodes.shape)
    rows, columns = np.arange(height) / _COARSE, np.arange(width) / _COARSE
    y, x = rows.astype(int), columns.astype(int)
    t, s = (rows - y)[:, None, None], (columns - x)[:, None]
    wide = flat[:, x] * (1 - s) + flat[:, x + 1] * s
    return wide[y] * (1 - t) + wide[y + 1] * t
