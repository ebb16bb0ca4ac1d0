"""Whether scores stay what they were, month by month, and what time costs in accuracy."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.data.splits import split_rows
from core.errors import DataError
from core.evaluation.bootstrap import delong_covariance, delong_interval, two_sided
from core.monitoring.drift import light, psi, psi_of_noise, reference_of
from verticals.finance.stages import Checked, Fitted

MOST_ROWS = 20_000  # of the book, when random and time splits are compared
MOST_PERIODS = 60
ROUNDS = 150  # of the trees that compare them


def stability_table(fitted: Fitted, log_odds: np.ndarray) -> pd.DataFrame:
    """Population stability of the champion's score by period, against out-of-fold training scores.

    Args:
        fitted: The competition.
        log_odds: (n,) the champion's scores on the test rows.

    Returns:
        period (a month; or the part of the split, where no time column exists), n, psi, noise
        (what chance alone may reach), light, mean_score (log-odds) and bad_rate.
    """
    split = fitted.split
    oof = fitted.oof[fitted.champion_name].to_numpy(float)
    known = ~np.isnan(oof)
    rows = np.concatenate([split.train[known], split.test])
    score = np.concatenate([oof[known], log_odds])
    y = split.checked.target[rows]
    time = split.checked.roles.time
    if time is None:
        inside = np.isin(split.test, split.private)
        part = np.where(inside, "private", "public")
        names = pd.Series(np.concatenate([np.full(known.sum(), "train"), part]), dtype=object)
        order = ["train", "public", "private"]
    else:
        names = periods(split.checked.frame[time].iloc[rows]).reset_index(drop=True)
        order = sorted(names.unique())
    reference = reference_of(pd.Series(oof[known]))
    bins = len(reference.counts) - 1  # a score is never missing
    lines = []
    for name in order:
        here = (names == name).to_numpy()
        value = psi(reference, score[here])
        lines.append(
            {
                "period": name, "n": int(here.sum()), "psi": value,
                "noise": psi_of_noise(bins, int(known.sum()), int(here.sum())),
                "light": light(value), "mean_score": float(score[here].mean()),
                "bad_rate": float(y[here].mean()),
            }
        )  # fmt: skip
    return pd.DataFrame(lines)


def periods(values: pd.Series) -> pd.Series:
    """Names of the period of each date, (n,): months, or coarser where there are too many.

    Numbers are their own period while few, else bands of equally many rows. Missing is "unknown".
    """
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        plain = values.dt.tz_localize(None) if values.dt.tz is not None else values
        for unit in ("M", "Q", "Y"):
            names = plain.dt.to_period(unit)
            if names.nunique() <= MOST_PERIODS:
                break
        return names.astype(str).where(values.notna(), "unknown").astype(object)
    numbers = pd.to_numeric(values, errors="coerce")
    if numbers.nunique() > MOST_PERIODS:
        cut = pd.qcut(numbers, 12, duplicates="drop")
        low = cut.map(lambda band: band.left, na_action="ignore").astype(float)
        return _aligned(low)
    return _aligned(numbers)


def _aligned(numbers: pd.Series) -> pd.Series:
    """Numbers as text that sorts as they do."""
    width = len(f"{np.nanmax(np.abs(numbers.to_numpy(float))):.0f}")
    text = numbers.map(lambda v: f"{v:0{width}.0f}" if v == round(v) else f"{v:.4g}")
    return text.where(numbers.notna(), "unknown").astype(object)


def time_gap_table(checked: Checked, *, seed: int) -> pd.DataFrame:
    """AUC that trees reach on a random split and on a split by time, and the gap.

    Plain LightGBM with features of its own on either split, on at most `MOST_ROWS` rows, so the
    two differ in the split alone. A gap above zero is what a random split would have promised
    too much.

    Returns:
        split (random, time, gap), train_rows, test_rows, roc_auc, low, high, p_value (of no gap).
        Empty where the book has no time column, or a part has too few of one outcome.
    """
    time = checked.roles.time
    if time is None:
        return pd.DataFrame()
    rng = np.random.default_rng(seed)
    n = len(checked.target)
    rows = np.sort(rng.choice(n, MOST_ROWS, replace=False)) if n > MOST_ROWS else np.arange(n)
    y = checked.target[rows]
    when = checked.frame[time].iloc[rows].reset_index(drop=True)
    lines, found = [], []
    for kind in ("random", "time"):
        try:
            train, first, last = split_rows(y, time=when if kind == "time" else None, seed=seed)
        except DataError:  # one date, or a part without a bad loan: there is nothing to compare
            return pd.DataFrame()
        test = np.concatenate([first, last])
        if min(np.bincount(y[test], minlength=2)) < 2:
            return pd.DataFrame()
        score = _plain_trees(checked, rows[train], rows[test], seed)
        interval = delong_interval(y[test], score)
        auc, variance = delong_covariance(y[test], [score])
        found.append((float(auc[0]), float(variance[0, 0])))
        lines.append(
            {
                "split": kind, "train_rows": len(train), "test_rows": len(test),
                "roc_auc": interval.value, "low": interval.low, "high": interval.high,
                "p_value": np.nan,
            }
        )  # fmt: skip
    gap, error = found[0][0] - found[1][0], float(np.sqrt(found[0][1] + found[1][1]))
    lines.append(
        {
            "split": "gap", "train_rows": len(train), "test_rows": len(test), "roc_auc": gap,
            "low": gap - 1.96 * error, "high": gap + 1.96 * error,
            "p_value": two_sided(gap, error),
        }
    )  # fmt: skip
    return pd.DataFrame(lines)


def _plain_trees(checked: Checked, train: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
    """Log-odds (n,) of test rows by LightGBM fitted on train rows."""
    from verticals.finance.entrants.members import Rows, Training
    from verticals.finance.entrants.trees import lightgbm
    from verticals.finance.features import fit_features

    names = list(checked.roles.features)
    frame = checked.frame[names]
    pipeline, matrix = fit_features(
        frame.iloc[train], checked.target[train], checked.schema, names,
        time=checked.roles.time if checked.roles.time in names else None, seed=seed,
    )  # fmt: skip
    training = Training(Rows(frame.iloc[train], matrix), checked.target[train], seed, 1, pipeline)
    rest = frame.iloc[test]
    return lightgbm(training, rounds=ROUNDS).log_odds(Rows(rest, pipeline.transform(rest)))
