import numpy as np
import pytest

from apps.demos.finance_pages.book import APPLICATIONS, Economics, curves_of
from apps.demos.finance_pages.fairness import fairness_card
from apps.demos.finance_pages.portfolio import portfolio_html
from core.errors import CasekitError

ECONOMICS = Economics(margin=10, lgd=50, cost=2, exposure=1000)


def test_profit_is_what_the_loans_would_have_earned(desk):
    row = curves_of(desk)(ECONOMICS).at(0.3)
    profit = 0.0
    for pd_, bad in zip(desk.reference["pd"], desk.reference["target"], strict=True):
        profit += -20 + (0 if pd_ >= row["cutoff"] else -500 if bad else 100)
    assert row["profit"] == pytest.approx(profit / len(desk.reference) * APPLICATIONS)
    assert row["low"] < row["profit"] < row["high"]


def test_a_looser_cutoff_never_approves_fewer(desk):
    table = curves_of(desk)(ECONOMICS).table
    assert (np.diff(table["approval_rate"]) >= 0).all()
    assert (np.diff(table["bads_declined"]) <= 0).all()
    assert table["approval_rate"].iloc[-1] == 1


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


@pytest.mark.parametrize("wrong", [{"margin": None}, {"lgd": 250}, {"exposure": -1}])
def test_a_wrong_assumption_is_said(desk, wrong):
    curves, economics = curves_of(desk), ECONOMICS._replace(**wrong)
    with pytest.raises(CasekitError, match="assumption"):
        curves(economics)
    assert 'role="alert"' in portfolio_html(desk, curves, "en", 30, *economics)


def test_the_curves_carry_numbers_and_no_foreign_reference(desk):
    html = portfolio_html(desk, curves_of(desk), "zh", 30, *ECONOMICS)
    assert html.count("<svg") == 4  # two charts, each for a laptop and for a phone
    for name in ("2000/svg", "1999/xlink"):
        html = html.replace(f"http://www.w3.org/{name}", "")
    assert "http" not in html
