"""Who had more: simple results in every order of words."""

from __future__ import annotations

import numpy as np
import pytest

from verticals.medical.evidence.frames import (
    COMPARATOR,
    FRAME_NAMES,
    INTERVENTION,
    frame_features,
    mark,
    masked,
)


def votes(text: str, intervention: str = "aspirin", comparator: str = "placebo") -> float:
    found = dict(
        zip(FRAME_NAMES, frame_features(intervention, comparator, "mortality", text), strict=True)
    )
    return found["than"] + found["near"]


LOWER = [
    "Mortality was lower with aspirin than with placebo.",
    "Aspirin reduced mortality compared with placebo.",
    "Compared with placebo, aspirin had a lower mortality.",
    "Mortality was higher with placebo than with aspirin.",
    "Fewer deaths occurred in the aspirin group than in the placebo group.",
]


@pytest.mark.parametrize("text", LOWER)
def test_the_intervention_had_less(text: str) -> None:
    assert votes(text) < 0


@pytest.mark.parametrize("text", LOWER)
def test_turning_the_question_turns_the_answer(text: str) -> None:
    assert votes(text, "placebo", "aspirin") == -votes(text)


def test_a_negated_word_of_direction_does_not_vote() -> None:
    assert votes("Aspirin was not lower than placebo.") == 0


def test_numbers_on_either_side_of_versus() -> None:
    text = "Death occurred in 3% of the aspirin and 5% of the placebo group (3% vs 5%)."
    found = dict(zip(FRAME_NAMES, frame_features("aspirin", "placebo", "death", text), strict=True))
    assert found["pair"] < 0


def test_marks_follow_stems_that_only_one_side_has() -> None:
    marked = mark("high-dose statin", "low-dose statin", "LDL", "Statin at high doses")
    assert [m for m in marked.marks if m] == [INTERVENTION]
    assert COMPARATOR in mark("aspirin", "usual care", "pain", "the control group").marks


def test_masked_text_hides_names_and_numbers() -> None:
    text = masked(mark("aspirin", "placebo", "pain", "Pain fell by 12 with aspirin (P = 0.03)."))
    assert text.split() == ["xoutc", "xdown", "fell", "by", "xnum", "with", "xintv", "xsig"]


def test_features_are_finite_for_anything() -> None:
    for text in ("", "vs", "than than than", "1 2 3 vs 4 5", "higher"):
        assert np.isfinite(frame_features("", "", "", text)).all()
