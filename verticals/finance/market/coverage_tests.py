"""Tests of value at risk and expected shortfall on hits: coverage, independence, zone, severity.

Every test takes one-day forecasts. A p-value below 0.05 is a failure and is called one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.special import xlog1py, xlogy

SIGNIFICANCE = 0.05
BASEL_DAYS = 250
# MAR32 and MAR33 of the Basel framework (2019): multiplier by number of hits, from 4 to 10.
_MULTIPLIERS = (1.50, 1.70, 1.76, 1.83, 1.88, 1.92, 2.00)


@dataclass(frozen=True)
class RiskTest:
    """One test with its statistic and p-value."""

    name: str
    statistic: float
    p_value: float

    @property
    def passed(self) -> bool:
        """Whether the forecasts are not rejected at 5%."""
        return self.p_value > SIGNIFICANCE


@dataclass(frozen=True)
class Zone:
    """The traffic light of a supervisor over the last 250 days."""

    colour: str  # green, yellow or red
    hits: int
    days: int
    multiplier: float | None  # capital multiplier; only defined at 99% and 250 days


def kupiec(hits: np.ndarray, level: float) -> RiskTest:
    """Proportion of failures: is the share of hits 1 - level? (Kupiec, 1995).

    Args:
        hits: (n,) bool.
        level: Confidence of the value at risk, e.g. 0.99.
    """
    n, x = len(hits), int(np.sum(hits))
    statistic = 2 * (_log_likelihood(n, x, x / n) - _log_likelihood(n, x, 1 - level))
    return _chi2("kupiec", statistic, 1)


def christoffersen_independence(hits: np.ndarray) -> RiskTest:
    """Is a hit as likely after a hit as after a quiet day? (Christoffersen, 1998)."""
    _, independent, dependent = _markov(hits)
    return _chi2("christoffersen_independence", 2 * (dependent - independent), 1)


def conditional_coverage(hits: np.ndarray, level: float) -> RiskTest:
    """Coverage and independence at once (Christoffersen, 1998): LR = LR_coverage + LR_independence.

    The coverage part is Kupiec's over all n days, the independence part over the n - 1 changes.
    """
    statistic = kupiec(hits, level).statistic + christoffersen_independence(hits).statistic
    return _chi2("conditional_coverage", statistic, 2)


def basel_zone(hits: np.ndarray, level: float = 0.99) -> Zone:
    """Traffic light of the last 250 days: at 99% green to 4 hits, yellow 5 to 9, red from 10.

    The zones start where the chance of fewer hits under a correct model passes 95% and 99.99%
    (Basel Committee, 1996), which also serves other levels.
    """
    recent = np.asarray(hits)[-BASEL_DAYS:]
    n, x = len(recent), int(recent.sum())
    chance = float(stats.binom.cdf(x, n, 1 - level))
    colour = "green" if chance < 0.95 else "yellow" if chance < 0.9999 else "red"
    standard = n == BASEL_DAYS and np.isclose(level, 0.99)
    multiplier = _MULTIPLIERS[int(np.clip(x - 4, 0, 6))] if standard else None
    return Zone(colour, x, n, multiplier)


def acerbi_szekely(
    losses: np.ndarray,
    var: np.ndarray,
    es: np.ndarray,
    tail: np.ndarray,
    level: float,
    *,
    simulations: int = 5000,
    seed: int = 0,
) -> RiskTest:
    """Is expected shortfall too small? The second test of Acerbi and Szekely (2014).

    Z2 = 1 - sum(loss * hit / es) / (n * (1 - level)) is 0 on average when VaR and ES are right
    and negative when they understate; the p-value is the share of histories simulated from the
    forecasts' own tails that look at least as bad.

    Args:
        losses: (n,) percent, positive is a loss.
        var: (n,) percent.
        es: (n,) percent.
        tail: (n, m) losses beyond VaR thought equally likely.
        level: Confidence of both.
        simulations: Simulated histories.
        seed: Their seed.
    """
    n, rare = len(losses), 1 - level
    observed = 1 - float(np.sum(np.where(losses > var, losses / es, 0.0))) / (n * rare)
    rng = np.random.default_rng(seed)
    ratio = tail / es[:, None]
    counts = rng.binomial(n, rare, simulations)
    history = np.repeat(np.arange(simulations), counts)
    # Which days are hit hardly matters for the ratio; drawing them with replacement keeps it fast.
    days = rng.integers(0, n, len(history))
    drawn = ratio[days, rng.integers(0, tail.shape[1], len(history))]
    simulated = 1 - np.bincount(history, drawn, simulations) / (n * rare)
    p_value = (1 + int(np.sum(simulated <= observed))) / (simulations + 1)
    return RiskTest("acerbi_szekely_z2", observed, p_value)


def transitions(hits: np.ndarray) -> np.ndarray:
    """(2, 2) counts: row yesterday (quiet, hit), column today."""
    hit = np.asarray(hits).astype(np.int64)
    return np.bincount(2 * hit[:-1] + hit[1:], minlength=4).reshape(2, 2)


def _markov(hits: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Transition counts and the log-likelihoods without and with memory."""
    counts = transitions(hits)
    after = counts.sum(axis=1)
    share = counts[:, 1].sum() / max(counts.sum(), 1)
    independent = _log_likelihood(int(counts.sum()), int(counts[:, 1].sum()), float(share))
    dependent = sum(
        _log_likelihood(int(after[i]), int(counts[i, 1]), counts[i, 1] / after[i])
        for i in (0, 1)
        if after[i]
    )
    return counts, independent, float(dependent)


def _log_likelihood(n: int, x: int, share: float) -> float:
    return float(xlogy(x, share) + xlog1py(n - x, -share))


def _chi2(name: str, statistic: float, freedom: int) -> RiskTest:
    statistic = max(statistic, 0.0)  # rounding
    return RiskTest(name, statistic, float(stats.chi2.sf(statistic, freedom)))
