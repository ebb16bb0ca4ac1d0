"""Other weights for the same assets, chosen quarter by quarter on the past and held after costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.errors import DataError
from verticals.finance.market.losses import Interval, block_interval
from verticals.finance.market.prices import Prices

LEARN_DAYS, HOLD_DAYS = 504, 63  # two years, one quarter
ES_LEVEL = 0.975
_BLOCK = 20
_YEAR = 252
_TEST_DAYS = {"quick": 1512, "standard": 5040}  # 6 and 20 years

STRATEGIES = {
    "today": "today's weights, rebalanced",
    "equal": "equal weights",
    "min_es": "least expected shortfall",
    "risk_parity": "equal contributions to expected shortfall",
    "hrp": "hierarchical risk parity",
}


@dataclass(frozen=True)
class Allocations:
    """Strategies side by side, out of sample and after costs."""

    table: pd.DataFrame  # one row a strategy
    intervals: dict[str, dict[str, Interval]]  # by strategy and measure
    returns: pd.DataFrame  # (days, strategies) percent
    weights: pd.DataFrame  # (assets, strategies) proposed for the next quarter


def compare_allocations(prices: Prices) -> Allocations:
    """Walk forward through the last years: fit on two years, hold a quarter, pay for each trade.

    Least expected shortfall, risk parity and hierarchical risk parity come from skfolio, long
    only and with the parameters' largest weight; with fewer than three assets only today's and
    equal weights are compared.

    Args:
        prices: Of `load_prices`; at least 2.25 years.

    Raises:
        DataError: The history is too short to hold one quarter.
    """
    from skfolio.model_selection import WalkForward

    p = prices.parameters
    returns = prices.asset_returns / 100
    names = list(STRATEGIES) if returns.shape[1] >= 3 else ["today", "equal"]
    if np.allclose(prices.weights, 1 / returns.shape[1]):
        names.remove("today")
    days = _TEST_DAYS[p.budget] // HOLD_DAYS * HOLD_DAYS
    recent = returns.iloc[-(days + LEARN_DAYS) :]
    splits = list(WalkForward(test_size=HOLD_DAYS, train_size=LEARN_DAYS).split(recent))
    if not splits:
        raise DataError(
            f"{len(returns)} returns are too few to choose weights and to hold them",
            remedy=f"Give at least {LEARN_DAYS + HOLD_DAYS + 1} days of prices",
        )
    held: dict[str, np.ndarray] = {}
    traded: dict[str, float] = {}
    for name in names:
        targets = [choose_weights(name, recent.iloc[past], prices) for past, _ in splits]
        quarters = [recent.iloc[ahead].to_numpy() for _, ahead in splits]
        held[name], traded[name] = hold(targets, quarters, cost=p.cost / 1e4)
    index = recent.index[np.concatenate([ahead for _, ahead in splits])]
    proposed = {n: choose_weights(n, returns.iloc[-LEARN_DAYS:], prices) for n in names}
    daily = pd.DataFrame(held, index=index)
    equal = daily["equal"].to_numpy()
    intervals = {n: measure_returns(daily[n].to_numpy(), equal, p.seed) for n in names}
    years = len(daily) / _YEAR
    table = pd.DataFrame(
        {n: _row(intervals[n], daily[n].to_numpy(), traded[n] / years) for n in names}
    ).T.rename_axis("strategy")
    weights = pd.DataFrame(proposed, index=returns.columns)
    return Allocations(table, intervals, 100 * daily, weights)


def choose_weights(strategy: str, past: pd.DataFrame, prices: Prices) -> np.ndarray:
    """(assets,) weights that a strategy takes from past returns alone."""
    from skfolio import RiskMeasure
    from skfolio.optimization import HierarchicalRiskParity, MeanRisk, RiskBudgeting

    count = past.shape[1]
    if strategy == "today":
        return prices.weights.to_numpy()
    if strategy == "equal":
        return np.full(count, 1 / count)
    limit = max(prices.parameters.max_weight, 1 / count)
    if strategy == "min_es":
        model = MeanRisk(risk_measure=RiskMeasure.CVAR, cvar_beta=ES_LEVEL, max_weights=limit)
    elif strategy == "risk_parity":
        model = RiskBudgeting(risk_measure=RiskMeasure.CVAR, cvar_beta=ES_LEVEL, max_weights=limit)
    else:
        model = HierarchicalRiskParity(risk_measure=RiskMeasure.VARIANCE, max_weights=limit)
    model.fit(past)
    return np.asarray(model.weights_, dtype=np.float64)


def hold(
    targets: list[np.ndarray], quarters: list[np.ndarray], *, cost: float
) -> tuple[np.ndarray, float]:
    """Daily returns of buying each target and letting it drift until the next.

    Args:
        targets: Weights at the start of each quarter.
        quarters: For each, (days, assets) returns as fractions.
        cost: Fraction of the traded value that a trade costs.

    Returns:
        (days,) returns after costs as fractions, and the traded share of value in total. The
        first purchase is traded in full.
    """
    owned = np.zeros_like(targets[0])
    daily, traded = [], 0.0
    for target, returns in zip(targets, quarters, strict=True):
        trade = float(np.abs(target - owned).sum())
        traded += trade
        growth = np.cumprod(1 + returns, axis=0)
        cash = 1 - target.sum()
        value = growth @ target + cash
        value = value * (1 - cost * trade)
        daily.append(np.diff(np.concatenate([[1.0], value])) / np.concatenate([[1.0], value[:-1]]))
        owned = target * growth[-1] / (growth[-1] @ target + cash)
    return np.concatenate(daily), traded


def measure_returns(returns: np.ndarray, equal: np.ndarray, seed: int) -> dict[str, Interval]:
    """Return, volatility, Sharpe ratio, daily ES, and ES less that of equal weights.

    Args:
        returns: (n,) daily returns of a strategy as fractions.
        equal: (n,) those of equal weights on the same days.
        seed: Seed of the intervals.

    Returns:
        Percent a year, percent a year, ratio, percent a day, percentage points.
    """
    measures: dict[str, Callable[..., float]] = {
        "return": lambda r: 100 * _YEAR * float(np.mean(r)),
        "volatility": lambda r: 100 * float(np.std(r) * np.sqrt(_YEAR)),
        "es": expected_shortfall,
        "sharpe": lambda r: float(np.mean(r) / np.std(r) * np.sqrt(_YEAR)),
    }
    intervals = {
        name: block_interval(score, returns, block=_BLOCK, seed=seed)
        for name, score in measures.items()
    }
    intervals["es_less_equal"] = block_interval(
        lambda r, e: expected_shortfall(r) - expected_shortfall(e),
        returns, equal, block=_BLOCK, seed=seed,
    )  # fmt: skip
    return intervals


def expected_shortfall(returns: np.ndarray) -> float:
    """Mean loss of the worst 2.5% of days in percent."""
    worst = max(round(len(returns) * (1 - ES_LEVEL)), 1)
    return -100 * float(np.mean(np.partition(returns, worst)[:worst]))


def worst_fall(returns: np.ndarray) -> float:
    """Largest fall from a peak in percent."""
    value = np.concatenate([[1.0], np.cumprod(1 + returns)])
    return 100 * float(np.max(1 - value / np.maximum.accumulate(value)))


def _row(intervals: dict[str, Interval], returns: np.ndarray, traded: float) -> dict[str, str]:
    return {
        "return % a year": f"{intervals['return'].value:.1f}",
        "volatility % a year": f"{intervals['volatility'].value:.1f}",
        "Sharpe": _show(intervals["sharpe"]),
        "daily ES 97.5% %": _show(intervals["es"]),
        "ES less equal weights": _show(intervals["es_less_equal"]),
        "worst fall %": f"{worst_fall(returns):.1f}",
        "traded % a year": f"{100 * traded:.0f}",
    }


def _show(interval: Interval) -> str:
    return f"{interval.value:.2f} ({interval.low:.2f} to {interval.high:.2f})"
