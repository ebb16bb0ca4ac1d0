"""The page of reasons: words, patches of sound, and whether the explanation holds."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import numpy as np
import pandas as pd
import pytest

from apps.demos.voice_pages.desk import Desk
from apps.demos.voice_pages.explaining import empty_html, explained, why_html
from apps.demos.voice_pages.holding import holds_card
from explain.audio import Regions
from explain.text import WordAttribution
from verticals.voice.command import Word
from verticals.voice.why import CERTIFICATE, Why


def words_of(html: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


def row(test: str, heaviest: float, random: float, as_bad: float, whole: float = 1.0) -> Why:
    table = pd.DataFrame([(test, whole, heaviest, random, as_bad, 0.0)], columns=list(CERTIFICATE))
    return Why((), None, np.zeros((80, 0), np.float32), table)


@pytest.mark.slow
def test_a_real_exchange_is_explained_by_its_words(desk: Desk) -> None:
    _, visit = desk.visits.of(None)
    assert explained(visit) is None
    visit.exchange("turn on the porch light", way="typed")
    found = explained(visit)
    assert found is not None
    html = why_html(found, desk, "en")
    shown = words_of(html)
    assert "Turn on: Porch light" in shown
    assert re.search(r"“\w+” counts most: \d+ of 100 points", shown)
    assert "Does this explanation hold?" in shown
    (weights,) = found[1].words
    assert {w.word for w in weights} == {"turn", "on", "the", "porch", "light"}
    assert html.count('class="ck-w ') == 5


def test_what_was_completed_from_before_says_so(desk: Desk) -> None:
    _, visit = desk.visits.of(None)
    visit.exchange("turn on the kitchen light", way="typed")
    done = visit.exchange("and the porch light too", way="typed")
    weights = tuple(WordAttribution(w, 0, 1, 0.0) for w in ["and", "the", "porch", "light", "too"])
    why = replace(row("words, HassTurnOn", 0.0, 0.0, 1.0), words=(weights,))
    assert done.turn.understood.commands
    assert "completed from what was said before" in words_of(why_html((done, why), desk, "en"))


@pytest.mark.parametrize(
    ("why", "told", "verdict"),
    [(row("words, HassTurnOn", 0.0, 0.75, 0.05), "0% of the command", "Holds"),
     (row("words, HassTurnOn", 0.0, 0.25, 0.75), "25% without", "Most parts count alike"),
     (row("words, HassTurnOn", 0.6, 0.5, 0.6), "60% of the command", "No better than chance"),
     (row("sound, log-probability", -5.0, -1.5, 0.0, -1.0), "55 times less likely", "Holds"),
     (row("sound, log-probability", -50.0, -1.5, 0.0, -1.0), "> 1,000 times", "Holds")],
)  # fmt: skip
def test_the_certificate_is_a_sentence_and_a_verdict(
    desk: Desk, why: Why, told: str, verdict: str
) -> None:
    _, visit = desk.visits.of(None)
    done = visit.exchange("turn on the porch light", way="typed")
    shown = words_of(holds_card(done, why, desk, "en"))
    assert told in shown
    assert shown.strip().endswith(verdict)


def test_the_sound_is_drawn_with_the_words_above_it(desk: Desk, tone: np.ndarray) -> None:
    _, visit = desk.visits.of(None)
    done = visit.exchange(tone, way="spoken")
    words = tuple(Word(text=t, start_s=n / 4, end_s=n / 4 + 0.2, probability=0.9)
                  for n, t in enumerate(("turn", "on", "<b>it</b>")))  # fmt: skip
    heard = done.turn.transcript.model_copy(update={"words": words})
    done = replace(done, turn=done.turn.model_copy(update={"transcript": heard}))
    regions = Regions(np.array([[0.1, 2.0], [0.0, 0.3]]), np.array([0, 40, 80]),
                      np.array([0, 50, 100]), -1.0)  # fmt: skip
    picture = np.random.default_rng(0).normal(size=(80, 100)).astype(np.float32)
    why = replace(row("sound, log-probability", -3.0, -1.5, 0.0, -1.0), regions=regions,
                  spectrogram=picture)  # fmt: skip
    html = why_html((done, why), desk, "zh")
    assert html.count("<svg role=") == 2  # for a laptop and for a phone
    assert "在声音的哪里听到" in html
    assert "<b>it" not in html
    assert "data:audio/wav;base64," in html


def test_before_anything_was_said_the_page_says_what_to_do(desk: Desk) -> None:
    assert "Say something first" in empty_html(desk, "en")
    assert "ck-busy" in empty_html(desk, "en", busy=True)
    assert why_html(None, desk, "en") == empty_html(desk, "en")
