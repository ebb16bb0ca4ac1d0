"""How far a book has moved away from the one a model learned from, column by column.

Traffic lights are the industry's rule of thumb (Siddiqi, 2006): PSI below 0.1 is stable, from 0.25
on the population has shifted. Small samples exceed them by chance, so every value stands beside
the one that chance alone would exceed one time in twenty (Yurdakul & Naranjo, 2020).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from core.errors import DataError

WATCH, ACT = 0.1, 0.25  # population stability index
BINS = 10  # reference deciles; missing values are a bin of their own
FLOOR = 1e-4  # smallest share of a bin, so that an empty one does not make the index infinite
MOST_CATEGORIES = 50  # rarer ones are pooled

Light = Literal["green", "amber", "red"]


@dataclass(frozen=True)
class Reference:
    """The shares a column had, all that a monitor needs to remember of it.

    Attributes:
        edges: Inner cut points of a number's bins, ascending; a value equal to one falls above.
        categories: Known values of a category, commonest first.
        counts: Rows in each bin; then the others (categories only); missing last.
    """

    edges: tuple[float, ...]
    categories: tuple[str, ...]
    counts: tuple[int, ...]

    def count(self, values: pd.Series) -> np.ndarray:
        """Rows of `values` in each bin, as `counts`."""
        size = len(self.counts)
        if self.categories:
            known = {name: i for i, name in enumerate(self.categories)}
            codes, uniques = pd.factorize(values, use_na_sentinel=True)
            place = np.array([*(known.get(str(u), size - 2) for u in uniques), size - 1])[codes]
        else:
            numbers = _numbers(values)
            place = np.searchsorted(self.edges, numbers, side="right")
            place[np.isnan(numbers)] = size - 1
        return np.bincount(place, minlength=size)


def reference_of(values: pd.Series, *, bins: int = BINS) -> Reference:
    """Bins of a column: deciles of a number, values of anything else.

    Args:
        values: (n,) the column a model learned from.
        bins: Quantile bins of a number; fewer where values repeat.
    """
    if _is_number(values):
        numbers = _numbers(values)
        present = numbers[~np.isnan(numbers)]
        cuts = np.quantile(present, np.linspace(0, 1, bins + 1)[1:-1]) if len(present) else []
        # Where a decile falls on the smallest value, the bin below it would always be empty.
        edges = tuple(float(e) for e in np.unique(cuts) if e > present.min())
        empty = Reference(edges, (), (0,) * (len(edges) + 2))
    else:
        names = values.dropna().astype(str).value_counts().index[:MOST_CATEGORIES]
        empty = Reference((), tuple(names) or ("",), (0,) * (max(len(names), 1) + 2))
    counts = tuple(int(c) for c in empty.count(values))
    return Reference(empty.edges, empty.categories, counts)


def psi(reference: pd.Series | np.ndarray | Reference, current: pd.Series | np.ndarray) -> float:
    """Population stability index: sum over bins of (c − r) ln(c / r), shares floored at 1e-4.

    Args:
        reference: (n,) values a model learned from, or what `reference_of` kept of them.
        current: (m,) values now.

    Raises:
        DataError: One of the two is empty.
    """
    if not isinstance(reference, Reference):
        reference = reference_of(pd.Series(reference))
    return psi_of_counts(np.array(reference.counts), reference.count(pd.Series(current)))


def psi_of_counts(reference: np.ndarray, current: np.ndarray) -> float:
    """Population stability index of counts by bin, (bins,) each.

    Raises:
        DataError: One of the two is empty.
    """
    if not reference.sum() or not current.sum():
        raise DataError("drift needs rows on both sides", remedy="Give a sample that is not empty")
    used = (reference + current) > 0
    r = np.maximum(reference[used] / reference.sum(), FLOOR)
    c = np.maximum(current[used] / current.sum(), FLOOR)
    return float(((c - r) * np.log(c / r)).sum())


def psi_of_noise(
    bins: int, reference_rows: int, current_rows: int, *, level: float = 0.95
) -> float:
    """The index that samples of one population stay below with probability `level`.

    Without drift it is (1/n + 1/m) times a chi-square of bins − 1 degrees of freedom.
    """
    from scipy.stats import chi2

    scale = 1 / max(reference_rows, 1) + 1 / max(current_rows, 1)
    return float(scale * chi2.ppf(level, max(bins - 1, 1)))


def light(value: float) -> Light:
    """Traffic light of a population stability index."""
    return "green" if value < WATCH else "amber" if value < ACT else "red"


def ks_drift(reference: pd.Series, current: pd.Series) -> tuple[float, float]:
    """Largest distance between two distributions of numbers and its p-value.

    Missing values are left out; with no value on a side the answer is (nan, nan).
    """
    from scipy.stats import ks_2samp

    sides = [_numbers(side) for side in (reference, current)]
    sides = [side[~np.isnan(side)] for side in sides]
    if not all(map(len, sides)):
        return np.nan, np.nan
    found = ks_2samp(*sides, method="asymp")
    return float(found.statistic), float(found.pvalue)


def drift_table(reference: pd.DataFrame, current: pd.DataFrame) -> pd.DataFrame:
    """Drift of every column that both tables have, worst first.

    Args:
        reference: (n, columns) what a model learned from.
        current: (m, columns) what it sees now.

    Returns:
        column, kind, psi, noise (what chance alone may reach), light, ks and ks_p_value (numbers),
        missing_reference and missing_current (shares), new_categories (share of rows).

    Raises:
        DataError: A table is empty, or they share no column.
    """
    shared = [c for c in reference.columns if c in current.columns]
    if not shared:
        raise DataError("the two tables share no column", remedy="Compare tables of one schema")
    rows = [_drift_row(name, reference[name], current[name]) for name in shared]
    table = pd.DataFrame(rows).sort_values("psi", ascending=False, kind="stable")
    return table.reset_index(drop=True)


def _drift_row(name: str, before: pd.Series, now: pd.Series) -> dict[str, object]:
    known = reference_of(before)
    counts = known.count(now)
    value = psi_of_counts(np.array(known.counts), counts)
    used = int(((np.array(known.counts) + counts) > 0).sum())
    number = not known.categories
    distance, p_value = ks_drift(before, now) if number else (np.nan, np.nan)
    return {
        "column": name,
        "kind": "number" if number else "category",
        "psi": value,
        "noise": psi_of_noise(used, len(before), len(now)),
        "light": light(value),
        "ks": distance,
        "ks_p_value": p_value,
        "missing_reference": float(before.isna().mean()),
        "missing_current": float(now.isna().mean()),
        "new_categories": np.nan if number else float(counts[-2] / len(now)),
    }


def _is_number(values: pd.Series) -> bool:
    kind = values.dtype
    return (
        pd.api.types.is_numeric_dtype(kind) or pd.api.types.is_datetime64_any_dtype(kind)
    ) and not pd.api.types.is_bool_dtype(kind)


def _numbers(values: pd.Series) -> np.ndarray:
    """Float values, (n,); dates as days since 1970, missing and infinite as NaN."""
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        days = (values - pd.Timestamp(0, tz=values.dt.tz)) / pd.Timedelta(days=1)
        return days.to_numpy(float)
    numbers = values.to_numpy(dtype=float, na_value=np.nan)
    return np.where(np.isfinite(numbers), numbers, np.nan)
