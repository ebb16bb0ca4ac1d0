"""One entrant at a time: out-of-fold scores, the number of rounds, the final fit, the cache."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from verticals.finance.entrants import linear, network, trees
from verticals.finance.entrants.members import Member, Rows, Training
from verticals.finance.features import FeaturePipeline
from verticals.finance.model import Weighted, load_members, save_members
from verticals.finance.plan import Plan


@dataclass(frozen=True)
class Design:
    """Rows to fit on and rows held out, under features fitted on the former."""

    pipeline: FeaturePipeline
    rows: Rows
    target: np.ndarray
    held: Rows
    held_target: np.ndarray


@dataclass(frozen=True)
class Arena:
    """Everything the entrants share."""

    whole: Design
    folds: tuple[Design, ...]
    held_at: tuple[np.ndarray, ...]  # where each fold's held-out rows are in train
    scored: np.ndarray  # (train,) bool: held out by some fold
    plan: Plan
    seed: int
    started: float  # monotonic clock
    cache: Path | None
    fingerprint: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Result:
    """A finished entrant: members fitted on all training rows, and its out-of-fold scores."""

    members: tuple[Weighted, ...]
    oof: np.ndarray  # (train,) log-odds, NaN where no fold held the row out
    seconds: float


@dataclass(frozen=True)
class Entry:
    """An entrant on the list.

    Attributes:
        name: As on the leaderboard.
        fit: Training rows to a member; takes `rounds=` if `staged`.
        cost: Guess of its time relative to the first entrant's, until it is measured.
        staged: Whether the number of rounds is chosen by out-of-fold loss.
        seeds: Models averaged.
        alone: Must not share the process with another fit (global random state).
    """

    name: str
    fit: Callable[..., Member]
    cost: float
    staged: bool = False
    seeds: int = 1
    alone: bool = False


def field_of(plan: Plan) -> list[Entry]:
    """The kit's own entrants: the baseline, then those that matter most."""
    return [
        Entry("scorecard", linear.scorecard, 1.0),
        Entry("lightgbm", trees.lightgbm, 1.0, staged=True, seeds=plan.seeds),
        Entry("catboost", trees.catboost, 2.5, staged=True, seeds=plan.seeds),
        Entry("extra trees", trees.extra_trees, 1.0, staged=True, seeds=plan.seeds),
        Entry("network", network.tabm, 10.0, alone=True),
    ]


