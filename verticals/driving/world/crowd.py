"""Who is in the street: parked rows, queues, traffic, walkers; each a simple function of time.

Good for seconds of video. Traffic that reacts belongs to the traffic environment.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from verticals.driving.world.plan import Plan
from verticals.driving.world.scene import KERB, SIZES, Actors, Ego, Floats, Lane, Scene, StreetMap

_SLIM = ("pedestrian", "cyclist", "motorcycle")
_MIX = ("car", "car", "car", "car", "car", "car", "van", "van", "truck", "bus", "motorcycle")


@dataclass(frozen=True, eq=False)
class Mover:
    """One actor, and how it goes on from time 0: steadily along an arc."""

    kind: str
    pose: Floats  # (3,) x, y, yaw at time 0
    speed: float
    size: tuple[float, float, float]
    look: int
    curvature: float = 0.0  # per metre, positive to the left
    base: float = 0.0
    braking: bool = False
    turning: int = 0


def _onwards(poses: Floats, speeds: Floats, curvatures: Floats, time_s: float) -> Floats:
    """(n, 3) poses after a while on arcs."""
    way, turn = speeds * time_s, speeds * time_s * curvatures
    chord = way * np.sinc(turn / 2 / np.pi)
    yaw = poses[:, 2] + turn / 2
    moved = poses[:, :2] + chord[:, None] * np.stack([np.cos(yaw), np.sin(yaw)], axis=1)
    return np.column_stack([moved, poses[:, 2] + turn])


@dataclass(frozen=True, eq=False)
class Crowd:
    """Everybody in a street, and the vehicle that looks."""

    street: StreetMap
    movers: tuple[Mover, ...]  # the last one is the ego
    seed: int

    def scene(self, time_s: float, index: int = 0) -> Scene:
        """The moment, `time_s` seconds after the beginning."""
        everyone = self.movers
        others = everyone[:-1]
        poses = _onwards(
            np.array([mover.pose for mover in everyone]),
            np.array([mover.speed for mover in everyone]),
            np.array([mover.curvature for mover in everyone]),
            time_s,
        )
        actors = Actors.of(
            [mover.kind for mover in others],
            poses[:-1],
            np.array([mover.speed for mover in others]),
            sizes=np.array([mover.size for mover in others]).reshape(-1, 3),
            looks=np.array([mover.look for mover in others], int),
            phases=np.array([_gait(mover) * time_s + mover.look % 63 / 10 for mover in others]),
            braking=np.array([mover.braking for mover in others], bool),
            turning=np.array([mover.turning for mover in others], int),
            bases=np.array([mover.base for mover in others], float),
        )
        x, y, yaw = (float(v) for v in poses[-1])
        me = everyone[-1]
        ego = Ego(x, y, yaw, me.speed, me.speed * me.curvature)
        return Scene(self.street, actors, ego, time_s, self.seed, index=index)


def _gait(mover: Mover) -> float:
    """Radians per second of the steps or the pedals."""
    return 2 * np.pi * mover.speed / (1.45 if mover.kind == "pedestrian" else 4.5)


def populate(street: StreetMap, plan: Plan) -> Crowd:
    """Fill a street with people and vehicles at random; the plan's seed decides."""
    rng = np.random.default_rng([61, plan.seed])
    drive = [lane for lane in street.lanes if lane.kind == "drive" and lane.lengths[-1] > 25]
    stops = {stop.lane: stop for stop in street.stop_lines}
    # a side street is looked along towards the junction only, where there is something to see
    busy = [lane for lane in drive if lane.limit > 9 or lane.follows]
    weights = np.array([lane.lengths[-1] for lane in busy])
    lane = busy[rng.choice(len(busy), p=weights / weights.sum())]
    ego_at = float(rng.uniform(0.1, 0.75) * lane.lengths[-1])
    ego_speed = 0.0 if rng.random() < 0.2 else float(rng.uniform(3, 14))
    movers: list[Mover] = []
    density = rng.uniform(0.2, 1.0)
    for number, other in enumerate(street.lanes):
        if other.kind == "drive":
            hole = (ego_at - 7, ego_at + rng.uniform(9, 45)) if other is lane else None
            signal = stops[number].signal if number in stops else -1
            red = signal >= 0 and street.signals[signal].state(0.0) == "red"
            pace = ego_speed if other is lane else float(rng.uniform(4, 13))
            movers += _traffic(other, rng, density, hole=hole, queue=red, pace=pace)
    me = lane.at(ego_at, float(rng.normal(0, 0.15)))[0]
    movers += _parked(plan, rng)
    movers += _cyclists(plan, rng, me)
    movers += _walkers(street, plan, rng, me)
    movers.append(Mover("car", me, ego_speed, SIZES["car"], 0, _curvature(lane, ego_at)))
    return Crowd(street, tuple(movers), plan.seed)


def _curvature(lane: Lane, at: float) -> float:
    """Of a lane, as an arc through three metres before and after; zero on straight ones."""
    turn = lane.at(np.array([at - 3, at + 3]))[:, 2]
    return float((turn[1] - turn[0] + np.pi) % (2 * np.pi) - np.pi) / 6


