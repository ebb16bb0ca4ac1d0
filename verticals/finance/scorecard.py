"""The scorecard: optimal bins, weights of evidence, logistic regression, points.

Bins come from optbinning (Navas-Palencia, 2020), constrained so that along a number the rate of
bad loans rises, falls or turns once. A fitted scorecard is lists of numbers and names: it needs
none of the libraries that made it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise

import numpy as np
import orjson
import pandas as pd

from core.errors import ModelError
from explain.trees import Contributions

BASE_POINTS, BASE_ODDS, POINTS_TO_DOUBLE = 600.0, 50.0, 20.0
BINNING_ROWS = 20_000  # cut points are searched on this many rows; rates come from all
PENALTIES = (3.0, 10.0, 30.0, 100.0, 300.0)  # ridge on the coefficients, in rows
FEW_ROWS = 16  # so few are looked up one by one: finding distinct values costs more
SMOOTHING = 20.0  # rows of the book's own rate added to every bin: tiny bins say little


@dataclass(frozen=True)
class Characteristic:
    """One column of the scorecard and its bins; the last bin is for missing values.

    Attributes:
        name: Raw column.
        splits: Upper cut points of number bins, increasing; a value equal to one falls above it.
        groups: For categories, the values of each bin; an unseen value counts as average.
        counts: Training rows by bin.
        bads: ... of which bad.
        woe: Weight of evidence by bin: log-odds of bad above the book's.
        coefficient: Of the regression; never negative.
    """

    name: str
    splits: tuple[float, ...]
    groups: tuple[tuple[str, ...], ...]
    counts: tuple[int, ...]
    bads: tuple[int, ...]
    woe: tuple[float, ...]
    coefficient: float

    @property
    def information_value(self) -> float:
        """Information value (Siddiqi, 2006); above 0.3 is strong, above 0.5 suspicious."""
        n, bad = np.array(self.counts, float), np.array(self.bads, float)
        if not bad.sum() or not (n - bad).sum():
            return 0.0
        return float((((bad / bad.sum()) - (n - bad) / (n - bad).sum()) * np.array(self.woe)).sum())

    def place(self, values: pd.Series) -> np.ndarray:
        """Bin of each value, (n,) int; -1 for a category never seen."""
        last = len(self.woe) - 1
        if self.groups:
            known = {value: i for i, group in enumerate(self.groups) for value in group}
            if len(values) <= FEW_ROWS:
                cells = values.to_numpy(object)
                return np.array([last if pd.isna(v) else known.get(str(v), -1) for v in cells], int)
            codes, uniques = pd.factorize(values, use_na_sentinel=True)
            return np.array([*(known.get(str(u), -1) for u in uniques), last])[codes]
        numbers = np.asarray(values, dtype=float)
        found = np.searchsorted(self.splits, numbers, side="right")
        return np.where(np.isnan(numbers), last, found)

    def effect(self, values: pd.Series) -> np.ndarray:
        """Log-odds of bad that each value adds, (n,)."""
        return self.coefficient * np.array([*self.woe, 0.0])[self.place(values)]


@dataclass(frozen=True)
class Scorecard:
    """Characteristics that add up to the log-odds of bad."""

    characteristics: tuple[Characteristic, ...]
    intercept: float

    @property
    def columns(self) -> tuple[str, ...]:
        """Raw columns in use."""
        return tuple(c.name for c in self.characteristics)

    def log_odds(self, frame: pd.DataFrame) -> np.ndarray:
        """Log-odds of bad, (n,)."""
        total = np.full(len(frame), self.intercept)
        for c in self.characteristics:
            total += c.effect(frame[c.name])
        return total

    def contributions(self, frame: pd.DataFrame) -> Contributions:
        """Log-odds by column against the training average, (n, columns); exact by construction."""
        values = np.column_stack([c.effect(frame[c.name]) for c in self.characteristics])
        means = np.array(
            [
                c.coefficient * np.average(c.woe, weights=np.maximum(c.counts, 1e-9))
                for c in self.characteristics
            ]
        )
        return Contributions(values - means, float(self.intercept + means.sum()))

    def points(self, frame: pd.DataFrame) -> np.ndarray:
        """Points, (n,): higher is safer; 600 at odds of 50 to 1, 20 more double the odds."""
        return _points(self.log_odds(frame))

    def table(self) -> pd.DataFrame:
        """One row a bin: characteristic, bin, rows, bad rate, weight of evidence, points."""
        share = self.intercept / len(self.characteristics)
        base = _points(np.zeros(1))[0] / len(self.characteristics)
        slope = POINTS_TO_DOUBLE / np.log(2)
        rows = []
        for c in self.characteristics:
            for label, n, bad, woe in zip(_labels(c), c.counts, c.bads, c.woe, strict=True):
                rows.append(
                    {
                        "characteristic": c.name,
                        "bin": label,
                        "rows": n,
                        "bad_rate": bad / n if n else np.nan,
                        "woe": woe,
                        "points": base - slope * (share + c.coefficient * woe),
                        "information_value": c.information_value,
                    }
                )
        return pd.DataFrame(rows)

    def to_json(self) -> str:
        """JSON text that `from_json` reads back."""
        return orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2).decode()

    @classmethod
    def from_json(cls, text: str) -> Scorecard:
        """The scorecard written by `to_json`."""
        state = orjson.loads(text)
        read = []
        for c in state["characteristics"]:
            groups = tuple(map(tuple, c.pop("groups")))
            lists = {k: tuple(v) for k, v in c.items() if isinstance(v, list)}
            read.append(Characteristic(**(c | lists), groups=groups))
        return cls(tuple(read), state["intercept"])


def fit_scorecard(
    frame: pd.DataFrame, target: np.ndarray, *, features: Sequence[str], seed: int = 0
) -> Scorecard:
    """Bin, weigh, select and fit.

    Args:
        frame: Typed training rows.
        target: (n,) 0 or 1, 1 = bad.
        features: Columns that may enter.
        seed: Of the sample on which cut points are searched.

    Raises:
        ModelError: No column separates good from bad.
    """
    y = np.asarray(target, int)
    binned = [c for name in features if (c := _bin(frame[name], y, seed)) is not None]
    binned = [c for c in binned if c.information_value > 1e-3]
    if not binned:
        raise ModelError(
            "no column separates good from bad, so there is no scorecard",
            remedy="Check the target column, or give more rows",
        )
    places = [c.place(frame[c.name]) for c in binned]
    woe = _evidence([np.array(c.woe) for c in binned], places)
    coefficients, intercept = _regress(woe, y, _choose_penalty(binned, places, y, seed))
    kept = tuple(
        Characteristic(**(vars(c) | {"coefficient": float(b)}))
        for c, b in zip(binned, coefficients, strict=True)
        if b > 1e-3
    )
    return Scorecard(kept, intercept)


def _bin(values: pd.Series, y: np.ndarray, seed: int) -> Characteristic | None:
    """Optimal bins of one column, with rates from all rows; None if there is nothing to bin."""
    from optbinning import OptimalBinning

    numeric = pd.api.types.is_numeric_dtype(values)
    present = values.notna().to_numpy()
    if values[present].nunique() < 2:
        return None
    rows = np.flatnonzero(present)
    if len(rows) > BINNING_ROWS:
        rows = np.random.default_rng(seed).choice(rows, BINNING_ROWS, replace=False)
    sample = values.iloc[rows]
    found = OptimalBinning(
        dtype="numerical" if numeric else "categorical", solver="cp", time_limit=5,
        max_n_prebins=30, min_prebin_size=0.01, monotonic_trend="auto_heuristic",
        cat_cutoff=None if numeric or sample.nunique() < 10 else 0.01,
    )  # fmt: skip
    data = sample.to_numpy(float) if numeric else sample.astype(str).to_numpy(object)
    try:
        found.fit(data, y[rows])
    except ValueError:  # optbinning's word for a column with nothing to bin, as 700 rare levels
        return None
    splits = tuple(map(float, found.splits)) if numeric else ()
    groups = () if numeric else tuple(tuple(map(str, group)) for group in found.splits)
    bins = len(splits) + 1 if numeric else len(groups)
    if bins < 2 and present.all():
        return None
    empty = Characteristic(str(values.name), splits, groups, (), (), tuple([0.0] * (bins + 1)), 1.0)
    place = empty.place(values)
    counts = np.bincount(place[place >= 0], minlength=bins + 1)
    bads = np.bincount(place[place >= 0], y[place >= 0], minlength=bins + 1)
    woe = _woe(counts, bads, y.mean())
    return Characteristic(
        empty.name, splits, groups, tuple(map(int, counts)), tuple(map(int, bads)),
        tuple(map(float, woe)), 1.0,
    )  # fmt: skip


def _woe(counts: np.ndarray, bads: np.ndarray, rate: float) -> np.ndarray:
    """Weight of evidence by bin: smoothed log-odds of bad above the book's, (bins,)."""
    smooth = (bads + SMOOTHING * rate) / (counts + SMOOTHING)
    return np.log(smooth / (1 - smooth)) - np.log(rate / (1 - rate))


