"""Many environments in step, compiled: what happens to each between two decisions."""

# ruff: noqa: PLR0917 - compiled loops take plain arrays by position

from __future__ import annotations

import math

from verticals.driving.traffic.columns import (
    CRASHED,
    GOAL,
    PATH,
    PHI,
    RED,
    TIME,
    UNSAFE,
    D,
    S,
    V,
)
from verticals.driving.traffic.compiling import compiled
from verticals.driving.traffic.motion import advance
from verticals.driving.traffic.population import come_and_go, imagine, populate
from verticals.driving.traffic.seeing import observe, perceive


@compiled
def reward_of(roads, rules, actors, world):  # type: ignore[no-untyped-def]
    """The reward of the step just made and whether the ego has arrived."""
    me = actors[0]
    forward = me[V] * math.cos(me[PHI]) if rules.yields == 0 else me[V]
    speed = min(max((forward - rules.slowest) / (rules.fastest - rules.slowest), 0.0), 1.0)
    rightmost = -roads.offset[int(me[GOAL])]
    widest = 0.0
    for p in range(roads.paths):
        if roads.group[p] == roads.group[int(me[GOAL])]:
            widest = max(widest, -roads.offset[p])
    lane = rightmost / widest if widest > 0 else 0.0
    arrived = me[S] >= rules.goal and me[CRASHED] == 0.0
    reward = (
        rules.for_crash * me[CRASHED] + rules.for_speed * speed + rules.for_lane * lane
        + rules.for_red * world[RED] + rules.for_unsafe * world[UNSAFE]
    )  # fmt: skip
    if rules.normal == 1:
        reward = (reward - rules.for_crash) / (rules.for_speed + rules.for_lane - rules.for_crash)
    if arrived:
        reward = rules.for_goal if rules.yields == 1 else reward + rules.for_goal
    off_road = abs(me[D] + roads.offset[int(me[PATH])] - roads.offset[int(me[GOAL])]) > 9.0
    return (0.0 if off_road else reward), arrived


@compiled
def start_all(roads, rules, speeds, duties, errors, actors, world, random, which, out):  # type: ignore[no-untyped-def]
    """Begin an episode in the environments marked in `which`."""
    for n in range(actors.shape[0]):
        if which[n]:
            populate(roads, rules, speeds, duties, errors, actors[n], world[n], random[n])
            observe(roads, rules, speeds, actors[n], world[n], out[n])


@compiled
def step_all(  # type: ignore[no-untyped-def]
    roads, rules, speeds, duties, shielded, errors, actors, world, begun, random, actions, out,
    rewards, ended, cut,
):  # fmt: skip
    """One decision in every environment; fills the outputs."""
    for n in range(actors.shape[0]):
        advance(roads, rules, speeds, duties, shielded, errors, actors[n], world[n], random[n],
                actions[n])  # fmt: skip
        rewards[n], arrived = reward_of(roads, rules, actors[n], world[n])
        ended[n] = arrived or actors[n, 0, CRASHED] == 1.0
        cut[n] = world[n, TIME] - begun[n] >= rules.duration - 1e-6
        come_and_go(roads, rules, actors[n], random[n, 0])
        if errors.phantoms > 0:
            imagine(roads, rules, errors, actors[n], random[n, 1])
        observe(roads, rules, speeds, actors[n], world[n], out[n])


@compiled
def look_all(roads, rules, speeds, errors, actors, world, random, out):  # type: ignore[no-untyped-def]
    """Update what is tracked and observed everywhere."""
    for n in range(actors.shape[0]):
        perceive(roads, rules, errors, actors[n], random[n, 1])
        observe(roads, rules, speeds, actors[n], world[n], out[n])
