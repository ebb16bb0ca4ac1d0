from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.demos.medical_pages.desk import Word
from apps.demos.medical_pages.quotes import place, plain, quotation, safe_link, shaded, verbatim

TEXT = (
    "## Dose\n\n| Agent | Dose |\n|---|---|\n| **Apixaban** | 5 mg |\n\n- It **is** `safe` <b>.\n"
)
MARKUP = st.text(st.sampled_from("ab <>&\"'|*#`-\n:。"), max_size=80)


def shown(html: str) -> str:
    """The text of a page, as a browser would copy it."""
    return unescape(re.sub(r"<[^>]*>", "", html))


@given(MARKUP)
def test_what_is_shown_is_what_is_written(text: str) -> None:
    html = verbatim(text)
    assert shown(html) == text
    assert set(re.findall(r"</?(\w+)", html)) <= {"span"}


@given(MARKUP, st.integers(0, 80), st.integers(0, 80))
def test_a_quote_keeps_its_words_in_its_context(text: str, a: int, b: int) -> None:
    start, end = sorted((min(a, len(text)), min(b, len(text))))
    html = quotation(text, start, end)
    inside = re.search(r'data-testid="quote">(.*)</mark>', html, re.DOTALL)
    assert inside is not None
    assert shown(inside[1]) == text[start:end]
    at = place(text, start, end, reach=10)
    assert 0 <= at.first <= start <= end <= at.last <= len(text)
    assert start - at.first <= 10
    assert at.last - end <= 10


def test_marks_of_markdown_are_quietened_and_not_lost() -> None:
    html = verbatim(TEXT)
    assert '<span class="ck-hidden">**</span>Apixaban' in html
    assert '<span class="ck-hidden">## </span>Dose' in html
    assert '<span class="ck-hidden">|---|---|\n</span>' in html
    assert "<b>" not in html
    assert plain(TEXT).startswith("Dose · Agent · Dose")


def test_words_are_shaded_by_their_share_of_the_strongest() -> None:
    text = "warfarin or apixaban"
    words = [Word(0, 8, -0.5), Word(9, 11, 0.001), Word(12, 20, 1.0)]
    html = shaded(text, 0, len(text), words)
    assert shown(html) == text
    assert re.findall(r'class="ck-w (ck-\w+)" style="--w:([\d.]+)"', html) == [
        ("ck-against", "0.50"), ("ck-for", "1.00"),
    ]  # fmt: skip


def test_marks_stay_hidden_where_words_are_shaded() -> None:
    text = "**Bold** word"
    words = [Word(0, 1, 1.0), Word(1, 2, 1.0), Word(2, 6, 1.0), Word(6, 7, 1.0), Word(7, 8, 1.0)]
    html = shaded(text, 0, len(text), words)
    assert shown(html) == text
    assert html.count('<span class="ck-hidden">**</span>') == 2


def test_words_outside_the_quote_or_overlapping_change_no_text() -> None:
    text = "abcdefgh"
    words = [Word(0, 4, 1.0), Word(2, 6, 1.0), Word(6, 9, 1.0), Word(7, 8, 1.0)]
    assert shown(shaded(text, 1, 8, words)) == text[1:8]


@pytest.mark.parametrize(
    "link",
    ["javascript:alert(1)", "data:text/html,x", "JaVaScRiPt:alert(1)", " javascript:alert(1)",
     "java\nscript:alert(1)", "//example.org", "", "file:///etc/passwd"],
)  # fmt: skip
def test_only_web_addresses_become_links(link: str) -> None:
    assert safe_link(link, "T") == "T"


def test_a_link_cannot_break_out_of_its_attribute() -> None:
    html = safe_link('https://doi.org/10.1/"><script>', "<T>")
    assert "<script>" not in html
    assert 'rel="noopener noreferrer"' in html
    assert "&lt;T&gt;" in html
