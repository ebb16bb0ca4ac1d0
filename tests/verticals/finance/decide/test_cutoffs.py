"""Cut-offs: the theory's optimum is found, capacity binds, intervals cover, curves add up."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from verticals.finance.decide import make_book, read_assumptions
from verticals.finance.decide.cutoffs import choose_cutoffs, cutoff_table, profit_curve, profits


def book_of(n, *, base=-2.0, seed=0, assumptions=None):
    rng = np.random.default_rng(seed)
    p = expit(rng.normal(base, 1.2, n))
    return make_book(p, (rng.random(n) < p).astype(int), None, assumptions or read_assumptions())


def test_profit_rule_finds_the_break_even_of_a_calibrated_model():
    assumptions = read_assumptions(capacity=1.0)
    rules = {c.rule: c for c in choose_cutoffs(book_of(60_000), assumptions)}
    assert rules["break_even"].pd == pytest.approx(0.09 / 0.54)
    assert rules["profit"].pd == pytest.approx(rules["break_even"].pd, abs=0.03)
    assert rules["profit"].low <= rules["break_even"].pd <= rules["profit"].high
    assert rules["capacity"].pd == rules["profit"].pd


def test_interval_of_the_cutoff_covers_the_theory_most_of_the_time():
    assumptions = read_assumptions()
    held = 0
    for seed in range(40):
        found = choose_cutoffs(book_of(3_000, seed=seed), assumptions, seed=seed)[0]
        held += found.low <= assumptions.break_even <= found.high
    assert held >= 34


def test_capacity_binds():
    assumptions = read_assumptions(capacity=0.3)
    book = book_of(5_000)
    found = {c.rule: c for c in choose_cutoffs(book, assumptions)}["capacity"]
    share = (book.pd < found.pd).mean()
    assert 0.29 <= share <= 0.3


def test_table_equals_counting_by_hand():
    assumptions = read_assumptions(lgd=0.5, margin=0.1, exposure=100, application_cost=0.01)
    p = np.array([0.01, 0.02, 0.3, 0.4] * 25)
    y = np.array([0, 0, 0, 1] * 25)
    book = make_book(p, y, None, assumptions)
    assert profits(book, assumptions)[:4].tolist() == [10, 10, 10, -50]
    table = cutoff_table(choose_cutoffs(book, assumptions), book, assumptions).set_index("rule")
    level = 0.1 / 0.6
    assert table.loc["break_even", "cutoff"] == pytest.approx(level)
    assert table.loc["break_even", "approval_rate"] == 0.5
    assert table.loc["break_even", "profit"] == pytest.approx(50 * 10 - 100 * 1)
    assert table.loc["everyone", "profit"] == pytest.approx(75 * 10 - 25 * 50 - 100)
    assert table.loc["everyone", "bad_rate"] == 0.25
    assert (table["profit_low"] <= table["profit"]).all()
    assert (table["profit"] <= table["profit_high"]).all()


def test_curve_agrees_with_the_table_and_rises_to_its_peak():
    assumptions = read_assumptions()
    book = book_of(20_000)
    curve = profit_curve(book, assumptions)
    assert curve["approval_rate"].is_monotonic_increasing
    assert curve["approval_rate"].iloc[-1] == 1
    assert curve["bads_declined"].iloc[-1] == 0
    assert ((curve["low"] <= curve["profit"]) & (curve["profit"] <= curve["high"])).mean() > 0.99
    row = curve.iloc[120]
    taken = book.pd < row["cutoff"]
    by_hand = profits(book, assumptions)[taken].sum() / book.ead.sum() - 0.001
    assert row["profit"] == pytest.approx(by_hand)
    assert row["bad_rate"] == pytest.approx(book.target[taken].mean())


def test_one_score_for_all_still_answers():
    assumptions = read_assumptions()
    book = make_book(np.full(50, 0.2), np.array([0, 1] * 25), None, assumptions)
    assert len(choose_cutoffs(book, assumptions)) == 3
    assert len(profit_curve(book, assumptions)) >= 1


def test_missing_exposures_take_the_median():
    import pandas as pd

    amounts = pd.Series([100.0, 300.0, np.nan, -5.0, 200.0])
    book = make_book(np.full(5, 0.1), np.zeros(5), amounts, read_assumptions(conversion=0.5))
    assert book.ead.tolist() == [50, 150, 100, 100, 100]
