from __future__ import annotations

import re
from html import unescape

import numpy as np
import pytest

from apps.demos.voice_pages.desk import Desk
from apps.demos.voice_pages.listing import devices_html, history_html
from apps.demos.voice_pages.reply import problem_html, reply_html, welcome_html
from apps.demos.voice_pages.sentence import slots_html
from core.errors import DataError
from verticals.voice.command import Command, Slot


def words_of(html: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


def said(desk: Desk, *texts: str, language: str = "en") -> str:
    _, visit = desk.visits.of(None)
    for text in texts:
        done = visit.exchange(text, way="typed")
    return reply_html(done, desk, language)


def test_heard_understood_done_and_what_changed_in_one_card(desk: Desk) -> None:
    html = said(desk, "set the living room light to 40 percent")
    shown = words_of(html)
    for part in (
        "set the living room light to 40 percent", "Set a light", "Certain",
        "living room light device", "40 brightness", "a sentence that the grammar knows",
        "The living room light is at 40 percent.", "Living room light off → on, 40%",
    ):  # fmt: skip
        assert part in shown
    assert "Hearing" not in shown  # it was typed


def test_words_that_were_hard_to_hear_are_marked(desk: Desk, tone: np.ndarray) -> None:
    _, visit = desk.visits.of(None)
    html = reply_html(visit.exchange(tone, way="spoken"), desk, "en")
    assert '<span class="ck-soft-word" title="60%">porch</span>' in html
    assert '<span class="ck-hard-word" title="30%">light</span>' in html
    assert "71% sure" in html
    assert "Hearing" in html


def test_silence_is_said_to_be_silence(desk: Desk) -> None:
    _, visit = desk.visits.of(None)
    html = reply_html(visit.exchange(np.zeros(16_000, np.float32), way="spoken"), desk, "en")
    assert "I did not hear anything." in html
    assert 'data-testid="intent"' not in html


def test_what_opens_the_house_asks_with_buttons(desk: Desk) -> None:
    html = said(desk, "unlock the front door")
    assert 'data-status="confirm"' in html
    assert re.findall(r'data-say="(\w+)"', html) == ["yes", "no"]
    assert "Unlock" in html
    assert 'data-testid="change"' not in html
    done = said(desk, "unlock the front door", "yes")
    assert "Front door locked → unlocked" in words_of(done)
    assert "data-say" not in done


def test_a_question_back_offers_what_may_have_been_meant(desk: Desk) -> None:
    html = said(desk, "turn on the kitchn lampp")
    if 'data-status="unsure"' in html:
        assert "data-say" in html


def test_other_requests_are_turned_down(desk: Desk) -> None:
    html = said(desk, "the train was late again this morning")
    assert 'data-status="rejected"' in html
    assert "Not something a home can do" in html


def test_what_people_say_stays_text(desk: Desk, evil: str) -> None:
    _, visit = desk.visits.of(None)
    done = visit.exchange(f"turn on the {evil}", way="typed")
    for html in (
        reply_html(done, desk, "en"), history_html(visit.exchanges, desk, "en"),
        problem_html(DataError(evil, remedy=evil), desk, "en"),
    ):  # fmt: skip
        assert "<script" not in html


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_card_speaks_the_page_s_language(desk: Desk, language: str) -> None:
    html = (
        said(desk, "lock the back door", language=language)
        + welcome_html(desk, language)
        + devices_html(desk.parts.home, desk.visits.first_states, desk.words, language)
    )
    assert ("上锁" in html) == (language == "zh")
    assert ("asks first" in html) == (language == "en")


def test_slots_are_marked_where_they_stand_and_never_twice(desk: Desk) -> None:
    command = Command(
        intent="HassLightSet", text="set x to 40 & more",
        slots=(Slot(name="name", value="X", start=4, end=5),
               Slot(name="area", value="Y", start=4, end=5),
               Slot(name="brightness", value=40.0, start=9, end=11),
               Slot(name="color", value="red", start=90, end=99)),
    )  # fmt: skip
    html = slots_html(command, desk.words, "en")
    assert html.count("<mark") == 2
    assert words_of(html).replace(" device", "").replace(" brightness", "").split() == (
        ["set", "x", "to", "40", "&", "more"]
    )
