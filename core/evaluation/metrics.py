"""Metrics of probabilities against binary outcomes, for many weightings of the rows at once.

One weighting of all ones is the plain metric; bootstrap counts as weights give its distribution
without copying a row. Checked against scikit-learn in the tests.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

ECE_BINS = 15
_TINY = 1e-12


class Sorted:
    """Rows sorted by score, with what every metric needs of them.

    Args:
        y: (n,) 0 or 1.
        p: (n,) probabilities of the outcome 1.
    """

    def __init__(self, y: np.ndarray, p: np.ndarray) -> None:
        self.order = np.argsort(p, kind="stable")
        self.y = np.asarray(y, float)[self.order]
        self.p = np.asarray(p, float)[self.order]
        self.starts = np.flatnonzero(np.r_[True, np.diff(self.p) > 0])  # of tied scores
        edges = np.linspace(0, len(self.p), min(ECE_BINS, len(self.p)) + 1).astype(int)
        self.bins = np.unique(edges[:-1])

    def classes(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Weight of bad and of good rows by tied score, each (b, scores)."""
        bad = np.add.reduceat(weights * self.y, self.starts, axis=1)
        return bad, np.add.reduceat(weights, self.starts, axis=1) - bad


Metric = Callable[[Sorted, np.ndarray], np.ndarray]


def _roc_auc(rows: Sorted, weights: np.ndarray) -> np.ndarray:
    bad, good = rows.classes(weights)
    below = np.cumsum(good, axis=1) - good
    wins = (bad * (below + 0.5 * good)).sum(axis=1)
    return wins / np.maximum(bad.sum(axis=1) * good.sum(axis=1), _TINY)


def _gini(rows: Sorted, weights: np.ndarray) -> np.ndarray:
    return 2 * _roc_auc(rows, weights) - 1


def _ks(rows: Sorted, weights: np.ndarray) -> np.ndarray:
    bad, good = rows.classes(weights)
    bad = np.cumsum(bad, axis=1) / np.maximum(bad.sum(axis=1), _TINY)[:, None]
    good = np.cumsum(good, axis=1) / np.maximum(good.sum(axis=1), _TINY)[:, None]
    return np.abs(bad - good).max(axis=1)


def _average_precision(rows: Sorted, weights: np.ndarray) -> np.ndarray:
    bad, good = (part[:, ::-1] for part in rows.classes(weights))
    found, taken = np.cumsum(bad, axis=1), np.cumsum(bad + good, axis=1)
    precision = found / np.maximum(taken, _TINY)
    return (precision * bad).sum(axis=1) / np.maximum(found[:, -1], _TINY)


def _brier(rows: Sorted, weights: np.ndarray) -> np.ndarray:
    return weights @ (rows.p - rows.y) ** 2 / weights.sum(axis=1)


def _log_loss(rows: Sorted, weights: np.ndarray) -> np.ndarray:
    chosen = np.clip(np.where(rows.y == 1, rows.p, 1 - rows.p), _TINY, 1)
    return weights @ -np.log(chosen) / weights.sum(axis=1)


def _ece(rows: Sorted, weights: np.ndarray) -> np.ndarray:
    gaps = np.add.reduceat(weights * (rows.p - rows.y), rows.bins, axis=1)
    return np.abs(gaps).sum(axis=1) / weights.sum(axis=1)


METRICS: dict[str, Metric] = {
    "roc_auc": _roc_auc,
    "gini": _gini,
    "ks": _ks,
    "average_precision": _average_precision,
    "brier": _brier,
    "log_loss": _log_loss,
    "ece": _ece,
}
LOWER_IS_BETTER = frozenset({"brier", "log_loss", "ece"})


def measure(name: str, y: np.ndarray, p: np.ndarray) -> float:
    """One metric, by name.

    Args:
        name: roc_auc, gini (2 AUC − 1), ks (Kolmogorov-Smirnov distance of the classes' scores),
            average_precision, brier, log_loss (natural logarithm), or ece (expected calibration
            error over 15 bins of equal size; Naeini et al., 2015).
        y: (n,) 0 or 1.
        p: (n,) probabilities of the outcome 1.
    """
    rows = Sorted(y, p)
    return float(METRICS[name](rows, np.ones((1, len(rows.y))))[0])
