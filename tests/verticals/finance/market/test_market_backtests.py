"""Backtests against published tables, other libraries and simulated truth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import mean_pinball_loss

from verticals.finance.market.backtests import backtest, backtest_table
from verticals.finance.market.coverage_tests import (
    acerbi_szekely,
    basel_zone,
    christoffersen_independence,
    conditional_coverage,
    kupiec,
    transitions,
)
from verticals.finance.market.losses import block_interval, joint_loss, pinball
from verticals.finance.market.var import RiskForecast
from verticals.finance.market.verdicts import show_p, verdict


def with_hits(days: int, count: int) -> np.ndarray:
    hits = np.zeros(days, bool)
    hits[np.linspace(0, days - 1, count).astype(int)] = True
    return hits


# Kupiec (1995), table 3 (also Jorion, Value at Risk, table 6.2): hits not rejected at 95%. For
# 255 days at 99% the table names the upper limit only; no hit at all has LR = 5.13 > 3.84.
@pytest.mark.parametrize(
    ("days", "level", "low", "high"),
    [
        (255, 0.99, 0, 7), (510, 0.99, 1, 11), (1000, 0.99, 4, 17),
        (255, 0.975, 2, 12), (510, 0.975, 6, 21), (1000, 0.975, 15, 36),
        (255, 0.95, 6, 21), (510, 0.95, 16, 36), (1000, 0.95, 37, 65),
    ],
)  # fmt: skip
def test_kupiec_accepts_what_the_published_table_accepts(
    days: int, level: float, low: int, high: int
) -> None:
    accepted = [x for x in range(150) if kupiec(with_hits(days, x), level).passed]
    assert accepted == list(range(low + 1, high))


def test_kupiec_statistic_by_hand() -> None:
    # 8 hits in 252 days at 99%: LR = 2 ln[(244/252)^244 (8/252)^8 / (0.99^244 0.01^8)]
    expected = 2 * (
        244 * np.log(244 / 252) + 8 * np.log(8 / 252) - 244 * np.log(0.99) - 8 * np.log(0.01)
    )
    result = kupiec(with_hits(252, 8), 0.99)
    assert result.statistic == pytest.approx(expected)
    assert result.p_value == pytest.approx(1 - stats.chi2.cdf(expected, 1))


@pytest.mark.parametrize("seed", range(8))
def test_independence_is_the_g_test_of_the_transitions(seed: int) -> None:
    hits = np.random.default_rng(seed).random(600) < 0.06
    table = transitions(hits)
    expected = stats.chi2_contingency(table, correction=False, lambda_="log-likelihood")
    result = christoffersen_independence(hits)
    assert result.statistic == pytest.approx(expected.statistic)
    assert result.p_value == pytest.approx(expected.pvalue)


def test_clusters_fail_independence_and_even_spacing_does_not() -> None:
    clustered = np.zeros(1000, bool)
    clustered[500:510] = True
    assert kupiec(clustered, 0.99).passed
    assert not christoffersen_independence(clustered).passed
    assert not conditional_coverage(clustered, 0.99).passed
    assert christoffersen_independence(with_hits(1000, 10)).passed


def test_no_hits_and_all_hits_have_answers() -> None:
    for hits in (np.zeros(300, bool), np.ones(300, bool)):
        assert 0 <= kupiec(hits, 0.99).p_value <= 1
        assert christoffersen_independence(hits).p_value == pytest.approx(1)


def test_right_forecasts_are_rejected_as_often_as_promised() -> None:
    hits = np.random.default_rng(11).random((2000, 1000)) < 0.05
    for test in (kupiec, conditional_coverage):
        rejected = np.mean([not test(row, 0.95).passed for row in hits])
        assert 0.035 < rejected < 0.075


# Basel Committee (1996): zones at 99% over 250 days; multipliers of MAR33.9 (2019), 1.5 at least.
@pytest.mark.parametrize(
    ("hits", "colour", "multiplier"),
    [
        (0, "green", 1.5), (4, "green", 1.5), (5, "yellow", 1.7), (6, "yellow", 1.76),
        (7, "yellow", 1.83), (8, "yellow", 1.88), (9, "yellow", 1.92), (10, "red", 2.0),
        (30, "red", 2.0),
    ],
)  # fmt: skip
def test_traffic_light(hits: int, colour: str, multiplier: float) -> None:
    zone = basel_zone(np.concatenate([np.ones(50, bool), with_hits(250, hits)]))
    assert (zone.colour, zone.multiplier, zone.hits) == (colour, multiplier, hits)


# Acerbi and Szekely (2014), table 4: at 2.5% and 250 days, Z2 below -0.70 is the 5% tail, nearly
# whatever the degrees of freedom.
@pytest.mark.parametrize("nu", [5, 10, 100])
def test_z2_critical_value(nu: int) -> None:
    points = (np.arange(2000) + 0.5) / 2000 * 0.025
    tail = np.tile(-stats.t.ppf(points, nu), (250, 1))
    es, var = tail.mean(axis=1), np.full(250, -stats.t.ppf(0.025, nu))
    losses = np.zeros(250)
    losses[:8] = es[:8] * 1.70 * 250 * 0.025 / 8
    result = acerbi_szekely(losses, var, es, tail, 0.975, simulations=20_000)
    assert result.statistic == pytest.approx(-0.70)
    assert 0.03 < result.p_value < 0.065


def right_forecast(days: int, seed: int, es_factor: float = 1.0) -> RiskForecast:
    rng = np.random.default_rng(seed)
    sigma = np.exp(rng.normal(0, 0.4, days))
    points = (np.arange(200) + 0.5) / 200 * 0.025
    unit = -stats.t.ppf(points, 5)
    es = unit.mean() * es_factor
    return RiskForecast(
        "fhs", 0.975, 1, pd.bdate_range("2020-01-01", periods=days),
        sigma * rng.standard_t(5, days), sigma * -stats.t.ppf(0.025, 5), sigma * es,
        sigma[:, None] * (unit * es_factor),
    )  # fmt: skip


def z2(f: RiskForecast) -> bool:
    return acerbi_szekely(f.losses, f.var, f.es, f.tail, f.level, simulations=1000).passed


def test_z2_has_its_size_and_its_power() -> None:
    right = np.mean([not z2(right_forecast(500, s)) for s in range(300)])
    small = np.mean([not z2(right_forecast(1500, s, es_factor=0.6)) for s in range(100)])
    assert 0.02 < right < 0.09
    assert small > 0.8


def test_pinball_is_that_of_scikit_learn() -> None:
    f = right_forecast(400, 1)
    expected = mean_pinball_loss(-f.losses, -f.var, alpha=1 - f.level)
    assert pinball(f.losses, f.var, f.level).mean() == pytest.approx(expected)


def test_joint_loss_is_smallest_at_the_truth() -> None:
    losses = np.random.default_rng(2).standard_normal(400_000)
    var = stats.norm.ppf(0.975)
    es = stats.norm.pdf(var) / 0.025

    def loss(v: float, e: float) -> float:
        return float(joint_loss(losses, np.array(v), np.array(e), 0.975).mean())

    for v, e in ((0.9, 1), (1.1, 1), (1, 0.9), (1, 1.1)):
        assert loss(var * v, es * e) > loss(var, es)


def test_interval_of_independent_values_is_the_usual_one() -> None:
    values = np.random.default_rng(3).normal(1.0, 2.0, 2000)
    interval = block_interval(np.mean, values, block=1, seed=0)
    assert interval.value == pytest.approx(values.mean())
    width = (interval.high - interval.low) / 2
    assert width == pytest.approx(1.96 * values.std() / np.sqrt(2000), rel=0.1)


def test_interval_of_runs_is_wider() -> None:
    runs = np.repeat(np.random.default_rng(4).normal(size=100), 20)
    short = block_interval(np.mean, runs, block=1, seed=0)
    long = block_interval(np.mean, runs, block=40, seed=0)
    assert long.high - long.low > 3 * (short.high - short.low)


def test_failures_are_called_failures_in_both_languages() -> None:
    f = right_forecast(500, 5)
    bad = backtest(
        RiskForecast(f.method, f.level, 1, f.dates, f.losses, f.var / 3, f.es / 3, f.tail / 3)
    )
    assert "FAILED: too many hits" in verdict(bad)
    assert "FAILED: expected shortfall is too small" in verdict(bad)
    assert "未通过" in verdict(bad, "zh")
    large = backtest(
        RiskForecast(f.method, f.level, 1, f.dates, f.losses, f.var * 9, f.es * 9, f.tail * 9)
    )
    assert "too few hits" in verdict(large)
    good = verdict(backtest(right_forecast(500, 8)))
    assert "FAILED" not in good
    assert "Basel zone" in good
    table = backtest_table([bad, large])
    assert list(table["hits"]) == [bad.hits, 0]
    assert "coverage" in table["failed"].iloc[0]


def test_overlapping_periods_get_no_tests_that_do_not_apply() -> None:
    f = right_forecast(500, 5)
    ten = RiskForecast(f.method, f.level, 10, f.dates, f.losses, f.var, f.es, f.tail)
    found = backtest(ten, baseline=ten)
    assert found.tests == ()
    assert found.zone is None
    assert found.ratio is not None
    assert found.ratio.value == pytest.approx(1)
    assert "overlap" in verdict(found)
    assert found.hit_rate.low < found.hit_rate.value < found.hit_rate.high


@pytest.mark.parametrize(
    ("value", "text"), [(0.2, "= 0.200"), (0.04981, "= 0.04981"), (0.0002, "< 0.001")]
)
def test_p_values_are_never_rounded_across_the_limit(value: float, text: str) -> None:
    assert show_p(value) == text
