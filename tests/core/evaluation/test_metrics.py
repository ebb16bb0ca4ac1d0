"""Metrics against scikit-learn and scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ks_2samp
from sklearn import metrics as sk

from core.errors import DataError
from core.evaluation.metrics import ECE_BINS, METRICS, ece_of_noise, measure

REFERENCES = {
    "roc_auc": sk.roc_auc_score,
    "gini": lambda y, p: 2 * sk.roc_auc_score(y, p) - 1,
    "ks": lambda y, p: ks_2samp(p[y == 1], p[y == 0]).statistic,
    "average_precision": sk.average_precision_score,
    "brier": sk.brier_score_loss,
    "log_loss": sk.log_loss,
}


@pytest.mark.parametrize("name", REFERENCES)
@pytest.mark.parametrize("decimals", [1, 2, 17])
def test_metric_equals_reference_also_with_ties(simulate, name, decimals):
    case = simulate(2_000, seed=3)
    p = np.clip(np.round(case.pd, decimals), 0.01, 0.99)
    assert measure(name, case.y, p) == pytest.approx(REFERENCES[name](case.y, p), abs=1e-12)


def test_ece_by_hand():
    # 30 rows fill 15 bins of two: each bin is off by |0.5 - p|, weighted 2/30.
    p = np.repeat(np.linspace(0.05, 0.95, ECE_BINS), 2) + np.tile([0, 1e-6], ECE_BINS)
    y = np.tile([0, 1], ECE_BINS)
    assert measure("ece", y, p) == pytest.approx(np.abs(0.5 - p).mean(), abs=1e-6)


def test_ece_does_not_depend_on_the_order_of_tied_rows(simulate):
    case = simulate(1_000)
    p = np.round(case.pd, 1)
    order = np.random.default_rng(0).permutation(len(p))
    for name in METRICS:
        assert measure(name, case.y[order], p[order]) == pytest.approx(measure(name, case.y, p))


def test_ece_of_noise_is_what_calibrated_models_show(simulate):
    seen = [measure("ece", case.y, case.pd) for case in (simulate(900, seed=s) for s in range(200))]
    case = simulate(900)
    assert ece_of_noise(case.pd) == pytest.approx(np.mean(seen), rel=0.08)


@pytest.mark.parametrize(
    ("y", "p", "words"),
    [
        ([0, 1], [0.1], "do not match"),
        ([0, 1], [0.1, np.nan], "row 2"),
        ([1, 1], [0.1, 0.2], "only one outcome"),
    ],
)
def test_what_cannot_be_judged_says_why(y, p, words):
    with pytest.raises(DataError, match=words):
        measure("roc_auc", np.array(y), np.array(p))
