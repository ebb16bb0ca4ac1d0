"""Where a portfolio's risk comes from, and what the worst days of history would do to it today."""

from __future__ import annotations

import pandas as pd

from verticals.finance.market.prices import Prices

CONTRIBUTION_DAYS = 1000


def risk_contributions(prices: Prices, *, level: float = 0.975) -> pd.DataFrame:
    """Shares of volatility and expected shortfall by asset, in percent; each column sums to 100.

    Euler contributions weight * d(risk) / d(weight) by skfolio, over the last 1,000 days.

    Args:
        prices: Of `load_prices`.
        level: Confidence of expected shortfall.

    Returns:
        One row an asset with `weight %`, `volatility %`, `ES %`, largest share of ES first.
    """
    from skfolio import Portfolio, RiskMeasure

    returns = prices.asset_returns.iloc[-CONTRIBUTION_DAYS:] / 100
    portfolio = Portfolio(X=returns, weights=prices.weights.to_numpy(), cvar_beta=level)
    shares = {}
    for name, measure in (
        ("volatility %", RiskMeasure.STANDARD_DEVIATION),
        ("ES %", RiskMeasure.CVAR),
    ):
        parts = pd.Series(portfolio.contribution(measure), index=returns.columns)
        shares[name] = 100 * parts / parts.sum()
    table = pd.DataFrame({"weight %": 100 * prices.weights, **shares})
    return table.sort_values("ES %", ascending=False).rename_axis("asset")


def stress_days(prices: Prices, *, count: int = 10) -> pd.DataFrame:
    """The worst days of history for today's weights.

    Args:
        prices: Of `load_prices`.
        count: How many days.

    Returns:
        One row a day, worst first: the portfolio's return in percent, the asset that cost most
        and its part of the loss in percentage points.
    """
    parts = prices.asset_returns * prices.weights
    worst = parts.sum(axis=1).nsmallest(count)
    rows = parts.loc[worst.index]
    return pd.DataFrame(
        {
            "portfolio %": worst,
            "costliest asset": rows.idxmin(axis=1),
            "its part (points)": rows.min(axis=1),
            "assets that fell": (rows < 0).sum(axis=1),
        }
    ).rename_axis("day")
