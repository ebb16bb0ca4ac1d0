"""One price series, one method: everything a chart of value at risk with hits needs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.errors import ParameterError
from verticals.finance.market.backtests import Backtest, backtest
from verticals.finance.market.coverage_tests import RiskTest, Zone
from verticals.finance.market.parameters import SEED, Method
from verticals.finance.market.prices import check_prices
from verticals.finance.market.var import METHODS, forecast_risk
from verticals.finance.market.verdicts import verdict


@dataclass(frozen=True)
class MarketView:
    """Returns, forecasts and tests of the last days. Percent; VaR and ES are positive losses."""

    dates: pd.DatetimeIndex  # (n,)
    returns: np.ndarray  # (n,)
    var: np.ndarray  # (n,)
    es: np.ndarray  # (n,)
    hits: np.ndarray  # (n,) bool
    tests: tuple[RiskTest, ...]
    zone: Zone
    backtest: Backtest
    method: str
    level: float

    def verdict(self, language: str = "en") -> str:
        """What the backtest says, in one paragraph."""
        return verdict(self.backtest, language)


def market_view(
    prices: pd.Series, level: float = 0.99, method: Method = "fhs", days: int = 1000
) -> MarketView:
    """Forecast the last days of one price series out of sample and test the forecasts.

    Args:
        prices: Daily prices, index of days.
        level: Confidence, from 0.9 to 0.995.
        method: A name from `var.METHODS`.
        days: Trading days at the end to show; fewer when the history is short.

    Raises:
        DataError: The prices cannot be used; see `prices.check_prices`.
        ParameterError: The method or level is not offered.
    """
    if method not in METHODS:
        raise ParameterError(
            f"there is no method {method!r}", where="method", remedy=f"Choose {', '.join(METHODS)}"
        )
    if not 0.9 <= level <= 0.995:
        raise ParameterError(f"{level} is no level", where="level", remedy="Choose 0.9 to 0.995")
    name = str(prices.name or "price")
    frame = prices.astype("float64").to_frame(name)
    frame.index = pd.DatetimeIndex(frame.index)
    check_prices(frame)
    returns = 100 * frame[name].pct_change().iloc[1:]
    forecast = forecast_risk(returns, [method], levels=[level], days=days)[method, level]
    held = backtest(forecast, seed=SEED)
    if held.zone is None:
        raise ParameterError("a view shows one-day forecasts", where="horizon")
    return MarketView(
        dates=forecast.dates,
        returns=-forecast.losses,
        var=forecast.var,
        es=forecast.es,
        hits=forecast.hits,
        tests=held.tests,
        zone=held.zone,
        backtest=held,
        method=method,
        level=level,
    )
