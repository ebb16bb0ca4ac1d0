"""Fairness: rates by hand, the four-fifths rule, and a planted fairer model that is found."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from statsmodels.stats.multitest import multipletests

from verticals.finance.fairness import (
    alternatives_table,
    band_table,
    fairness_table,
    worst_ratio,
)
from verticals.finance.slices import bands, holm, slice_table


@pytest.fixture
def book():
    """Two groups with equal risk; one score is blind, one adds a penalty to group b."""
    rng = np.random.default_rng(0)
    n = 6000
    risk = rng.normal(-1, 1.5, n)
    group = pd.Series(np.where(rng.random(n) < 0.5, "a", "b"))
    y = (rng.random(n) < expit(risk)).astype(int)
    biased = risk + np.where(group == "b", 0.45, -0.45) + rng.normal(0, 0.02, n)
    return y, risk, biased, {"group": group}


def test_rates_equal_counts_by_hand():
    y = np.array([0, 0, 1, 1] * 30)
    pd_ = np.tile([0.1, 0.6, 0.2, 0.9], 30)
    table = fairness_table(y, pd_, {"g": pd.Series(["x"] * 120)}, cutoff=0.5).iloc[0]
    assert (table["n"], table["approval_rate"]) == (120, 0.5)
    assert (table["good_approved"], table["bad_approved"]) == (0.5, 0.5)
    assert table["mean_pd"] == pytest.approx(0.45)
    assert table["bad_rate"] == 0.5
    assert table["approval_rate_low"] < 0.5 < table["approval_rate_high"]
    assert table["verdict"] == "highest"


def test_four_fifths_rule_and_small_groups():
    sizes = {"most": (100, 80), "less": (100, 66), "few": (100, 40), "tiny": (6, 0)}
    names, approved, y = [], [], []
    for name, (n, taken) in sizes.items():
        names += [name] * n
        approved += [True] * taken + [False] * (n - taken)
        y += [0, 1] * (n // 2)
    pd_ = np.where(approved, 0.1, 0.9)
    table = fairness_table(np.array(y), pd_, {"g": pd.Series(names)}, cutoff=0.5)
    verdict = table.set_index("group")["verdict"].to_dict()
    assert verdict == {"most": "highest", "less": "meets", "few": "below", "tiny": "too few"}
    ratio = table.set_index("group")["ratio"]
    assert ratio["few"] == pytest.approx(0.5)
    assert table.set_index("group")["ratio_p_value"]["few"] < 0.001


def test_bands_state_the_rule_at_every_edge(book):
    _y, risk, biased, groups = book
    table = band_table(biased, groups)
    strict = table[table["approved"] == 0.2].set_index("group")
    assert strict.loc["b", "verdict"] == "below"
    assert strict.loc["a", "ratio"] == 1
    assert (band_table(risk, groups)["verdict"] == "meets").all()


def test_a_fairer_model_as_accurate_is_found(book):
    y, risk, biased, groups = book
    scores = {"biased": biased, "blind": risk, "coin": np.random.default_rng(1).random(len(y))}
    table = alternatives_table(y, scores, groups, champion="biased", approved=0.5).set_index(
        "model"
    )
    assert table.loc["blind", "alternative"]
    assert table.loc["blind", "low"] > 0
    assert table.loc["blind", "meets_four_fifths"]
    assert not table.loc["biased", "alternative"]
    # A coin is fair and useless: it is no alternative.
    assert table.loc["coin", "worst_ratio"] > 0.9
    assert not table.loc["coin", "within_noise"]
    assert not table.loc["coin", "alternative"]


def test_worst_ratio_names_the_group():
    groups = {"g": pd.Series(["a"] * 50 + ["b"] * 50)}
    approved = np.r_[np.ones(40), np.zeros(10), np.ones(20), np.zeros(30)].astype(bool)
    assert worst_ratio(approved, groups) == (pytest.approx(0.5), "g: b")


def test_holm_equals_statsmodels():
    p = np.random.default_rng(0).random(20) ** 3
    expected = multipletests(p, method="holm")[1]
    assert holm(np.r_[p, np.nan])[:-1] == pytest.approx(expected)


def test_a_slice_where_the_model_is_blind_is_found_and_others_are_not():
    rng = np.random.default_rng(2)
    n = 8000
    risk = rng.normal(-1, 1.5, n)
    region = pd.Series(rng.choice(list("abcd"), n))
    y = (rng.random(n) < expit(risk)).astype(int)
    score = np.where(region == "c", rng.permutation(risk), risk)
    columns = {"region": region, "noise": pd.Series(rng.choice(list("uvwxyz"), n))}
    table = slice_table(y, expit(score), columns)
    worst = table.iloc[0]
    assert (worst["column"], worst["slice"], worst["verdict"]) == ("region", "c", "worse")
    assert (table.loc[table["column"] == "noise", "verdict"] == "as elsewhere").all()
    assert worst["roc_auc"] == pytest.approx(0.5, abs=0.05)


def test_bands_of_numbers_categories_and_gaps():
    numbers = pd.Series([*range(100), np.nan])
    found = bands(numbers)
    assert next(iter(found.cat.categories)).startswith("below")
    assert found.value_counts().to_dict()["missing"] == 1
    assert found.value_counts().drop("missing").between(24, 26).all()
    many = pd.Series([f"c{i:02}" for i in range(30)] + ["c00"] * 5 + [None])
    assert set(bands(many)) >= {"c00", "other", "missing"}
    assert len(set(bands(many))) == 10
    assert set(bands(pd.Series([1.0, 2.0, 1.0]))) == {"1", "2"}
    assert list(bands(pd.Series(pd.Categorical(["b", "a", None])))) == ["b", "a", "missing"]
    assert set(bands(pd.Series([True, False]))) == {"True", "False"}
