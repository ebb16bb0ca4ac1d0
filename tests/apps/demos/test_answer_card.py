import re

import pytest

from apps.demos.finance_pages.answer_card import answer_card, reasons_card
from apps.demos.finance_pages.asking import ask, problem_card
from core.errors import DataError
from verticals.finance.answer import CreditAnswer, Reason


def answer(pd_, low, high, decision, reasons=()):
    return CreditAnswer(
        pd=pd_, pd_low=low, pd_high=high, points=612, decision=decision, reasons=list(reasons)
    )


def words_of(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_the_answer_is_there_at_a_glance(desk):
    text = words_of(answer_card(answer(0.074, 0.05, 0.09, "approve"), 0.2, desk.words, "en"))
    for part in ("7.4%", "612", "Approve", "5.0% to 9.0%", "cut-off of 20.0%"):
        assert part in text
    assert "Of 100 applicants like this, 5 to 9 default." in text


@pytest.mark.parametrize(
    ("low", "high", "batch", "text"),
    [(0.3, 0.699, 20, "Of 20 applicants like this, 6 to 14 default"),
     (0.301, 0.304, 100, "Of 100 applicants like this, about 30"),
     (0.0, 1.0, 50, "Of 50 applicants like this, 0 to 50")],
)  # fmt: skip
def test_people_are_counted_in_the_group_the_interval_speaks_of(desk, low, high, batch, text):
    given = answer((low + high) / 2, low, high, "refer")
    html = answer_card(given, 0.2, desk.words, "en", batch=batch)
    assert text in words_of(html)
    assert html.count("ck-yes") == round(low * batch)
    assert html.count("ck-may") == round(high * batch) - round(low * batch)


def test_decisions_differ_by_word_and_shape_not_by_colour_alone(desk):
    cards = [
        answer_card(answer(0.1, 0.05, 0.2, d), 0.15, desk.words, "en")
        for d in ("approve", "refer", "decline")
    ]
    shapes = [re.search(r'aria-hidden="true">(.*?)</svg>', c, re.DOTALL).group(1) for c in cards]
    assert len(set(shapes)) == 3


@pytest.mark.parametrize("pd_", [0.0, 1e-6, 0.5, 1.0])
def test_the_scale_holds_every_probability(desk, pd_):
    html = answer_card(answer(pd_, pd_, pd_, "refer"), 0.2, desk.words, "en")
    places = [float(x) for x in re.findall(r"left:([\d.]+)%", html)]
    assert all(0 <= place <= 100 for place in places)


def test_reasons_show_how_far_they_move_the_odds(desk):
    reasons = [
        Reason(code="A", text="Long duration", features=["d"], effect=0.6931471805599453),
        Reason(code="B", text="Young", features=["a"], effect=0.34657359027997264),
    ]
    html = reasons_card(reasons, desk.words, "en")
    assert "odds of default × 2.00" in html
    assert re.findall(r"width:([\d.]+)%", html) == ["100.0", "50.0"]


def test_client_text_never_becomes_markup(desk, evil):
    given = ask(desk, desk.examples[-1], "en")
    said = [r.model_copy(update={"text": evil}) for r in given.reasons]
    html = reasons_card(said, desk.words, "en")
    problem = problem_card(DataError(evil, where=evil, remedy=evil), desk.words, "en")
    for page in (html, problem):
        assert "<script" not in page
        assert "&lt;script&gt;" in page


def test_an_unknown_field_is_named(desk):
    with pytest.raises(DataError, match="shoe_size"):
        ask(desk, {"shoe_size": 43}, "en")
