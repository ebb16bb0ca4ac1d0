"""What a street scene is: a map, what moves on it, the vehicle that looks, and the time.

Both faces of the world share it. `world.render` draws a `Scene`; `traffic` moves its actors. To
show a roll-out as video, keep the map and replace `actors`, `ego` and `time_s` in every step.
Ground is flat: road surfaces lie at z = 0, pavements a kerb higher. All positions are metres in
the world frame, all yaws radians anti-clockwise from world x, all times seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from verticals.driving.frame import OBJECTS

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.integer[Any]]

KERB = 0.12  # height of a pavement above the road
LIGHTS = ("red", "red_amber", "amber", "green")  # states of a traffic light, in UK order
SIZES = {  # length, width, height of a common example
    "car": (4.3, 1.78, 1.47), "van": (5.2, 1.95, 2.2), "truck": (8.0, 2.4, 3.2),
    "bus": (11.0, 2.5, 3.1), "pedestrian": (0.6, 0.55, 1.72), "cyclist": (1.75, 0.55, 1.75),
    "motorcycle": (2.1, 0.75, 1.6),
}  # fmt: skip

Paint = Literal["none", "dashed", "solid", "double"]


@dataclass(frozen=True, eq=False)
class Lane:
    """A strip that traffic follows from the first point of its centre line to the last."""

    centre: Floats  # (k, 2) at most a few metres apart
    width: float = 3.3
    kind: Literal["drive", "bus", "cycle", "parking", "turn"] = "drive"  # "turn": in a junction
    left: Paint = "dashed"  # the line on its left, seen in the direction of travel
    right: Paint = "solid"
    limit: float = 13.4  # metres per second
    follows: tuple[int, ...] = ()  # lanes that go on where this one ends
    beside: tuple[int, int] = (-1, -1)  # lanes to change into, on the left and on the right; -1

    @cached_property
    def lengths(self) -> Floats:
        """(k,) distance travelled at each point of the centre line."""
        steps = np.hypot(*np.diff(self.centre, axis=0).T)
        return np.concatenate([[0.0], np.cumsum(steps)])

    def at(self, travelled: Floats | float, offset: Floats | float = 0.0) -> Floats:
        """Poses along the lane.

        Args:
            travelled: (n,) or one distance from its start; beyond its ends it goes straight on.
            offset: Metres to the left of the centre line.

        Returns:
            (n, 3) x, y, yaw.
        """
        s = np.atleast_1d(np.asarray(travelled, float))
        i = np.clip(np.searchsorted(self.lengths, s, side="right") - 1, 0, len(self.centre) - 2)
        step = self.centre[i + 1] - self.centre[i]
        along = step / np.hypot(step[:, 0], step[:, 1])[:, None]
        point = self.centre[i] + along * (s - self.lengths[i])[:, None]
        point = point + np.stack([-along[:, 1], along[:, 0]], 1) * np.reshape(offset, (-1, 1))
        return np.column_stack([point, np.arctan2(along[:, 1], along[:, 0])])


@dataclass(frozen=True, eq=False)
class Crossing:
    """Where people cross the road."""

    corners: Floats  # (4, 2): from kerb to kerb and back; the first edge is walked along
    zebra: bool = True  # painted stripes; else dotted lines, at a light
    signal: int = -1  # traffic light that stops the cars here, index into signals; -1 none


@dataclass(frozen=True, eq=False)
class StopLine:
    """Where traffic of a lane waits."""

    lane: int
    at: float  # metres travelled along the lane
    signal: int = -1  # index into signals; -1: give way


@dataclass(frozen=True, eq=False)
class Signal:
    """A traffic light: one head on a pole, and its programme."""

    position: Floats  # (2,)
    yaw: float  # the way its lamps face
    cycle: tuple[tuple[str, float], ...]  # states of LIGHTS and their seconds, repeated
    offset_s: float = 0.0  # of the programme at time 0
    height: float = 2.6  # of the middle lamp

    def state(self, time_s: float) -> str:
        """What it shows."""
        left = (time_s + self.offset_s) % sum(seconds for _, seconds in self.cycle)
        for state, seconds in self.cycle:
            if left < seconds:
                return state
            left -= seconds
        return self.cycle[-1][0]


@dataclass(frozen=True, eq=False)
class Sign:
    """A traffic sign on its pole."""

    kind: str  # a name in `signs.SIGNS`
    position: Floats  # (2,)
    yaw: float  # the way its face looks
    height: float = 2.3  # of its middle
    size: float = 0.65  # width


@dataclass(frozen=True, eq=False)
class Area:
    """A convex piece of ground."""

    outline: Floats  # (k, 2), anti-clockwise
    kind: Literal["road", "pavement", "verge"]


@dataclass(frozen=True, eq=False)
class Marking:
    """Paint on the road along a line."""

    points: Floats  # (k, 2)
    width: float = 0.12
    dash: tuple[float, float] = (0.0, 0.0)  # metres painted and left out; (0, 0) is solid
    yellow: bool = False
    kind: str = ""  # "solid", "dashed", "double": it bounds a lane; "" decorates
    layer: int = 0  # later layers lie on earlier ones


@dataclass(frozen=True, eq=False)
class Building:
    """A block with a roof; its first edge is the front."""

    corners: Floats  # (4, 2), anti-clockwise
    height: float
    look: int  # seed of its style


@dataclass(frozen=True, eq=False)
class Prop:
    """Something that stands in the street."""

    kind: str  # "tree", "bush", "lamp", "pole", "bollard", "bin", "hoarding", "shelter", "cycle"
    position: Floats  # (2,)
    yaw: float = 0.0
    size: float = 1.0  # height in metres for trees, poles and lamps; else a factor
    look: int = 0
    base: float = KERB


@dataclass(frozen=True, eq=False)
class Fence:
    """A railing, hedge, wall or wooden fence along a line."""

    points: Floats  # (k, 2)
    height: float
    kind: Literal["railing", "wall", "hedge", "panel"]
    look: int = 0


@dataclass(frozen=True, eq=False)
class StreetMap:
    """Everything that stays."""

    lanes: tuple[Lane, ...]
    areas: tuple[Area, ...]
    markings: tuple[Marking, ...] = ()
    crossings: tuple[Crossing, ...] = ()
    stop_lines: tuple[StopLine, ...] = ()
    signals: tuple[Signal, ...] = ()
    signs: tuple[Sign, ...] = ()
    buildings: tuple[Building, ...] = ()
    props: tuple[Prop, ...] = ()
    fences: tuple[Fence, ...] = ()
    left_hand: bool = False  # people drive on the left
    look: int = 0  # seed of its surfaces


@dataclass(frozen=True, eq=False)
class Actors:
    """Everything that may move, n of them, as columns; parked cars too."""

    track_ids: Ints  # (n,) positive and unique
    kinds: Ints  # (n,) index into frame.OBJECTS: vehicles and people
    poses: Floats  # (n, 3) x, y, yaw of the middle of the footprint
    sizes: Floats  # (n, 3) length, width, height
    speeds: Floats  # (n,) metres per second, forward
    looks: Ints  # (n,) seed of body, colours, clothes: the same actor keeps it
    phases: Floats  # (n,) radians of the gait or the pedals; walking adds 2 pi per two steps
    braking: NDArray[np.bool_]  # (n,) brake lights on
    turning: Ints  # (n,) indicator blinking: 1 left, -1 right, 0 none
    bases: Floats  # (n,) metres they stand above the road: KERB on a pavement

    def __len__(self) -> int:
        return len(self.track_ids)

    @staticmethod
    def of(
        kinds: list[str] | tuple[str, ...],
        poses: Floats,
        speeds: Floats | float = 0.0,
        **columns: Any,
    ) -> Actors:
        """Actors of the given kinds, with common sizes and the usual defaults for the rest.

        Args:
            kinds: n names of frame.OBJECTS.
            poses: (n, 3).
            speeds: (n,) or one.
            columns: Any other field, (n,) or one value.
        """
        n = len(kinds)
        ids = np.arange(1, n + 1)
        defaults: dict[str, Any] = {
            "track_ids": ids,
            "sizes": np.array([SIZES[kind] for kind in kinds], float).reshape(n, 3),
            "looks": ids,
            "phases": 0.0,
            "braking": False,
            "turning": 0,
            "bases": 0.0,
        }
        filled = {**defaults, **columns}
        full = {k: v if np.ndim(v) else np.full(n, v) for k, v in filled.items()}
        return Actors(
            kinds=np.array([OBJECTS.index(kind) for kind in kinds], dtype=np.int64),
            poses=np.asarray(poses, float).reshape(n, 3),
            speeds=np.broadcast_to(np.asarray(speeds, float), n).copy(),
            **{k: np.asarray(v) for k, v in full.items()},
        )


@dataclass(frozen=True, eq=False)
class Ego:
    """The vehicle that carries the sensors: the point on the ground below its rear axle."""

    x: float
    y: float
    yaw: float
    speed: float = 0.0  # metres per second
    yaw_rate: float = 0.0  # radians per second

    def pose(self) -> Floats:
        """(4, 4) world from ego."""
        cos, sin = np.cos(self.yaw), np.sin(self.yaw)
        pose = np.eye(4)
        pose[:2, :2] = [[cos, -sin], [sin, cos]]
        pose[:2, 3] = self.x, self.y
        return pose


@dataclass(frozen=True, eq=False)
class Scene:
    """One moment."""

    street: StreetMap
    actors: Actors
    ego: Ego
    time_s: float = 0.0
    seed: int = 0  # names the sequence
    lights: tuple[str, ...] | None = None  # states of the signals; None: their own programmes
    index: int = field(default=0, kw_only=True)  # of the frame in its sequence

    def light_states(self) -> tuple[str, ...]:
        """What each signal of the map shows now."""
        if self.lights is not None:
            return self.lights
        return tuple(signal.state(self.time_s) for signal in self.street.signals)
