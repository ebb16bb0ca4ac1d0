"""Clustered intervals against scipy's bootstrap and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import bootstrap

from core.evaluation.clusters import paired_ratios, ratio_interval


def test_one_row_a_group_is_the_ordinary_bootstrap_of_a_mean() -> None:
    values = np.random.default_rng(1).normal(3, 1, 200)
    ours = ratio_interval(values, np.ones(200), [str(i) for i in range(200)], n_boot=5000)
    theirs = bootstrap((values,), np.mean, n_resamples=5000, method="percentile", rng=0)
    assert ours.value == pytest.approx(values.mean())
    assert ours.low == pytest.approx(theirs.confidence_interval.low, abs=0.02)
    assert ours.high == pytest.approx(theirs.confidence_interval.high, abs=0.02)


def test_rows_that_err_together_widen_the_interval() -> None:
    random = np.random.default_rng(2)
    speaker = np.repeat(np.arange(20), 50)
    rate = random.beta(2, 8, 20)[speaker]
    wrong = (random.random(1000) < rate).astype(float)
    apart = ratio_interval(wrong, np.ones(1000), [str(i) for i in range(1000)])
    together = ratio_interval(wrong, np.ones(1000), [str(s) for s in speaker])
    assert together.high - together.low > 1.5 * (apart.high - apart.low)


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    random, hits = np.random.default_rng(3), 0
    for _ in range(200):
        rates = random.beta(2, 8, 30)
        words = random.integers(20, 80, 30)
        errors = random.binomial(words, rates)
        found = ratio_interval(errors, words, [str(i) for i in range(30)], n_boot=400)
        hits += found.low <= 0.2 <= found.high
    assert 175 <= hits <= 200


def test_a_difference_is_that_of_the_ratios() -> None:
    first, second, words = [3.0, 1.0, 0.0], [1.0, 1.0, 1.0], [10.0, 5.0, 5.0]
    found = paired_ratios(first, second, words, ["a", "b", "b"])
    assert found.difference == pytest.approx(4 / 20 - 3 / 20)
    same = paired_ratios(first, first, words, ["a", "b", "b"])
    assert (same.difference, same.low, same.high, same.p_value) == (0, 0, 0, 1)


def test_nothing_to_divide_by_is_said() -> None:
    with pytest.raises(ValueError, match="nothing"):
        ratio_interval([], [], [])
    with pytest.raises(ValueError, match="nothing"):
        ratio_interval([1.0], [0.0], ["a"])
