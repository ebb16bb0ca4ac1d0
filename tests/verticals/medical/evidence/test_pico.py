"""What is found is verbatim and in its place; what is not asked stays empty."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verticals.medical.evidence.pico import pico

QUESTIONS = [
    (
        "Does metformin reduce HbA1c in adults with type 2 diabetes compared with sulfonylureas?",
        ("adults with type 2 diabetes", "metformin", "sulfonylureas", "HbA1c"),
    ),
    (
        "Is apixaban safer than warfarin in patients with atrial fibrillation?",
        ("patients with atrial fibrillation", "apixaban", "warfarin", ""),
    ),
    (
        "In pregnant women, does low-dose aspirin prevent preeclampsia?",
        ("pregnant women", "low-dose aspirin", "", "preeclampsia"),
    ),
    ("When should statins be started?", ("", "", "", "")),
    ("", ("", "", "", "")),
]


@pytest.mark.parametrize(("question", "expected"), QUESTIONS)
def test_questions(question: str, expected: tuple[str, str, str, str]) -> None:
    found = pico(question, "")
    assert (found.population, found.intervention, found.comparison, found.outcome) == expected


def test_the_text_fills_what_the_question_leaves_open() -> None:
    found = pico(
        "Does zinc shorten colds?",
        "In 120 healthy volunteers with acute cold symptoms, zinc versus placebo was tested.",
    )
    assert found.comparison == "placebo"
    assert "volunteers" in found.population


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=300), st.text(max_size=300))
def test_every_field_is_verbatim(question: str, text: str) -> None:
    found = pico(question, text)
    for field in (found.population, found.intervention, found.comparison, found.outcome):
        assert field in question or field in text


@pytest.mark.parametrize("text", ["in " * 2000, "(" * 9000, "A b " * 3000, "effect of x on " * 800])
def test_hostile_repetition_is_quick(text: str) -> None:
    begun = time.perf_counter()
    pico(text, text)
    assert time.perf_counter() - begun < 5
