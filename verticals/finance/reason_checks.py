"""Puts adverse-action reasons to the test: do they hold when tried, and when the model is refitted?

Both answer questions an examiner asks. A reason that is true lowers the score when what it names
is repaired; a reason that is stable does not depend on the seed or on who happened to be sampled.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from core.deployment.results import Measurement
from core.evaluation.bootstrap import wilson
from verticals.finance.entrants import linear, trees
from verticals.finance.entrants.members import Member, Rows, Training
from verticals.finance.features import fit_features
from verticals.finance.model import CreditModel, Weighted
from verticals.finance.reasons import ReasonMapping, reason_table, reference_of
from verticals.finance.stages import Fitted

MOST_ROWS = 20_000  # of a refit's bootstrap sample
TINY = 1e-9  # log-odds; less is rounding, not a fall


def reason_truthfulness(
    model: CreditModel,
    frame: pd.DataFrame,
    book: pd.DataFrame,
    mapping: ReasonMapping,
    reference: dict[str, float],
    *,
    seed: int = 0,
) -> tuple[Measurement, ...]:
    """Share of applicants whose score falls once their first reason is repaired.

    The columns behind the reason get the book's typical value (median, or most frequent). The
    baseline repairs, for the same applicants, a reason drawn from those that were not named.

    Args:
        model: The champion.
        frame: Typed held-out rows, such as declined applicants.
        book: Typed rows that show what is typical.
        mapping: Wording of the reasons.
        reference: Contribution of the reference applicant by column.
        seed: Of the drawn reasons.

    Returns:
        One measurement, or none if no row has a reason.
    """
    found = model.contributions(frame)
    score = model.score(frame)
    listed = reason_table(found.values, model.columns, mapping, reference)
    typical = {name: _typical(book[name]) for name in model.columns}
    rng = np.random.default_rng(seed)
    named: list[Sequence[str]] = [row[0]["features"] if row else () for row in listed]
    others = [_drawn(row, model.columns, mapping, rng) for row in listed]

    def falls(columns: Sequence[Sequence[str]]) -> tuple[int, int]:
        repaired = model.score(_repair(frame, columns, typical))
        tried = np.array([bool(c) for c in columns])
        return int((repaired < score - TINY)[tried].sum()), int(tried.sum())

    moved, total = falls(named)
    if not total:
        return ()
    by_chance, drawn = falls(others)
    low, high = wilson(moved / total, total)
    return (
        Measurement(
            metric="reason_truthfulness", value=moved / total, low=low, high=high, n=total,
            split="test", model="champion", baseline=by_chance / drawn if drawn else None,
            baseline_model="a reason not named" if drawn else None,
        ),
    )  # fmt: skip


def reason_stability(
    fitted: Fitted,
    rows: np.ndarray,
    reference_rows: np.ndarray,
    mapping: ReasonMapping,
    *,
    seed: int,
) -> tuple[Measurement, ...]:
    """Share of applicants whose reasons stay when the champion is refitted.

    The refit has another seed and a bootstrap sample of the training rows, one model a family.
    The baseline of the first reason is always naming the most frequent one.

    Args:
        fitted: The competition.
        rows: Held-out row numbers, such as declined applicants.
        reference_rows: Approved training rows, whose mean contributions reasons are held against.
        mapping: Wording of the reasons.
        seed: Of the sample and of the refit.

    Returns:
        `reason_stability`, of the first reason, and `reason_set_stability`, of all of them; none
        if the champion has a member that cannot be refitted or no row has a reason.
    """
    again = _refit(fitted, seed)
    if again is None:
        return ()
    before, after = (
        _codes(model, fitted, rows, reference_rows, mapping) for model in (fitted.champion, again)
    )
    pairs = [(a, b) for a, b in zip(before, after, strict=True) if a]
    if not pairs:
        return ()
    firsts = [a[0] for a, _ in pairs]
    usual = max(sorted(set(firsts)), key=firsts.count)
    first = np.array([bool(b) and a[0] == b[0] for a, b in pairs])
    same = np.array([set(a) == set(b) for a, b in pairs])
    baseline = float(np.mean([bool(b) and b[0] == usual for _, b in pairs]))
    return (
        _share("reason_stability", first, baseline, "the most frequent reason"),
        _share("reason_set_stability", same, None, None),
    )


def _share(
    metric: str, holds: np.ndarray, baseline: float | None, baseline_model: str | None
) -> Measurement:
    share = float(holds.mean())
    low, high = wilson(share, len(holds))
    return Measurement(
        metric=metric, value=share, low=low, high=high, n=len(holds), split="test",
        model="champion", baseline=baseline, baseline_model=baseline_model,
    )  # fmt: skip


def _codes(
    model: CreditModel, fitted: Fitted, rows: np.ndarray, approved: np.ndarray,
    mapping: ReasonMapping,
) -> list[list[str]]:  # fmt: skip
    """Codes of the principal reasons of each row, against the model's own reference."""
    frame = fitted.split.checked.frame[list(model.columns)]
    usual = model.contributions(frame.iloc[approved]).values
    reference = reference_of(usual, model.columns, np.ones(len(approved), dtype=bool))
    values = model.contributions(frame.iloc[rows]).values
    listed = reason_table(values, model.columns, mapping, reference)
    return [[reason["code"] for reason in row] for row in listed]


