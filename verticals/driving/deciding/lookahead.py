"""Rolls every action out in our traffic before one is taken (rollout: Bertsekas, 1997).

The model is our own environment, started from what is seen: of the others only place, heading and
speed are known; how they drive is assumed. After the first action the ego keeps its speed, or slows
down: the better of both counts. With a policy network, its preference and its value of the last
state count, too.
"""

# ruff: noqa: PLR0917 - compiled loops take plain arrays by position

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from verticals.driving.deciding.network import PolicyNetwork
from verticals.driving.deciding.perception_error import ERROR_SHAPES, errors_of
from verticals.driving.deciding.policies import Decide, believe
from verticals.driving.traffic.batch import reward_of
from verticals.driving.traffic.columns import (
    ACTIONS,
    CRASHED,
    DELTA,
    GOAL,
    HEADING,
    IDLE,
    KIND,
    LANE_LEFT,
    LANE_RIGHT,
    LENGTH,
    MODE,
    NOBODY,
    PATH,
    PEDESTRIAN,
    PHI,
    SLOWER,
    STRAIGHT,
    TIMER,
    TRACKED,
    UNSAFE,
    WIDTH,
    WISH,
    D,
    S,
    V,
    X,
    Y,
)  # fmt: skip
from verticals.driving.traffic.compiling import compiled
from verticals.driving.traffic.environment import Traffic
from verticals.driving.traffic.geometry import place, project
from verticals.driving.traffic.motion import ON, WATCHING, advance
from verticals.driving.traffic.records import packed
from verticals.driving.traffic.seeing import observe

ROOM_ALONG, ROOM_ASIDE = 4.0, 0.5  # metres added to the ego when looking ahead


@dataclass(frozen=True)
class Foresight:
    """How far and how carefully to look ahead."""

    decisions: int = 6  # that are played out
    discount: float = 0.95
    crash: float = -20.0  # of a collision, on top of the environment's own reward
    unsafe: float = 0.15  # what a second without its safe distance costs (RSS)
    switching: float = 0.05  # what a lane change costs, so that none is made for nothing
    prior: float = 0.5  # weight of the network's logarithmic preference
    value: float = 1.0  # weight of its value of the last state
    guarded: bool = False  # the shield is there to rely on


def lookahead(foresight: Foresight | None = None, network: PolicyNetwork | None = None) -> Decide:
    """A driver that looks ahead.

    Args:
        foresight: How.
        network: A learned policy to prefer its actions and to judge the end of the view.
    """
    settings = foresight or Foresight()
    sight = packed(errors_of(None), ERROR_SHAPES)

    def decide(traffic: Traffic) -> NDArray[np.int64]:
        roads, rules, speeds, duties = traffic.records
        n = traffic.num_envs
        scores = np.zeros((n, len(ACTIONS)))
        ends = np.zeros((n, len(ACTIONS), *traffic.seen.shape[1:]), np.float32)
        alive = np.zeros((n, len(ACTIONS)))
        state = traffic.state
        _roll_all(
            roads, rules, speeds, duties, sight, state.actors, state.world, settings.decisions,
            settings.discount, settings.crash, settings.unsafe, settings.switching,
            ON if settings.guarded else WATCHING, scores, alive, ends,
        )  # fmt: skip
        if network is not None:
            scores += settings.prior * np.log(network(traffic.seen) + 1e-3)
            value = network.value(ends.reshape(-1, *ends.shape[2:])).reshape(n, -1)
            scores += settings.value * settings.discount**settings.decisions * value * alive
        return scores.argmax(axis=1)

    return decide


