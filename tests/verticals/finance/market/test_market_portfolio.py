"""Risk contributions, stress days and allocations by hand, by formula, and without look-ahead."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from verticals.finance.market.allocation import (
    choose_weights,
    compare_allocations,
    expected_shortfall,
    hold,
    worst_fall,
)
from verticals.finance.market.parameters import MarketParameters
from verticals.finance.market.portfolio import CONTRIBUTION_DAYS, risk_contributions, stress_days
from verticals.finance.market.prices import Prices


def made(days: int, assets: int = 5, seed: int = 0, **settings: object) -> Prices:
    rng = np.random.default_rng(seed)
    market = rng.standard_t(5, (days, 1))
    moves = 0.6 * market + rng.standard_t(5, (days, assets)) * np.linspace(0.4, 1.6, assets)
    frame = pd.DataFrame(100 * np.cumprod(1 + 0.008 * moves, axis=0))
    frame.columns = [f"A{i}" for i in range(assets)]
    frame.index = pd.bdate_range("2015-01-01", periods=days)
    weights = pd.Series(np.arange(1, assets + 1) / (assets * (assets + 1) / 2), frame.columns)
    return Prices(frame, weights, MarketParameters.model_validate(settings), "made", "", "")


def test_volatility_contributions_are_eulers() -> None:
    prices = made(1300)
    table = risk_contributions(prices)
    assert table[["volatility %", "ES %", "weight %"]].sum().to_numpy() == pytest.approx(100)
    covariance = np.cov(prices.asset_returns.iloc[-CONTRIBUTION_DAYS:].to_numpy().T)
    w = prices.weights.to_numpy()
    expected = 100 * w * (covariance @ w) / (w @ covariance @ w)
    found = table["volatility %"].reindex(prices.frame.columns)
    np.testing.assert_allclose(found, expected, rtol=1e-3)


def test_es_contributions_are_losses_on_the_worst_days() -> None:
    prices = made(1300)
    parts = prices.asset_returns.iloc[-CONTRIBUTION_DAYS:] * prices.weights
    worst = parts.loc[parts.sum(axis=1).nsmallest(25).index].mean()
    found = risk_contributions(prices)["ES %"].reindex(prices.frame.columns)
    np.testing.assert_allclose(found, 100 * worst / worst.sum(), rtol=1e-3)


def test_worst_stress_day_is_the_worst_return_at_todays_weights() -> None:
    prices = made(900)
    table = stress_days(prices, count=5)
    assert table["portfolio %"].iloc[0] == pytest.approx(prices.returns.min())
    assert table.index[0] == prices.returns.idxmin()
    assert table["portfolio %"].is_monotonic_increasing
    day, asset = table.index[0], table["costliest asset"].iloc[0]
    part = prices.asset_returns.loc[day, asset] * prices.weights[asset]
    assert table["its part (points)"].iloc[0] == pytest.approx(part)


def test_holding_by_hand() -> None:
    quarters = [np.array([[0.1, 0.0], [0.0, -0.2]]), np.array([[0.5, 0.0]])]
    half = np.array([0.5, 0.5])
    daily, traded = hold([half, half], quarters, cost=0.01)
    # 100 buys 99 of value; 0.55/0.5 after day one, 0.55/0.4 after day two; back to halves by
    # trading 2 * (0.55/0.95 - 0.5) of the value; then half of it gains 50%.
    trade = 2 * (0.55 / 0.95 - 0.5)
    assert traded == pytest.approx(1 + trade)
    assert daily == pytest.approx([0.99 * 1.05 - 1, 0.95 / 1.05 - 1, (1 - 0.01 * trade) * 1.25 - 1])


def test_drawdown_and_shortfall_by_hand() -> None:
    assert worst_fall(np.array([0.1, -0.5, 0.2])) == pytest.approx(50)
    returns = np.concatenate([np.full(39, 0.01), [-0.03]])
    assert expected_shortfall(returns) == pytest.approx(3)


@pytest.mark.parametrize("strategy", ["min_es", "risk_parity", "hrp"])
def test_weights_respect_their_limits(strategy: str) -> None:
    prices = made(600, max_weight=0.3)
    weights = choose_weights(strategy, prices.asset_returns.iloc[-504:] / 100, prices)
    assert weights.sum() == pytest.approx(1)
    assert weights.min() > -1e-6
    assert weights.max() < 0.3 + 1e-6


def test_least_shortfall_is_least_in_sample() -> None:
    prices = made(600, max_weight=1.0)
    past = prices.asset_returns.iloc[-504:] / 100

    def shortfall(weights: np.ndarray) -> float:
        return expected_shortfall(past.to_numpy() @ weights)

    best = shortfall(choose_weights("min_es", past, prices))
    rng = np.random.default_rng(1)
    assert all(best <= shortfall(w) + 0.02 for w in rng.dirichlet(np.ones(5), 300))


def test_the_future_changes_no_past_allocation() -> None:
    prices = made(504 + 3 * 63 + 1)
    frame = prices.frame.copy()
    frame.iloc[-60:] *= np.linspace(1, 3, 60)[:, None] ** np.arange(5)
    other = Prices(frame, prices.weights, prices.parameters, "made", "", "")
    first, second = compare_allocations(prices), compare_allocations(other)
    pd.testing.assert_frame_equal(first.returns.iloc[:126], second.returns.iloc[:126])
    assert not np.allclose(first.returns.iloc[-1], second.returns.iloc[-1])
    assert len(first.returns) == 189


def test_costs_cost() -> None:
    free, dear = (compare_allocations(made(700, cost=c)).returns for c in (0.0, 100.0))
    assert (free.sum() > dear.sum()).all()


def test_one_asset_is_compared_with_itself() -> None:
    found = compare_allocations(made(700, assets=1))
    assert list(found.table.index) == ["equal"]
    assert found.intervals["equal"]["es_less_equal"].value == 0