def _refit(fitted: Fitted, seed: int) -> CreditModel | None:
    """The champion on a bootstrap sample with another seed, one member a family."""
    entrants: dict[str, Callable[..., Member]] = {
        "scorecard": linear.scorecard, "lightgbm": trees.lightgbm,
        "extra trees": trees.extra_trees, "catboost": trees.catboost,
    }  # fmt: skip
    weights: dict[str, float] = {}
    rounds: dict[str, int] = {}
    for m in fitted.champion.members:
        name = re.sub(r" \d+$", "", m.name)  # "catboost 2" is CatBoost's second seed
        weights[name] = weights.get(name, 0.0) + m.weight
        if isinstance(m.member, trees.LightGBMMember):
            rounds[name] = m.member.booster.num_trees()
        elif isinstance(m.member, trees.CatBoostMember):
            rounds[name] = int(m.member.model.tree_count_)
    if not set(weights) <= set(entrants):
        return None
    checked, train = fitted.split.checked, fitted.split.train
    rng = np.random.default_rng(seed)
    sample = np.sort(rng.choice(train, min(len(train), MOST_ROWS)))
    names = list(checked.roles.features)
    frame, target = checked.frame[names].iloc[sample], checked.target[sample]
    time = checked.roles.time if checked.roles.time in names else None
    pipeline, matrix = fit_features(frame, target, checked.schema, names, time=time, seed=seed)
    training = Training(Rows(frame, matrix), target, seed, 1, pipeline)
    members = tuple(
        Weighted(name, entrants[name](training, **_rounds(rounds, name)), weight)
        for name, weight in weights.items()
    )
    champion = fitted.champion
    return CreditModel(
        champion.columns, pipeline, members, champion.calibrator, champion.pd_interval
    )


def _rounds(rounds: dict[str, int], name: str) -> dict[str, Any]:
    return {"rounds": rounds[name]} if name in rounds else {}


def _typical(values: pd.Series) -> Any:
    if pd.api.types.is_numeric_dtype(values):
        return values.median()
    common = values.mode()
    return common.iloc[0] if len(common) else None


def _drawn(
    listed: list[dict[str, Any]], columns: Sequence[str], mapping: ReasonMapping,
    rng: np.random.Generator,
) -> Sequence[str]:  # fmt: skip
    """Columns of a reason that was not named; none for a row without reasons."""
    named = {reason["code"] for reason in listed}
    free = [
        [f for f in r.features if f in columns and f not in mapping.silent]
        for r in mapping.reasons
        if r.code not in named
    ]
    free = [features for features in free if features]
    return free[rng.integers(len(free))] if listed and free else ()


def _repair(
    frame: pd.DataFrame, columns: Sequence[Sequence[str]], typical: dict[str, Any]
) -> pd.DataFrame:
    """Each row with its own columns set to what is typical."""
    repaired = frame.copy()
    for name in {name for row in columns for name in row}:
        hit = np.array([name in row for row in columns])
        usual = pd.Series([typical[name]] * len(frame), index=frame.index).astype(frame[name].dtype)
        repaired[name] = frame[name].where(~hit, usual)
    return repaired
