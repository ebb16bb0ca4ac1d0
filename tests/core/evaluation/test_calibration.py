"""Calibration: known distortions are undone, ranks are kept, Venn-Abers by its definition."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from core.evaluation.calibration import Calibrator, fit_calibrator, fit_venn_abers
from core.evaluation.metrics import ece_of_noise, measure

DISTORTIONS = {
    "none": lambda z: z,
    "steep and shifted": lambda z: 2.0 * z + 1.5,
    "bent": lambda z: z + 0.25 * (z + 2) ** 3,
}


@pytest.mark.parametrize("name", DISTORTIONS)
@pytest.mark.parametrize("method", ["auto", "platt", "beta", "isotonic"])
def test_ranks_are_kept(simulate, name, method):
    case = simulate(3_000)
    found = fit_calibrator(DISTORTIONS[name](case.log_odds), case.y, method=method)
    grid = np.linspace(-12, 8, 4_001)
    assert (np.diff(found.transform(grid)) > 0).all()


@pytest.mark.parametrize("name", DISTORTIONS)
def test_distortions_are_undone(simulate, name):
    fit, new = simulate(20_000, seed=1), simulate(20_000, seed=2)
    scores = DISTORTIONS[name]
    found = fit_calibrator(scores(fit.log_odds), fit.y)
    p = found.transform(scores(new.log_odds))
    assert measure("ece", new.y, p) < 2.2 * ece_of_noise(p)
    assert measure("log_loss", new.y, p) < measure("log_loss", new.y, new.pd) + 5e-4
    assert measure("roc_auc", new.y, p) == pytest.approx(measure("roc_auc", new.y, new.pd))


def test_a_calibrated_model_is_left_alone(simulate):
    chosen = [
        fit_calibrator(c.log_odds, c.y).method for c in (simulate(1_500, seed=s) for s in range(12))
    ]
    assert chosen.count("identity") >= 9


def test_platt_is_the_unpenalised_logistic_regression(simulate):
    case = simulate(5_000)
    z = 0.5 * case.log_odds - 1
    reference = LogisticRegression(C=np.inf).fit(z[:, None], case.y)
    found = fit_calibrator(z, case.y, method="platt").transform(z)
    assert found == pytest.approx(reference.predict_proba(z[:, None])[:, 1], abs=2e-3)


def test_json_round_trip(simulate):
    case = simulate(3_000)
    for method in ("identity", "platt", "beta", "isotonic"):
        found = fit_calibrator(case.log_odds, case.y, method=method)
        again = Calibrator.from_json(found.to_json())
        assert (again.transform(case.log_odds) == found.transform(case.log_odds)).all()


@pytest.mark.parametrize("decimals", [1, 8])
def test_venn_abers_equals_two_isotonic_fits(simulate, decimals):
    fit, new = simulate(180, base=-0.5, seed=3), simulate(60, base=-0.5, seed=4)
    x, probes = np.round(fit.log_odds, decimals), np.round(new.log_odds, decimals)
    probes = np.r_[probes, x[:20]]
    found = fit_venn_abers(x, fit.y).interval(probes)
    for probe, (p0, p1) in zip(probes, found, strict=True):
        for label, value in ((0, p0), (1, p1)):
            grown = IsotonicRegression().fit(np.r_[x, probe], np.r_[fit.y, label])
            assert value == pytest.approx(grown.predict([probe])[0], abs=1e-7)


def test_venn_abers_is_calibrated_and_narrow_on_many_rows(simulate):
    fit, new = simulate(20_000, seed=1), simulate(20_000, seed=2)
    found = fit_venn_abers(3 * fit.log_odds + 2, fit.y)
    ends = found.interval(3 * new.log_odds + 2)
    p = found.transform(3 * new.log_odds + 2)
    assert (ends[:, 0] <= p).all()
    assert (p <= ends[:, 1]).all()
    assert (ends[:, 1] - ends[:, 0]).mean() < 0.02
    assert measure("ece", new.y, p) < 2 * ece_of_noise(expit(new.log_odds))
