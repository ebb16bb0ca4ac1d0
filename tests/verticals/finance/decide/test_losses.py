"""Losses against Vasicek's closed forms, published Basel figures, and Monte Carlo by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

from verticals.finance.decide import Book, read_assumptions
from verticals.finance.decide.losses import (
    basel_capital,
    conditional_pd,
    expected_loss_table,
    loss_curve,
    loss_distribution,
    loss_table,
    retail_correlation,
)

ASSUMPTIONS = read_assumptions(lgd=0.45)


def test_correlation_by_the_formula_of_the_framework():
    pd_ = np.array([0.0, 0.02, 1.0])
    e = np.exp
    expected = 0.03 * (1 - e(-35 * pd_)) / (1 - e(-35)) + 0.16 * (
        1 - (1 - e(-35 * pd_)) / (1 - e(-35))
    )
    assert retail_correlation(pd_) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("pd_", "weight"),
    # Illustrative IRB risk weights of other retail at LGD 45%, Basel II (2006), annex 5.
    [(0.0025, 0.2115), (0.005, 0.3242), (0.01, 0.4577), (0.02, 0.5799), (0.05, 0.6639)],
)
def test_capital_equals_the_published_risk_weights(pd_, weight):
    found = 12.5 * basel_capital(np.array([pd_]), 0.45)[0]
    assert found == pytest.approx(weight, abs=2e-3)


def test_conditional_pd_averages_to_the_pd():
    quantiles = (np.arange(20_000) + 0.5) / 20_000
    rho = np.array([0.1])
    mean = np.mean([conditional_pd(np.array([0.03]), rho, q) for q in quantiles])
    assert mean == pytest.approx(0.03, rel=1e-3)


def test_a_large_even_book_loses_as_vasicek_says():
    n, p = 200_000, 0.02
    book = Book(np.full(n, p), np.zeros(n), np.full(n, 1000.0))
    found = loss_distribution(book, ASSUMPTIONS)
    total = 0.45 * book.ead.sum()
    rho = float(retail_correlation(np.array([p]))[0])
    for level in (0.5, 0.95, 0.999):
        share = ndtr((ndtri(p) + np.sqrt(rho) * ndtri(level)) / np.sqrt(1 - rho))
        assert found.value_at_risk(level) / total == pytest.approx(share, rel=0.02)
    assert found.expected / total == pytest.approx(p)
    assert found.losses.mean() == pytest.approx(found.expected, rel=0.01)
    assert found.expected_shortfall(0.99) > found.value_at_risk(0.99)


def test_a_small_uneven_book_equals_loan_by_loan_simulation():
    rng = np.random.default_rng(0)
    p, ead = rng.uniform(0.01, 0.2, 300), rng.lognormal(8, 0.5, 300)
    book = Book(p, np.zeros(300), ead)
    found = loss_distribution(book, ASSUMPTIONS)
    rho = retail_correlation(p)
    factor, own = rng.normal(size=(20_000, 1)), rng.normal(size=(20_000, 300))
    default = np.sqrt(rho) * factor + np.sqrt(1 - rho) * own > -ndtri(p)
    losses = default @ (0.45 * ead)
    for level in (0.5, 0.9, 0.99):
        assert found.value_at_risk(level) == pytest.approx(np.quantile(losses, level), rel=0.04)


def test_table_adds_up_and_finds_the_horizon():
    rng = np.random.default_rng(1)
    p = rng.uniform(0.001, 0.4, 2000)
    book = Book(p, (rng.random(2000) < p).astype(int), np.full(2000, 100.0))
    table = expected_loss_table(book, ASSUMPTIONS)
    bands, total = table.iloc[:-1], table.iloc[-1]
    assert total["expected_loss"] == pytest.approx(0.45 * 100 * p.sum())
    assert total["expected_loss"] == pytest.approx(bands["expected_loss"].sum())
    assert total["loans"] == 2000
    two_years = read_assumptions(horizon_years=2.0)
    yearly = book.yearly_pd(two_years)
    assert 1 - (1 - yearly) ** 2 == pytest.approx(p)
    measures = loss_table(loss_distribution(book, ASSUMPTIONS), book).set_index("measure")["amount"]
    assert measures["economic capital 99.9%"] == pytest.approx(
        measures["value at risk 99.9%"] - measures["expected loss"]
    )
    curve = loss_curve(loss_distribution(book, ASSUMPTIONS), book)
    assert curve["probability"].sum() == pytest.approx(0.9995, abs=1e-3)
