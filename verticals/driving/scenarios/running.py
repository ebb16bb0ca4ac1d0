"""Plays a case: sets the scene, lets the policy decide, fires events, judges what happened.

A run is a pure function of the case, the actions and the shield: its trace replays to the bit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from verticals.driving.deciding.perception_error import (
    DEFAULT,
    ERROR_SHAPES,
    KEYS,
    PerceptionError,
    errors_of,
)
from verticals.driving.deciding.shield import REASONS, Override
from verticals.driving.scenarios.schema import Actor, Case, Event, sensors
from verticals.driving.traffic.columns import (
    BLAMED,
    CAP,
    CAR,
    CRASHED,
    CULPRIT,
    CYCLIST,
    DRIVER,
    GOAL,
    HARD,
    IDLE,
    JERK,
    KIND,
    MODE,
    NEAREST,
    NOBODY,
    OBSTACLE,
    PEDESTRIAN,
    PHANTOM,
    PHI,
    REASON,
    RED,
    SCRIPTED,
    STRAIGHT,
    TIME,
    TRUCK,
    UNSAFE,
    WISH,
    S,
    V,
    X,
    Y,
)  # fmt: skip
from verticals.driving.traffic.environment import Traffic, streams
from verticals.driving.traffic.geometry import settle
from verticals.driving.traffic.layouts import EMPTY, layout
from verticals.driving.traffic.motion import ON, RULE, WATCHING
from verticals.driving.traffic.population import put, set_gear
from verticals.driving.traffic.records import packed
from verticals.driving.traffic.roads import Floats

Policy = Callable[[Floats], NDArray[np.int64]]  # (n, rows, features) to (n,) actions

_KINDS = {"car": CAR, "truck": TRUCK, "cyclist": CYCLIST, "pedestrian": PEDESTRIAN,
          "obstacle": OBSTACLE, "phantom": PHANTOM}  # fmt: skip
_MANNERS = {"driver": DRIVER, "scripted": SCRIPTED, "straight": STRAIGHT}
_SLOTS = 8  # actors of a scenario, the ego included
TICK = 0.1  # seconds


@dataclass(frozen=True)
class Trace:
    """What happened in a run."""

    case: Case
    shield: bool
    actions: tuple[int, ...]  # of the policy, one for each decision
    states: Floats  # (ticks + 1, actors, columns)
    times: Floats  # (ticks + 1,)
    overrides: tuple[Override, ...]
    measured: dict[str, float] = field(default_factory=dict)
    failed: tuple[str, ...] = ()  # criteria that were not met

    @property
    def passed(self) -> bool:
        """All criteria were met."""
        return not self.failed

    @property
    def digest(self) -> str:
        """SHA-256 of every state: equal digests mean equal to the last bit."""
        return hashlib.sha256(np.ascontiguousarray(self.states).tobytes()).hexdigest()


def constant(action: int) -> Policy:
    """A policy that always does the same."""
    return lambda seen: np.full(len(seen), action, np.int64)


def run(case: Case, policy: Policy, *, shield: bool = True) -> Trace:
    """Play a case with a policy."""
    return _play(case, lambda seen, _: int(policy(seen)[0]), shield)


def replay(case: Case, actions: Sequence[int], *, shield: bool) -> Trace:
    """Play a case with recorded actions; the last one is kept up if they run out."""
    return _play(case, lambda _, k: int(actions[min(k, len(actions) - 1)]), shield)


def _play(case: Case, decide: Callable[[Floats, int], int], shield: bool) -> Trace:
    traffic, rows = stage(case, shield)
    every = max(round(layout(case.scenario.layout).rules.dt
                      * layout(case.scenario.layout).rules.substeps / TICK), 1)  # fmt: skip
    waiting = list(case.scenario.events)
    actions: list[int] = []
    overrides: list[Override] = []
    states, times = [traffic.state.actors[0].copy()], [0.0]
    worst = {"min_time_to_collision": np.inf, "max_braking": 0.0, "red_lights": 0.0,
             "max_unsafe_s": 0.0}  # fmt: skip
    jerks: list[float] = []
    for tick in range(round(case.scenario.duration_s / TICK)):
        waiting = [e for e in waiting if not _fire(traffic, rows, e, tick * TICK)]
        if tick % every == 0:
            actions.append(decide(traffic.seen, tick // every))
            action = actions[-1]
        elif action != RULE:
            action = IDLE  # the choice stands until the next decision
        traffic.play(np.array([action]))
        world = traffic.state.world[0]
        states.append(traffic.state.actors[0].copy())
        times.append((tick + 1) * TICK)
        worst["min_time_to_collision"] = min(worst["min_time_to_collision"], world[NEAREST])
        worst["max_braking"] = max(worst["max_braking"], world[HARD])
        worst["red_lights"] += world[RED]
        worst["max_unsafe_s"] += world[UNSAFE]
        jerks.append(world[JERK])
        if world[REASON]:
            overrides.append(Override(REASONS[int(world[REASON])], int(world[BLAMED]),
                                      float(world[CAP]), (tick + 1) * TICK))  # fmt: skip
        if states[-1][0, CRASHED]:
            break
    measured = {
        **{k: float(v) for k, v in worst.items()},
        "collisions": float(states[-1][0, CRASHED]),
        "collided_with": float(traffic.state.world[0, CULPRIT]),
        "max_jerk": float(np.sqrt(np.mean(np.square(jerks)))),
        "min_progress_m": float(states[-1][0, S] - states[0][0, S]),
        "mean_speed": float(np.mean([state[0, V] for state in states])),
    }
    return Trace(case, shield, tuple(actions), np.array(states), np.array(times),
                 tuple(overrides), measured, judge(case, measured))  # fmt: skip


def judge(case: Case, measured: dict[str, float]) -> tuple[str, ...]:
    """The names of the criteria that were not met."""
    wanted = case.scenario.criteria.model_dump()
    at_least = {"min_time_to_collision", "min_progress_m"}
    return tuple(
        name for name, limit in wanted.items()
        if (measured[name] < limit if name in at_least else measured[name] > limit)
    )  # fmt: skip


def stage(case: Case, shield: bool) -> tuple[Traffic, dict[str, int]]:
    """An environment with the scene set, and the row of every actor by name."""
    scenario = case.scenario
    base = layout(scenario.layout)
    road = base.changed(traffic=EMPTY, arriving=0.0, startling=0.0, dt=TICK, substeps=1,
                        actors=_SLOTS, path=scenario.ego.path, lowest=-8.0, highest=3.0,
                        goal=np.inf, duration=1e9)  # fmt: skip
    traffic = Traffic(road, 1, shield=ON if shield else WATCHING)
    _sense(traffic, scenario.sensors)
    traffic.state.random[0] = streams(case.seed)
    traffic.start(np.ones(1, bool))
    actors, world = traffic.state.actors[0], traffic.state.world[0]
    roads, _, speeds, _ = traffic.records
    put(roads, actors, 0, CAR, scenario.ego.path, scenario.ego.s, 0.0, scenario.ego.speed)
    actors[0, WISH] = speeds[-1]
    set_gear(speeds, actors, world)
    world[TIME] = scenario.light_s
    rows = {}
    for row, actor in enumerate(scenario.actors, start=1):
        _place(traffic, row, actor, case)
        rows[actor.name] = row
    for _ in range(5):  # the sensors have been on for a while
        traffic.look()
    return traffic, rows


def _place(traffic: Traffic, row: int, actor: Actor, case: Case) -> None:
    ego = case.scenario.ego
    path = ego.path if actor.path is None else actor.path
    s = actor.s if actor.s is not None else ego.s + (actor.ahead or 0.0)
    actors = traffic.state.actors[0]
    put(traffic.records[0], actors, row, _KINDS[actor.kind], path, s, actor.left, actor.speed)
    it = actors[row]
    it[MODE], it[PHI] = _MANNERS[actor.manner], np.radians(actor.turned)
    if actor.manner != "straight" and actor.left:
        it[MODE] = STRAIGHT  # keeps its place beside the lane until an event moves it
    settle(traffic.records[0]["table"], it)
    if actor.hidden:
        it[KIND] = NOBODY


def _fire(traffic: Traffic, rows: dict[str, int], event: Event, time: float) -> bool:
    """Let an event happen if it is due."""
    actors = traffic.state.actors[0]
    it = actors[rows[event.actor]] if event.actor else actors[0]
    due = (
        (event.at_s is not None and time >= event.at_s - 1e-9)
        or (event.when_ego_passes is not None and actors[0, S] >= event.when_ego_passes)
        or (event.when_nearer_than is not None
            and np.hypot(it[X] - actors[0, X], it[Y] - actors[0, Y]) < event.when_nearer_than)
    )  # fmt: skip
    if not due:
        return False
    if event.speed is not None:
        it[WISH] = event.speed
        if it[KIND] == PEDESTRIAN:
            it[V] = event.speed  # people reach their pace in a step
        elif it[MODE] == STRAIGHT and it[PHI] == 0.0:
            it[MODE] = SCRIPTED  # a parked car that drives off steers into its lane
    if event.lane is not None:
        it[GOAL] = event.lane
    if event.stops:
        it[V] = it[WISH] = 0.0
    if event.appears:
        it[KIND] = PHANTOM
    if event.vanishes:
        it[KIND] = NOBODY
    if event.sensors is not None:
        _sense(traffic, event.sensors)
    return True


def _sense(traffic: Traffic, name: str) -> None:
    """Put the sensors of an environment in a condition."""
    condition = sensors()[name]
    scaled = {}
    for key in KEYS:
        usual = np.array(DEFAULT.found[key]) if condition.sigma else np.ones(len(DEFAULT.edges_m))
        scaled[key] = list(condition.found * usual)
    seen = [min(edge, condition.sight_m) for edge in DEFAULT.edges_m]
    table = PerceptionError(
        source=name, edges_m=seen, found=scaled, miss_s=condition.miss_s,
        range_sigma_m=[condition.sigma * x for x in DEFAULT.range_sigma_m],
        side_sigma_m=[condition.sigma * x for x in DEFAULT.side_sigma_m],
        speed_sigma_mps=[condition.sigma * x for x in DEFAULT.speed_sigma_mps],
        heading_sigma_rad=0.02 * condition.sigma,
    )  # fmt: skip
    traffic.errors = packed(errors_of(table), ERROR_SHAPES)


def summary(trace: Trace) -> dict[str, Any]:
    """A run as plain values, for tables and JSON."""
    return {"case": trace.case.name, "scenario": trace.case.scenario.name,
            "values": trace.case.values, "shield": trace.shield, "passed": trace.passed,
            "failed": list(trace.failed), **trace.measured}  # fmt: skip