@compiled
def _roll_all(  # type: ignore[no-untyped-def]
    roads, rules, speeds, duties, sight, actors, world, decisions, discount, crash, unsafe,
    switching, guarded, scores, alive, ends,
):  # fmt: skip
    """Fill in the score of every action in every environment, and the last observation."""
    random, end = np.zeros((2, 1), np.uint64), np.zeros(ends.shape[2:], np.float32)
    for n in range(actors.shape[0]):
        seen = actors[n].copy()
        believe(roads, seen)
        for action in range(scores.shape[1]):
            for impatient in range(2):  # do the others think of a lane change now, or later?
                assumed = seen.copy()
                assume(roads, rules, assumed, impatient)
                best = -math.inf
                for then in (IDLE, SLOWER):
                    score, lives = _roll(
                        roads, rules, speeds, duties, sight, assumed.copy(), world[n].copy(),
                        random, action, then, decisions, discount, crash, unsafe, guarded, end,
                    )  # fmt: skip
                    if score > best:
                        best = score
                        alive[n, action], ends[n, action] = lives, end
                scores[n, action] += 0.5 * best
            if action in (LANE_LEFT, LANE_RIGHT):
                scores[n, action] -= switching


@compiled
def assume(roads, rules, actors, impatient):  # type: ignore[no-untyped-def]
    """How the others will go on: drivers of usual manners at the speed they have.

    Args:
        roads: Where.
        rules: Of the layout.
        actors: As they are seen; changed in place.
        impatient: 1 if they think of a lane change at once and turn left wherever they may, 0 if
            they do so later and go straight on.
    """
    actors[0, LENGTH] += ROOM_ALONG  # nobody drives exactly as assumed
    actors[0, WIDTH] += ROOM_ASIDE
    for j in range(1, actors.shape[0]):
        it = actors[j]
        if it[KIND] == NOBODY:
            continue
        it[DELTA], it[TIMER], it[WISH], it[TRACKED] = 4.0, impatient + 0.01, it[V], 1.0
        if rules.yields == 1:
            guess_route(roads, it, impatient)
        path = int(it[PATH])
        if it[KIND] == PEDESTRIAN:
            it[MODE] = STRAIGHT
            continue
        it[PHI] = it[HEADING] - place(roads.table, path, it[S], 0.0)[2]
        it[GOAL] = path
        sideways = it[V] * math.sin(it[PHI])  # who moves sideways is changing lane
        if sideways > 0.4 and roads.left[path] >= 0:
            it[GOAL] = roads.left[path]
        elif sideways < -0.4 and roads.right[path] >= 0:
            it[GOAL] = roads.right[path]


@compiled
def guess_route(roads, it, impatient):  # type: ignore[no-untyped-def]
    """Put a vehicle on one of the paths that its pose allows: the middle or the last of them."""
    fitting = np.zeros(roads.paths, np.int64)
    count = 0
    for path in range(roads.paths):
        s, d = project(roads.table, roads.straight, path, it[X], it[Y])
        turn = it[HEADING] - place(roads.table, path, s, 0.0)[2]
        if abs(d) < 1.2 and math.cos(turn) > 0.9 and s < roads.length[path]:
            fitting[count] = path
            count += 1
    if count > 0:
        path = fitting[count - 1] if impatient else fitting[(count - 1) // 2]
        it[PATH] = it[GOAL] = path
        it[S], it[D] = project(roads.table, roads.straight, path, it[X], it[Y])


@compiled
def _roll(  # type: ignore[no-untyped-def]
    roads, rules, speeds, duties, sight, actors, world, random, action, then, decisions, discount,
    crash, unsafe, guarded, end,
):  # fmt: skip
    """Discounted reward of an action and what follows; and 1 if the ego still drives at the end."""
    total, weight = 0.0, 1.0
    for k in range(decisions):
        advance(roads, rules, speeds, duties, guarded, sight, actors, world, random,
                action if k == 0 else then)  # fmt: skip
        reward, arrived = reward_of(roads, rules, actors, world)
        total += weight * (reward - unsafe * world[UNSAFE])
        if actors[0, CRASHED] == 1.0:
            return total + weight * crash, 0.0
        if arrived:
            return total, 0.0
        weight *= discount
    observe(roads, rules, speeds, actors, world, end)
    return total, 1.0
