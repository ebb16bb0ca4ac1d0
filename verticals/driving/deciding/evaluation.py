"""How a driver does over many seeds: return, collisions, speed, comfort, each with its interval.

A collision is looked at twice: whose fault it was by the rules, and whether a rule-following ego
could have avoided it, found out by driving the same seconds again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.evaluation.bootstrap import mean_interval, share_interval
from verticals.driving.deciding.network import PolicyNetwork
from verticals.driving.deciding.perception_error import PerceptionError
from verticals.driving.deciding.policies import (
    Decide,
    always,
    drivers,
    network_driver,
    rule_driver,
)
from verticals.driving.traffic.columns import (
    CRASHED,
    CULPRIT,
    GOAL,
    HARD,
    HEADING,
    JERK,
    KIND,
    LENGTH,
    PATH,
    PEDESTRIAN,
    REASON,
    RED,
    UNSAFE,
    S,
    V,
    X,
    Y,
)  # fmt: skip
from verticals.driving.traffic.environment import State, Traffic
from verticals.driving.traffic.layouts import Layout
from verticals.driving.traffic.motion import BRAKE, OFF, ON, RULE, SLOW
from verticals.driving.traffic.roads import Floats

BACK_S = 3.0  # seconds before a collision from which a rule-following ego drives instead
AFTER_S = 2.0  # seconds after it in which that ego must not collide either


@dataclass(frozen=True)
class Episodes:
    """One row for every episode."""

    seeds: tuple[int, ...]
    reward: Floats  # (n,) undiscounted return
    crashed: NDArray[np.bool_]
    arrived: NDArray[np.bool_]
    speed: Floats  # mean while driving, m/s
    progress: Floats  # metres
    pace: Floats  # progress a second of the time an episode may take, less if it is cut short
    jerk: Floats  # root mean square, m/s^3
    hardest: Floats  # braking, m/s^2
    red: Floats  # stop lines crossed at red
    unsafe: Floats  # seconds
    overruled: Floats  # share of decisions in which the shield stepped in

    def summary(self) -> dict[str, Any]:
        """Means and shares with 95% intervals."""
        n = len(self.seeds)
        out: dict[str, Any] = {
            "episodes": n,
            "crash_rate": asdict(share_interval(int(self.crashed.sum()), n)),
            "arrival_rate": asdict(share_interval(int(self.arrived.sum()), n)),
            "hard_braking_rate": asdict(share_interval(int((self.hardest > 6.0).sum()), n)),
        }
        for name in ("reward", "speed", "pace", "jerk", "hardest", "red", "unsafe", "overruled"):
            out[name] = asdict(mean_interval(getattr(self, name)))
        return out


def evaluate(
    road: str | Layout, decide: Decide, seeds: Sequence[int], *, shield: bool = False,
    errors: PerceptionError | None = None,
) -> Episodes:  # fmt: skip
    """Drive one episode from every seed, all at once."""
    traffic = Traffic(road, len(seeds), shield=ON if shield else OFF, errors=errors)
    traffic.reset(seed=list(seeds))
    n = len(seeds)
    begin = traffic.state.actors[:, 0, S].copy()
    alive, arrived, crashed = np.ones(n, bool), np.zeros(n, bool), np.zeros(n, bool)
    sums = {name: np.zeros(n) for name in ("reward", "speed", "jerk", "red", "unsafe", "over")}
    hardest, steps, end = np.zeros(n), np.zeros(n), begin.copy()
    while alive.any():
        traffic.play(decide(traffic))
        actors, world = traffic.state.actors, traffic.state.world
        steps += alive
        sums["reward"] += traffic.rewards * alive
        sums["speed"] += actors[:, 0, V] * alive
        sums["jerk"] += world[:, JERK] ** 2 * alive
        sums["red"] += world[:, RED] * alive
        sums["unsafe"] += world[:, UNSAFE] * alive
        sums["over"] += (world[:, REASON] > 0) & alive
        hardest = np.maximum(hardest, world[:, HARD] * alive)
        hit = actors[:, 0, CRASHED] == 1.0
        end = np.where(alive, actors[:, 0, S], end)
        crashed |= alive & hit
        arrived |= alive & traffic.ended & ~hit
        alive &= ~(traffic.ended | traffic.cut)
    rules = traffic.layout.rules
    lasted = steps * rules.dt * rules.substeps
    allowed = np.where(crashed, rules.duration, lasted)  # who has crashed stands until the end
    return Episodes(
        tuple(int(s) for s in seeds), sums["reward"], crashed, arrived, sums["speed"] / steps,
        end - begin, (end - begin) / allowed, np.sqrt(sums["jerk"] / steps), hardest, sums["red"],
        sums["unsafe"], sums["over"] / steps,
    )  # fmt: skip


@dataclass(frozen=True)
class Collision:
    """One collision, looked at again."""

    seed: int
    time_s: float
    how: str
    avoidable: bool  # a rule-following ego put in its place would not have collided
    by: str  # how it would have avoided it
    otherwise: str  # the rule follower that had the wheel from the start and arrives unhurt, if any


def collisions(
    road: str | Layout, decide: Decide, seeds: Sequence[int], *, shield: bool = False,
    errors: PerceptionError | None = None,
) -> list[Collision]:  # fmt: skip
    """Drive the seeds of collisions again and judge each; seeds without one are left out."""
    found = []
    for seed in seeds:
        traffic = Traffic(road, 1, shield=ON if shield else OFF, errors=errors)
        traffic.reset(seed=[seed])
        states = [traffic.state.copy()]
        while not (traffic.ended[0] or traffic.cut[0]):
            traffic.play(decide(traffic))
            states.append(traffic.state.copy())
        if states[-1].actors[0, 0, CRASHED] == 1.0:
            how = fault(states[-2], states[-1])
            by = _avoided(traffic, states)
            otherwise = _otherwise(traffic.layout, int(seed), errors)
            time = float(states[-1].world[0, 0] - states[0].world[0, 0])
            found.append(Collision(int(seed), time, how, bool(by), by, otherwise))
    return found


def fault(before: State, after: State) -> str:
    """Who caused a collision, by the rules of RSS; begins with "ego" or "other"."""
    me, it = after.actors[0, 0], after.actors[0, int(after.world[0, CULPRIT])]
    was = before.actors[0, int(after.world[0, CULPRIT])]
    ahead = (it[X] - me[X]) * np.cos(me[HEADING]) + (it[Y] - me[Y]) * np.sin(me[HEADING])
    if ahead < -0.3 * me[LENGTH] and np.cos(it[HEADING] - me[HEADING]) > 0.5:
        return "other: hit from behind"
    if max(me[V], before.actors[0, 0, V]) < 0.5:
        return "other: hit while standing"
    if it[KIND] == PEDESTRIAN:
        return "ego: hit a person"
    own_change = me[GOAL] != me[PATH] or before.actors[0, 0, GOAL] != before.actors[0, 0, PATH]
    if not own_change and (was[GOAL] != was[PATH] or it[GOAL] != it[PATH]):
        return "other: cut in"
    return "ego: changed lane into another" if own_change else "ego: drove into another"


def _avoided(traffic: Traffic, states: list[State]) -> str:
    """The first way in which a rule-following ego avoids the collision, empty if none does."""
    rules = traffic.layout.rules
    decision = rules.dt * rules.substeps
    back = max(round(BACK_S / decision), 1)
    ways = {
        "braking": (always(BRAKE), OFF),
        "braking gently": (always(SLOW), OFF),
        "the rule driver, shield": (always(RULE), ON),
        "the rule driver": (always(RULE), OFF),
    }
    for first in range(len(states) - 2, max(len(states) - 2 - back, -1), -1):
        for name, (decide, shield) in ways.items():
            again = Traffic(traffic.layout, 1, shield=shield)
            again.errors, again.state = traffic.errors, states[first].copy()
            again.look()
            left = round((len(states) - 1 - first) + AFTER_S / decision)
            for _ in range(left):
                again.play(decide(again))
                if again.state.actors[0, 0, CRASHED] == 1.0:
                    break
            else:
                return f"{name}, {(len(states) - 1 - first) * decision:.1f} s before"
    return ""


def _otherwise(road: Layout, seed: int, errors: PerceptionError | None) -> str:
    """The first rule follower that drives the whole episode unhurt: it may never get there."""
    followers: dict[str, tuple[Decide, bool]] = {
        "the rule driver": (always(RULE), False), "the rule driver, shield": (always(RULE), True),
        "its twin with a policy's eyes, shield": (rule_driver, True),
    }  # fmt: skip
    for name, (decide, shield) in followers.items():
        if not evaluate(road, decide, [seed], shield=shield, errors=errors).crashed[0]:
            return name
    return ""


def evaluate_policies(
    road: str | Layout, policy: PolicyNetwork | None, seeds: Sequence[int], *,
    errors: PerceptionError | None = None, judged: bool = True,
) -> dict[str, dict[str, Any]]:  # fmt: skip
    """A policy beside the trivial ones and the rule driver, the last two also within the shield.

    Args:
        road: Where.
        policy: What was learned; None leaves it out.
        seeds: One episode from each.
        errors: How perception errs.
        judged: Drive collisions within the shield again, to see whether they were avoidable.

    Returns:
        By driver what `Episodes.summary` says, and `looked_at` where collisions were judged.
    """
    out = {name: evaluate(road, decide, seeds, errors=errors).summary()
           for name, decide in drivers(policy).items()}  # fmt: skip
    guarded: dict[str, Decide] = {"rule driver, shield": rule_driver}
    if policy is not None:
        guarded["policy, shield"] = network_driver(policy)
    for name, decide in guarded.items():
        episodes = evaluate(road, decide, seeds, shield=True, errors=errors)
        out[name] = episodes.summary()
        if judged:
            hit = [seed for seed, hit in zip(seeds, episodes.crashed, strict=True) if hit]
            out[name]["looked_at"] = by_fault(
                collisions(road, decide, hit, shield=True, errors=errors)
            )
    return out


def by_fault(found: Sequence[Collision]) -> dict[str, Any]:
    """Collisions counted by fault, and the avoidable ones."""
    return {"collisions": len(found), "avoidable": sum(c.avoidable for c in found),
            "another unhurt from the start": sum(bool(c.otherwise) for c in found),
            "seeds avoidable": [c.seed for c in found if c.avoidable],
            "by_fault": dict(Counter(c.how for c in found))}  # fmt: skip
