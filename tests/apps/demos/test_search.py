import pytest

from apps.demos.finance_pages.asking import ask
from apps.demos.finance_pages.change import change_card
from apps.demos.finance_pages.search import changeable, find_changes


@pytest.fixture
def applicant(desk):
    return desk.examples[0] | {"duration_in_month": 36.0, "credit_amount": 6000.0,
                               "age_in_years": 30.0}  # fmt: skip


def test_only_fields_that_may_change_are_changed_in_their_direction(desk, applicant):
    decision = ask(desk, applicant, "en").decision
    changes = find_changes(desk, applicant, decision)
    assert changes
    assert set(changeable(desk)) == {"duration_in_month", "credit_amount"}
    for change in changes:
        for name, value in change.values.items():
            assert value < applicant[name]
        assert change.values.get("duration_in_month", 6) >= 6


def test_every_change_shown_holds_when_asked_again(desk, applicant):
    for change in find_changes(desk, applicant, "decline"):
        again = ask(desk, applicant | dict(change.values), "en")
        assert again.pd == pytest.approx(change.pd)
        assert again.decision == change.decision != "decline"


def test_the_card_says_so_when_there_is_nothing_to_change(desk):
    assert "approve already" in change_card(desk, desk.examples[0], "en")


def test_the_card_says_so_when_nothing_helps(desk):
    worst = desk.examples[-1] | {"duration_in_month": 6.0, "credit_amount": 300.0,
                                 "age_in_years": -200.0}  # fmt: skip
    assert "No change" in change_card(desk, worst, "en")


def test_the_card_speaks_chinese(desk, applicant):
    card = change_card(desk, applicant, "zh")
    assert "贷款期限（月）：36" in card
