"""Forecasts know the past only, and agree with arch, with integrals and with simulated truth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

from core.errors import DataError, ModelError
from verticals.finance.market.garch import filter_variance, fit_volatility
from verticals.finance.market.multiday import compound, forecast_multiday, risk_today
from verticals.finance.market.parameters import Method
from verticals.finance.market.var import empirical_tail, follow, forecast_risk

ALL: tuple[Method, ...] = ("fhs", "gjr_t", "garch_t", "garch_normal", "hs")


def simulated(days: int, seed: int = 1, nu: float = 6.0) -> pd.Series:
    """A GJR-GARCH-t process with the parameters of an equity index."""
    rng = np.random.default_rng(seed)
    z = rng.standard_t(nu, days + 500) * np.sqrt((nu - 2) / nu)
    variance, values = 1.0, np.empty(days + 500)
    for t, draw in enumerate(z):
        shock = np.sqrt(variance) * draw
        values[t] = 0.03 + shock
        variance = 0.02 + (0.02 + 0.12 * (shock < 0)) * shock**2 + 0.9 * variance
    index = pd.bdate_range("2005-01-03", periods=days)
    return pd.Series(values[500:], index=index)


@pytest.fixture(scope="module")
def returns() -> pd.Series:
    return simulated(1100)


@pytest.mark.parametrize("method", ALL)
def test_the_future_changes_no_past_forecast(returns: pd.Series, method: Method) -> None:
    settings = {"days": 200, "window": 500, "refit": 30}
    other = returns.copy()
    other.iloc[-90:] = 12.0 * np.cos(np.arange(90))  # a wild future, inside a stretch of fixed fits
    for level, seen in ((0.99, 110), (0.975, 110)):
        first = forecast_risk(returns, [method], levels=[level], **settings)[method, level]
        second = forecast_risk(other, [method], levels=[level], **settings)[method, level]
        until = seen + 1  # the first changed day is still forecast from unchanged days
        np.testing.assert_array_equal(first.var[:until], second.var[:until])
        np.testing.assert_array_equal(first.es[:until], second.es[:until])
        assert not np.allclose(first.var[until + 60 :], second.var[until + 60 :])


def test_the_future_changes_no_past_forecast_of_ten_days(returns: pd.Series) -> None:
    settings = {"days": 150, "window": 500, "refit": 30, "paths": 200}
    other = returns.copy()
    other.iloc[-50:] *= 5
    first = forecast_multiday(returns, "fhs", **settings)[0.99]
    second = forecast_multiday(other, "fhs", **settings)[0.99]
    known = int(np.searchsorted(first.dates, returns.index[-50])) - 9
    np.testing.assert_array_equal(first.var[:known], second.var[:known])


@pytest.mark.parametrize("model", ["garch_normal", "garch_t", "gjr_t"])
def test_fit_and_filter_are_those_of_arch(returns: pd.Series, model: str) -> None:
    from arch import arch_model

    values = returns.to_numpy()
    reference = arch_model(
        values,
        mean="Constant",
        vol="GARCH",
        o=int(model == "gjr_t"),
        dist="normal" if model == "garch_normal" else "t",
        rescale=False,
    ).fit(disp="off")
    fit = fit_volatility(values, model)  # type: ignore[arg-type]
    variance = filter_variance(values, fit, len(values))
    np.testing.assert_allclose(np.sqrt(variance[:-1]), reference.conditional_volatility, rtol=0.01)
    forecast = reference.forecast(horizon=1, reindex=False).variance.iloc[-1, 0]
    assert variance[-1] == pytest.approx(forecast, rel=0.02)


def test_one_filter_step_at_a_time_is_the_same(returns: pd.Series) -> None:
    values = returns.to_numpy()[:700]
    fit = fit_volatility(values[:600], "gjr_t")
    variance = filter_variance(values, fit, 600)
    for t in range(600, 700):
        shock = values[t : t + 1] - fit.mean
        assert variance[t + 1] == pytest.approx(fit.next_variance(shock, variance[t : t + 1])[0])


def test_student_var_and_es_are_quantile_and_integral(returns: pd.Series) -> None:
    from arch.univariate import StudentsT

    forecast = forecast_risk(returns, ["gjr_t"], days=60, window=500)["gjr_t", 0.99]
    track = follow(returns, "gjr_t", days=60, window=500, refit=20)
    for t in (0, 30, 59):
        nu, mean, sigma = track.fits[t].nu, track.mean[t], track.sigma[t]
        quantile = float(StudentsT().ppf(0.01, [nu]))
        assert forecast.var[t] == pytest.approx(-mean - sigma * quantile)
        unit = np.sqrt((nu - 2) / nu)
        density = stats.t(nu, scale=unit).pdf
        part, _ = integrate.quad(lambda x, pdf=density: x * pdf(x), -200, quantile)
        assert forecast.es[t] == pytest.approx(-mean - sigma * part / 0.01, rel=1e-4)


def test_normal_es_is_the_closed_form(returns: pd.Series) -> None:
    forecast = forecast_risk(returns, ["garch_normal"], levels=[0.975], days=30, window=1500)[
        "garch_normal", 0.975
    ]
    track = follow(returns, "garch_normal", days=30, window=1500, refit=20)
    ratio = (forecast.es + track.mean) / (forecast.var + track.mean)
    z = stats.norm.ppf(0.975)
    np.testing.assert_allclose(ratio, stats.norm.pdf(z) / 0.025 / z)


def test_historical_simulation_is_a_quantile_of_the_last_500(returns: pd.Series) -> None:
    forecast = forecast_risk(returns, ["hs"], days=100)["hs", 0.99]
    values = returns.to_numpy()
    t = len(values) - 100
    expected = -np.quantile(values[t - 500 : t], 0.01, method="weibull")
    assert forecast.var[0] == pytest.approx(expected)
    assert forecast.losses[0] == -values[t]


@pytest.mark.parametrize("size", [250, 499, 1000])
@pytest.mark.parametrize("level", [0.9, 0.975, 0.99, 0.995])
def test_sample_quantile_is_hit_as_often_as_it_says(size: int, level: float) -> None:
    rng = np.random.default_rng(7)
    hits = np.mean(
        [
            -draw[-1] > empirical_tail(draw[:-1], level)[0]
            for draw in rng.normal(size=(4000, size + 1))
        ]
    )
    rare = 1 - level
    assert abs(hits - rare) < 4 * np.sqrt(rare * level / 4000)


def test_sample_es_is_the_mean_of_the_worst() -> None:
    sample = np.random.default_rng(3).normal(size=1000)
    var, es, tail = empirical_tail(sample, 0.99)
    assert es == pytest.approx(-np.sort(sample)[:10].mean())
    assert tail.mean() == pytest.approx(es)
    assert es > var


@pytest.mark.parametrize("method", ALL)
def test_units_do_not_matter(returns: pd.Series, method: Method) -> None:
    small = forecast_risk(returns / 50, [method], days=40, window=500)[method, 0.99]
    large = forecast_risk(returns, [method], days=40, window=500)[method, 0.99]
    np.testing.assert_allclose(50 * small.var, large.var, rtol=0.02)


def test_true_process_is_covered() -> None:
    found = forecast_risk(simulated(3000, seed=5), ["fhs", "gjr_t"], levels=[0.975], days=2400)
    for forecast in found.values():
        share = forecast.hits.mean()
        assert abs(share - 0.025) < 3.5 * np.sqrt(0.025 * 0.975 / 2400)


def test_compounding() -> None:
    values = np.array([10.0, -10.0, 5.0])
    np.testing.assert_allclose(compound(values, 2), [-1.0, -5.5])
    np.testing.assert_allclose(compound(values, 1), values)


def test_ten_day_paths_agree_with_arch(returns: pd.Series) -> None:
    from arch import arch_model

    table = risk_today(
        returns, ["fhs", "gjr_t"], levels=[0.975], paths=40_000, seed=2, window=len(returns)
    )
    reference = arch_model(returns.to_numpy(), o=1, dist="t", rescale=False).fit(disp="off")
    for method, name in (("fhs", "bootstrap"), ("gjr_t", "simulation")):
        paths = reference.forecast(
            horizon=10, method=name, simulations=40_000, reindex=False,
            random_state=np.random.RandomState(5),
        ).simulations.values[-1]  # fmt: skip
        total = 100 * np.expm1(np.log1p(paths / 100).sum(axis=1))
        expected = -np.quantile(total, 0.025)
        assert table.loc[(method, 10), "VaR 97.5%"] == pytest.approx(expected, rel=0.05)


def test_today_is_the_next_day_of_the_rolling_forecast(returns: pd.Series) -> None:
    table = risk_today(returns.iloc[:-1], ["fhs", "hs"], levels=[0.99], window=500)
    rolling = forecast_risk(returns, ["fhs", "hs"], days=1, window=500)
    for method in ("fhs", "hs"):
        assert table.loc[(method, 1), "VaR 99%"] == pytest.approx(rolling[method, 0.99].var[-1])


def test_same_seed_same_paths(returns: pd.Series) -> None:
    first, second = (risk_today(returns, ["fhs"], paths=500, seed=4) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)


def test_too_little_history_is_refused(returns: pd.Series) -> None:
    with pytest.raises(DataError, match="too few"):
        forecast_risk(returns.iloc[:400], ["fhs"])
    with pytest.raises(ModelError, match="never change"):
        fit_volatility(np.zeros(600), "gjr_t")
