"""How sure a metric is: bootstrap intervals, paired tests, DeLong's test, Wilson's interval."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from core.evaluation.metrics import METRICS, Sorted

_CELLS = 4_000_000  # weights held at once: bounds memory, whatever the number of rows


@dataclass(frozen=True)
class Interval:
    """A value with the ends of its 95% confidence interval."""

    value: float
    low: float
    high: float
    n: int  # observations behind it


@dataclass(frozen=True)
class PairedTest:
    """Difference of a metric between two models on the same rows: first minus second."""

    difference: float
    low: float  # of the 95% interval
    high: float
    standard_error: float
    p_value: float  # two-sided, of no difference


def bootstrap_intervals(
    y: np.ndarray,
    p: np.ndarray,
    *,
    metrics: Sequence[str] = tuple(METRICS),
    n_boot: int = 500,
    seed: int = 0,
) -> dict[str, Interval]:
    """Percentile bootstrap, resampled within each class (Efron and Tibshirani, 1993).

    Args:
        y: (n,) 0 or 1.
        p: (n,) probabilities of the outcome 1.
        metrics: Names from `core.evaluation.metrics.METRICS`.
        n_boot: Resamples.
        seed: Of the resamples; two models given the same one are resampled alike.
    """
    rows = Sorted(y, p)
    whole = np.ones((1, len(rows.y)))
    drawn = _distributions(rows, metrics, n_boot, seed)
    out = {}
    for name in metrics:
        value = float(METRICS[name](rows, whole)[0])
        spread = np.quantile(drawn[name], [0.025, 0.975])
        if name == "ece":  # resampling adds noise to a distance from zero: centre it
            spread = np.maximum(spread - (drawn[name].mean() - value), 0)
        out[name] = Interval(
            value, float(min(spread[0], value)), float(max(spread[1], value)), len(rows.y)
        )
    return out


def paired_bootstrap(
    y: np.ndarray,
    p_a: np.ndarray,
    p_b: np.ndarray,
    *,
    metric: str = "roc_auc",
    n_boot: int = 500,
    seed: int = 0,
) -> PairedTest:
    """Test the difference of one metric, both models on the same resampled rows.

    The p-value is that of a normal difference with the bootstrap's standard error.
    """
    a, b = Sorted(y, p_a), Sorted(y, p_b)
    drawn = (
        _distributions(a, [metric], n_boot, seed)[metric]
        - _distributions(b, [metric], n_boot, seed)[metric]
    )
    whole = np.ones((1, len(a.y)))
    difference = float(METRICS[metric](a, whole)[0] - METRICS[metric](b, whole)[0])
    low, high = np.quantile(drawn, [0.025, 0.975])
    error = float(drawn.std(ddof=1))
    return PairedTest(difference, float(low), float(high), error, _two_sided(difference, error))


def delong(y: np.ndarray, p_a: np.ndarray, p_b: np.ndarray) -> PairedTest:
    """DeLong's test of two AUCs on the same rows, in the fast form of Sun and Xu (2014)."""
    from scipy.stats import rankdata

    y = np.asarray(y, int)
    bad, good = y == 1, y == 0
    m, n = int(bad.sum()), int(good.sum())
    auc, v_bad, v_good = np.empty(2), np.empty((2, m)), np.empty((2, n))
    for i, p in enumerate((np.asarray(p_a, float), np.asarray(p_b, float))):
        ranks, within = rankdata(p), np.empty(len(p))
        within[bad], within[good] = rankdata(p[bad]), rankdata(p[good])
        v_bad[i] = (ranks[bad] - within[bad]) / n
        v_good[i] = 1 - (ranks[good] - within[good]) / m
        auc[i] = v_bad[i].mean()
    covariance = np.cov(v_bad) / m + np.cov(v_good) / n
    contrast = np.array([1.0, -1.0])
    error = float(np.sqrt(max(contrast @ covariance @ contrast, 0.0)))
    difference = float(auc[0] - auc[1])
    return PairedTest(
        difference, difference - 1.96 * error, difference + 1.96 * error, error,
        _two_sided(difference, error),
    )  # fmt: skip


def wilson(share: float, n: int) -> tuple[float, float]:
    """95% interval of a share of `n` independent cases (Wilson, 1927)."""
    z = 1.96
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return float(max(0.0, centre - half)), float(min(1.0, centre + half))


def _two_sided(difference: float, error: float) -> float:
    from scipy.stats import norm

    if error == 0:
        return 1.0 if difference == 0 else 0.0
    return float(2 * norm.sf(abs(difference) / error))


def _distributions(
    rows: Sorted, metrics: Sequence[str], n_boot: int, seed: int
) -> dict[str, np.ndarray]:
    """Each metric on every resample, (n_boot,)."""
    parts: dict[str, list[np.ndarray]] = {name: [] for name in metrics}
    for weights in _resamples(rows, n_boot, seed):
        for name in metrics:
            parts[name].append(METRICS[name](rows, weights))
    return {name: np.concatenate(values) for name, values in parts.items()}


def _resamples(rows: Sorted, n_boot: int, seed: int) -> Iterator[np.ndarray]:
    """Counts of each row in stratified resamples, blocks of (b, n), in the rows' sorted order."""
    rng = np.random.default_rng(seed)
    n = len(rows.order)
    place = np.empty(n, int)
    place[rows.order] = np.arange(n)
    truth = rows.y[place]  # in the caller's order, so that paired models draw the same rows
    strata = [np.flatnonzero(truth == label) for label in (0, 1)]
    block = max(1, _CELLS // n)
    for start in range(0, n_boot, block):
        size = min(block, n_boot - start)
        weights = np.zeros((size, n))
        for b in range(size):
            for stratum in strata:
                drawn = stratum[rng.integers(0, len(stratum), len(stratum))]
                weights[b] += np.bincount(place[drawn], minlength=n)
        yield weights
