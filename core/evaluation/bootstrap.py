"""How sure a metric is: bootstrap intervals, paired tests, DeLong's test, Wilson's interval."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from core.evaluation.metrics import METRICS, Groups

_CELLS = 1_000_000  # draws held at once: bounds memory, whatever the number of rows


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


def resamples_for(n: int) -> int:
    """Resamples for a sample of n rows: 1,000, fewer on large ones, where intervals are narrow."""
    return int(np.clip(10_000_000 // max(n, 1), 200, 1000))


def bootstrap_intervals(
    y: np.ndarray,
    p: np.ndarray,
    *,
    metrics: Sequence[str] = tuple(METRICS),
    n_boot: int | None = None,
    seed: int = 0,
) -> dict[str, Interval]:
    """Percentile bootstrap, resampled within each class (Efron and Tibshirani, 1993).

    Args:
        y: (n,) 0 or 1.
        p: (n,) probabilities of the outcome 1.
        metrics: Names from `core.evaluation.metrics.METRICS`.
        n_boot: Resamples; by default as `resamples_for` says.
        seed: Of the resamples; two models given the same one are resampled alike.
    """
    groups = Groups.of(y, p)
    observed = groups.counts()
    drawn = _distributions([groups], metrics, n_boot, seed)
    out = {}
    for name in metrics:
        value = float(METRICS[name](groups, *observed)[0])
        spread = np.quantile(drawn[name][0], [0.025, 0.975])
        if name == "ece":  # resampling adds noise to a distance from zero: centre it
            spread = np.maximum(spread - (drawn[name][0].mean() - value), 0)
        out[name] = Interval(
            value, float(min(spread[0], value)), float(max(spread[1], value)), len(y)
        )
    return out


def paired_bootstrap(
    y: np.ndarray,
    p_a: np.ndarray,
    p_b: np.ndarray,
    *,
    metric: str = "roc_auc",
    n_boot: int | None = None,
    seed: int = 0,
) -> PairedTest:
    """Test the difference of one metric, both models on the same resampled rows.

    The p-value is that of a normal difference with the bootstrap's standard error.
    """
    models = [Groups.of(y, p_a), Groups.of(y, p_b)]
    both = _distributions(models, [metric], n_boot, seed)[metric]
    drawn = both[0] - both[1]
    first, second = (float(METRICS[metric](m, *m.counts())[0]) for m in models)
    difference = first - second
    low, high = np.quantile(drawn, [0.025, 0.975])
    error = float(drawn.std(ddof=1))
    return PairedTest(difference, float(low), float(high), error, two_sided(difference, error))


def mean_interval(values: np.ndarray, *, n_boot: int = 2000, seed: int = 0) -> Interval:
    """Percentile bootstrap of a mean, such as of a ranking metric over queries.

    Args:
        values: (n,) one number per independent unit: a query, a patient, a scene.
        n_boot: Resamples.
        seed: Of the resamples.
    """
    drawn = _drawn_means(values[:, None], n_boot, seed)[:, 0]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Interval(float(values.mean()), float(low), float(high), len(values))


def quantile_interval(
    values: np.ndarray, share: float, *, n_boot: int = 2000, seed: int = 0
) -> Interval:
    """Percentile bootstrap of a quantile, such as the 95th percentile of a latency.

    Args:
        values: (n,) one number per independent unit.
        share: Of the values that lie below it, 0 to 1.
        n_boot: Resamples.
        seed: Of the resamples.
    """
    drawn = np.random.default_rng(seed).choice(values, (n_boot, len(values)))
    low, high = np.quantile(np.quantile(drawn, share, axis=1), [0.025, 0.975])
    return Interval(float(np.quantile(values, share)), float(low), float(high), len(values))


def paired_means(a: np.ndarray, b: np.ndarray, *, n_boot: int = 2000, seed: int = 0) -> PairedTest:
    """Test the difference of two means over the same units, resampled together.

    Args:
        a: (n,) one number per unit.
        b: (n,) of the other model, in the same order.
        n_boot: Resamples.
        seed: Of the resamples.
    """
    drawn = _drawn_means(np.stack([a, b], axis=1), n_boot, seed)
    spread = drawn[:, 0] - drawn[:, 1]
    low, high = np.quantile(spread, [0.025, 0.975])
    difference, error = float(a.mean() - b.mean()), float(spread.std(ddof=1))
    return PairedTest(difference, float(low), float(high), error, two_sided(difference, error))


def _drawn_means(values: np.ndarray, n_boot: int, seed: int) -> np.ndarray:
    """(n_boot, m) means of resampled rows of the (n, m) values."""
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(len(values), np.full(len(values), 1 / len(values)), size=n_boot)
    return counts @ values / len(values)


def delong(y: np.ndarray, p_a: np.ndarray, p_b: np.ndarray) -> PairedTest:
    """DeLong's test of two AUCs on the same rows, in the fast form of Sun and Xu (2014)."""
    auc, covariance = delong_covariance(y, [p_a, p_b])
    contrast = np.array([1.0, -1.0])
    error = float(np.sqrt(max(contrast @ covariance @ contrast, 0.0)))
    difference = float(auc[0] - auc[1])
    return PairedTest(
        difference, difference - 1.96 * error, difference + 1.96 * error, error,
        two_sided(difference, error),
    )  # fmt: skip