def _size(kind: str, rng: np.random.Generator) -> tuple[float, float, float]:
    spread = {"car": (0.08, 0.05, 0.07), "pedestrian": (0.05, 0.08, 0.07)}.get(
        kind, (0.1, 0.04, 0.06)
    )
    scale = 1 + rng.normal(0, 1, 3).clip(-2, 2) * spread
    if kind == "pedestrian" and rng.random() < 0.1:
        scale = scale * 0.72  # a child
    length, width, height = np.array(SIZES[kind]) * scale
    return float(length), float(width), float(height)


def _look(rng: np.random.Generator) -> int:
    return int(rng.integers(1, 1 << 30))


def _traffic(
    lane: Lane, rng: np.random.Generator, density: float, *,
    hole: tuple[float, float] | None, queue: bool, pace: float,
) -> list[Mover]:  # fmt: skip
    """Vehicles one behind the other; from the front back, so that a queue begins at the line."""
    made = []
    at = float(lane.lengths[-1]) - 1.0
    if not queue:
        at -= rng.uniform(0, 30)
    standing = queue
    while at > 3:
        kind = str(rng.choice(_MIX))
        size = _size(kind, rng)
        middle = at - size[0] / 2
        blocked = hole is not None and hole[0] - size[0] / 2 < middle < hole[1] + size[0] / 2
        if middle > 3 and not blocked:
            made.append(
                Mover(kind, lane.at(middle, float(rng.normal(0, 0.12)))[0],
                      0.0 if standing else pace, size, _look(rng), _curvature(lane, middle),
                      braking=standing or rng.random() < 0.15,
                      turning=int(rng.choice([0, 0, 0, 0, 0, 1, -1])))
            )  # fmt: skip
        if standing and rng.random() < 0.35:
            standing = False
            at -= 15
        at -= size[0] + (rng.uniform(1.2, 3.0) if standing else rng.uniform(6, 50) / density)
    return made


def _beside(plan: Plan, s: float, t: float, *, back: bool = False) -> tuple[Floats, float]:
    """Pose and curvature of someone t metres left of the main road's middle, along it or back."""
    yaw = plan.yaw(s) + (np.pi if back else 0.0)
    bend = plan.curvature / (1 - plan.curvature * t)
    return np.array([*plan.point(s, t), yaw]), -bend if back else bend


def _parked(plan: Plan, rng: np.random.Generator) -> list[Mover]:
    """Rows of parked cars in the strips, and now and then at a kerb without one."""
    made = []
    for side, half, strip in (
        (1, plan.half[0], plan.parking[0]),
        (-1, plan.half[1], plan.parking[1]),
    ):
        if not strip and rng.random() < 0.75:
            continue
        facing = (side > 0) != plan.left_hand
        full = rng.uniform(0.3, 0.95) if strip else rng.uniform(0.05, 0.2)
        s = plan.start + 5.0
        while s < plan.end - 8:
            size = _size(str(rng.choice(["car"] * 6 + ["van"])), rng)
            clear = plan.junction == "none" or abs(s + 2 - plan.at) > plan.side_half + 9
            clear &= plan.zebra is None or abs(s + 2 - plan.zebra) > 7
            if clear and rng.random() < full:
                kind = "van" if size[2] > 1.8 else "car"
                t = side * (half - 0.15 - size[1] / 2)
                turn = np.pi if facing != (rng.random() < 0.15) else 0.0
                pose, _ = _beside(plan, s + size[0] / 2, t)
                pose[2] += turn + rng.normal(0, 0.02)
                made.append(Mover(kind, pose, 0.0, size, _look(rng)))
            s += size[0] + rng.uniform(0.5, 1.6)
    return made


def _cyclists(plan: Plan, rng: np.random.Generator, me: Floats) -> list[Mover]:
    """People on bicycles near the kerb of either direction."""
    made = []
    for way in (1, -1):
        side = way if plan.left_hand else -way
        index = 0 if side > 0 else 1
        t = side * (plan.half[index] - (2.2 if plan.parking[index] else 0.0) - 0.75)
        for _ in range(rng.poisson(3.5)):
            pose, bend = _beside(plan, float(rng.uniform(plan.start, plan.end)), t, back=way < 0)
            if np.hypot(*(pose[:2] - me[:2])) < 6:
                continue
            speed, size = float(rng.uniform(2.5, 6)), _size("cyclist", rng)
            made.append(Mover("cyclist", pose, speed, size, _look(rng), bend))
    return made


