"""Finds columns that know the outcome: filled in, or changed, after it happened."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import rankdata

_BINS = 60  # equal-frequency bins of a number
_FOLDS = 5
_CERTAIN = 0.98  # AUC of one column no honest applicant's datum reaches
_SUSPECT = 0.90  # ... and with which it must also be far above every other column
_FAR = 0.12
_PURE = 0.995  # bad rate of values that only bad cases have
_CAUGHT = 0.25  # share of all bad cases that such values must cover
_FEWEST = 40  # rows below which nothing is said


@dataclass(frozen=True)
class Leak:
    """How much of the outcome one column knows."""

    column: str
    auc: float  # cross-validated, of this column alone
    why: str  # empty: no leak


def column_aucs(frame: pd.DataFrame, target: np.ndarray, *, seed: int = 0) -> tuple[Leak, ...]:
    """Cross-validated AUC of every column alone, and why one is taken for a leak.

    Each column is binned (numbers) or coded (others), missing being a value of its own; a row is
    scored by the bad rate of its value in the other folds, shrunk to the mean.

    Args:
        frame: Typed columns.
        target: (n,) 0 or 1.
        seed: Of the folds.
    """
    if len(frame) < _FEWEST or len(np.unique(target)) < 2:
        return tuple(Leak(str(c), 0.5, "") for c in frame)
    fold = np.random.default_rng(seed).permutation(len(target)) % _FOLDS
    codes = {str(c): value_codes(frame[c]) for c in frame}
    aucs = {c: _auc(_scores(code, target, fold), target) for c, code in codes.items()}
    pure = {c: _pure(code, target) for c, code in codes.items()}
    # What honest columns reach: those that nothing else speaks against.
    honest = max((a for c, a in aucs.items() if a < _SUSPECT and not pure[c]), default=0.5)
    leaks = []
    for name, auc in aucs.items():
        why = pure[name]
        if auc >= _CERTAIN:
            why = f"alone it predicts the outcome with AUC {auc:.3f}"
        elif auc >= _SUSPECT and auc - honest >= _FAR:
            why = f"alone it has AUC {auc:.3f}, the next best column {honest:.3f}"
        leaks.append(Leak(name, auc, why))
    return tuple(leaks)


def value_codes(values: pd.Series) -> np.ndarray:
    """(n,) int64 codes of values, numbers and dates in equal-frequency bins; missing is 0."""
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        days = values.to_numpy(dtype="datetime64[D]")
        values = pd.Series(np.where(np.isnat(days), np.nan, days.astype(np.float64)))
    if not pd.api.types.is_numeric_dtype(values.dtype):
        return pd.factorize(values)[0].astype(np.int64) + 1
    array = values.to_numpy(dtype=np.float64, na_value=np.nan)
    known = array[~np.isnan(array)]
    if len(known) == 0:
        return np.zeros(len(array), np.int64)
    distinct = np.unique(known)
    if len(distinct) > _BINS:
        inner = np.linspace(0, 1, _BINS + 1)[1:-1]
        distinct = np.unique(np.quantile(known, inner, method="lower"))
    codes = np.searchsorted(distinct, array, side="right") + 1
    return np.where(np.isnan(array), 0, codes).astype(np.int64)


def _scores(codes: np.ndarray, target: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """(n,) bad rate of a row's value among the rows of the other folds."""
    size = int(codes.max()) + 1
    mean, weight = float(target.mean()), 5.0
    counts = np.bincount(codes, minlength=size)
    bads = np.bincount(codes, weights=target, minlength=size)
    scores = np.empty(len(codes))
    for f in range(_FOLDS):
        own = fold == f
        n = counts - np.bincount(codes[own], minlength=size)
        b = bads - np.bincount(codes[own], weights=target[own], minlength=size)
        scores[own] = ((b + weight * mean) / (n + weight))[codes[own]]
    return scores


def _auc(scores: np.ndarray, target: np.ndarray) -> float:
    """Area under the ROC curve by ranks (Mann and Whitney, 1947)."""
    bad = int(target.sum())
    ranks = rankdata(scores)
    return float((ranks[target == 1].sum() - bad * (bad + 1) / 2) / (bad * (len(target) - bad)))


def _pure(codes: np.ndarray, target: np.ndarray) -> str:
    """Whether values that only bad cases have, or being filled in at all, give bad cases away."""
    counts = np.bincount(codes)
    bads = np.bincount(codes, weights=target)
    pure = (counts >= 20) & (bads >= _PURE * counts)
    caught = float(bads[pure].sum() / target.sum())
    if caught >= _CAUGHT:
        return f"{caught:.0%} of the bad cases have values that practically no good case has"
    filled = len(target) - counts[0]
    expected = filled * float(target.mean())
    if counts[0] and expected >= 20 and bads[1:].sum() == 0:
        return "it is filled in for good cases only"
    return ""
