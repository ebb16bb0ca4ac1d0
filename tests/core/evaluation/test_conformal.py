"""PD intervals and label sets keep their promise on new cases, simulated and real."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import binom

from core.evaluation.calibration import fit_calibrator
from core.evaluation.conformal import (
    PdInterval,
    fit_pd_interval,
    interval_coverage,
    label_set_coverage,
)


def test_shape_is_the_binomial_range():
    for p in (0.15, 0.3, 0.5, 0.8):
        low, high = PdInterval(100, 0.9, 1.0).interval(np.array([p]))[0] * 100
        assert low == pytest.approx(binom.ppf(0.05, 100, p), abs=1.3)
        assert high == pytest.approx(binom.ppf(0.95, 100, p), abs=1.3)


def test_interval_holds_the_probability_and_stays_in_range():
    p = np.r_[0, np.geomspace(1e-7, 0.5, 300), 1 - np.geomspace(1e-7, 0.5, 300), 1]
    for widening in (0.8, 1.0, 1.5):
        ends = PdInterval(50, 0.9, widening).interval(p)
        assert (ends[:, 0] <= p).all()
        assert (p <= ends[:, 1]).all()
        assert (ends >= 0).all()
        assert (ends <= 1).all()


@pytest.mark.parametrize(("base", "n"), [(-3.5, 12_000), (-1.0, 8_000)])
def test_coverage_of_a_calibrated_model(simulate, base, n):
    covers = []
    for seed in range(5):
        fit, new = simulate(n, base=base, seed=seed), simulate(n // 2, base=base, seed=seed + 50)
        found = fit_pd_interval(fit.pd, fit.y)
        low, high = found.interval(new.pd).T
        covers.append(interval_coverage(new.pd, new.y, low, high, batch=found.batch).value)
    assert 0.88 <= np.mean(covers) <= 0.92


def test_a_miscalibrated_model_gets_wider_intervals(simulate):
    fit, new = simulate(15_000, seed=1), simulate(15_000, seed=2)
    p_fit, p_new = expit(0.5 * fit.log_odds - 1), expit(0.5 * new.log_odds - 1)
    found = fit_pd_interval(p_fit, fit.y)
    assert found.widening > 1.3
    low, high = found.interval(p_new).T
    covered = interval_coverage(p_new, new.y, low, high, batch=found.batch).value
    assert 0.87 <= covered <= 0.93


@pytest.mark.parametrize(
    "name", ["german_credit", "lending_club_2016q1", "taiwan_default", "give_me_some_credit"]
)
def test_coverage_on_real_books(scored, name):
    """On fold 0 of the training part; what sampling noise allows around 88% to 92%."""
    book = scored(name)
    calibrator = fit_calibrator(book.oof, book.y_oof)
    found = fit_pd_interval(calibrator.transform(book.oof), book.y_oof)
    p = calibrator.transform(book.held)
    low, high = found.interval(p).T
    covered = interval_coverage(p, book.y_held, low, high, batch=found.batch)
    # One fold of a small book holds few defaults: its coverage strays by some points.
    slack = 0.06 if len(p) < 5_000 else 0.02
    assert 0.88 - slack <= covered.value <= 0.92 + slack


def test_json_round_trip():
    found = PdInterval(70, 0.9, 1.07)
    assert PdInterval.from_json(found.to_json()) == found


def test_label_sets_cover_each_class(simulate):
    fit, new = simulate(8_000, seed=1), simulate(8_000, seed=2)
    found = label_set_coverage(fit.pd, fit.y, new.pd, new.y)
    assert found["coverage_good"] == pytest.approx(0.9, abs=0.02)
    assert found["coverage_bad"] == pytest.approx(0.9, abs=0.03)
    assert 0 < found["both"] < 1
