"""Metrics of probabilities against binary outcomes, for many resamples of the rows at once.

A resample only changes how often each distinct score occurs among bad and good rows, so every
metric takes those counts. One row of observed counts is the plain metric; the bootstrap brings
thousands. Checked against scikit-learn in the tests.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.errors import DataError

ECE_BINS = 15
_TINY = 1e-12


@dataclass(frozen=True)
class Groups:
    """The distinct scores of a sample, and which rows have them.

    Attributes:
        score: (g,) distinct probabilities, ascending.
        bin: (g,) calibration bin of each, ascending: bins hold nearly equal numbers of rows.
        of_bad: (n1,) group of each bad row, in the caller's order.
        of_good: (n0,) group of each good row.
    """

    score: np.ndarray
    bin: np.ndarray
    of_bad: np.ndarray
    of_good: np.ndarray

    @classmethod
    def of(cls, y: np.ndarray, p: np.ndarray, *, bins: int = ECE_BINS) -> Groups:
        """Groups of outcomes (n,), 0 or 1, and probabilities of 1 (n,), in so many bins.

        Raises:
            DataError: Lengths differ, a score is not finite, or only one outcome occurs.
        """
        y, p = np.asarray(y), np.asarray(p, float)
        if y.shape != p.shape or y.ndim != 1:
            raise DataError(f"{y.shape} outcomes and {p.shape} scores do not match")
        if not np.isfinite(p).all():
            row = int(np.flatnonzero(~np.isfinite(p))[0])
            raise DataError("a score is not a finite number", where=f"row {row + 1}")
        bad = y == 1
        if bad.all() or not bad.any():
            raise DataError(
                "only one outcome occurs", remedy="Judge on rows where both outcomes occur"
            )
        score, group, size = np.unique(p, return_inverse=True, return_counts=True)
        middle = np.cumsum(size) - size / 2
        place = np.minimum((middle * bins / len(p)).astype(int), bins - 1)
        return cls(score, place, group[bad], group[~bad])

    def counts(
        self, bad: np.ndarray | None = None, good: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Counts by group, each (b, g): as observed, or of drawn rows.

        Args:
            bad: (b, n1) drawn positions among the bad rows; by default each once.
            good: (b, n0) drawn positions among the good rows.
        """
        return (
            _count(self.of_bad[None] if bad is None else self.of_bad[bad], len(self.score)),
            _count(self.of_good[None] if good is None else self.of_good[good], len(self.score)),
        )


def _count(groups: np.ndarray, g: int) -> np.ndarray:
    b = len(groups)
    flat = (groups + np.arange(b)[:, None] * g).ravel()
    return np.bincount(flat, minlength=b * g).reshape(b, g)


Metric = Callable[[Groups, np.ndarray, np.ndarray], np.ndarray]  # groups, bad, good (b, g) → (b,)


def _roc_auc(groups: Groups, bad: np.ndarray, good: np.ndarray) -> np.ndarray:
    below = np.cumsum(good, axis=1) - 0.5 * good
    wins = np.einsum("bg,bg->b", bad, below)
    return np.asarray(wins / (len(groups.of_bad) * len(groups.of_good)))


def _gini(groups: Groups, bad: np.ndarray, good: np.ndarray) -> np.ndarray:
    return 2 * _roc_auc(groups, bad, good) - 1


def _ks(groups: Groups, bad: np.ndarray, good: np.ndarray) -> np.ndarray:
    gap = np.cumsum(bad, axis=1) / len(groups.of_bad)
    gap -= np.cumsum(good, axis=1) / len(groups.of_good)
    return np.abs(gap).max(axis=1)


def _average_precision(groups: Groups, bad: np.ndarray, good: np.ndarray) -> np.ndarray:
    found = np.cumsum(bad[:, ::-1], axis=1)
    taken = found + np.cumsum(good[:, ::-1], axis=1)
    precision = found / np.maximum(taken, 1)
    return np.asarray(np.einsum("bg,bg->b", bad[:, ::-1], precision) / len(groups.of_bad))


def _rows(groups: Groups) -> int:
    return len(groups.of_bad) + len(groups.of_good)


def _brier(groups: Groups, bad: np.ndarray, good: np.ndarray) -> np.ndarray:
    return (bad @ (1 - groups.score) ** 2 + good @ groups.score**2) / _rows(groups)


def _log_loss(groups: Groups, bad: np.ndarray, good: np.ndarray) -> np.ndarray:
    p = np.clip(groups.score, _TINY, 1 - _TINY)
    return -(bad @ np.log(p) + good @ np.log1p(-p)) / _rows(groups)


def _ece(groups: Groups, bad: np.ndarray, good: np.ndarray) -> np.ndarray:
    starts = np.flatnonzero(np.diff(groups.bin, prepend=-1))
    gaps = np.add.reduceat(bad - (bad + good) * groups.score, starts, axis=1)
    return np.abs(gaps).sum(axis=1) / _rows(groups)


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
            error over 15 bins of equal mass, ties in one bin; Naeini et al., 2015).
        y: (n,) 0 or 1.
        p: (n,) probabilities of the outcome 1.

    Raises:
        DataError: Lengths differ, a score is not finite, or only one outcome occurs.
    """
    groups = Groups.of(y, p)
    return float(METRICS[name](groups, *groups.counts())[0])


def ece_of_noise(p: np.ndarray, *, draws: int = 200, seed: int = 0) -> float:
    """Mean ECE of perfectly calibrated probabilities `p` (n,) on a sample of this size.

    What an ECE has to be compared with: outcomes of each bin vary as the binomial does.
    """
    order = np.sort(np.asarray(p, float))
    edges = np.unique(np.linspace(0, len(order), ECE_BINS + 1)[:-1].astype(int))
    spread = np.sqrt(np.add.reduceat(order * (1 - order), edges))
    noise = np.random.default_rng(seed).standard_normal((draws, len(edges)))
    return float(np.abs(noise * spread).sum(axis=1).mean() / len(order))
