"""Value at risk and expected shortfall of the next day, forecast day by day out of sample.

Losses are positive and in percent of today's value. Historical simulation, GARCH(1,1) with normal
and t innovations, GJR-GARCH(1,1)-t, and filtered historical simulation (Barone-Adesi, Giannopoulos
and Vosper, 1999) on GJR-GARCH-t, the default.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from core.errors import DataError
from verticals.finance.market.garch import (
    Volatility,
    VolatilityFit,
    filter_variance,
    fit_volatility,
)
from verticals.finance.market.parameters import REFIT, WINDOW, Method

METHODS: dict[str, str] = {
    "fhs": "Filtered historical simulation (GJR-GARCH-t)",
    "gjr_t": "GJR-GARCH-t",
    "garch_t": "GARCH-t",
    "garch_normal": "GARCH-normal",
    "hs": "Historical simulation",
}
HISTORY_OF_HS = 500  # days of plain historical simulation: two years, as banks use
FEWEST_DAYS = 500  # returns before the first forecast
_TAIL_POINTS = 100
_VOLATILITY: dict[str, Volatility] = {
    "fhs": "gjr_t", "gjr_t": "gjr_t", "garch_t": "garch_t", "garch_normal": "garch_normal",
}  # fmt: skip


@dataclass(frozen=True)
class RiskForecast:
    """Forecasts made the evening before, beside what then happened. Percent; losses positive."""

    method: str
    level: float  # confidence, e.g. 0.99
    horizon: int  # trading days
    dates: pd.DatetimeIndex  # (n,) the (last) day of the loss
    losses: np.ndarray  # (n,) what happened
    var: np.ndarray  # (n,) value at risk
    es: np.ndarray  # (n,) expected shortfall
    tail: np.ndarray  # (n, m) losses beyond VaR that were thought equally likely; their mean is ES

    @property
    def hits(self) -> np.ndarray:
        """(n,) bool: days on which the loss exceeded the value at risk."""
        return self.losses > self.var


@dataclass(frozen=True)
class Track:
    """What a method knew each evening: its predictive distribution of tomorrow's return."""

    dates: pd.DatetimeIndex  # (n,) the day forecast
    returns: np.ndarray  # (n,) what happened, percent
    mean: np.ndarray  # (n,) percent
    sigma: np.ndarray  # (n,) percent
    samples: tuple[np.ndarray, ...]  # n views: standardised returns known that evening
    fits: tuple[VolatilityFit, ...]  # (n,) parameters in force; empty for historical simulation


def forecast_risk(
    returns: pd.Series,
    methods: Sequence[Method],
    *,
    levels: Sequence[float] = (0.99,),
    days: int = 1000,
    window: int = WINDOW,
    refit: int = REFIT,
) -> dict[tuple[str, float], RiskForecast]:
    """One-day forecasts for each of the last `days`, each from the returns before it.

    Args:
        returns: Daily returns in percent, by day.
        methods: Names from `METHODS`; those on one volatility model share its fits.
        levels: Confidence levels.
        days: Days to forecast; fewer when the history is short.
        window: Returns that a fit and a sample of innovations use.
        refit: Days between fits.

    Returns:
        Forecasts by method and level.

    Raises:
        DataError: The history is too short.
    """
    tracks: dict[str, Track] = {}
    forecasts: dict[tuple[str, float], RiskForecast] = {}
    for method in methods:
        key = _VOLATILITY.get(method, "hs")
        if key not in tracks:
            tracks[key] = follow(returns, method, days=days, window=window, refit=refit)
        for level in levels:
            forecasts[method, level] = risk_of(tracks[key], method, level)
    return forecasts


