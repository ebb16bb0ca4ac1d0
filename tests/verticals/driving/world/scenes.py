"""Small scenes for tests: single blocks, and streets without anything random in them."""

from __future__ import annotations

import numpy as np

from verticals.driving.world.faces import Faces, box, faces, join, planes
from verticals.driving.world.mesh import Mesh, Objects
from verticals.driving.world.scene import Actors, Area, Ego, Lane, Scene, StreetMap


def mesh_of(*parts: Faces) -> Mesh:
    """A mesh of objects, numbered from 1 in the order given."""
    whole = join([part.of(number) for number, part in enumerate(parts, start=1)])
    n = len(parts)
    objects = Objects(
        track_ids=np.arange(1, n + 1),
        classes=np.zeros(n, np.int64),
        boxes=np.array([_box(part) for part in parts]).reshape(n, 7),
        velocity=np.zeros((n, 2)),
        details=("",) * n,
    )
    return Mesh(whole, planes(whole.corners, whole.uv), objects, np.zeros((0, 3)))


def _box(part: Faces) -> list[float]:
    points = part.corners.reshape(-1, 3)
    low, high = points.min(axis=0), points.max(axis=0)
    return [*((low + high) / 2), *(high - low), 0.0]


def block(low: tuple[float, float, float], high: tuple[float, float, float]) -> Faces:
    """A solid block."""
    return faces(box(low, high), 8)


def plain_street() -> StreetMap:
    """A straight road along x, two lanes, nothing beside it."""
    line = np.array([[-60.0, 0.0], [140.0, 0.0]])
    road = np.array([[-60.0, -5.0], [140.0, -5.0], [140.0, 5.0], [-60.0, 5.0]])
    lanes = tuple(Lane(line[::way] + np.array([0.0, -1.75 * way])) for way in (1, -1))
    return StreetMap(lanes, (Area(road, "road"),))


def scene_of(*actors: tuple[str, float, float], street: StreetMap | None = None) -> Scene:
    """Actors (kind, x, y) that look along x on the plain street; the ego is at the origin."""
    kinds = [kind for kind, _, _ in actors]
    poses = np.array([[x, y, 0.0] for _, x, y in actors]).reshape(-1, 3)
    return Scene(street or plain_street(), Actors.of(kinds, poses), Ego(0.0, 0.0, 0.0))