def run_entrant(entry: Entry, arena: Arena, done: dict[str, Result]) -> Result | None:
    """Fit one entrant on every fold and on all training rows; None if the clock forbids it."""
    deadline = _deadline(entry, arena, done)
    if deadline is not None and deadline <= time.monotonic():
        return None
    kept = _cached(entry, arena)
    if kept is not None:
        return kept
    begun = time.monotonic()
    settings: dict[str, Any] = {}
    if entry.name == "network":
        settings["epochs"] = arena.plan.epochs
    rounds = arena.plan.rounds if entry.staged else (0,)
    if entry.staged:
        settings["rounds"] = rounds[-1]
    jobs = [(design, arena.seed + s) for s in range(entry.seeds) for design in arena.folds]
    # Folds share what is left of the clock; the final fits get as much as one fold each.
    share = None
    if deadline is not None:
        parallel = 1 if entry.alone else arena.plan.workers
        share = (deadline - begun) / -(-(len(jobs) + entry.seeds) // parallel)

    def one(job: tuple[Design, int]) -> Member:
        design, seed = job
        stop = None if share is None else time.monotonic() + share
        training = Training(
            design.rows, design.target, seed, arena.plan.threads, design.pipeline, stop
        )
        return entry.fit(training, **settings)

    fitted = _map(one, jobs, 1 if entry.alone else arena.plan.workers)
    stages = np.full((len(rounds), len(arena.scored)), np.nan)
    for i, at in enumerate(arena.held_at):
        own = fitted[i :: len(arena.folds)]
        held = arena.folds[i].held
        stages[:, at] = np.mean([_stages(m, held, rounds) for m in own], axis=0)
    best = _best_stage(stages[:, arena.scored], _truth(arena))
    if entry.staged:
        settings["rounds"] = rounds[best]
    finals = _map(
        one,
        [(arena.whole, arena.seed + s) for s in range(entry.seeds)],
        1 if entry.alone else arena.plan.workers,
    )
    members = tuple(
        Weighted(entry.name if i == 0 else f"{entry.name} {i + 1}", m, 1 / len(finals))
        for i, m in enumerate(finals)
    )
    result = Result(members, stages[best], time.monotonic() - begun)
    _keep(entry, arena, result)
    return result


def _stages(member: Member, rows: Rows, rounds: tuple[int, ...]) -> np.ndarray:
    staged = getattr(member, "staged", None)
    return staged(rows, rounds) if staged else member.log_odds(rows)[None]


def _best_stage(stages: np.ndarray, y: np.ndarray) -> int:
    """The stage with the smallest log-loss; an earlier one if it is as good."""
    if len(stages) == 1:
        return 0
    loss = np.logaddexp(0, stages).mean(axis=1) - (stages * y).mean(axis=1)
    return int(np.argmin(np.round(loss, 5)))


def _truth(arena: Arena) -> np.ndarray:
    return arena.whole.target[arena.scored]


def _map(function: Callable[[Any], Member], jobs: list[Any], workers: int) -> list[Member]:
    if workers == 1 or len(jobs) == 1:
        return [function(job) for job in jobs]
    with ThreadPoolExecutor(workers) as pool:  # the libraries release the interpreter lock
        return list(pool.map(function, jobs))


def _deadline(entry: Entry, arena: Arena, done: dict[str, Result]) -> float | None:
    """When this entrant must have finished; in the past if it should not begin."""
    if arena.plan.seconds is None:
        return None
    if not done:  # the scorecard: every report needs it, and it is quick
        return float("inf")
    end = arena.started + 0.95 * arena.plan.seconds
    trees_done = done.get("lightgbm")
    expected = 0.5 * entry.cost * trees_done.seconds if trees_done else 0.0
    return end if time.monotonic() + expected < end else 0.0


def _key(entry: Entry, arena: Arena) -> str:
    """What an entrant's result depends on: data, split, features, plan, seed and code."""
    from importlib.metadata import version

    digest = hashlib.sha256()
    parts = (arena.fingerprint, arena.columns, entry.name, entry.seeds, arena.plan, arena.seed)
    digest.update(repr((*parts, version("casekit"))).encode())
    for design in (arena.whole, *arena.folds):
        digest.update(np.ascontiguousarray(design.rows.matrix).tobytes())
        digest.update(design.target.tobytes())
    for module in (trees, linear, network):
        digest.update(Path(str(module.__file__)).read_bytes())
    return digest.hexdigest()[:16]


def _cached(entry: Entry, arena: Arena) -> Result | None:
    """A result that an earlier, interrupted run finished."""
    if arena.cache is None:
        return None
    folder = arena.cache / f"{entry.name.replace(' ', '_')}-{_key(entry, arena)}"
    if not (folder / "result.json").exists():
        return None
    state = orjson.loads((folder / "result.json").read_bytes())
    members = load_members(state["members"], folder)
    oof = np.array(state["oof"], dtype=float)  # null reads back as NaN
    return Result(members, oof, state["seconds"])


def _keep(entry: Entry, arena: Arena, result: Result) -> None:
    """Store a result; the folder appears in one step, so a kill leaves all of it or nothing."""
    if arena.cache is None:
        return
    folder = arena.cache / f"{entry.name.replace(' ', '_')}-{_key(entry, arena)}"
    fresh = folder.with_name(folder.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    members = save_members(result.members, fresh)
    state = {"members": members, "oof": result.oof, "seconds": result.seconds}
    (fresh / "result.json").write_bytes(orjson.dumps(state, option=orjson.OPT_SERIALIZE_NUMPY))
    shutil.rmtree(folder, ignore_errors=True)
    fresh.replace(folder)
