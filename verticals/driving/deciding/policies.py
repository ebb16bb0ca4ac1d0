"""Policies to compare with: the two trivial ones and the rule driver on the policy's own terms.

The rule driver exists twice. `RULE` drives as all other traffic does, with the truth, at every
simulation step. `rule_actions` sees what a policy sees and has the same five actions: the fair
comparison.
"""

# ruff: noqa: PLR0917 - compiled loops take plain arrays by position

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from verticals.driving.traffic.columns import (
    FASTER,
    GOAL,
    HEADING,
    IDLE,
    KIND,
    LANE_LEFT,
    LANE_RIGHT,
    NOBODY,
    PATH,
    SEEN_HEADING,
    SEEN_V,
    SEEN_X,
    SEEN_Y,
    SLOWER,
    TIME,
    TRACKED,
    D,
    S,
    V,
    X,
    Y,
)  # fmt: skip
from verticals.driving.traffic.compiling import compiled
from verticals.driving.traffic.drivers import give_way, mobil, urge
from verticals.driving.traffic.environment import Traffic
from verticals.driving.traffic.geometry import project
from verticals.driving.traffic.motion import RULE
from verticals.driving.traffic.roads import Floats

Decide = Callable[[Traffic], NDArray[np.int64]]  # the actions of all environments
ENOUGH = 0.7  # m/s^2 that the IDM must want before the target speed is changed


def always(action: int) -> Decide:
    """Always the same action: idle, slower, or `RULE`."""
    return lambda traffic: np.full(traffic.num_envs, action, np.int64)


def rule_driver(traffic: Traffic) -> NDArray[np.int64]:
    """IDM and MOBIL with the observations, the rate and the actions of a policy."""
    out = np.zeros(traffic.num_envs, np.int64)
    roads, rules, speeds, _ = traffic.records
    _rule_actions(roads, rules, speeds, traffic.state.actors, traffic.state.world, out)
    return out


def network_driver(policy: Callable[[Floats], Floats]) -> Decide:
    """The likeliest action of a policy network."""
    return lambda traffic: policy(traffic.seen).argmax(axis=1)


def drivers(policy: Callable[[Floats], Floats] | None = None) -> dict[str, Decide]:
    """The drivers that every claim is set beside, and a policy if there is one."""
    out: dict[str, Decide] = {
        "always slower": always(SLOWER), "idle": always(IDLE), "rule driver": rule_driver,
        "rule driver, all-seeing": always(RULE),
    }  # fmt: skip
    if policy is not None:
        out["policy"] = network_driver(policy)
    return out


@compiled
def _rule_actions(roads, rules, speeds, actors, world, out):  # type: ignore[no-untyped-def]
    """Fill in one action for every environment."""
    for n in range(actors.shape[0]):
        out[n] = rule_action(roads, rules, speeds, actors[n].copy(), world[n])


@compiled
def rule_action(roads, rules, speeds, actors, world):  # type: ignore[no-untyped-def]
    """The action nearest to what IDM and MOBIL want; uses up the copy of the actors it is given."""
    me = actors[0]
    believe(roads, actors)
    if rules.yields == 1:
        give_way(roads, actors, 0)
    own = int(me[PATH])
    if own == int(me[GOAL]):
        for lane, action in ((roads.left[own], LANE_LEFT), (roads.right[own], LANE_RIGHT)):
            if lane >= 0 and mobil(roads, rules, actors, 0, lane):
                return action
    wanted = urge(roads, rules, actors, 0, world[TIME])
    if wanted > ENOUGH:
        return FASTER
    return SLOWER if wanted < -ENOUGH else IDLE


@compiled
def believe(roads, actors):  # type: ignore[no-untyped-def]
    """Replace the truth about the others by what is seen of them."""
    me = int(actors[0, PATH])
    for j in range(1, actors.shape[0]):
        it = actors[j]
        if it[TRACKED] == 0.0:
            it[KIND] = NOBODY
            continue
        it[X], it[Y], it[HEADING], it[V] = it[SEEN_X], it[SEEN_Y], it[SEEN_HEADING], it[SEEN_V]
        path = int(it[PATH])
        if roads.group[path] == roads.group[me]:
            it[S], it[D] = project(roads.table, roads.straight, path, it[X], it[Y])