def delong_covariance(y: np.ndarray, scores: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """AUCs (m,) of m models on the same rows and their covariance (m, m), by mid-ranks.

    Args:
        y: (n,) 0 or 1; at least two of each.
        scores: (n,) a model; only ranks matter.
    """
    from scipy.stats import rankdata

    y = np.asarray(y, int)
    bad, good = y == 1, y == 0
    m, n = int(bad.sum()), int(good.sum())
    v_bad, v_good = np.empty((len(scores), m)), np.empty((len(scores), n))
    for i, p in enumerate(scores):
        ranks = rankdata(p)
        v_bad[i] = (ranks[bad] - rankdata(p[bad])) / n
        v_good[i] = 1 - (ranks[good] - rankdata(p[good])) / m
    covariance = np.cov(v_bad) / m + np.cov(v_good) / n
    return v_bad.mean(axis=1), np.atleast_2d(covariance)


def delong_interval(y: np.ndarray, p: np.ndarray) -> Interval:
    """AUC with its 95% interval on the logit scale, which stays inside 0 to 1; fast.

    An AUC of exactly 0 or 1 shows no variance: its interval is the point.
    """
    from scipy.special import expit, logit

    auc, covariance = delong_covariance(y, [p])
    value = float(auc[0])
    if not 0 < value < 1:
        return Interval(value, value, value, len(y))
    reach = 1.96 * np.sqrt(covariance[0, 0]) / (value * (1 - value))
    ends = expit(logit(value) + reach * np.array([-1, 1]))
    return Interval(value, float(ends[0]), float(ends[1]), len(y))


def wilson(share: float, n: int) -> tuple[float, float]:
    """95% interval of a share of `n` independent cases (Wilson, 1927)."""
    z = 1.96
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return float(max(0.0, centre - half)), float(min(1.0, centre + half))


def share_interval(count: int, n: int) -> Interval:
    """A share of `n` independent cases with its 95% interval (Wilson, 1927)."""
    return Interval(count / n, *wilson(count / n, n), n)


def rate_interval(events: int, exposure: float) -> Interval:
    """Events a unit of exposure, such as an hour, with the exact 95% interval (Garwood, 1936).

    Args:
        events: How many happened.
        exposure: Over how many units; above 0.

    Returns:
        The rate; with no event its upper end says what cannot be ruled out.
    """
    from scipy.stats import chi2

    low = float(chi2.ppf(0.025, 2 * events)) / 2 if events else 0.0
    high = float(chi2.ppf(0.975, 2 * events + 2)) / 2
    return Interval(events / exposure, low / exposure, high / exposure, events)


def two_sided(difference: float, error: float) -> float:
    """p-value of a normal difference; 1 where there is neither difference nor error."""
    from scipy.stats import norm

    if error == 0:
        return 1.0 if difference == 0 else 0.0
    return float(2 * norm.sf(abs(difference) / error))


def _distributions(
    models: Sequence[Groups], metrics: Sequence[str], n_boot: int | None, seed: int
) -> dict[str, np.ndarray]:
    """Each metric of each model on the same resamples, (models, n_boot)."""
    n_boot = resamples_for(_rows(models[0])) if n_boot is None else n_boot
    found = {name: np.empty((len(models), n_boot)) for name in metrics}
    start = 0
    for bad, good in _resamples(models[0], n_boot, seed):
        block = slice(start, start + len(bad))
        for i, groups in enumerate(models):
            counts = groups.counts(bad, good)
            for name in metrics:
                found[name][i, block] = METRICS[name](groups, *counts)
        start = block.stop
    return found


def _rows(groups: Groups) -> int:
    return len(groups.of_bad) + len(groups.of_good)


def _resamples(groups: Groups, n_boot: int, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Blocks of drawn positions among the bad (b, n1) and the good rows (b, n0)."""
    rng = np.random.Generator(np.random.SFC64(seed))
    bad, good = len(groups.of_bad), len(groups.of_good)
    at_once = max(1, _CELLS // (bad + good))
    for start in range(0, n_boot, at_once):
        size = min(at_once, n_boot - start)
        yield (
            rng.integers(0, bad, (size, bad), dtype=np.int32),
            rng.integers(0, good, (size, good), dtype=np.int32),
        )
