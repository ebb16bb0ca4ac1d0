"""Trains the policies, one process a road: `python -m bench.driving.train_policies --out FOLDER`.

Learns in our own traffic, from seeds that no judging uses; the roads that stand for highway-env's
are learned with perfect sight, as that is what highway-env gives, the others with perception that
errs. Writes FOLDER/NAME.safetensors and FOLDER/NAME.json for `bench.driving.decisions --policy`.

    python -m bench.driving.train_policies --ship FOLDER [FOLDER ...]

puts the best of several runs, by their own comparison on seeds that no judging uses, with a card
into verticals/driving/deciding/weights.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from verticals.driving.deciding.evaluation import Episodes, evaluate
from verticals.driving.deciding.lookahead import lookahead
from verticals.driving.deciding.network import WEIGHTS, PolicyNetwork
from verticals.driving.deciding.perception_error import DEFAULT, read_errors
from verticals.driving.deciding.policies import network_driver, rule_driver
from verticals.driving.deciding.training import (
    CHOOSING_SEEDS,
    Learned,
    PolicySettings,
    train_policy,
)
from verticals.driving.traffic.environment import Traffic
from verticals.driving.traffic.layouts import layout

OURS = ("motorway", "merge", "street", "intersection")
# Any speed pays, not only that above 7 m/s: who waits for ever would else lose nothing.
CROSSING = {"for_crash": -20.0, "for_goal": 8.0, "slowest": 0.0}
SETTINGS = {
    "motorway": PolicySettings("motorway", errors=DEFAULT, rewards={"for_crash": -30.0}),
    "merge": PolicySettings("merge", errors=DEFAULT, rewards={"for_crash": -20.0}),
    "street": PolicySettings("street", errors=DEFAULT, discount=0.985,
                             rewards={"for_crash": -20.0, "for_red": -5.0, "for_goal": 5.0,
                                      "for_unsafe": -0.5}),
    "intersection": PolicySettings("intersection", errors=DEFAULT, discount=0.96, entropy=0.005,
                                   teacher="looking ahead", imitation=0.2, rewards=CROSSING),
    "highway_outside": PolicySettings("highway", discount=0.95,
                                      rewards={"normal": 0, "for_crash": -30.0,
                                               "for_unsafe": -0.5}),
    "intersection_outside": PolicySettings("intersection", discount=0.96, entropy=0.005,
                                           teacher="looking ahead", imitation=0.2,
                                           rewards=CROSSING),
}  # fmt: skip
CARD = """# Policies of the driving case

Small networks over a set of road users (`network.py`, 36,486 numbers each), learned by imitation of
a rule driver or of a driver that looks ahead, then by proximal policy optimisation, in casekit's
own traffic. No recorded data. `NAME.json` holds the command, the settings and the learning curve.

For: decisions in casekit's traffic and in highway-env, with the shield. Not for a real vehicle.

Crash rate, pace (metres a second of the time allowed) and return (of the learning reward) without
the shield, on the seeds from 8,500,000 on by which the network was chosen from those met on the
way; judging on other seeds is in bench/results/driving_decisions.json.

