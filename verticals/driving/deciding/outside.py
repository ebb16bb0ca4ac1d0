"""The outside reference: highway-env (Leurent, 2018), seen through our observation.

Its vehicles become rows of our actors, so that the same policy, rule driver and shield decide
there. Its y axis points down; ours up: everything is mirrored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from core.errors import ParameterError
from verticals.driving.deciding.policies import Decide
from verticals.driving.deciding.shield import FREE, LANE_TAKEN, REASONS, lane_free, limits
from verticals.driving.traffic.columns import (
    CAR,
    DELTA,
    FASTER,
    GEAR,
    GOAL,
    HEADING,
    IDLE,
    KIND,
    LENGTH,
    MODE,
    PATH,
    PHI,
    SEEN_HEADING,
    SEEN_V,
    SEEN_X,
    SEEN_Y,
    SLOWER,
    TRACKED,
    WIDTH,
    WISH,
    D,
    S,
    V,
    X,
    Y,
)  # fmt: skip
from verticals.driving.traffic.environment import Traffic
from verticals.driving.traffic.geometry import project
from verticals.driving.traffic.layouts import layout
from verticals.driving.traffic.roads import LANE
from verticals.driving.traffic.seeing import observe

NAMES = {"highway": "highway-fast-v0", "intersection": "intersection-v0"}
_ROWS = 48  # road users that can be mirrored
_INTERSECTION_ACTIONS = {SLOWER: 0, IDLE: 1, FASTER: 2}  # the others keep the speed


@dataclass(frozen=True)
class Episode:
    """What came of one episode."""

    reward: float
    crashed: bool
    arrived: bool
    steps: int
    speed: float  # mean while driving, m/s
    progress: float  # metres along the way
    jerk: float  # root mean square between simulation steps, m/s^3
    hardest: float  # braking, m/s^2
    overruled: int  # decisions in which the shield stepped in
    actions: tuple[int, ...]


class Outside:
    """One environment of highway-env behind the parts of `Traffic` that a driver looks at."""

    def __init__(self, name: str, *, shield: bool = False) -> None:
        import gymnasium
        import highway_env  # noqa: F401 - registers its environments

        if name not in NAMES:
            raise ParameterError(f"no environment {name!r} outside", where="name",
                                 remedy=f"Choose from {', '.join(NAMES)}")  # fmt: skip
        self.name, self.shield, self.num_envs = name, shield, 1
        self.env: Any = gymnasium.make(NAMES[name]).unwrapped
        self.twin = Traffic(layout(name).changed(actors=_ROWS, lowest=-16.0, highest=16.0), 1)
        self.records, self.state = self.twin.records, self.twin.state
        self.seen = self.twin.seen
        self.reasons: list[str] = []

    def reset(self, seed: int, *, native: bool = False) -> None:
        """Begin an episode; `native` puts highway-env's own IDM and MOBIL at the wheel."""
        self.env.reset(seed=seed)
        self.native = native
        if native:
            _take_over(self.env, 30.0 if self.name == "highway" else 9.0)
        elif self.shield:
            _guard(self)
        self.mirror()

    def mirror(self) -> None:
        """Copy the vehicles into our rows, and observe them."""
        actors, world = self.state.actors[0], self.state.world[0]
        roads, rules, speeds, _ = self.records
        actors[:] = 0.0
        ego = self.env.vehicle
        others = [v for v in self.env.road.vehicles if v is not ego]
        for row, vehicle in enumerate([ego, *others][:_ROWS]):
            it = actors[row]
            it[KIND], it[DELTA], it[MODE] = CAR, 4.0, 0.0
            it[X], it[Y], it[HEADING] = vehicle.position[0], -vehicle.position[1], -vehicle.heading
            it[V], it[LENGTH], it[WIDTH] = max(vehicle.speed, 0.0), vehicle.LENGTH, vehicle.WIDTH
            it[WISH] = speeds[-1] if row == 0 else it[V]
            it[PATH] = it[GOAL] = self._path(vehicle, row)
            it[S], it[D] = project(roads["table"], roads["straight"], int(it[PATH]), it[X], it[Y])
            it[PHI] = it[HEADING] - roads["table"][int(it[PATH]), _at(it[S]), 2]
            it[SEEN_X], it[SEEN_Y], it[SEEN_HEADING], it[SEEN_V] = it[X], it[Y], it[HEADING], it[V]
            near = np.hypot(it[X] - actors[0, X], it[Y] - actors[0, Y]) < rules["sight"]
            it[TRACKED] = float(row > 0 and near)
        if self.name == "highway":
            actors[0, GOAL] = getattr(ego, "target_lane_index", ego.lane_index)[2]
        world[GEAR] = getattr(ego, "speed_index", 0)
        observe(roads, rules, speeds, actors, world, self.seen[0])

    def _path(self, vehicle: Any, row: int) -> int:
        if self.name == "highway":
            return int(np.clip(round(vehicle.position[1] / LANE), 0, 2))
        return 2 if row == 0 else _nearest_path(self.records[0], vehicle)

    def play(self, decide: Decide, seed: int, *, native: bool = False) -> Episode:
        """Drive an episode to its end."""
        self.reset(seed, native=native)
        start, total, speeds, done, steps, overruled = self._s(), 0.0, [], False, 0, 0
        watched = _Watched(self.env)
        actions: list[int] = []
        arrived = False
        while not done:
            action = int(decide(self)[0])  # type: ignore[arg-type]
            actions.append(action)
            self.reasons.clear()
            inner = action if self.name == "highway" else _INTERSECTION_ACTIONS.get(action, 1)
            _, reward, ended, cut, _ = self.env.step(IDLE if native else inner)
            self.mirror()
            total, steps, done = total + float(reward), steps + 1, ended or cut
            overruled += bool(self.reasons)
            speeds.append(float(self.env.vehicle.speed))
            arrived = bool(ended and not self.env.vehicle.crashed)
        jerk, hardest = watched.close()
        return Episode(
            total, bool(self.env.vehicle.crashed), arrived, steps, float(np.mean(speeds)),
            self._s() - start, jerk, hardest, overruled, tuple(actions),
        )  # fmt: skip

    def _s(self) -> float:
        return float(self.state.actors[0, 0, S])


