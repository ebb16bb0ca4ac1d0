"""A spinning LiDAR: where each ray meets the first face, column by column.

A half-plane of rays cuts a convex face in a segment; between the elevations of its two ends every
ray hits. So a sweep is a z-buffer in range-image space, exact for every ray.
"""

# ruff: noqa: PLR0912, PLR0915, PLR0917 - compiled loops take plain arrays by position

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from verticals.driving.world.faces import CUTOUT, DOUBLE
from verticals.driving.world.mesh import Mesh
from verticals.driving.world.raster import _texel
from verticals.driving.world.scene import Floats
from verticals.driving.world.textures import texels
from verticals.driving.world.weather import DAY, Weather

_NEAR = 0.5


@dataclass(frozen=True, eq=False)
class Lidar:
    """One sensor."""

    elevations: Floats = field(default_factory=lambda: np.radians(np.linspace(-25, 10, 32)))
    columns: int = 1024
    position: tuple[float, float, float] = (1.0, 0.0, 1.85)  # metres, in the ego frame
    reach: float = 100.0  # metres
    noise: float = 0.02  # metres, standard deviation of the range
    loss: float = 0.02  # share of the returns that never come back


@dataclass(frozen=True, eq=False)
class Sweep:
    """One turn."""

    points: NDArray[np.float32]  # (p, 5) x y z intensity ring, ego frame
    instances: NDArray[np.int32]  # (p,) number of the object hit, 0 for none
    faces: NDArray[np.int32]  # (p,) face hit
    ranges: NDArray[np.float32]  # (rings, columns) true metres, inf where nothing is in reach


def sweep(
    mesh: Mesh,
    lidar: Lidar,
    world_from_ego: Floats,
    weather: Weather = DAY,
    rng: np.random.Generator | None = None,
) -> Sweep:
    """One sweep of a scene.

    Args:
        mesh: The scene.
        lidar: The sensor.
        world_from_ego: (4, 4).
        weather: Rain and fog shorten the reach and return early.
        rng: For noise and losses; absent: a perfect sensor.
    """
    origin = world_from_ego[:3, :3] @ np.array(lidar.position) + world_from_ego[:3, 3]
    heading = float(np.arctan2(world_from_ego[1, 0], world_from_ego[0, 0]))
    order = np.argsort(lidar.elevations)
    slopes = np.tan(np.asarray(lidar.elevations, float)[order])
    rings = len(slopes)
    flat = np.full((rings, lidar.columns), np.inf, np.float32)
    hit = np.full((rings, lidar.columns), -1, np.int32)
    faces, planes = mesh.faces, mesh.planes
    _cast(
        faces.corners, planes.plane, planes.mapping, faces.texture, faces.flags, texels(), origin,
        heading, slopes, lidar.reach, flat, hit,
    )  # fmt: skip
    stretch = np.sqrt(1 + slopes**2)[:, None].astype(np.float32)
    ranges = flat * stretch
    ranges[ranges > lidar.reach] = np.inf
    kept = np.isfinite(ranges)
    measured = ranges.copy()
    angles = np.arange(lidar.columns) * (2 * np.pi / lidar.columns)
    intensity = np.zeros_like(ranges)
    ring, column = np.nonzero(kept)
    face = hit[ring, column]
    ray = np.stack([np.cos(angles[column]), np.sin(angles[column]), slopes[ring]], axis=1)
    ray /= stretch[ring]
    turn = world_from_ego[:3, :3]
    facing = np.abs(((ray @ turn.T) * planes.plane[face, :3]).sum(axis=1))
    bright = faces.tint[face].mean(axis=1) * (0.25 + 0.75 * facing) + 0.5 * faces.glow[face].clip(
        0, 1
    )
    intensity[ring, column] = bright.clip(0, 1)
    if rng is not None:
        kept = _weathered(measured, intensity, kept, lidar, weather, rng)
    ring, column = np.nonzero(kept)
    distance = measured[ring, column] / stretch[ring, 0]
    points = np.stack(
        [
            lidar.position[0] + distance * np.cos(angles[column]),
            lidar.position[1] + distance * np.sin(angles[column]),
            lidar.position[2] + distance * slopes[ring],
            intensity[ring, column],
            order[ring],
        ],
        axis=1,
    )
    face = hit[ring, column]
    owner = np.append(faces.instance, 0)[face]
    return Sweep(points.astype(np.float32), owner.astype(np.int32), face, ranges[np.argsort(order)])


