"""Scores of risk forecasts, and intervals for them that respect runs of bad days."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

RESAMPLES = 1000


@dataclass(frozen=True)
class Interval:
    """A value with its 95% confidence interval."""

    value: float
    low: float
    high: float


def pinball(losses: np.ndarray, var: np.ndarray, level: float) -> np.ndarray:
    """(n,) quantile loss of each day in percent; smaller is better (Koenker and Bassett, 1978)."""
    over = losses - var
    return np.where(over > 0, level * over, (level - 1) * over)


def joint_loss(losses: np.ndarray, var: np.ndarray, es: np.ndarray, level: float) -> np.ndarray:
    """(n,) FZ0 loss of VaR and ES together (Patton, Ziegel and Chen, 2019); smaller is better."""
    over = np.maximum(losses - var, 0.0)
    return over / ((1 - level) * es) + var / es + np.log(es) - 1


def block_interval(
    score: Callable[..., float], *series: np.ndarray, block: int, seed: int
) -> Interval:
    """A score of aligned series with its percentile interval by the stationary bootstrap.

    Args:
        score: Takes the series and returns a number.
        series: Arrays of (n,) that are resampled together.
        block: Mean length of the resampled runs, in days (Politis and Romano, 1994).
        seed: Seed of the resampling.
    """
    from arch.bootstrap import StationaryBootstrap

    sampler = StationaryBootstrap(block, *series, seed=np.random.default_rng(seed))
    drawn = sampler.apply(score, RESAMPLES)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Interval(float(score(*series)), float(low), float(high))
