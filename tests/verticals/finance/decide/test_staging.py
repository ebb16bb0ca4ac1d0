"""Stages, stress and prices: closed forms, identities, and what must move which way."""

from __future__ import annotations

import numpy as np
import pytest

from verticals.finance.decide import Book, decision_tables, read_assumptions
from verticals.finance.decide.assumptions import Scenario
from verticals.finance.decide.losses import basel_capital
from verticals.finance.decide.pricing import break_even_rate, limit_of, pricing_table
from verticals.finance.decide.staging import expected_credit_loss, stage_loans, staging_table
from verticals.finance.decide.stress import stress_table, stressed_pd

PLAIN = read_assumptions()


def random_book(n=2000, seed=0):
    rng = np.random.default_rng(seed)
    p = rng.beta(0.8, 8, n)
    return Book(p, (rng.random(n) < p).astype(int), rng.lognormal(9, 0.4, n))


def test_loss_of_a_year_without_discount_is_nearly_pd_times_lgd():
    world = read_assumptions(discount_rate=0.0, maturity_years=50.0)
    found = expected_credit_loss(np.array([0.04]), np.array([1000.0]), world, years=1)
    # Exposure falls by 1% on average over the first of fifty years.
    assert found[0] == pytest.approx(0.04 * 0.45 * 1000 * 0.99, rel=2e-3)


def test_lifetime_loss_equals_the_integral():
    from scipy.integrate import quad

    p, years, rate = 0.1, 3.0, 0.05
    hazard = -np.log(1 - p)
    integral = quad(
        lambda t: hazard * np.exp(-hazard * t) * (1 - t / years) * (1 + rate) ** -t, 0, years
    )[0]
    found = expected_credit_loss(np.array([p]), np.array([1.0]), PLAIN, years=years)
    assert found[0] == pytest.approx(0.45 * integral, rel=1e-3)


def test_stage_two_needs_ratio_and_increase_or_the_backstop():
    pd_ = np.array([0.004, 0.02, 0.011, 0.3, 0.25])
    origin = np.array([0.001, 0.019, 0.005, 0.29, 0.001])
    book = Book(pd_, np.zeros(5), np.ones(5))
    found = stage_loans(book, PLAIN, origination_pd=origin)
    # Fourfold but tiny; risky but as ever; doubled; beyond the backstop; both.
    assert found.stage.tolist() == [1, 1, 2, 2, 2]
    assert not found.origination_assumed


def test_stages_decide_the_provision_and_default_costs_its_loss():
    book = random_book()
    default = book.target == 1
    found = stage_loans(book, PLAIN, in_default=default)
    assert (found.lifetime >= found.twelve_months - 1e-9).all()
    assert found.provision[default] == pytest.approx(0.45 * book.ead[default])
    one = found.stage == 1
    assert (found.provision[one] == found.twelve_months[one]).all()
    table = staging_table(found, book).set_index("stage")
    assert table.loc["all", "provision"] == pytest.approx(found.provision.sum())
    assert table.drop("all")["loans"].sum() == len(book)
    assert found.origination_assumed


def test_stress_orders_the_scenarios_and_keeps_the_baseline():
    book = random_book()
    table = stress_table(book, PLAIN).set_index("scenario")
    assert table.loc["baseline", "pd"] == pytest.approx(book.pd.mean())
    for column in ("pd", "expected_loss", "provision", "stage_2"):
        assert table.loc[["baseline", "adverse", "severe"], column].is_monotonic_increasing
    assert table.loc["baseline", "times_first"] == 1
    staged = stage_loans(book, PLAIN)
    assert table.loc["baseline", "provision"] == pytest.approx(staged.provision.sum())


def test_shift_multiplies_the_odds():
    p = np.array([0.01, 0.2, 0.7])
    shifted = stressed_pd(p, Scenario(logit_shift=0.5, source="test"))
    assert shifted / (1 - shifted) == pytest.approx(np.exp(0.5) * p / (1 - p))


def test_the_rate_covers_exactly_what_a_loan_costs():
    p = np.array([0.001, 0.02, 0.1, 0.4])
    rate = break_even_rate(p, PLAIN)
    capital = basel_capital(p, PLAIN.lgd) * PLAIN.capital_ratio / 0.08
    earned = (1 - p) * (1 + rate) + p * (1 - PLAIN.lgd)
    cost = (
        1
        + PLAIN.funding_rate
        + PLAIN.operating_cost
        + capital * (PLAIN.hurdle_rate - PLAIN.funding_rate)
    )
    assert earned == pytest.approx(cost)
    assert (np.diff(rate) > 0).all()


def test_prices_and_limits_by_band():
    book = random_book()
    table = pricing_table(book, PLAIN, cutoff=0.1)
    parts = ["funding", "operating", "expected_loss", "capital_charge", "survival"]
    assert table[parts].sum(axis=1).to_numpy() == pytest.approx(table["rate"].to_numpy())
    assert table["rate"].is_monotonic_increasing
    assert table["limit"].is_monotonic_decreasing
    assert table["decision"].iloc[0] == "approve"
    assert table["decision"].iloc[-1] == "decline"
    assert table.loc[table["decision"] == "decline", "limit"].eq(0).all()
    assert table["loans"].sum() == len(book)
    assert limit_of(np.array([0.0, 0.1]), PLAIN) == pytest.approx([50_000, 200 / 0.045])


def test_all_tables_come_and_the_warning_is_said():
    tables = decision_tables(random_book(seed=1), random_book(seed=2), PLAIN)
    assert all(len(table) for table in tables.values())
    said = tables["warnings"].set_index("kind")
    assert said.loc["reject inference", "severity"] == "warning"
    assert "accepted" in said.loc["reject inference", "detail"]
    again = decision_tables(random_book(seed=1), random_book(seed=2), PLAIN)
    for name, table in tables.items():
        assert table.equals(again[name]), name
