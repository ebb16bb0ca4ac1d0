"""All drivers on all roads from the same unseen seeds, and the tables that show how they did."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from core.evaluation.bootstrap import mean_interval, share_interval
from verticals.driving.deciding.evaluation import Episodes, collisions, evaluate
from verticals.driving.deciding.perception_error import DEFAULT, PerceptionError
from verticals.driving.deciding.policies import (
    Decide,
    always,
    drivers,
    network_driver,
    rule_driver,
)
from verticals.driving.deciding.shield import REASONS
from verticals.driving.deciding.stages import ROADS, Judged, Loaded, Taught
from verticals.driving.traffic.columns import BLAMED, IDLE, KIND, KINDS, REASON, SLOWER, TIME
from verticals.driving.traffic.environment import Traffic
from verticals.driving.traffic.motion import ON, RULE

# Above every seed that teaches (below 10^12) or chooses.
FIRST_SEED = 3_000_000_000_000
TAUGHT = "taught here"
POLICY, SHIELDED, RULES = "policy", "policy, shield", "rule driver"


def unseen(loaded: Loaded) -> range:
    """The seeds that judge."""
    first = FIRST_SEED + 1_000_000 * loaded.parameters.seed
    return range(first, first + loaded.parameters.episodes)


def trap_table(loaded: Loaded) -> pd.DataFrame:
    """Drivers that learn nothing, under the reward usual in research and under the kit's own.

    The usual one is highway-env's: speed counts little against staying whole, so who only brakes
    scores well. `pace` is metres a second of the time that an episode may take.
    """
    seeds = unseen(loaded)
    rows = []
    ways = {"always slower": always(SLOWER), "idle": always(IDLE),
            "rule driver, all-seeing": always(RULE)}  # fmt: skip
    for name, decide in ways.items():
        usual, ours = evaluate("highway", decide, seeds), evaluate("motorway", decide, seeds)
        rows.append({
            "driver": name, "usual_return": usual.reward.mean(), "usual_crashes": _crashes(usual),
            "usual_pace": usual.pace.mean(), "our_return": ours.reward.mean(),
            "our_crashes": _crashes(ours), "our_pace": ours.pace.mean(),
        })  # fmt: skip
    return pd.DataFrame(rows).round(2)


def judge(loaded: Loaded, taught: Taught | None = None) -> Judged:
    """Drive every road with every driver from the same seeds, with a perception that errs.

    Args:
        loaded: Policies and parameters.
        taught: A policy taught just now, judged beside the others on its road.
    """
    seeds = unseen(loaded)
    episodes: dict[str, dict[str, Episodes]] = {}
    tables, hurt = [], {}
    for road in ROADS:
        policy = network_driver(loaded.policies[road])
        named = drivers(loaded.policies[road])
        if taught is not None and taught.settings.road == road:
            named[TAUGHT] = network_driver(taught.learned.policy)
        found = {name: evaluate(road, decide, seeds, errors=DEFAULT)
                 for name, decide in named.items()}  # fmt: skip
        for name, decide in ((f"{RULES}, shield", rule_driver), (SHIELDED, policy)):
            found[name] = evaluate(road, decide, seeds, shield=True, errors=DEFAULT)
        episodes[road] = found
        tables.append(overrides(road, policy, seeds, errors=DEFAULT))
        crashed = [seed for seed, hit in zip(seeds, found[SHIELDED].crashed, strict=True) if hit]
        hurt[road] = collisions(road, policy, crashed, shield=True, errors=DEFAULT)
    return Judged(loaded, seeds, episodes, pd.concat(tables, ignore_index=True), hurt)


def overrides(
    road: str, decide: Decide, seeds: Sequence[int], *, errors: PerceptionError | None = None
) -> pd.DataFrame:
    """Every decision in which the shield stepped in: road, seed, time_s, reason, whom.

    Args:
        road: Where.
        decide: The driver within the shield.
        seeds: One episode from each.
        errors: How perception errs.
    """
    traffic = Traffic(road, len(seeds), shield=ON, errors=errors)
    traffic.reset(seed=list(seeds))
    alive = np.ones(len(seeds), bool)
    begun = traffic.state.begun.copy()
    rows = []
    while alive.any():
        traffic.play(decide(traffic))
        world, actors = traffic.state.world, traffic.state.actors
        for i in np.flatnonzero(alive & (world[:, REASON] > 0)):
            blamed = int(world[i, BLAMED])
            whom = KINDS[int(actors[i, blamed, KIND])] if blamed else ""
            reason = REASONS[int(world[i, REASON])]
            rows.append((road, seeds[int(i)], world[i, TIME] - begun[i], reason, whom))
        alive &= ~(traffic.ended | traffic.cut)
    return pd.DataFrame(rows, columns=["road", "seed", "time_s", "reason", "whom"])


def driver_table(judged: Judged, road: str) -> pd.DataFrame:
    """One row a driver: crashes with their interval, pace, return, comfort."""
    rows = []
    for name, found in judged.episodes[road].items():
        n = len(found.seeds)
        share = share_interval(int(found.crashed.sum()), n)
        pace, reward = mean_interval(found.pace), mean_interval(found.reward)
        rows.append({
            "driver": name, "crashes": f"{int(found.crashed.sum())} of {n}",
            "crash_rate": f"{share.value:.0%} ({share.low:.0%} to {share.high:.0%})",
            "pace_m_s": f"{pace.value:.1f} ({pace.low:.1f} to {pace.high:.1f})",
            "return": f"{reward.value:.2f}", "jerk_m_s3": f"{found.jerk.mean():.1f}",
            "overruled": f"{found.overruled.mean():.0%}",
        })  # fmt: skip
    return pd.DataFrame(rows)


def reason_table(judged: Judged) -> pd.DataFrame:
    """How often the shield stepped in for which reason, by road; commonest first."""
    table = judged.overrides
    counted = pd.crosstab(table["reason"], table["road"]).reindex(columns=list(ROADS), fill_value=0)
    counted["all"] = counted.sum(axis=1)
    counted = counted.sort_values("all", ascending=False, kind="stable")
    return counted.rename_axis(columns=None).reset_index()


def collision_table(judged: Judged) -> pd.DataFrame:
    """Collisions within the shield: whose fault, and whether a rule follower avoids them."""
    rows = [(road, one.time_s, one.how, "yes" if one.avoidable else "no", one.by, one.otherwise)
            for road, some in judged.collisions.items() for one in some]  # fmt: skip
    names = ["road", "time_s", "fault", "avoidable", "by", "unhurt_from_the_start"]
    return pd.DataFrame(rows, columns=names).round(1)


def _crashes(episodes: Episodes) -> str:
    return f"{int(episodes.crashed.sum())} of {len(episodes.seeds)}"
