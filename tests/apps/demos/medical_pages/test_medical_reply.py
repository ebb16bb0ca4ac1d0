from __future__ import annotations

import re
from html import unescape

import pytest

from apps.demos.medical_pages.asking import ask, filters_of, problem_html
from apps.demos.medical_pages.badges import badge, grade_badge, percent
from apps.demos.medical_pages.desk import Desk
from apps.demos.medical_pages.explaining import explain_asked, why_html
from apps.demos.medical_pages.reply import reply_html, welcome_html
from core.errors import DataError
from verticals.medical.answer import DISCLAIMER, GRADES

CONFLICT = "Is apixaban versus warfarin better?"


def words_of(html: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


def test_every_quote_stands_word_for_word_in_its_passage(desk: Desk) -> None:
    asked = ask(desk, CONFLICT)
    html = reply_html(asked.answer, desk, "en")
    quotes = re.findall(r'data-testid="quote">(.*?)</mark>', html, re.DOTALL)
    assert [unescape(re.sub(r"<[^>]+>", "", q)) for q in quotes] == [
        e.quote for e in asked.answer.evidence
    ]
    shown = words_of(html)
    for part in (
        "Aspirin alone is not recommended",
        "Guideline",
        "Supports · 87%",
        "bears on the question: 91%",
        "N Engl J Med, 2011",
        "verify at the DOI",
    ):
        assert part in shown


def test_conflict_is_shown_side_by_side_and_agreement_in_a_line(desk: Desk) -> None:
    conflict = reply_html(ask(desk, CONFLICT).answer, desk, "en")
    assert 'data-testid="conflict"' in conflict
    assert "The documents contradict one another" in conflict
    agreed = reply_html(ask(desk, "Is apixaban good?").answer, desk, "en")
    assert 'data-testid="conflict"' not in agreed
    assert "No document contradicts another (supports: 2, unclear: 1)." in agreed


def test_an_abstention_is_plain_and_its_passages_are_no_answer(desk: Desk) -> None:
    answer = ask(desk, "What helps psoriasis?").answer
    text = words_of(reply_html(answer, desk, "en"))
    for part in ("No answer", answer.reason, "not good enough to answer with", "7%"):
        assert part in text
    assert "Evidence found" not in text


@pytest.mark.parametrize("question", [CONFLICT, "What helps psoriasis?"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_nothing_of_a_document_becomes_markup(desk: Desk, question: str, language: str) -> None:
    asked = ask(desk, question)
    explanation = explain_asked(desk, asked)
    weights = [c.words for c in explanation.carried] if explanation else ()
    pages = reply_html(asked.answer, desk, language, weights)
    pages += why_html(desk, asked, explanation, language)
    assert not re.search(r"<(script|img|b)\b", pages)
    assert "javascript:" not in re.sub(r">[^<]*<", "><", pages)
    assert desk.words("site.disclaimer", language) in pages


def test_the_disclaimer_is_the_answers_own(desk: Desk) -> None:
    assert desk.words("site.disclaimer", "en") == DISCLAIMER


def test_a_quote_that_is_not_at_its_place_is_shown_without_one(desk: Desk) -> None:
    answer = ask(desk, "Apixaban?").answer
    moved = answer.evidence[0].model_copy(update={"start": 3, "end": 9})
    html = reply_html(answer.model_copy(update={"evidence": [moved]}), desk, "en")
    assert "was not found in its document" in html
    assert "Aspirin alone" not in html


def test_words_of_a_model_say_how_many_sentences_fell(desk: Desk) -> None:
    text = words_of(reply_html(ask(desk, "Apixaban?").answer, desk, "en"))
    assert "Direct oral anticoagulants are preferred [1]." in text
    assert "2 were dropped" in text


def test_why_names_passages_words_and_features(desk: Desk) -> None:
    asked = ask(desk, CONFLICT)
    html = why_html(desk, asked, explain_asked(desk, asked), "en")
    assert "Confidence with all documents is 93%" in html
    assert "63% without it" in html
    assert "12.3  (+0.810)" in html
    assert html.count("ck-for") > 3
    bars = [float(w) for w in re.findall(r"width:([\d.]+)%", html)]
    assert max(bars) == 100.0
    assert why_html(desk, ask(desk, "What helps psoriasis?"), None, "en") == ""


def test_nothing_is_surer_than_anybody_can_be() -> None:
    assert [percent(p) for p in (0.0, 0.004, 0.5, 0.996, 1.0)] == [
        "< 1%", "< 1%", "50%", "> 99%", "> 99%",
    ]  # fmt: skip


def test_badges_differ_by_shape_and_word_not_by_colour_alone(desk: Desk) -> None:
    kinds = ("answered", "abstained", "contradicts", "no difference", "unclear", "info", "warning")
    shapes = [re.search(r"<svg.*</svg>", badge(kind, ""))[0] for kind in kinds]  # type: ignore[index]
    assert len(set(shapes)) == len(kinds)
    steps = [grade_badge(grade, desk.words, "en").count("ck-on") for grade in GRADES]
    assert steps == [5, 4, 3, 2, 1, 0]


def test_filters_say_which_year_is_none() -> None:
    assert filters_of(None, None, (), ()) is None
    given = filters_of(2010, None, ["guideline"], ["KDIGO"])
    assert given is not None
    assert (given.year_from, given.grades) == (2010, ("guideline",))
    with pytest.raises(DataError, match="year_from"):
        filters_of(12, None, (), ())


def test_a_problem_says_what_where_and_what_to_do(desk: Desk, evil: str) -> None:
    with pytest.raises(DataError) as refused:
        ask(desk, "  ")
    text = words_of(problem_html(refused.value, desk.words, "en"))
    assert "The question is empty" in text
    assert "Ask in a sentence" in text
    assert "<script" not in problem_html(DataError(evil, where=evil, remedy=evil), desk.words, "zh")


def test_a_doubtful_answer_says_so_and_an_unread_direction_too(desk: Desk) -> None:
    answer = ask(desk, "Apixaban?").answer
    unclear = [e.model_copy(update={"direction": "unclear"}) for e in answer.evidence]
    doubtful = answer.model_copy(
        update={"confidence": 0.36, "evidence": unclear, "agreement": {"unclear": 3}}
    )
    text = words_of(reply_html(doubtful, desk, "en"))
    assert "Evidence found, but doubtful" in text
    assert "could not read a direction" in text
    assert "Unclear ·" not in text  # a share of three directions that says nothing


def test_a_document_quoted_twice_is_left_out_once(desk: Desk) -> None:
    asked = ask(desk, CONFLICT)  # pieces 3 and 4 are of one document
    html = why_html(desk, asked, explain_asked(desk, asked), "en")
    assert "3, 4. A title" in words_of(html)


def test_the_first_screen_says_what_comes(desk: Desk) -> None:
    assert "word for word" in welcome_html(desk.words, "en")