class _Watched:
    """Notes the ego's speed after every simulation step of highway-env."""

    def __init__(self, env: Any) -> None:
        self.env, self.speeds = env, [float(env.vehicle.speed)]
        self.dt = 1 / env.config["simulation_frequency"]
        self.inner = env.road.step

        def step(dt: float) -> None:
            self.inner(dt)
            self.speeds.append(float(env.vehicle.speed))

        env.road.step = step

    def close(self) -> tuple[float, float]:
        """Root mean square jerk and hardest braking."""
        self.env.road.step = self.inner
        accelerations = np.diff(self.speeds) / self.dt
        jerks = np.diff(accelerations) / self.dt
        return float(np.sqrt(np.mean(jerks**2))) if len(jerks) else 0.0, float(
            max(-accelerations.min(), 0.0)
        )


def _at(s: float) -> int:
    return int(np.clip(s, 0, 254))


def _nearest_path(roads: Any, vehicle: Any) -> int:
    """The path on which a vehicle most likely is: nearest and with the most alike heading."""
    best, least = 1, np.inf
    x, y, heading = vehicle.position[0], -vehicle.position[1], -vehicle.heading
    for path in range(int(roads["paths"])):
        s, d = project(roads["table"], roads["straight"], path, x, y)
        away = abs(d) + 4 * (1 - np.cos(heading - roads["table"][path, _at(s), 2]))
        if away < least:
            best, least = path, away
    return best


def _take_over(env: Any, speed: float) -> None:
    """Let highway-env's own rule driver drive the ego."""
    from highway_env.vehicle.behavior import IDMVehicle

    class Driver(IDMVehicle):
        def act(self, action: Any = None) -> None:
            super().act()

    old = env.vehicle
    place = (old.position, old.heading, old.speed, old.target_lane_index)
    new = Driver(env.road, *place, speed, old.route)
    env.road.vehicles[env.road.vehicles.index(old)] = new
    env.controlled_vehicles = [new]
    env.observation_type.observer_vehicle = new
    env.action_type.controlled_vehicle = new


def _guard(outside: Outside) -> None:
    """Let our shield have the last word at every simulation step of the ego."""
    vehicle = outside.env.vehicle
    inner = vehicle.act

    def act(action: Any = None) -> None:
        before = vehicle.target_lane_index
        inner(action)
        outside.mirror()
        roads, rules, _, duties = outside.records
        actors, world = outside.state.actors[0], outside.state.world[0]
        changing = outside.name == "highway" and vehicle.target_lane_index != vehicle.lane_index
        if changing and lane_free(roads, duties, actors, int(vehicle.target_lane_index[2])):
            stay = before if before == vehicle.lane_index else vehicle.lane_index
            vehicle.target_lane_index = stay
            vehicle.action["steering"] = vehicle.steering_control(stay)
            outside.mirror()
            outside.reasons.append(REASONS[LANE_TAKEN])
        cap, reason, _ = limits(roads, rules, duties, actors, world)
        if cap < FREE and vehicle.action["acceleration"] > cap:
            vehicle.action["acceleration"] = max(cap, -8.0)
            if vehicle.speed <= 0.1 and cap <= 0:
                vehicle.action["acceleration"] = min(-float(vehicle.speed) * 5, 0.0)
            outside.reasons.append(REASONS[int(reason)])

    vehicle.act = act
