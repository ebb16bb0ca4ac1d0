"""Backtests that are attached to every forecast: tests, scores with intervals, a plain verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from verticals.finance.market.coverage_tests import (
    RiskTest,
    Zone,
    acerbi_szekely,
    basel_zone,
    christoffersen_independence,
    conditional_coverage,
    kupiec,
)
from verticals.finance.market.losses import Interval, block_interval, joint_loss, pinball
from verticals.finance.market.var import RiskForecast

_SHORT = {
    "kupiec": "coverage",
    "christoffersen_independence": "independence",
    "conditional_coverage": "both",
    "acerbi_szekely_z2": "ES",
}
_MONTH = 20  # trading days of a resampled run: volatility stays high for weeks


@dataclass(frozen=True)
class Backtest:
    """A forecast held against what happened."""

    forecast: RiskForecast
    hit_rate: Interval  # percent of days
    pinball: Interval  # percent
    joint: Interval  # FZ0
    tests: tuple[RiskTest, ...]  # empty for overlapping periods: the tests assume separate days
    zone: Zone | None
    ratio: Interval | None = None  # pinball loss over the baseline's, on the same days

    @property
    def hits(self) -> int:
        """How many days the loss exceeded the value at risk."""
        return int(self.forecast.hits.sum())

    @property
    def expected(self) -> float:
        """How many hits a right forecast has on average."""
        return len(self.forecast.var) * (1 - self.forecast.level)

    def test(self, name: str) -> RiskTest:
        """A test by its name."""
        return next(t for t in self.tests if t.name == name)


def backtest(
    forecast: RiskForecast, *, baseline: RiskForecast | None = None, seed: int = 0
) -> Backtest:
    """Hold a forecast against what happened.

    Args:
        forecast: Of `var.forecast_risk` or `multiday.forecast_multiday`.
        baseline: Another forecast of the same days to compare the pinball loss with.
        seed: Seed of intervals and simulated p-values.
    """
    f = forecast
    block = max(_MONTH, 2 * f.horizon)
    score = pinball(f.losses, f.var, f.level)
    ratio = None
    if baseline is not None:
        other = pinball(baseline.losses, baseline.var, baseline.level)
        ratio = block_interval(_ratio, score, other, block=block, seed=seed)
    return Backtest(
        forecast=f,
        hit_rate=_hit_rate(f, block, seed),
        pinball=block_interval(np.mean, score, block=block, seed=seed),
        joint=block_interval(
            np.mean, joint_loss(f.losses, f.var, f.es, f.level), block=block, seed=seed
        ),
        tests=_tests(f, seed) if f.horizon == 1 else (),
        zone=basel_zone(f.hits, f.level) if f.horizon == 1 else None,
        ratio=ratio,
    )


def backtest_table(backtests: Sequence[Backtest]) -> pd.DataFrame:
    """One row a backtest: hits beside those expected, p-values, zone, loss, failures. Rounded."""
    rows = []
    for b in backtests:
        f = b.forecast
        p = {t.name: round(t.p_value, 3) for t in b.tests}
        rows.append(
            {
                "method": f.method,
                "level": f"{100 * f.level:g}%",
                "hits": b.hits,
                "expected": round(b.expected, 1),
                "Kupiec p": p.get("kupiec"),
                "independence p": p.get("christoffersen_independence"),
                "cond. coverage p": p.get("conditional_coverage"),
                "ES Z2 p": p.get("acerbi_szekely_z2"),
                "Basel zone": b.zone.colour if b.zone else None,
                "pinball %": round(b.pinball.value, 4),
                "vs HS": round(b.ratio.value, 2) if b.ratio else None,
                "failed": ", ".join(_SHORT[t.name] for t in b.tests if not t.passed) or "none",
            }
        )
    table = pd.DataFrame(rows).set_index("method").dropna(axis=1, how="all")
    return table if any(b.tests for b in backtests) else table.drop(columns="failed")


def _tests(f: RiskForecast, seed: int) -> tuple[RiskTest, ...]:
    return (
        kupiec(f.hits, f.level),
        christoffersen_independence(f.hits),
        conditional_coverage(f.hits, f.level),
        acerbi_szekely(f.losses, f.var, f.es, f.tail, f.level, seed=seed),
    )


def _hit_rate(f: RiskForecast, block: int, seed: int) -> Interval:
    """Percent of hits; exact binomial for separate days, block bootstrap for overlapping ones."""
    hits = f.hits
    if f.horizon > 1:
        return block_interval(_percent, hits.astype(np.float64), block=block, seed=seed)
    exact = stats.binomtest(int(hits.sum()), len(hits)).proportion_ci()
    return Interval(100 * float(hits.mean()), 100 * float(exact.low), 100 * float(exact.high))


def _percent(values: np.ndarray) -> float:
    return 100 * float(np.mean(values))


def _ratio(score: np.ndarray, other: np.ndarray) -> float:
    return float(np.mean(score) / np.mean(other))