| policy | road | perception | seed | decisions | crash rate | pace | return |
|---|---|---|---|---|---|---|---|"""


def main() -> None:
    """Learn all at once, or one in this process, and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(".bench/driving_policies"))
    parser.add_argument("--ship", type=Path, nargs="+", help="folders of runs to choose from")
    parser.add_argument("--only", choices=[*SETTINGS], help="one, in this process")
    parser.add_argument("--names", nargs="*", choices=[*SETTINGS], default=[*SETTINGS])
    parser.add_argument("--minutes", type=float, default=5.0, help="of learning, each")
    parser.add_argument("--decisions", type=int, default=10**9, help="of learning, at most")
    parser.add_argument("--threads", type=int, default=max((os.cpu_count() or 1) // 6, 1))
    parser.add_argument("--environments", type=int, default=1024)
    parser.add_argument("--device", default="auto", help="cpu, cuda, or auto")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--start", type=Path, help="folder of policies to learn on from")
    parser.add_argument("--errors", type=Path, help="measured perception errors (JSON)")
    given = parser.parse_args()
    if given.ship:
        ship(given.ship)
        return
    given.out.mkdir(parents=True, exist_ok=True)
    if given.only:
        one(given)
    else:
        sys.exit(all_at_once(given))


def all_at_once(given: argparse.Namespace) -> int:
    """One process for every road; the number of those that failed."""
    traffic = Traffic("bend", 1)  # compiled once, here, for all of them
    traffic.step(np.ones(1, np.int64))
    lookahead()(traffic)
    rule_driver(traffic)
    running = []
    for name in given.names:
        command = [sys.executable, "-m", "bench.driving.train_policies", *_passed_on(given),
                   "--only", name]  # fmt: skip
        log = (given.out / f"{name}.log").open("w", encoding="utf-8")
        running.append((name, subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)))
    failed = [name for name, process in running if process.wait() != 0]
    for name in given.names:
        print((given.out / f"{name}.log").read_text(encoding="utf-8")[-1500:], flush=True)
    if failed:
        print(f"failed: {', '.join(failed)}; see their logs in {given.out}", file=sys.stderr)
    return len(failed)


def _passed_on(given: argparse.Namespace) -> Sequence[str]:
    names = ("out", "minutes", "decisions", "threads", "environments", "device", "seed", "errors",
             "epochs", "start")  # fmt: skip
    return [text for name in names if getattr(given, name) is not None
            for text in (f"--{name}", str(getattr(given, name)))]  # fmt: skip


def one(given: argparse.Namespace) -> None:
    """Learn one policy here."""
    import torch

    device = given.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.set_num_threads(given.threads)
    settings = replace(
        SETTINGS[given.only], threads=given.threads, environments=given.environments, device=device,
        deadline_s=60.0 * given.minutes, steps=given.decisions, seed=given.seed,
        epochs=given.epochs,
        batch=8192 if device == "cuda" else 2048,
    )  # fmt: skip
    if given.errors and settings.errors is not None:
        settings = replace(settings, errors=read_errors(given.errors))
    begun = time.monotonic()
    start = PolicyNetwork.open(given.start / f"{given.only}.safetensors") if given.start else None

    def keep(learned: Learned) -> None:
        learned.policy.save(given.out / f"{given.only}.safetensors")
        record = {"name": given.only, **learned.policy.about,
                  "seconds": round(time.monotonic() - begun, 1), "device": device,
                  "command": " ".join(["python -m bench.driving.train_policies", *sys.argv[1:]]),
                  "settings": {k: v for k, v in vars(settings).items() if k != "errors"},
                  "errors": settings.errors.source if settings.errors else "none",
                  "curve": learned.curve}  # fmt: skip
        text = json.dumps(record, indent=2) + "\n"
        (given.out / f"{given.only}.json").write_text(text, encoding="utf-8")
        print(given.only, json.dumps(learned.curve[-1]), flush=True)

    train_policy(settings, start=start, keep=keep)


def ship(folders: Sequence[Path], to: Path = WEIGHTS) -> None:
    """Keep the best run of every policy, and say what it is."""
    to.mkdir(exist_ok=True)
    lines = [CARD]
    for name in SETTINGS:
        runs = [folder / f"{name}.json" for folder in folders if (folder / f"{name}.json").exists()]
        if not runs:
            continue
        driven = {run: _driven(name, run) for run in runs}
        best = max(driven, key=lambda run: float(driven[run].reward.mean()))
        for path in (best, best.with_suffix(".safetensors")):
            shutil.copyfile(path, to / path.name)
        run, found = json.loads(best.read_text()), driven[best]
        took = f"{int(run['decisions']) / 1e6:.2f} million in {run['seconds']:.0f} s"
        lines.append(
            f"| {name} | {run['road']} | {run['errors'].split(':')[0]} | {run['seed']} | "
            f"{took}, {run['device']} | {found.crashed.mean():.3f} | {found.pace.mean():.2f} | "
            f"{found.reward.mean():.2f} |"
        )
    (to / "card.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _driven(name: str, run: Path) -> Episodes:
    """A run's policy on the seeds by which it was chosen, with the rewards that hold now."""
    settings = SETTINGS[name]
    policy = PolicyNetwork.open(run.with_suffix(".safetensors"))
    seeds = range(CHOOSING_SEEDS, CHOOSING_SEEDS + 2 * settings.episodes)
    road = layout(settings.road).changed(**settings.rewards)
    return evaluate(road, network_driver(policy), seeds, errors=settings.errors)


if __name__ == "__main__":
    main()