def _walkers(street: StreetMap, plan: Plan, rng: np.random.Generator, me: Floats) -> list[Mover]:
    """People on both pavements, alone and in groups, standing and walking; some on crossings."""
    made = []
    busy = rng.gamma(1.5, 7.0) * {"shops": 1.4, "park": 0.8}.get(plan.kind, 0.7)
    here = float(me[0])  # close enough to the ego's s, and the middle of what it sees
    for index, side in enumerate((1, -1)):
        inner = plan.half[index] + plan.verge[index] + 0.5
        outer = max(inner + 0.1, inner + plan.pavement[index] - 0.8)
        for _ in range(rng.poisson(busy / 2)):
            s = here + np.cos(me[2]) * float(rng.uniform(-10, 20) + rng.gamma(1.5, 14))
            t = side * float(rng.uniform(inner, outer))
            pose, bend = _beside(plan, s, t, back=bool(rng.random() < 0.5))
            made += _group(pose, bend, rng, base=KERB)
    for crossing in street.crossings:
        a, b, c, d = crossing.corners
        for _ in range(rng.poisson(1.4)):
            share, done = rng.uniform(0.15, 0.85), rng.uniform(0, 1)
            made += _group(
                _between(a + (d - a) * share, b + (c - b) * share, done, rng), 0.0, rng, base=0.0
            )
    for _ in range(rng.poisson(0.8)):  # across the road, anywhere but before the bumper
        s = here + float(rng.uniform(8, 60))
        ends = plan.world(np.array([[s, -plan.half[1]], [s + rng.normal(0, 1), plan.half[0]]]))
        made += _group(_between(ends[0], ends[1], rng.uniform(0, 1), rng), 0.0, rng, base=0.0)
    return made


def stroll(crowd: Crowd, plan: Plan, view: float) -> Crowd:
    """The same street seen by someone on foot, with people a few steps before the camera.

    Args:
        crowd: As `populate` made it.
        plan: Of the street.
        view: Horizontal field of view in radians; people are put inside it.
    """
    rng = np.random.default_rng([62, plan.seed])
    side = 1 if rng.random() < 0.5 else -1
    index = 0 if side > 0 else 1
    half, edge = plan.half, tuple(
        plan.half[k] + plan.verge[k] + plan.pavement[k] for k in range(2)
    )  # fmt: skip
    s0, t0 = float(rng.uniform(-10, 110)), side * float(rng.uniform(half[index], edge[index] - 0.4))
    along = float(rng.choice([0.0, np.pi])) + float(rng.normal(0, 0.35))
    turn = -side * np.pi / 2 + float(rng.normal(0, 0.5)) if rng.random() < 0.4 else along
    me = np.array([*plan.point(s0, t0), plan.yaw(s0) + turn])
    people: list[Mover] = []
    for _ in range(1 + rng.poisson(1.6)):
        far, aside = float(rng.uniform(2.6, 5) + rng.exponential(2.5)), float(rng.uniform(-1, 1))
        angle = turn + 0.42 * view * aside
        s, t = s0 + far * np.cos(angle), t0 + far * np.sin(angle)
        k = 0 if t > 0 else 1
        if abs(t) > edge[k] - 0.2:
            continue  # a house stands there
        way = turn + float(rng.choice([0.0, np.pi, np.pi / 2, -np.pi / 2]) + rng.normal(0, 0.4))
        pose = np.array([*plan.point(s, t), plan.yaw(s) + way])
        people += _group(pose, 0.0, rng, base=KERB if abs(t) > half[k] else 0.0)
    clear = [
        mover for mover in (*crowd.movers[:-1], *people)
        if np.hypot(*(mover.pose[:2] - me[:2])) > (1.8 if mover.kind in _SLIM else 5.0)
    ]  # fmt: skip
    pace = 0.0 if rng.random() < 0.5 else float(rng.uniform(0.2, 1.0))
    ego = Mover("pedestrian", me, pace, SIZES["pedestrian"], 0)
    return Crowd(crowd.street, (*clear, ego), crowd.seed)


def _between(a: Floats, b: Floats, done: float, rng: np.random.Generator) -> Floats:
    """(3,) pose of someone who has walked a share of the way from a to b, or back."""
    if rng.random() < 0.5:
        a, b = b, a
    return np.array([*(a + (b - a) * done), np.arctan2(*(b - a)[::-1])])


def _group(pose: Floats, bend: float, rng: np.random.Generator, *, base: float) -> list[Mover]:
    """One to four people together."""
    stands = base > 0 and rng.random() < 0.25
    pace = 0.0 if stands else float(rng.uniform(0.8, 1.8))
    ahead = np.array([np.cos(pose[2]), np.sin(pose[2])])
    left = np.array([-ahead[1], ahead[0]])
    made = []
    for k in range(int(rng.choice([1, 1, 1, 2, 2, 3, 4]))):
        step = rng.normal(0, 0.3) + 0.2 * k
        beside = 0.6 * ((k + 1) // 2) * (-1) ** k + rng.normal(0, 0.08)
        x, y = pose[:2] + step * ahead + beside * left
        yaw = pose[2] + (rng.uniform(0, 2 * np.pi) if stands else rng.normal(0, 0.05))
        size = _size("pedestrian", rng)
        made.append(Mover("pedestrian", np.array([x, y, yaw]), pace, size, _look(rng), bend, base))
    return made
