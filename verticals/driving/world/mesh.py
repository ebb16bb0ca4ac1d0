"""All faces of a scene, and the table of the objects among them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from verticals.driving.frame import OBJECTS
from verticals.driving.world.buildings import buildings
from verticals.driving.world.faces import Faces, Floats, Planes, join, place, planes
from verticals.driving.world.ground import ground
from verticals.driving.world.people import bodies, reach
from verticals.driving.world.scene import SIZES, Scene, StreetMap
from verticals.driving.world.scenery import fence, prop, sign, signal_head, signal_pole
from verticals.driving.world.textures import layer
from verticals.driving.world.vehicles import paint, vehicle

SIGN_IDS, SIGNAL_IDS = 20_000, 10_000  # track ids of what stands begin here; actors stay below
_REACH = 170.0  # metres around the ego within which there is anything
_REACH_BACK = 60.0  # ... what stands, behind an ego that only looks ahead
_REACH_PEOPLE = 90.0  # ... people
_CLOSE = 22.0  # ... people whose every step is drawn
_OUTFITS = 4096  # that people wear
_BODIES = 24  # shapes of each kind of vehicle; every one has its own paint
_CELL = 25.0  # side of a cell whose surroundings are kept
_PEOPLE = ("pedestrian", "cyclist", "motorcycle")


@dataclass(frozen=True, eq=False)
class Objects:
    """What has a number in the faces' `instance`: row i is instance i + 1."""

    track_ids: NDArray[np.int64]  # (n,)
    classes: NDArray[np.int64]  # (n,) index into frame.OBJECTS
    boxes: Floats  # (n, 7) x y z length width height yaw in the world
    velocity: Floats  # (n, 2)
    details: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.track_ids)


@dataclass(frozen=True, eq=False)
class Kept:
    """Faces that stay the same for many frames."""

    faces: Faces
    planes: Planes


@dataclass(frozen=True, eq=False)
class Mesh:
    """The scene as the sensors meet it."""

    faces: Faces
    planes: Planes
    objects: Objects
    lamps: Floats  # (n, 3) street lamps
    kept: Kept | None = None  # the first faces, if they are shared with other frames


@dataclass(frozen=True, eq=False)
class _Standing:
    faces: Faces
    planes: Planes
    centres: Floats  # (f, 2)
    radii: Floats  # (f,)
    lamps: Floats
    sign_boxes: Floats  # (signs, 7)


@lru_cache(maxsize=4)
def _standing(street: StreetMap) -> _Standing:
    """Everything of a map that never changes; kept, since a sequence asks for it in every frame."""
    parts = [ground(street)]
    parts.append(buildings(street.buildings))
    parts += [prop(thing) for thing in street.props]
    parts += [fence(line) for line in street.fences]
    parts += [signal_pole(light) for light in street.signals]
    boxes = []
    for number, item in enumerate(street.signs, start=1):
        plate, pole = sign(item)
        parts += [pole, plate.of(number)]
        boxes.append([*plate.corners.reshape(-1, 3).mean(0), 0.1, item.size, item.size, item.yaw])
    faces = join(parts)
    flat = faces.corners[..., :2]
    centres = flat.mean(axis=1)
    radii = np.linalg.norm(flat - centres[:, None], axis=2).max(axis=1)
    heads = [
        [p.position[0] + np.cos(p.yaw) * 1.2, p.position[1] + np.sin(p.yaw) * 1.2, p.size]
        for p in street.props
        if p.kind == "lamp"
    ]
    return _Standing(
        faces, planes(faces.corners, faces.uv), centres, radii,
        np.array(heads).reshape(-1, 3), np.array(boxes).reshape(-1, 7),
    )  # fmt: skip


@lru_cache(maxsize=8)
def _near(street: StreetMap, column: int, row: int, heading: int) -> Kept:
    """What stands near a cell of the ground; an ego stays in one for many frames.

    Args:
        street: The map.
        column: Of the cell.
        row: Of the cell.
        heading: Eighth of a turn that the ego looks along, to leave out what lies far behind; -1
            keeps all.
    """
    standing = _standing(street)
    apart = standing.centres - [column * _CELL, row * _CELL]
    kept = np.hypot(*apart.T) - standing.radii < _REACH + _CELL
    if heading >= 0:
        angle = heading * np.pi / 4
        ahead = apart @ np.array([np.cos(angle), np.sin(angle)])
        kept &= ahead + standing.radii > -_REACH_BACK
    rows = np.flatnonzero(kept)
    drawn = standing.planes
    return Kept(
        standing.faces[rows],
        Planes(drawn.plane[rows], drawn.mapping[rows], drawn.density[rows]),
    )


def assemble(scene: Scene, *, lights_on: bool = False, behind: float = np.inf) -> Mesh:
    """All faces near the ego, and the objects.

    Args:
        scene: The moment.
        lights_on: Vehicles have their lamps on.
        behind: Leave out the faces of actors farther behind the ego than this, in metres, and
            whatever stands far behind; infinite: keep all.
    """
    street, ego = scene.street, scene.ego
    standing = _standing(street)
    heading = -1 if np.isinf(behind) else round(ego.yaw / (np.pi / 4)) % 8
    still = _near(street, round(ego.x / _CELL), round(ego.y / _CELL), heading)
    parts, boxes = [], [standing.sign_boxes]
    first = len(street.signs) + 1
    states = scene.light_states()
    for number, (light, state) in enumerate(zip(street.signals, states, strict=True), start=first):
        parts.append(signal_head(light, state).of(number))
        boxes.append(np.array([[*light.position, light.height, 0.2, 0.34, 1.0, light.yaw]]))
    first += len(street.signals)
    crowd, actor_boxes = _actors(scene, first, lights_on=lights_on, behind=behind)
    parts.append(crowd)
    boxes.append(actor_boxes)
    moving = join(parts)
    fresh = planes(moving.corners, moving.uv)
    every = Planes(
        np.concatenate([still.planes.plane, fresh.plane]),
        np.concatenate([still.planes.mapping, fresh.mapping]),
        np.concatenate([still.planes.density, fresh.density]),
    )
    near = np.hypot(*(standing.lamps[:, :2] - [ego.x, ego.y]).T).argsort()[:8]
    objects = _objects(scene, states, np.concatenate(boxes))
    return Mesh(join([still.faces, moving]), every, objects, standing.lamps[near], still)


