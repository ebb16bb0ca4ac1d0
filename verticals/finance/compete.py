"""The competition: every entrant on the same folds, then blends, then a champion.

Sees training rows only. The champion is the best blend whose reasons are exact; the network
competes and stands on the leaderboard, so the price of exact reasons is visible.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from core.errors import ModelError
from core.evaluation.calibration import fit_calibrator
from core.evaluation.conformal import fit_pd_interval
from verticals.finance.blend import stack
from verticals.finance.entrants.linear import ScorecardMember
from verticals.finance.entrants.members import Rows
from verticals.finance.features import FeaturePipeline, fit_features
from verticals.finance.field import Arena, Design, Result, field_of, run_entrant
from verticals.finance.model import CreditModel, Weighted
from verticals.finance.plan import Plan, make_plan
from verticals.finance.stages import Checked, Fitted, Split

BLEND, WITH_NETWORK = "blend", "blend with network"


@dataclass(frozen=True)
class _Judge:
    """Makes a calibrated model from members, by their out-of-fold scores."""

    split: Split
    pipeline: FeaturePipeline
    scored: np.ndarray  # rows of train that were held out once
    y: np.ndarray  # their outcomes

    def model(self, members: list[Weighted], oof: np.ndarray) -> CreditModel:
        seed = self.split.checked.loaded.parameters.seed
        calibrator = fit_calibrator(oof[self.scored], self.y, seed=seed)
        probability = calibrator.transform(oof[self.scored])
        return CreditModel(
            inputs(self.split.checked), self.pipeline, tuple(members), calibrator,
            fit_pd_interval(probability, self.y, seed=seed),
        )  # fmt: skip


def fit(split: Split, cache: Path | None = None) -> Fitted:
    """Run the competition on the training rows.

    Args:
        split: Which rows train, and in which folds.
        cache: Folder that keeps each finished entrant, so that a killed run resumes.

    Returns:
        Every entrant as a calibrated model, and the champion. `oof` has one column an entrant,
        NaN for rows no fold held out (the earliest ones of a time split).

    Raises:
        ModelError: The budget is too small for the first entrant.
    """
    checked = split.checked
    parameters = checked.loaded.parameters
    plan = make_plan(parameters.budget, len(split.train))
    started = time.monotonic()
    arena = _arena(split, plan, cache, started)
    results = _run_all(arena)
    y = checked.target[split.train]
    oof = {name: result.oof for name, result in results.items()}
    judge = _Judge(split, arena.whole.pipeline, arena.scored, y[arena.scored])
    models = {name: judge.model(list(r.members), r.oof) for name, r in results.items()}
    for name, names in (
        (BLEND, [n for n in results if n != "network"]),
        (WITH_NETWORK, list(results)),
    ):
        if len(names) < 2 or (name == WITH_NETWORK and "network" not in names):
            continue
        scores = np.array([oof[n] for n in names])
        weights = stack(scores[:, arena.scored], judge.y)
        oof[name] = weights @ scores
        models[name] = judge.model(_weighted(results, names, weights), oof[name])
    champion = BLEND if BLEND in models else next(iter(models))
    cards = [m.member for m in results.get("scorecard", _NO_RESULT).members]
    card = next((c.scorecard for c in cards if isinstance(c, ScorecardMember)), None)
    if card is None:
        raise ModelError(
            "the budget ended before the scorecard", where="budget",
            remedy="Give more seconds, or 'quick'",
        )  # fmt: skip
    return Fitted(
        split, models[champion], champion, card, models, pd.DataFrame(oof, index=split.train),
        {name: r.seconds for name, r in results.items()},
    )  # fmt: skip


_NO_RESULT = Result((), np.empty(0), 0.0)


def _arena(split: Split, plan: Plan, cache: Path | None, started: float) -> Arena:
    """Features of every fold and of the whole training part, fitted once for all entrants."""
    checked, seed = split.checked, split.checked.loaded.parameters.seed
    whole = _design(split, split.train, np.empty(0, int), seed)
    folds = [_design(split, fit_rows, held, seed) for fit_rows, held in split.folds]
    place = pd.Series(np.arange(len(split.train)), index=split.train)
    held_at = [place[held].to_numpy() for _, held in split.folds]
    scored = np.zeros(len(split.train), dtype=bool)
    for at in held_at:
        scored[at] = True
    return Arena(
        whole, tuple(folds), tuple(held_at), scored, plan, seed, started, cache,
        checked.loaded.fingerprint, inputs(checked),
    )  # fmt: skip


def inputs(checked: Checked) -> tuple[str, ...]:
    """Raw columns a model reads: the features, and the date that other dates are counted from."""
    roles, kind = checked.roles, checked.schema
    dated = any(kind[name].kind == "date" for name in roles.features)
    if dated and roles.time is not None and kind[roles.time].kind == "date":
        return (*roles.features, roles.time)
    return roles.features


def _design(split: Split, fit_rows: np.ndarray, held: np.ndarray, seed: int) -> Design:
    checked = split.checked
    names = inputs(checked)
    features = checked.roles.features
    frame = checked.frame[list(names)]
    pipeline, matrix = fit_features(
        frame.iloc[fit_rows], checked.target[fit_rows], checked.schema, features,
        time=checked.roles.time if len(names) > len(features) else None, seed=seed,
    )  # fmt: skip
    rest = frame.iloc[held]
    return Design(
        pipeline, Rows(frame.iloc[fit_rows], matrix), checked.target[fit_rows],
        Rows(rest, pipeline.transform(rest)), checked.target[held],
    )  # fmt: skip


def _run_all(arena: Arena) -> dict[str, Result]:
    """Every entrant the plan or the clock allows, with progress on the terminal."""
    from rich.progress import Progress
    from threadpoolctl import threadpool_limits

    results: dict[str, Result] = {}
    entries = field_of(arena.plan)
    # Fits run side by side: linear algebra that starts threads of its own only gets in their way.
    bar = Progress(transient=True, disable=not sys.stderr.isatty())
    with threadpool_limits(1), bar as progress:
        task = progress.add_task("competition", total=len(entries))
        for entry in entries:
            progress.update(task, description=entry.name)
            result = run_entrant(entry, arena, results)
            if result is not None:
                results[entry.name] = result
            progress.advance(task)
    return results


def _weighted(results: dict[str, Result], names: list[str], weights: np.ndarray) -> list[Weighted]:
    """Members of a blend with their final weights; those that weigh nothing are left out."""
    return [
        Weighted(m.name, m.member, float(weight * m.weight))
        for name, weight in zip(names, weights, strict=True)
        for m in results[name].members
        if weight > 0
    ]