def _evidence(woe: Sequence[np.ndarray], places: Sequence[np.ndarray]) -> np.ndarray:
    """Weight of evidence of every row, (n, characteristics); a category never seen has none."""
    return np.column_stack([np.append(w, 0.0)[p] for w, p in zip(woe, places, strict=True)])


def _choose_penalty(
    binned: Sequence[Characteristic], places: Sequence[np.ndarray], y: np.ndarray, seed: int
) -> float:
    """The ridge with the smallest cross-validated log-loss; rates are refitted in every fold."""
    from sklearn.model_selection import StratifiedKFold

    if len(y) > BINNING_ROWS:  # on many rows any ridge will do: a sample settles it
        keep = np.random.default_rng(seed).choice(len(y), BINNING_ROWS, replace=False)
        places, y = [p[keep] for p in places], y[keep]
    folds = int(min(5, np.bincount(y, minlength=2).min()))
    if folds < 2:
        return PENALTIES[-1]
    loss = np.zeros(len(PENALTIES))
    splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)
    for rows, held in splitter.split(y[:, None], y):
        woe = []
        for c, place in zip(binned, places, strict=True):
            seen = place[rows] >= 0
            at, truth = place[rows][seen], y[rows][seen]
            counts = np.bincount(at, minlength=len(c.woe))
            woe.append(_woe(counts, np.bincount(at, truth, len(c.woe)), y[rows].mean()))
        known = _evidence(woe, [p[rows] for p in places])
        new = _evidence(woe, [p[held] for p in places])
        for i, penalty in enumerate(PENALTIES):
            coefficients, intercept = _regress(known, y[rows], penalty)
            z = new @ coefficients + intercept
            loss[i] += float(np.sum(np.logaddexp(0, z) - y[held] * z))
    return PENALTIES[int(loss.argmin())]