def _objects(scene: Scene, states: tuple[str, ...], boxes: Floats) -> Objects:
    signs, signals, actors = scene.street.signs, scene.street.signals, scene.actors
    still = np.zeros((len(signs) + len(signals), 2))
    yaws = actors.poses[:, 2]
    moving = actors.speeds[:, None] * np.stack([np.cos(yaws), np.sin(yaws)], axis=1)
    return Objects(
        track_ids=np.concatenate(
            [
                SIGN_IDS + np.arange(len(signs)),
                SIGNAL_IDS + np.arange(len(signals)),
                actors.track_ids,
            ]
        ),
        classes=np.concatenate([
            np.full(len(signs), OBJECTS.index("traffic_sign")),
            np.full(len(signals), OBJECTS.index("traffic_light")),
            actors.kinds,
        ]),
        boxes=boxes,
        velocity=np.concatenate([still, moving]),
        details=(*(item.kind for item in signs), *states, *("" for _ in range(len(actors)))),
    )  # fmt: skip


def _actors(scene: Scene, first: int, *, lights_on: bool, behind: float) -> tuple[Faces, Floats]:
    """Placed faces of all actors but those too far away, numbered from `first`; (n, 7) boxes."""
    actors = scene.actors
    boxes = np.column_stack(
        [
            actors.poses[:, :2],
            actors.bases + actors.sizes[:, 2] / 2,
            actors.sizes,
            actors.poses[:, 2],
        ]
    ).reshape(-1, 7)
    soft = np.isin(actors.kinds, [OBJECTS.index(kind) for kind in _PEOPLE])
    rides = soft & (actors.kinds != OBJECTS.index("pedestrian"))
    boxes[soft, 3:5] = reach(actors.sizes[soft, 2], actors.speeds[soft], rides[soft])
    apart = actors.poses[:, :2] - [scene.ego.x, scene.ego.y]
    distance = np.hypot(*apart.T)
    distance[apart @ scene.ego.pose()[:2, 0] < -behind] = np.inf
    parts = []
    for low, high, sides in ((0.0, _CLOSE, 8), (_CLOSE, _REACH_PEOPLE, 4)):
        rows = np.flatnonzero(soft & (distance >= low) & (distance < high))
        crowd, counts = bodies(
            actors.looks[rows] % _OUTFITS, actors.phases[rows], actors.speeds[rows], rides[rows],
            actors.sizes[rows, 2], np.column_stack([actors.poses[rows], actors.bases[rows]]),
            sides=sides,
        )  # fmt: skip
        parts.append(replace(crowd, instance=np.repeat(rows + first, counts).astype(np.int32)))
    rows = np.flatnonzero(~soft & (distance < _REACH))
    parts.append(_vehicles(scene, rows, first, lights_on=lights_on))
    return join(parts), boxes


def _vehicles(scene: Scene, rows: NDArray[np.intp], first: int, *, lights_on: bool) -> Faces:
    """Placed bodies of the actors in the rows, each in its own paint."""
    actors = scene.actors
    blink = scene.time_s % 0.8 < 0.4
    made = [
        vehicle(
            OBJECTS[actors.kinds[i]], int(actors.looks[i]) % _BODIES,
            braking=bool(actors.braking[i]), lights=lights_on,
            turning=int(actors.turning[i]) if blink else 0,
        )
        for i in rows
    ]  # fmt: skip
    local = join(made)
    if not len(local):
        return local
    counts = np.array([len(body) for body in made])
    usual = np.array([SIZES[OBJECTS[kind]] for kind in actors.kinds[rows]]).reshape(-1, 3)
    paints = np.array([
        paint(OBJECTS[actors.kinds[i]], int(actors.looks[i])) for i in rows
    ])  # fmt: skip
    painted = local.texture == layer("paintwork")
    tint = np.where(painted[:, None], np.repeat(paints, counts, axis=0), local.tint)
    corners = place(
        local.corners, counts, actors.sizes[rows] / usual,
        np.column_stack([actors.poses[rows], actors.bases[rows]]),
    )  # fmt: skip
    numbers = np.repeat(rows + first, counts).astype(np.int32)
    return replace(local, corners=corners, tint=tint.astype(np.float32), instance=numbers)


def in_frame(boxes: Floats, pose: Floats) -> Floats:
    """World boxes (n, 7) in the ego frame of a (4, 4) world-from-ego pose."""
    yaw = np.arctan2(pose[1, 0], pose[0, 0])
    moved = boxes.copy()
    moved[:, :3] = (boxes[:, :3] - pose[:3, 3]) @ pose[:3, :3]
    moved[:, 6] = (boxes[:, 6] - yaw + np.pi) % (2 * np.pi) - np.pi
    return moved
