"""Intervals for probabilities of default that can be checked, although no one sees a probability.

What is seen is the default rate of a batch. So the 90% interval of an applicant is the range in
which the default rate of `batch` applicants like this one falls, nine times out of ten. Its width
is set by split conformal prediction (Vovk et al., 2005) over batches of neighbouring scores.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import orjson

from core.evaluation.bootstrap import Interval, wilson

NEIGHBOURHOOD = 5  # a batch is drawn from this many batches' worth of neighbouring scores
DRAWS = 4_000  # batches drawn when fitting and when checking


@dataclass(frozen=True)
class PdInterval:
    """Beta quantiles around a probability, as wide as past batches demanded.

    Attributes:
        batch: Applicants in the batch whose default rate the interval speaks of.
        level: Share of batches inside, e.g. 0.9.
        tail: Probability left out on each side of the beta distribution; conformal.
    """

    batch: int
    level: float
    tail: float

    def interval(self, pd_: np.ndarray) -> np.ndarray:
        """Lower and upper ends of probabilities, (n,) → (n, 2)."""
        return _ends(np.asarray(pd_, float), self.batch, self.tail)

    def to_json(self) -> str:
        """JSON text that `from_json` reads back."""
        return orjson.dumps({"batch": self.batch, "level": self.level, "tail": self.tail}).decode()

    @classmethod
    def from_json(cls, text: str) -> PdInterval:
        """The interval written by `to_json`."""
        return cls(**orjson.loads(text))


def fit_pd_interval(
    pd_: np.ndarray, y: np.ndarray, *, level: float = 0.9, seed: int = 0
) -> PdInterval:
    """Set the width on probabilities the model did not train on.

    Args:
        pd_: (n,) calibrated probabilities.
        y: (n,) 0 or 1.
        level: Share of batches to cover.
        seed: Of the draws.
    """
    batch = int(np.clip(len(y) // 28, 20, 100))
    mean, rate = _batches(np.asarray(pd_, float), np.asarray(y, float), batch, seed)
    # The tail at which each batch sits exactly on its interval's end; the conformal quantile of
    # these covers `level` of exchangeable batches.
    from scipy.stats import beta

    inside = beta.cdf(np.clip(rate, 1e-9, 1 - 1e-9), *_shape(mean, batch))
    edge = np.minimum(inside, 1 - inside)
    return PdInterval(batch, level, float(max(np.quantile(edge, 1 - level), 1e-9)))


def interval_coverage(
    pd_: np.ndarray, y: np.ndarray, low: np.ndarray, high: np.ndarray, *, batch: int, seed: int = 0
) -> Interval:
    """Share of batches of like applicants whose default rate falls inside their interval.

    Args:
        pd_: (n,) probabilities, which order the applicants.
        y: (n,) 0 or 1.
        low: (n,) lower ends.
        high: (n,) upper ends.
        batch: Applicants a batch, as in `PdInterval.batch`.
        seed: Of the draws.

    Returns:
        The share, with a Wilson interval that counts only as many batches as fit without overlap.
    """
    rows = _draw(np.asarray(pd_, float), batch, seed)
    rate = np.asarray(y, float)[rows].mean(axis=1)
    held = (np.asarray(low)[rows].mean(axis=1) <= rate) & (
        rate <= np.asarray(high)[rows].mean(axis=1)
    )
    share = float(held.mean())
    low_end, high_end = wilson(share, max(1, len(rows[0]) and len(y) // batch))
    return Interval(share, low_end, high_end, len(y))


def label_set_coverage(
    pd_fit: np.ndarray, y_fit: np.ndarray, pd_: np.ndarray, y: np.ndarray, *, level: float = 0.9
) -> dict[str, float]:
    """Class-conditional conformal label sets: the shares covered and of sets that say both.

    Args:
        pd_fit: (m,) calibration probabilities, with labels `y_fit`.
        y_fit: (m,) 0 or 1.
        pd_: (n,) new probabilities, with labels `y`.
        y: (n,) 0 or 1.
        level: Share to cover within each class.
    """
    allowed = np.zeros((2, len(y)), dtype=bool)
    for label in (0, 1):
        own = np.where(label, 1 - pd_fit, pd_fit)[y_fit == label]
        rank = min(1.0, np.ceil((len(own) + 1) * level) / len(own))
        allowed[label] = np.where(label, 1 - pd_, pd_) <= np.quantile(own, rank, method="higher")
    return {
        "coverage_good": float(allowed[0][y == 0].mean()),
        "coverage_bad": float(allowed[1][y == 1].mean()),
        "both": float(allowed.all(axis=0).mean()),
    }


def _shape(mean: np.ndarray, batch: int) -> tuple[np.ndarray, np.ndarray]:
    """Beta parameters of a batch's default rate: a smooth stand-in for the binomial."""
    return mean * batch + 0.25, (1 - mean) * batch + 0.25


def _ends(mean: np.ndarray, batch: int, tail: float) -> np.ndarray:
    from scipy.stats import beta

    # Quantiles are slow and the map is smooth: a fine grid, then interpolation.
    grid = np.r_[0.0, np.geomspace(1e-4, 0.5, 400), 1 - np.geomspace(1e-4, 0.5, 400)[-2::-1], 1.0]
    a, b = _shape(grid, batch)
    low, high = beta.ppf(tail, a, b), beta.ppf(1 - tail, a, b)
    low, high = np.minimum(low, grid), np.maximum(high, grid)
    return np.column_stack([np.interp(mean, grid, low), np.interp(mean, grid, high)])


def _batches(
    pd_: np.ndarray, y: np.ndarray, batch: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    rows = _draw(pd_, batch, seed)
    return pd_[rows].mean(axis=1), y[rows].mean(axis=1)


def _draw(pd_: np.ndarray, batch: int, seed: int) -> np.ndarray:
    """Row numbers of random batches of applicants with neighbouring scores, (draws, batch)."""
    order = np.argsort(pd_, kind="stable")
    rng = np.random.default_rng(seed)
    width = min(len(order), NEIGHBOURHOOD * batch)
    batch = min(batch, width)
    starts = rng.integers(0, len(order) - width + 1, DRAWS)
    picks = rng.random((DRAWS, width)).argpartition(batch - 1, axis=1)[:, :batch]
    return order[starts[:, None] + picks]
