"""Intervals and paired tests: against brute force, theory, and their promise on simulations."""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from core.evaluation.bootstrap import (
    bootstrap_intervals,
    delong,
    delong_interval,
    paired_bootstrap,
    wilson,
)
from core.evaluation.leaderboard import leaderboard
from core.evaluation.metrics import METRICS, measure


def test_intervals_equal_those_of_a_plain_bootstrap(simulate):
    case = simulate(400, seed=1)
    found = bootstrap_intervals(case.y, case.pd, n_boot=4000, seed=0)
    rng = np.random.default_rng(7)
    strata = [np.flatnonzero(case.y == k) for k in (0, 1)]
    draws = {name: [] for name in METRICS}
    for _ in range(1500):
        rows = np.concatenate([rng.choice(s, len(s)) for s in strata])
        for name in METRICS:
            draws[name].append(measure(name, case.y[rows], case.pd[rows]))
    for name in ("roc_auc", "ks", "average_precision", "brier", "log_loss"):
        ends = np.quantile(draws[name], [0.025, 0.975])
        width = ends[1] - ends[0]
        assert found[name].low == pytest.approx(ends[0], abs=0.08 * width)
        assert found[name].high == pytest.approx(ends[1], abs=0.08 * width)


def test_interval_holds_its_value_and_repeats_with_its_seed(simulate):
    case = simulate(500)
    once, again = (bootstrap_intervals(case.y, case.pd, n_boot=100, seed=5) for _ in range(2))
    assert once == again
    for name, interval in once.items():
        assert interval.low <= interval.value <= interval.high
        assert interval.value == pytest.approx(measure(name, case.y, case.pd))
        assert interval.n == 500


def test_auc_interval_covers_the_truth_nineteen_times_in_twenty(simulate):
    big = simulate(400_000, seed=99)
    truth = roc_auc_score(big.y, big.pd)
    held = held_fast = 0
    for seed in range(300):
        case = simulate(600, seed=seed)
        interval = bootstrap_intervals(case.y, case.pd, metrics=["roc_auc"], n_boot=300)["roc_auc"]
        held += interval.low <= truth <= interval.high
        fast = delong_interval(case.y, case.pd)
        held_fast += fast.low <= truth <= fast.high
        assert fast.value == pytest.approx(interval.value)
    assert 0.915 <= held / 300 <= 0.98
    assert 0.915 <= held_fast / 300 <= 0.98


def test_paired_test_agrees_with_delong(simulate):
    case = simulate(3_000)
    rng = np.random.default_rng(0)
    a = case.log_odds + rng.normal(0, 0.3, 3_000)
    b = case.log_odds + rng.normal(0, 0.6, 3_000)
    boot, theory = paired_bootstrap(case.y, a, b, n_boot=2000), delong(case.y, a, b)
    assert boot.difference == pytest.approx(theory.difference, abs=1e-12)
    assert boot.standard_error == pytest.approx(theory.standard_error, rel=0.08)
    assert boot.low == pytest.approx(theory.low, abs=0.15 * theory.standard_error)


def test_delong_equals_its_definition(simulate):
    """Structural components of DeLong et al. (1988), computed pair by pair."""
    case = simulate(150, base=-0.5)
    rng = np.random.default_rng(1)
    scores = [np.round(case.log_odds + rng.normal(0, s, 150), 1) for s in (0.5, 1.0)]
    bad, good = case.y == 1, case.y == 0
    kernel = [(s[bad][:, None] > s[good]) + 0.5 * (s[bad][:, None] == s[good]) for s in scores]
    of_bad, of_good = np.array([k.mean(1) for k in kernel]), np.array([k.mean(0) for k in kernel])
    covariance = np.cov(of_bad) / bad.sum() + np.cov(of_good) / good.sum()
    error = np.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    found = delong(case.y, *scores)
    assert found.difference == pytest.approx(kernel[0].mean() - kernel[1].mean())
    assert found.standard_error == pytest.approx(error)
    assert found.p_value == pytest.approx(2 * norm.sf(abs(found.difference) / error))


def test_equal_models_do_not_differ_and_false_alarms_are_rare(simulate):
    case = simulate(400)
    assert delong(case.y, case.pd, case.pd).p_value == 1
    assert paired_bootstrap(case.y, case.pd, case.pd, n_boot=50).p_value == 1
    alarms = 0
    for seed in range(300):
        case, rng = simulate(500, seed=seed), np.random.default_rng(seed + 1000)
        a, b = (case.log_odds + rng.normal(0, 0.7, 500) for _ in range(2))
        alarms += delong(case.y, a, b).p_value < 0.05
    assert 0.02 <= alarms / 300 <= 0.085


def test_wilson_by_the_textbook():
    # Brown, Cai & DasGupta (2001): 15 of 50 gives 0.191 to 0.438.
    assert wilson(0.3, 50) == pytest.approx((0.191, 0.438), abs=5e-4)


def test_speed_on_a_large_test_part(simulate):
    case = simulate(45_000, base=-3.0)
    start = time.process_time()
    bootstrap_intervals(case.y, case.pd, n_boot=300)
    assert time.process_time() - start < 6


def test_leaderboard_ranks_and_names_noise(simulate):
    case = simulate(4_000)
    rng = np.random.default_rng(0)
    scores = {
        "coin": rng.random(4_000),
        "near": case.pd * np.exp(rng.normal(0, 0.02, 4_000)),
        "truth": case.pd,
    }
    table = leaderboard(case.y, scores, n_boot=200).set_index("model")
    assert table.loc["coin", "rank"] == 3
    assert not table.loc["coin", "within_noise"]
    assert table.loc[["near", "truth"], "within_noise"].all()
    assert table["difference"].max() == 0
    brier = leaderboard(case.y, scores, metric="brier", n_boot=200)
    assert brier["model"].iloc[-1] == "coin"
    assert brier["brier"].is_monotonic_increasing