def _weathered(
    measured: NDArray[np.float32], intensity: NDArray[np.float32], kept: NDArray[np.bool_],
    lidar: Lidar, weather: Weather, rng: np.random.Generator,
) -> NDArray[np.bool_]:  # fmt: skip
    """Noise, losses, and rain that answers before the world does; changes the first two."""
    dice = rng.random(measured.shape, dtype=np.float32)
    damp = 0.02 * weather.rain + weather.fog
    with np.errstate(invalid="ignore"):
        lost = lidar.loss + (1 - np.exp(-damp * np.where(kept, measured, 0.0))) * (
            1 - 0.5 * intensity
        )
    kept = kept & (dice > lost)
    measured += rng.standard_normal(measured.shape, dtype=np.float32) * np.float32(lidar.noise)
    early = kept & (dice > 1 - 0.03 * weather.rain) & (measured > 4)
    measured[early] = 1.5 + 6 * rng.random(int(early.sum()), dtype=np.float32)
    intensity[early] = 0.02
    return kept


@njit(cache=True, nogil=True, error_model="numpy")
def _cast(
    corners: Any, plane: Any, mapping: Any, texture: Any, flags: Any, texel: Any, origin: Any,
    heading: float, slopes: Any, reach: float, flat: Any, hit: Any,
) -> None:  # fmt: skip
    """Fill `flat` (rings, columns) with horizontal distances and `hit` with faces."""
    rings, columns = flat.shape
    step = 2 * np.pi / columns
    p = np.empty((4, 3))
    for f in range(len(corners)):
        n0, n1, n2 = plane[f, 0], plane[f, 1], plane[f, 2]
        away = plane[f, 3] - n0 * origin[0] - n1 * origin[1] - n2 * origin[2]
        if (away >= 0 and flags[f] & DOUBLE == 0) or abs(away) < 1e-6 or abs(away) > reach:
            continue
        first, low, high = 0.0, 0.0, 0.0
        for i in range(4):
            for k in range(3):
                p[i, k] = corners[f, i, k] - origin[k]
            angle = np.arctan2(p[i, 1], p[i, 0]) - heading
            if i == 0:
                first = angle
            turn = angle - first
            turn -= 2 * np.pi * np.floor(turn / (2 * np.pi) + 0.5)
            low, high = min(low, turn), max(high, turn)
        start, end = int(np.ceil((first + low) / step)), int(np.floor((first + high) / step))
        if high - low > 3.1:  # it may reach around the sensor
            start, end = 0, columns - 1
        for c in range(start, end + 1):
            cos, sin = np.cos(heading + c * step), np.sin(heading + c * step)
            smallest, largest, crossings = 1e18, -1e18, 0
            behind = False
            for i in range(4):
                j = (i + 1) % 4
                a = cos * p[i, 1] - sin * p[i, 0]
                b = cos * p[j, 1] - sin * p[j, 0]
                if (a < 0) == (b < 0):
                    continue
                t = a / (a - b)
                x = p[i, 0] + t * (p[j, 0] - p[i, 0])
                y = p[i, 1] + t * (p[j, 1] - p[i, 1])
                z = p[i, 2] + t * (p[j, 2] - p[i, 2])
                out = cos * x + sin * y
                if out > 1e-9:
                    crossings += 1
                    smallest, largest = min(smallest, z / out), max(largest, z / out)
                else:
                    behind = True
            if crossings == 0:
                continue
            if behind:  # the face passes straight above or below the sensor
                if away / n2 > 0:
                    largest = 1e18
                else:
                    smallest = -1e18
            column = c % columns
            side = n0 * cos + n1 * sin
            for r in range(rings):
                slope = slopes[r]
                if slope < smallest or slope > largest:
                    continue
                d = away / (side + n2 * slope)
                if d <= _NEAR or d >= flat[r, column]:
                    continue
                if flags[f] & CUTOUT:
                    x, y, z = origin[0] + d * cos, origin[1] + d * sin, origin[2] + d * slope
                    g = mapping[f]
                    u = g[0] * x + g[1] * y + g[2] * z + g[3]
                    v = g[4] * x + g[5] * y + g[6] * z + g[7]
                    if texel[texture[f], _texel(u, v, 0), 3] < 128:
                        continue
                flat[r, column] = d
                hit[r, column] = f
