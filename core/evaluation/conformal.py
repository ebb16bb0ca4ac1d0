"""Intervals for probabilities of default that can be checked, although no one sees a probability.

What is seen is the default rate of a batch. So the 90% interval of an applicant is the range in
which the default rate of `batch` applicants like this one falls, nine times out of ten. Its shape
is the binomial's, which is skewed and lumpy where defaults are rare; its width is set by split
conformal prediction (Vovk et al., 2005) over batches of neighbouring out-of-fold scores.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import orjson

from core.evaluation.bootstrap import Interval, wilson

NEIGHBOURHOOD = 5  # a batch is drawn from this many batches' worth of neighbouring scores
DRAWS = 4_000  # batches drawn when fitting and when checking
_KNOTS = 81  # probabilities, even in log-odds, at which the binomial's half-widths are computed
_SPREAD = 0.15  # a neighbourhood's mean strays by up to this share of its odds around a knot


@dataclass(frozen=True)
class PdInterval:
    """The binomial's range around a probability, as wide as past batches demanded.

    Attributes:
        batch: Applicants in the batch whose default rate the interval speaks of.
        level: Share of batches inside, e.g. 0.9.
        widening: Factor on the binomial's half-widths; conformal. Near 1 for a calibrated model.
    """

    batch: int
    level: float
    widening: float

    def interval(self, pd_: np.ndarray) -> np.ndarray:
        """Lower and upper ends of probabilities, (n,) → (n, 2); the probability lies between."""
        pd_ = np.asarray(pd_, float)
        below, above = self.half_widths(pd_)
        low = np.maximum(pd_ - self.widening * below, 0)
        # Where the binomial's range reaches zero, so does this: no default is never a surprise.
        low[below >= pd_ * (1 - 1e-9)] = 0
        high = np.minimum(pd_ + self.widening * above, 1)
        high[above >= (1 - pd_) * (1 - 1e-9)] = 1
        return np.column_stack([low, high])

    def half_widths(self, pd_: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Distance of the binomial's ends below and above probabilities, (n,) each."""
        knots, below, above = self._shape
        z = _logit(pd_)
        return (
            np.minimum(np.interp(z, knots, below), pd_),
            np.minimum(np.interp(z, knots, above), 1 - pd_),
        )

    @cached_property
    def _shape(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return _binomial_shape(self.batch, self.level)

    def to_json(self) -> str:
        """JSON text that `from_json` reads back."""
        state = {"batch": self.batch, "level": self.level, "widening": self.widening}
        return orjson.dumps(state).decode()

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
    pd_, y = np.asarray(pd_, float), np.asarray(y, float)
    # Large batches make narrow intervals, but from few cases nobody can tell their coverage.
    batch = min(int(np.clip(len(y) // 140, 20, 100)), len(y))
    rows = _draw(pd_, batch, seed)
    mean, rate = pd_[rows].mean(axis=1), y[rows].mean(axis=1)
    shape = PdInterval(batch, level, 1.0)
    below, above = (part[rows].mean(axis=1) for part in shape.half_widths(pd_))
    # How many half-widths away each batch lies; a rate of 0 or 1 inside the binomial's range
    # stays inside whatever the widening.
    away = np.where(rate < mean, mean - rate, rate - mean) / np.where(rate < mean, below, above)
    inside = ((rate == 0) & (below >= mean * (1 - 1e-9))) | (
        (rate == 1) & (above >= (1 - mean) * (1 - 1e-9))
    )
    # Split conformal asks for (m + 1) / m of the level on m batches; batches that share rows know
    # more than m separate ones, and simulated books need half of that.
    share = min(level * (1 + 0.5 * batch / len(y)), 1.0)
    return PdInterval(batch, level, float(np.quantile(np.where(inside, 0, away), share)))


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
    ends = [np.asarray(side, float)[rows].mean(axis=1) for side in (low, high)]
    share = float(((ends[0] <= rate) & (rate <= ends[1])).mean())
    return Interval(share, *wilson(share, max(1, len(y) // batch)), len(y))


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


def _logit(p: np.ndarray) -> np.ndarray:
    p = np.clip(p, 1e-9, 1 - 1e-9)
    return np.asarray(np.log(p) - np.log1p(-p))


def _binomial_shape(batch: int, level: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Knots in log-odds and the half-widths below and above the probability there.

    Each knot stands for neighbourhoods of about its probability, which smooths the steps of the
    binomial. Both tails get half of what is left out, unless no default at all lies within the
    lower one: then the range starts at zero and the upper tail gets everything.
    """
    from scipy.special import gammaln, xlog1py, xlogy

    edge = _logit(np.array(0.02 / batch))
    knots = np.linspace(edge, -edge, _KNOTS)
    near = 1 / (1 + np.exp(-(knots[:, None] + np.linspace(-_SPREAD, _SPREAD, 25))))
    counts = np.arange(batch + 1)
    ways = gammaln(batch + 1) - gammaln(counts + 1) - gammaln(batch - counts + 1)
    below, above = np.empty(_KNOTS), np.empty(_KNOTS)
    for i, p in enumerate(near):
        residual = (counts / batch - p[:, None]).ravel()
        rate = p[:, None]
        likely = np.exp(ways + xlogy(counts, rate) + xlog1py(batch - counts, -rate))
        mass = (likely / len(p)).ravel()
        order = np.argsort(residual)
        below[i], above[i] = _tails(residual[order], np.cumsum(mass[order]), p.mean(), level)
    return knots, below, above


def _tails(
    residual: np.ndarray, cumulative: np.ndarray, p: float, level: float
) -> tuple[float, float]:
    """Half-widths below and above that hold `level` of sorted residuals around `p`."""

    def at(share: float) -> float:
        return float(residual[min(int(np.searchsorted(cumulative, share)), len(residual) - 1)])

    tail = (1 - level) / 2
    low, high = at(tail), at(1 - tail)
    if p + low <= 0:
        low, high = -p, at(level)
    elif p + high >= 1:
        low, high = at(1 - level), 1 - p
    return max(-low, 0.0), max(high, 0.0)


def _draw(pd_: np.ndarray, batch: int, seed: int) -> np.ndarray:
    """Row numbers of random batches of applicants with neighbouring scores, (draws, batch)."""
    order = np.argsort(pd_, kind="stable")
    rng = np.random.default_rng(seed)
    # On few rows a wide neighbourhood would mix unlike applicants: at most a third of all.
    width = int(np.clip(len(order) // 3, 2 * batch, NEIGHBOURHOOD * batch))
    width = min(width, len(order))
    batch = min(batch, width)
    # A neighbourhood surrounds an applicant drawn at random; at the ends it is shifted inside.
    centres = rng.integers(0, len(order), DRAWS)
    starts = np.clip(centres - width // 2, 0, len(order) - width)
    picks = np.argpartition(rng.random((DRAWS, width)), batch - 1, axis=1)[:, :batch]
    return np.asarray(order[starts[:, None] + picks])
