"""The whole backtest of a portfolio and its reference indices, and what it measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from core.deployment.results import Measurement
from verticals.finance.market.allocation import Allocations
from verticals.finance.market.backtests import Backtest, backtest, backtest_table
from verticals.finance.market.losses import Interval
from verticals.finance.market.multiday import forecast_multiday, risk_today
from verticals.finance.market.parameters import MarketParameters, Method
from verticals.finance.market.prices import Prices, load_reference
from verticals.finance.market.var import METHODS, forecast_risk

LEVELS = (0.975, 0.99)
BASELINE: Method = "hs"
_SHOWN: tuple[Method, ...] = ("fhs", "gjr_t", "garch_t", "hs")


@dataclass(frozen=True)
class MarketBacktest:
    """Every backtest of a run: one day ahead, several days ahead, and on public indices."""

    one_day: tuple[Backtest, ...]  # by method, then level
    multiday: tuple[Backtest, ...]  # the leading method and the baseline
    references: dict[str, tuple[Backtest, ...]]  # by index: the leading method and the baseline
    lead: Backtest  # the leading method at the level asked for, one day ahead

    @property
    def reference_table(self) -> pd.DataFrame:
        """Backtests of the public indices, one row an index, method and level."""
        tables = {name: backtest_table(found) for name, found in self.references.items()}
        return pd.concat(tables, names=["index"]) if tables else pd.DataFrame()


def risk_table(prices: Prices) -> pd.DataFrame:
    """VaR and ES from today's prices by method, one day and several days ahead, rounded percent."""
    p = prices.parameters
    return risk_today(
        prices.returns,
        _with_lead(p, _SHOWN),
        levels=_levels(p),
        horizon=p.horizon,
        window=p.window,
        seed=p.seed,
    ).round(2)


def backtest_market(prices: Prices) -> MarketBacktest:
    """Backtest every method on the portfolio, and the leading one on the reference indices."""
    p = prices.parameters
    one_day = _one_day(prices, _with_lead(p, _SHOWN), _levels(p))
    pair = tuple(dict.fromkeys((p.method, BASELINE)))
    references: dict[str, tuple[Backtest, ...]] = {
        name: _one_day(load_reference(name, p), pair, LEVELS)
        for name in p.references
        if name != p.data
    }
    lead = next(b for b in one_day if (b.forecast.method, b.forecast.level) == (p.method, p.level))
    return MarketBacktest(one_day, _multiday(prices, pair), references, lead)


def measure(market: MarketBacktest, allocations: Allocations | None = None) -> list[Measurement]:
    """What a run writes to results.json; the baseline is historical simulation or equal weights."""
    found = _measure_series("portfolio", market.one_day)
    found += _measure_series("portfolio", market.multiday)
    for name, backtests in market.references.items():
        found += _measure_series(name, backtests)
    if allocations is not None:
        equal, days = allocations.intervals["equal"], len(allocations.returns)
        found += [
            _entry(metric, ours[key], days, name, (equal[key].value, "equal"))
            for name, ours in allocations.intervals.items()
            for key, metric in (("es", "allocation_daily_es_97_5"), ("sharpe", "allocation_sharpe"))
        ]
    return found


def _levels(p: MarketParameters) -> tuple[float, ...]:
    return tuple(sorted({*LEVELS, p.level}))


def _with_lead(p: MarketParameters, methods: Sequence[Method]) -> tuple[Method, ...]:
    return tuple(dict.fromkeys((p.method, *methods)))


def _one_day(
    prices: Prices, methods: Sequence[Method], levels: Sequence[float]
) -> tuple[Backtest, ...]:
    p = prices.parameters
    forecasts = forecast_risk(
        prices.returns, methods, levels=levels, days=p.days, window=p.window, refit=p.refit
    )
    return tuple(
        backtest(forecasts[method, level], baseline=forecasts[BASELINE, level], seed=p.seed)
        for level in levels
        for method in methods
    )


def _multiday(prices: Prices, methods: Sequence[Method]) -> tuple[Backtest, ...]:
    p = prices.parameters
    forecasts = {
        method: forecast_multiday(
            prices.returns,
            method,
            levels=LEVELS,
            horizon=p.horizon,
            days=p.days,
            window=p.window,
            refit=p.refit,
            paths=p.paths,
            seed=p.seed,
        )
        for method in methods
    }
    return tuple(
        backtest(forecasts[method][level], baseline=forecasts[BASELINE][level], seed=p.seed)
        for level in LEVELS
        for method in methods
    )


def _measure_series(series: str, backtests: Sequence[Backtest]) -> list[Measurement]:
    by_key = {(b.forecast.method, b.forecast.level): b for b in backtests}
    found = []
    for (method, level), b in by_key.items():
        if method == BASELINE or method not in METHODS:
            continue
        base = by_key[BASELINE, level]
        name = f"{series}_var_{100 * level:g}_{b.forecast.horizon}d".replace(".", "_")
        days = len(b.forecast.var)
        pairs = [
            ("pinball", b.pinball, base.pinball),
            ("hit_rate_percent", b.hit_rate, base.hit_rate),
        ]
        if b.forecast.horizon == 1:
            pairs.append(("fz0_loss", b.joint, base.joint))
        found += [
            _entry(f"{name}_{key}", ours, days, method, (theirs.value, BASELINE))
            for key, ours, theirs in pairs
        ]
        found += [
            Measurement(
                metric=f"{name}_{test.name}_p", value=test.p_value, low=None, high=None, n=days,
                split="backtest", model=method, baseline=base.test(test.name).p_value,
                baseline_model=BASELINE,
            )
            for test in b.tests
        ]  # fmt: skip
    return found


def _entry(
    metric: str, interval: Interval, n: int, model: str, baseline: tuple[float, str]
) -> Measurement:
    return Measurement(
        metric=metric, value=interval.value, low=interval.low, high=interval.high, n=n,
        split="backtest", model=model, baseline=baseline[0], baseline_model=baseline[1],
    )  # fmt: skip