def _regress(woe: np.ndarray, y: np.ndarray, penalty: float) -> tuple[np.ndarray, float]:
    """Logistic regression whose coefficients may not be negative: evidence keeps its sign."""
    from scipy.optimize import minimize
    from scipy.special import expit

    n, width = woe.shape

    def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
        z = woe @ w[:width] + w[width]
        error = (expit(z) - y) / n
        value = np.mean(np.logaddexp(0, z) - y * z) + penalty / (2 * n) * np.sum(w[:width] ** 2)
        return float(value), np.r_[woe.T @ error + penalty / n * w[:width], error.sum()]

    start = np.r_[np.full(width, 0.5), np.log(y.mean() / (1 - y.mean()))]
    bounds = [(0.0, None)] * width + [(None, None)]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
    return found.x[:width], float(found.x[width])


def _points(log_odds: np.ndarray) -> np.ndarray:
    scale = POINTS_TO_DOUBLE / np.log(2)
    return BASE_POINTS - scale * (log_odds + np.log(BASE_ODDS))


def _labels(c: Characteristic) -> list[str]:
    if c.groups:
        return [*(", ".join(group) for group in c.groups), "missing"]
    edges = [-np.inf, *c.splits, np.inf]
    pairs = pairwise(edges)
    return [*(f"[{low:g}, {high:g})" for low, high in pairs), "missing"]
