"""Where a model is worse than elsewhere: groups of applicants, judged one by one.

Many slices are looked at, so some look bad by chance: p-values are corrected for their number
(Holm, 1979), and a slice is called worse only when that still says so.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np
import pandas as pd

from core.evaluation.bootstrap import delong_covariance, delong_interval, two_sided, wilson

FEWEST = 30  # rows, and
FEWEST_CASES = 5  # of each outcome, below which a slice is shown but not judged
MOST_VALUES = 8  # of a category; the rest are pooled as "other"
QUARTERS = 4


def bands(values: pd.Series, reference: pd.Series | None = None) -> pd.Series:
    """Names of groups of a column, (n,): quarters of numbers, values of the rest.

    Args:
        values: (n,) the column.
        reference: Training values, which set cut points and common values; by default `values`.

    Returns:
        (n,) ordered categories, those that occur; missing values are a group of their own.
    """
    known = values if reference is None else reference
    if isinstance(known.dtype, pd.CategoricalDtype):
        known, values = known.astype(object), values.astype(object)
    number = pd.api.types.is_numeric_dtype(known) and not pd.api.types.is_bool_dtype(known)
    if number and known.nunique() > MOST_VALUES:
        return _quarters(values, known)
    names = values.map(_plain, na_action="ignore")
    common = known.map(_plain, na_action="ignore").value_counts().index[:MOST_VALUES]
    grouped = names.where(names.isin(common) | names.isna(), "other").astype(object)
    order = [*sorted(set(common) - {"other", "missing"}), "other", "missing"]
    return _ordered(grouped.where(names.notna(), "missing"), order)


def group_names(groups: pd.Series) -> list[str]:
    """Names of the groups that occur, in their order if they have one."""
    if isinstance(groups.dtype, pd.CategoricalDtype):
        return [str(name) for name in groups.cat.categories]
    return sorted(str(name) for name in groups.unique())


def _ordered(names: pd.Series, order: list[str]) -> pd.Series:
    used = [name for name in order if (names == name).any()]
    return pd.Series(pd.Categorical(names, categories=used, ordered=True), index=names.index)


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _quarters(values: pd.Series, known: pd.Series) -> pd.Series:
    numbers = known.to_numpy(dtype=float, na_value=np.nan)
    cuts = np.unique(np.nanquantile(numbers, np.arange(1, QUARTERS) / QUARTERS))
    shown = [f"{cut:,.4g}" if abs(cut) < 10_000 else f"{cut:,.0f}" for cut in cuts]
    names = [f"below {shown[0]}"]
    names += [f"{a} to {b}" for a, b in itertools.pairwise(shown)]
    names += [f"from {shown[-1]}", "missing"]
    new = values.to_numpy(dtype=float, na_value=np.nan)
    place = np.searchsorted(cuts, new, side="right")
    place[np.isnan(new)] = len(names) - 1
    return _ordered(pd.Series(np.array(names, dtype=object)[place], index=values.index), names)


def slice_table(y: np.ndarray, pd_: np.ndarray, columns: Mapping[str, pd.Series]) -> pd.DataFrame:
    """Discrimination and calibration of one model by slice, worst first.

    Args:
        y: (n,) 0 or 1.
        pd_: (n,) probabilities.
        columns: Group names (n,) by column, as `bands` gives them.

    Returns:
        column, slice, n, bad_rate with observed_low and observed_high, mean_pd, calibrated
        (mean_pd inside that interval), roc_auc with low and high, rest (AUC of all others),
        difference, p_value, p_adjusted (Holm, over all judged slices) and verdict: worse,
        "as elsewhere", better, or "too few".
    """
    rows = [
        _slice_row(y, pd_, column, name, (groups.astype(str) == name).to_numpy())
        for column, groups in columns.items()
        for name in group_names(groups)
    ]
    table = pd.DataFrame(rows)
    if table.empty:
        return table
    table["p_adjusted"] = holm(table["p_value"].to_numpy())
    sure = table["p_adjusted"] < 0.05
    table["verdict"] = np.select(
        [table["p_value"].isna(), sure & (table["difference"] < 0), sure],
        ["too few", "worse", "better"],
        "as elsewhere",
    )
    return table.sort_values("difference", na_position="last").reset_index(drop=True)


def _slice_row(
    y: np.ndarray, pd_: np.ndarray, column: str, name: str, inside: np.ndarray
) -> dict[str, object]:
    n, bad = int(inside.sum()), int(y[inside].sum())
    low, high = wilson(bad / n, n)
    mean = float(pd_[inside].mean())
    row: dict[str, object] = {
        "column": column, "slice": name, "n": n, "bad_rate": bad / n, "observed_low": low,
        "observed_high": high, "mean_pd": mean, "calibrated": low <= mean <= high,
    }  # fmt: skip
    rest_bad = int(y.sum()) - bad
    enough = min(bad, n - bad, rest_bad, len(y) - n - rest_bad) >= FEWEST_CASES and n >= FEWEST
    if not enough:
        blank = ("roc_auc", "low", "high", "rest", "difference", "p_value")
        return row | dict.fromkeys(blank, np.nan)
    found = delong_interval(y[inside], pd_[inside])
    own, rest = (delong_covariance(y[part], [pd_[part]]) for part in (inside, ~inside))
    difference = float(own[0][0] - rest[0][0])
    error = float(np.sqrt(own[1][0, 0] + rest[1][0, 0]))
    return row | {
        "roc_auc": found.value, "low": found.low, "high": found.high, "rest": float(rest[0][0]),
        "difference": difference, "p_value": two_sided(difference, error),
    }  # fmt: skip


def holm(p_values: np.ndarray) -> np.ndarray:
    """P-values corrected for their number by Holm's step-down method; NaN stays NaN, (m,)."""
    out = np.full(len(p_values), np.nan)
    judged = np.flatnonzero(~np.isnan(p_values))
    order = judged[np.argsort(p_values[judged])]
    factors = np.arange(len(order), 0, -1)
    out[order] = np.minimum(np.maximum.accumulate(p_values[order] * factors), 1)
    return out
