"""Turns scores into probabilities without changing their order.

Every method ends as the same thing, a strictly increasing piecewise-linear map of log-odds, so
that a bundle stores two lists of numbers whatever won.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import orjson

Method = Literal["identity", "platt", "beta", "isotonic"]
LEAST_SLOPE = 1e-4  # of the map: equal ranks in, equal ranks out
FEWEST_FOR_ISOTONIC = 2_000  # rows; below, a step function only follows noise


@dataclass(frozen=True)
class Calibrator:
    """A strictly increasing map from raw log-odds to calibrated log-odds.

    Attributes:
        method: Which method won.
        knots: Raw log-odds, increasing.
        values: Calibrated log-odds at the knots, increasing; linear between and beyond.
    """

    method: Method
    knots: tuple[float, ...]
    values: tuple[float, ...]

    def transform(self, log_odds: np.ndarray) -> np.ndarray:
        """Calibrated probabilities, (n,) → (n,)."""
        x, knots, values = np.asarray(log_odds, float), np.array(self.knots), np.array(self.values)
        out = np.interp(x, knots, values)
        for side, (a, b) in ((x < knots[0], (0, 1)), (x > knots[-1], (-1, -2))):
            slope = (values[a] - values[b]) / (knots[a] - knots[b])
            out = np.where(side, values[a] + slope * (x - knots[a]), out)
        return _sigmoid(out)

    def to_json(self) -> str:
        """JSON text that `from_json` reads back."""
        state = {"method": self.method, "knots": self.knots, "values": self.values}
        return orjson.dumps(state).decode()

    @classmethod
    def from_json(cls, text: str) -> Calibrator:
        """The calibrator written by `to_json`."""
        state = orjson.loads(text)
        return cls(state["method"], tuple(state["knots"]), tuple(state["values"]))


def fit_calibrator(
    log_odds: np.ndarray,
    y: np.ndarray,
    *,
    method: Method | Literal["auto"] = "auto",
    seed: int = 0,
) -> Calibrator:
    """Fit on scores the model did not train on, such as out-of-fold ones.

    Args:
        log_odds: (n,) raw scores.
        y: (n,) 0 or 1.
        method: Platt (1999), beta (Kull et al., 2017), isotonic (Zadrozny and Elkan, 2002), or
            `auto`: the one with the best five-fold cross-validated log-loss; the simplest within
            one standard error of it.
        seed: Of the folds.
    """
    x, y = np.asarray(log_odds, float), np.asarray(y, int)
    if method == "auto":
        method = _choose(x, y, seed)
    knots, values = _FITS[method](x, y)
    return Calibrator(method, tuple(map(float, knots)), tuple(map(float, values)))


def _choose(x: np.ndarray, y: np.ndarray, seed: int) -> Method:
    from sklearn.model_selection import StratifiedKFold

    names: list[Method] = ["identity", "platt", "beta"]
    if len(y) >= FEWEST_FOR_ISOTONIC:
        names.append("isotonic")
    folds = int(min(5, np.bincount(y, minlength=2).min()))
    if folds < 2:
        return "identity"
    loss = np.zeros((len(names), len(y)))
    splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)
    for fit_rows, held in splitter.split(x[:, None], y):
        for i, name in enumerate(names):
            p = fit_calibrator(x[fit_rows], y[fit_rows], method=name).transform(x[held])
            p = np.clip(np.where(y[held] == 1, p, 1 - p), 1e-12, 1)
            loss[i, held] = -np.log(p)
    best = int(loss.mean(axis=1).argmin())
    for i, name in enumerate(names):  # simplest first
        worse = loss[i] - loss[best]
        if worse.mean() <= worse.std() / np.sqrt(len(y)):
            return name
    return names[best]


def _fit_identity(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.array([-1.0, 1.0]), np.array([-1.0, 1.0])


def _fit_platt(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    slope, intercept = _logistic(x[:, None], y)
    return np.array([-1.0, 1.0]), intercept + slope[0] * np.array([-1.0, 1.0])


def _fit_beta(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    def parts(z: np.ndarray) -> np.ndarray:  # log p and -log(1 - p), both increasing
        return np.column_stack([-np.logaddexp(0, -z), np.logaddexp(0, z)])

    slopes, intercept = _logistic(parts(x), y)
    knots = _grid(x)
    return knots, _increasing(knots, intercept + parts(knots) @ slopes)


def _fit_isotonic(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Isotonic steps joined at their centres, after pooling steps too small to trust."""
    from sklearn.isotonic import IsotonicRegression

    order = np.argsort(x, kind="stable")
    xs, ys = x[order], y[order]
    fitted = IsotonicRegression(out_of_bounds="clip").fit_transform(xs, ys)
    starts = np.flatnonzero(np.r_[True, np.diff(fitted) > 0])
    least = max(50, len(x) // 200)
    kept = [0]
    for start in starts[1:]:
        if start - kept[-1] >= least:
            kept.append(int(start))
    if len(kept) > 1 and len(x) - kept[-1] < least:
        kept.pop()
    sizes = np.diff([*kept, len(x)])
    knots = np.add.reduceat(xs, kept) / sizes
    rates = (np.add.reduceat(ys, kept) + 0.5) / (sizes + 1.0)
    if len(knots) < 2:
        return _fit_platt(x, y)
    return knots, _increasing(knots, np.log(rates / (1 - rates)))


_FITS = {
    "identity": _fit_identity,
    "platt": _fit_platt,
    "beta": _fit_beta,
    "isotonic": _fit_isotonic,
}


def _logistic(features: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, float]:
    """Maximum-likelihood logistic regression with slopes that may not fall below zero."""
    from scipy.optimize import minimize

    width = features.shape[1]

    def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
        z = features @ w[:width] + w[width]
        error = _sigmoid(z) - y
        gradient = np.r_[features.T @ error, error.sum()] / len(y)
        return float(np.mean(np.logaddexp(0, z) - y * z)), gradient

    start = np.r_[np.full(width, 1.0), 0.0]
    bounds = [(LEAST_SLOPE, None)] * width + [(None, None)]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
    return found.x[:width], float(found.x[width])


def _grid(x: np.ndarray) -> np.ndarray:
    low, high = float(x.min()), float(x.max())
    return np.linspace(low, max(high, low + 1e-3), 65)


def _increasing(knots: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The values, raised where they do not rise by `LEAST_SLOPE`."""
    tilt = LEAST_SLOPE * knots
    return np.maximum.accumulate(values - tilt) + tilt


def _sigmoid(z: np.ndarray) -> np.ndarray:
    from scipy.special import expit

    return np.asarray(expit(z))


@dataclass(frozen=True)
class VennAbers:
    """Inductive Venn-Abers predictor (Vovk and Petej, 2014): two probabilities a score.

    Attributes:
        first: (m,) smallest score of each calibration group, increasing.
        last: (m,) largest score of each; equal to `first` where groups are single scores.
        p0: (m + 1,) probability of 1 if a new score after so many groups were labelled 0.
        p1: (m + 1,) ... if it were labelled 1. One of the two is calibrated (validity of Venn).
    """

    first: np.ndarray
    last: np.ndarray
    p0: np.ndarray
    p1: np.ndarray

    def interval(self, log_odds: np.ndarray) -> np.ndarray:
        """[p0, p1] of new scores, (n,) → (n, 2)."""
        # A score inside a group pools with it either way: labelled 0 it would stand after the
        # group, labelled 1 before it, and isotonic regression merges what then falls.
        after = np.searchsorted(self.first, log_odds, side="right")
        before = np.searchsorted(self.last, log_odds, side="left")
        return np.column_stack([self.p0[after], self.p1[before]])

    def transform(self, log_odds: np.ndarray) -> np.ndarray:
        """The one probability p1 / (1 - p0 + p1) that minimises the worst log-loss, (n,)."""
        p0, p1 = self.interval(log_odds).T
        return np.asarray(p1 / (1 - p0 + p1))


def fit_venn_abers(log_odds: np.ndarray, y: np.ndarray, *, bins: int = 200) -> VennAbers:
    """Fit on calibration scores, pooled into at most `bins` quantile groups to stay fast.

    Args:
        log_odds: (n,) raw scores the model did not train on.
        y: (n,) 0 or 1.
        bins: Groups of scores; exact where there are no more distinct scores than that.
    """
    from sklearn.isotonic import isotonic_regression

    score, place, size = np.unique(
        np.asarray(log_odds, float), return_inverse=True, return_counts=True
    )
    if len(score) > bins:
        share = ((np.cumsum(size) - size / 2) * bins / size.sum()).astype(int)
        _, group = np.unique(share, return_inverse=True)
    else:
        group = np.arange(len(score))
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    weight = np.bincount(group[place]).astype(float)
    rate = np.bincount(group[place], np.asarray(y, float)) / weight
    ends = np.empty((2, len(starts) + 1))
    for gap in range(len(starts) + 1):
        weights = np.insert(weight, gap, 1.0)
        for label in (0, 1):
            grown = np.insert(rate, gap, label)
            ends[label, gap] = isotonic_regression(grown, sample_weight=weights)[gap]
    return VennAbers(score[starts], score[np.r_[starts[1:] - 1, len(score) - 1]], *ends)
