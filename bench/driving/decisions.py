"""Drivers over unseen seeds, with and without the shield, in our traffic and in highway-env.

    python -m bench.driving.decisions [PART ...] [--seeds 2000] [--outside 500] [--policy FOLDER]

Parts are our roads, measured, outside, and scenarios; what was measured of other parts before is
kept. The roads take perception to err as `perception_error.DEFAULT` assumes of a good one; measured
drives them again, 500 episodes each, with the errors measured on the network that ships.

The policies are those shipped in verticals/driving/deciding/weights, or what
`bench.driving.train_policies` wrote to FOLDER. Beside them: always slower, idle, the rule driver
with the policy's own eyes and actions, and the all-seeing rule driver. Collisions are driven again
to see whether a rule-following ego would have avoided them. Episodes outside are kept under
--kept, so that an interrupted run goes on; --workers drives them side by side.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from bench.machine import RESULTS, machine, write_result
from core.evaluation.bootstrap import mean_interval, share_interval
from verticals.driving.deciding.evaluation import evaluate_policies
from verticals.driving.deciding.network import WEIGHTS, PolicyNetwork
from verticals.driving.deciding.outside import NAMES, Outside
from verticals.driving.deciding.perception_error import DEFAULT, read_errors
from verticals.driving.deciding.policies import Decide, always, network_driver, rule_driver
from verticals.driving.perception import eye
from verticals.driving.scenarios.gate import gate
from verticals.driving.scenarios.running import constant
from verticals.driving.scenarios.schema import read_cases
from verticals.driving.scenarios.showing import pass_table
from verticals.driving.scenarios.suite import learned, run_suite, same
from verticals.driving.traffic.columns import IDLE, SLOWER
from verticals.driving.traffic.motion import RULE

FIRST_SEED = 9_000_000  # of the judging; training uses small ones, tries others below this
ROADS = ("motorway", "merge", "street", "intersection")
OUTSIDE = ("policy", "policy, shield", "rule driver", "idle", "always slower",
           "rule driver, all-seeing", "rule driver, shield")  # fmt: skip
PARTS = (*ROADS, "measured", "outside", "scenarios")
MEASURED = "the shipped eye"
ERRORS = eye.WEIGHTS / "errors.json"
CHUNK = 10  # episodes that a worker drives at a time


def main() -> None:
    """Drive, count, write bench/results/driving_decisions.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=PARTS, help=f"of {', '.join(PARTS)}")
    parser.add_argument("--seeds", type=int, default=2000)
    parser.add_argument("--outside", type=int, default=500)
    parser.add_argument("--policy", type=Path, default=WEIGHTS)
    parser.add_argument("--kept", type=Path, default=Path(".bench/driving_outside"))
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=600.0, help="at most, outside")
    parser.add_argument("--only-drive-outside", action="store_true", help="keep episodes, no more")
    given = parser.parse_args()
    seeds = range(FIRST_SEED, FIRST_SEED + given.outside)
    if "outside" in given.parts:
        drive_outside(seeds, given.policy, given.kept, given.workers, 60 * given.minutes)
    if given.only_drive_outside:
        return
    before = RESULTS / "driving_decisions.json"
    result: dict[str, Any] = json.loads(before.read_text()) if before.exists() else {}
    result = {"machine": machine("numba", "highway-env")} | {
        key: value for key, value in result.items() if key not in {"machine", "headline"}
    }
    for road in (road for road in ROADS if road in given.parts):
        ours = range(FIRST_SEED, FIRST_SEED + given.seeds)
        network = PolicyNetwork.open(given.policy / f"{road}.safetensors")
        result[road] = evaluate_policies(road, network, ours, errors=DEFAULT)
    for road in ROADS if "measured" in given.parts else ():
        network = PolicyNetwork.open(given.policy / f"{road}.safetensors")
        result[f"{road}, {MEASURED}"] = evaluate_policies(road, network, seeds,
                                                          errors=read_errors(ERRORS))  # fmt: skip
    for name in NAMES if "outside" in given.parts else ():
        result[f"highway-env {name}"] = outside(name, seeds, given.kept)
    if "scenarios" in given.parts:
        result["scenarios"] = scenarios(given.policy)
    result["headline"] = headline(result)
    print(json.dumps(result["headline"], indent=2))
    print(write_result("driving_decisions", result))


def _file(kept: Path, name: str, driver: str) -> Path:
    return kept / f"{name}-{driver.replace(', ', '-').replace(' ', '_')}.jsonl"


