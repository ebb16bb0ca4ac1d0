"""Value at risk over several days: paths of the volatility model, today and in a backtest.

Filtered historical simulation draws past standardised returns onto the model's path; the parametric
models draw t or normal innovations; plain historical simulation uses overlapping past periods.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from core.errors import DataError
from verticals.finance.market.parameters import REFIT, WINDOW, Method
from verticals.finance.market.var import (
    FEWEST_DAYS,
    RiskForecast,
    Track,
    empirical_tail,
    follow,
    risk_of,
)

_STEP = 25  # days simulated at once: a few MB


def forecast_multiday(
    returns: pd.Series,
    method: Method,
    *,
    levels: Sequence[float] = (0.99,),
    horizon: int = 10,
    days: int = 1000,
    window: int = WINDOW,
    refit: int = REFIT,
    paths: int = 1000,
    seed: int = 0,
) -> dict[float, RiskForecast]:
    """Forecasts of the compounded return over the next `horizon` days, each evening of the last.

    The periods overlap, so hits come in runs and tests that assume independent days do not hold:
    see `backtests.overlapping_coverage`.

    Args:
        returns: Daily returns in percent, by day.
        method: A name from `var.METHODS`.
        levels: Confidence levels.
        horizon: Trading days.
        days: Evenings with a known outcome; fewer when the history is short.
        window: Returns that a fit and a sample of innovations use.
        refit: Days between fits.
        paths: Simulated paths an evening.
        seed: Seed of the paths.

    Returns:
        Forecasts by level, dated by the last day of the period.
    """
    values = returns.to_numpy(dtype=np.float64)
    track = follow(returns, method, days=days + horizon - 1, window=window, refit=refit)
    first = len(values) - len(track.returns)
    evenings = len(track.returns) - horizon + 1
    if evenings < 1:
        raise DataError(f"no period of {horizon} days has a known outcome yet")
    outcome = compound(values, horizon)[first:]
    rows: dict[float, list[tuple[float, float, np.ndarray]]] = {level: [] for level in levels}
    rng = np.random.default_rng(seed)
    for begin in range(0, evenings, _STEP):
        block = range(begin, min(begin + _STEP, evenings))
        if method == "hs":
            samples = [compound(sample, horizon) for sample in (track.samples[i] for i in block)]
        else:
            samples = list(_simulate(track, block, method, (paths, horizon), rng))
        for level in levels:
            rows[level] += [empirical_tail(sample, level) for sample in samples]
    dates = track.dates[horizon - 1 :]
    return {
        level: RiskForecast(
            method, level, horizon, dates, -outcome,
            np.array([r[0] for r in found]), np.array([r[1] for r in found]),
            np.stack([r[2] for r in found]),
        )
        for level, found in rows.items()
    }  # fmt: skip


def risk_today(
    returns: pd.Series,
    methods: Sequence[Method],
    *,
    levels: Sequence[float] = (0.975, 0.99),
    horizon: int = 10,
    window: int = WINDOW,
    paths: int = 20_000,
    seed: int = 0,
) -> pd.DataFrame:
    """VaR and ES for tomorrow and over the horizon, from every return up to today.

    Returns:
        One row a method and horizon; columns `VaR 99%`, `ES 99%`, ..., in percent of value.
    """
    rows = []
    rng = np.random.default_rng(seed)
    if len(returns) < FEWEST_DAYS:
        raise DataError(f"{len(returns)} returns are too few: {FEWEST_DAYS} are needed")
    # A made-up tomorrow: its forecast is today's, and its value is never looked at.
    day_after = pd.Series([0.0], index=[returns.index[-1] + pd.offsets.BDay()])
    extended = pd.concat([returns, day_after])
    for method in methods:
        track = follow(extended, method, days=1, window=window, refit=1)
        far = (
            compound(track.samples[0], horizon)
            if method == "hs"
            else _simulate(track, range(1), method, (paths, horizon), rng)[0]
        )
        near_row: dict[str, object] = {"method": method, "days": 1}
        far_row: dict[str, object] = {"method": method, "days": horizon}
        for level in levels:
            near = risk_of(track, method, level)
            var, es, _ = empirical_tail(far, level)
            names = f"VaR {100 * level:g}%", f"ES {100 * level:g}%"
            near_row |= {names[0]: near.var[0], names[1]: near.es[0]}
            far_row |= {names[0]: var, names[1]: es}
        rows += [near_row, far_row]
    return pd.DataFrame(rows).set_index(["method", "days"])


def compound(returns: np.ndarray, horizon: int) -> np.ndarray:
    """(n - horizon + 1,) compounded returns in percent of every run of `horizon` days."""
    growth = np.concatenate([[0.0], np.cumsum(np.log1p(np.maximum(returns, -99.99) / 100))])
    return 100 * np.expm1(growth[horizon:] - growth[:-horizon])


def _simulate(
    track: Track, block: range, method: Method, shape: tuple[int, int], rng: np.random.Generator
) -> np.ndarray:
    """(days of the block, paths) compounded returns in percent of simulated paths."""
    paths, horizon = shape
    draws = _innovations(track, block, method, shape, rng)
    fits = [track.fits[i] for i in block]
    mean, omega, alpha, gamma, beta = (
        np.array([getattr(f, name) for f in fits])[:, None]
        for name in ("mean", "omega", "alpha", "gamma", "beta")
    )
    variance = np.repeat(track.sigma[block.start : block.stop, None] ** 2, paths, axis=1)
    growth = np.zeros((len(fits), paths))
    for step in range(horizon):
        shock = np.sqrt(variance) * draws[:, :, step]
        growth += np.log1p(np.maximum(mean + shock, -99.99) / 100)
        variance = omega + (alpha + gamma * (shock < 0)) * shock**2 + beta * variance
    return 100 * np.expm1(growth)


def _innovations(
    track: Track, block: range, method: Method, shape: tuple[int, int], rng: np.random.Generator
) -> np.ndarray:
    """(days, paths, horizon) standardised returns."""
    if method == "fhs":
        return np.stack([rng.choice(track.samples[i], shape) for i in block])
    rows = []
    for i in block:
        nu = track.fits[i].nu
        if np.isinf(nu):
            rows.append(rng.standard_normal(shape))
        else:
            rows.append(rng.standard_t(nu, shape) * np.sqrt((nu - 2) / nu))
    return np.stack(rows)
