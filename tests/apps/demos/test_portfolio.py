import numpy as np
import pytest

from apps.demos.finance_pages.book import APPLICATIONS, Economics, book_of
from apps.demos.finance_pages.fairness import fairness_card
from apps.demos.finance_pages.portfolio import portfolio_html
from core.errors import DataError


def test_profit_is_what_the_loans_would_have_earned(desk):
    economics = Economics(margin=10, lgd=50, cost=20, exposure=1000)
    book = book_of(desk, economics)
    at = book.at(0.3)
    profit = 0.0
    for pd_, bad in zip(desk.reference["pd"], desk.reference["target"], strict=True):
        profit += -20 + (0 if pd_ >= 0.3 else -500 if bad else 100)
    assert book.profit[at] == pytest.approx(profit / len(desk.reference) * APPLICATIONS)


def test_a_looser_cutoff_never_approves_fewer(desk):
    book = book_of(desk, Economics())
    assert (np.diff(book.approved) >= 0).all()
    assert (np.diff(book.caught) <= 0).all()
    assert book.approved[-1] == 1


def test_approval_rates_are_those_of_fairlearn(desk):
    from fairlearn.metrics import MetricFrame, selection_rate

    approved = (desk.reference["pd"] < 0.3).astype(int)
    rates = MetricFrame(
        metrics=selection_rate, y_true=approved, y_pred=approved,
        sensitive_features=desk.reference["sex"],
    ).by_group  # fmt: skip
    html = fairness_card(desk, "en", 0.3)
    assert all(f"{100 * rate:.1f}%" in html for rate in rates)
    assert f"{100 * rates.min() / rates.max():.1f}%" in html


def test_a_missing_assumption_is_said(desk):
    with pytest.raises(DataError, match="assumption"):
        book_of(desk, Economics(margin=None))
    assert 'role="alert"' in portfolio_html(desk, "en", 30, None, 45, 30, 3000)


def test_the_curves_carry_numbers_and_no_foreign_reference(desk):
    html = portfolio_html(desk, "zh", 30, *Economics())
    assert html.count("<svg") == 4  # two charts, each for a laptop and for a phone
    assert "http" not in html.replace('xmlns="http://www.w3.org/2000/svg"', "").replace(
        'xmlns:xlink="http://www.w3.org/1999/xlink"', ""
    )