def follow(returns: pd.Series, method: Method, *, days: int, window: int, refit: int) -> Track:
    """The predictive distribution of each of the last `days`, from the returns before it."""
    values = returns.to_numpy(dtype=np.float64)
    first = _first_day(len(values), days, window)
    n = len(values)
    if method == "hs":
        samples = tuple(values[t - min(t, HISTORY_OF_HS) : t] for t in range(first, n))
        zero, one = np.zeros(n - first), np.ones(n - first)
        return Track(_days(returns, first), values[first:], zero, one, samples, ())
    sigma = np.empty(n - first)
    fits: list[VolatilityFit] = []
    standard: list[np.ndarray] = []
    fit: VolatilityFit | None = None
    for begin in range(first, n, refit):
        end, oldest = min(begin + refit, n), max(0, begin - window)
        learned = begin - oldest
        fit = fit_volatility(values[oldest:begin], _VOLATILITY[method], start=fit)
        deviation = np.sqrt(filter_variance(values[oldest:end], fit, learned)[:-1])
        sigma[begin - first : end - first] = deviation[learned:]
        z = (values[oldest:end] - fit.mean) / deviation
        standard += [z[max(0, t - window) : t] for t in range(learned, end - oldest)]
        fits += [fit] * (end - begin)
    mean = np.array([f.mean for f in fits])
    return Track(_days(returns, first), values[first:], mean, sigma, tuple(standard), tuple(fits))


def risk_of(track: Track, method: Method, level: float) -> RiskForecast:
    """VaR, ES and tail of every evening of a track."""
    if method in ("hs", "fhs"):
        rows = [empirical_tail(sample, level) for sample in track.samples]
        var, es = (np.array([row[i] for row in rows]) for i in (0, 1))
        tail = np.stack([row[2] for row in rows])
    else:
        nu = np.array([fit.nu for fit in track.fits])
        var, es, tail = _student(nu, level)
    var, es = track.sigma * var - track.mean, track.sigma * es - track.mean
    tail = track.sigma[:, None] * tail - track.mean[:, None]
    return RiskForecast(method, level, 1, track.dates, -track.returns, var, es, tail)


def empirical_tail(sample: np.ndarray, level: float) -> tuple[float, float, np.ndarray]:
    """VaR, ES and tail of a sample of returns.

    The quantile at rank (n + 1)(1 - level) is exceeded by a new exchangeable value with exactly
    the stated probability. ES by Acerbi and Tasche (2002), with the fraction of the last value.
    """
    n, rare = len(sample), 1 - level
    share = n * rare
    worst = -np.sort(np.partition(sample, int(share) + 1)[: int(share) + 2])  # worst first
    rank = (n + 1) * rare
    low = max(int(rank), 1)
    var = worst[low - 1] + max(rank - low, 0.0) * (worst[low] - worst[low - 1])
    whole = int(share)
    es = (worst[:whole].sum() + (share - whole) * worst[whole]) / share
    points = (np.arange(_TAIL_POINTS) + 0.5) / _TAIL_POINTS * share
    return float(var), float(max(es, var)), _with_mean(worst[points.astype(int)], es)


def _student(nu: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """VaR, ES and tail of t innovations of unit variance, a row for each value of `nu`.

    Expected shortfall of the t distribution: McNeil, Frey and Embrechts (2015), example 2.15.
    """
    rare = 1 - level
    points = (np.arange(_TAIL_POINTS) + 0.5) / _TAIL_POINTS * rare
    values, where = np.unique(nu, return_inverse=True)
    var, es = np.empty(len(values)), np.empty(len(values))
    tail = np.empty((len(values), _TAIL_POINTS))
    for i, v in enumerate(values):
        if np.isinf(v):
            var[i], es[i] = -stats.norm.ppf(rare), stats.norm.pdf(stats.norm.ppf(rare)) / rare
            tail[i] = -stats.norm.ppf(points)
        else:
            unit, q = np.sqrt((v - 2) / v), stats.t.ppf(rare, v)
            var[i] = -unit * q
            es[i] = unit * stats.t.pdf(q, v) / rare * (v + q**2) / (v - 1)
            tail[i] = -unit * stats.t.ppf(points, v)
        tail[i] = _with_mean(tail[i], es[i])
    return var[where], es[where], tail[where]


def _with_mean(tail: np.ndarray, mean: float) -> np.ndarray:
    """The tail moved by the little that its grid misses, so that its mean is ES."""
    return tail + (mean - tail.mean())


def _first_day(n: int, days: int, window: int) -> int:
    if n < FEWEST_DAYS + 30:
        raise DataError(
            f"{n} returns are too few to forecast and to test",
            remedy=f"Give at least {FEWEST_DAYS + 31} days of prices",
        )
    return max(n - days, min(FEWEST_DAYS, window))


def _days(returns: pd.Series, first: int) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(returns.index[first:])