def _rows(kept: Path, name: str, driver: str) -> list[dict[str, Any]]:
    path = _file(kept, name, driver)
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def outside(name: str, seeds: range, kept: Path) -> dict[str, Any]:
    """All drivers in highway-env, from the episodes kept."""
    out = {}
    for driver in OUTSIDE:
        rows = [row for row in _rows(kept, name, driver) if row["seed"] in seeds]
        n = len(rows)
        if not n:
            continue
        duration = {"highway": 30.0, "intersection": 13.0}[name]
        for row in rows:  # who has crashed stands until the end
            row["pace"] = row["progress"] / (duration if row["crashed"] else row["steps"])
        out[driver] = {
            "episodes": n,
            "crash_rate": asdict(share_interval(sum(r["crashed"] for r in rows), n)),
            "arrival_rate": asdict(share_interval(sum(r["arrived"] for r in rows), n)),
            **{key: asdict(mean_interval(np.array([r[key] for r in rows], float)))
               for key in ("reward", "speed", "pace", "progress", "jerk", "hardest", "overruled")},
        }  # fmt: skip
    return out


def drive_outside(seeds: range, folder: Path, kept: Path, workers: int, at_most_s: float) -> None:
    """Drive the episodes in highway-env that are not kept yet, the most telling drivers first."""
    kept.mkdir(parents=True, exist_ok=True)
    stop_at = time.monotonic() + at_most_s
    jobs = list(_jobs(seeds, kept))
    if not jobs:
        return
    with ProcessPoolExecutor(workers) as pool:
        waiting = {pool.submit(_drive, name, driver, some, folder, stop_at): (name, driver)
                   for name, driver, some in jobs}  # fmt: skip
        for done in as_completed(waiting):
            with _file(kept, *waiting[done]).open("a", encoding="utf-8") as file:
                file.writelines(json.dumps(row) + "\n" for row in done.result())


def _jobs(seeds: range, kept: Path) -> Iterator[tuple[str, str, list[int]]]:
    for driver in OUTSIDE:
        for name in NAMES:
            done = {row["seed"] for row in _rows(kept, name, driver)}
            left = [seed for seed in seeds if seed not in done]
            for first in range(0, len(left), CHUNK):
                yield name, driver, left[first : first + CHUNK]


def _drive(
    name: str, driver: str, seeds: list[int], folder: Path, stop_at: float
) -> list[dict[str, Any]]:
    """Some episodes of a driver; fewer when time is up."""
    rows = []
    native = driver == "rule driver, all-seeing"
    for seed in seeds:
        if time.monotonic() > stop_at:
            break
        episode = _env(name, driver.endswith("shield")).play(
            _decide(name, driver, folder), seed, native=native
        )
        rows.append({"seed": seed, **asdict(episode)})
    return rows


@cache
def _env(name: str, shield: bool) -> Outside:
    return Outside(name, shield=shield)


@cache
def _decide(name: str, driver: str, folder: Path) -> Decide:
    if driver.startswith("policy"):
        return network_driver(PolicyNetwork.open(folder / f"{name}_outside.safetensors"))
    return {"idle": always(IDLE), "always slower": always(SLOWER),
            "rule driver, all-seeing": always(RULE)}.get(driver, rule_driver)  # fmt: skip


def scenarios(folder: Path) -> dict[str, Any]:
    """The scenario library: cases passed by every driver, and what the gate says."""
    cases = read_cases()
    chosen = {"idle": same(constant(IDLE)), "rule driver": same(constant(RULE)),
              "policy": learned(folder)}  # fmt: skip
    runs = {f"{name}{', shield' if shield else ''}": run_suite(choose, cases, shield=shield)
            for name, choose in chosen.items() for shield in (False, True)}  # fmt: skip
    gates = {f"{old} to {new}": asdict(gate(runs[old], runs[new]))
             for old, new in (("rule driver", "rule driver, shield"), ("policy", "policy, shield"),
                              ("rule driver, shield", "policy, shield"),
                              ("rule driver, shield", "idle"))}  # fmt: skip
    head = {f"scenario cases passed of {len(cases)}, {name}": sum(t.passed for t in some)
            for name, some in runs.items()}  # fmt: skip
    head |= {f"scenario collisions, {name}": sum(int(t.measured["collisions"]) for t in some)
             for name, some in runs.items()}  # fmt: skip
    return {"tables": {name: pass_table(some) for name, some in runs.items()},
            "gates": gates, "headline": head}  # fmt: skip


def headline(result: dict[str, Any]) -> dict[str, Any]:
    """What matters most, driver by driver."""
    out: dict[str, Any] = {}
    eyes = (f"{road}, {MEASURED}" for road in ROADS)
    for where in (*ROADS, *eyes, *(f"highway-env {name}" for name in NAMES)):
        for driver, row in result.get(where, {}).items():
            out[f"{where}: {driver}"] = {
                "episodes": row["episodes"], "crash_rate": row["crash_rate"],
                "return": round(row["reward"]["value"], 2), "pace": round(row["pace"]["value"], 2),
                "speed": round(row["speed"]["value"], 2), "jerk": round(row["jerk"]["value"], 1),
                **({"avoidable collisions": row["looked_at"]["avoidable"]}
                   if "looked_at" in row else {}),
            }  # fmt: skip
    return out | dict(result.get("scenarios", {}).get("headline", {}))


if __name__ == "__main__":
    main()
