"""Numbers and words of results, each judged by hand."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verticals.medical.evidence.cues import (
    content_stems,
    count_nulls,
    count_significant,
    number,
    polarity,
    read_numbers,
    tokens,
)

P_VALUES = [
    ("(P < 0.001)", 1, 0),
    ("p=0.04", 1, 0),
    ("P = .07", 0, 1),
    ("P > 0.05", 0, 1),
    ("p value of 0.30", 0, 0),  # no operator: not read as one
    ("P-value = 0·03", 1, 0),
    ("p ≤ 0.01 and p = 0.6", 1, 1),
    ("in 12 of 40 patients", 0, 0),
]
INTERVALS = [
    ("OR 0.70, 95% CI 0.55-0.89", 1, 0),
    ("HR 1.03 (95% CI 0.64 to 1.6)", 0, 1),
    ("mean difference -2.6 kg (95% CI −3.3 to −1.8)", 1, 0),
    ("difference 0.9 (95% CI −10.7 to 8.8)", 0, 1),
]


@pytest.mark.parametrize(("text", "significant", "insignificant"), P_VALUES)
def test_p_values(text: str, significant: int, insignificant: int) -> None:
    found = read_numbers(text)
    assert (found.significant, found.insignificant) == (significant, insignificant)


@pytest.mark.parametrize(("text", "clear", "crossing"), INTERVALS)
def test_intervals(text: str, clear: int, crossing: int) -> None:
    found = read_numbers(text)
    assert (found.intervals_clear, found.intervals_crossing) == (clear, crossing)


def test_ratios_and_differences_have_a_side() -> None:
    assert read_numbers("hazard ratio 0.54").ratio == -1
    assert read_numbers("odds ratio of 2.1").ratio == 1
    assert read_numbers("mean difference −2.6 kg").difference == -1


@pytest.mark.parametrize(
    "text",
    [
        "There was no significant difference between groups.",
        "Mortality did not differ.",
        "Rates were similar in both arms.",
        "The drug failed to lower pressure.",
        "no association was found; no effect",
    ],
)
def test_null_findings(text: str) -> None:
    assert count_nulls(text) > 0


def test_significance_that_is_taken_back_does_not_count() -> None:
    assert count_significant("Pain was significantly lower.") == 1
    assert count_significant("There was no significant change.") == 0
    assert count_nulls("Pain was significantly lower with the drug.") == 0


def test_words_and_numbers() -> None:
    assert polarity("higher") == (1, 0)
    assert polarity("worse") == (0, -1)
    assert number("−2,5") == -2.5
    assert number("none") == 0.0
    assert tokens("BP&nbsp;<140 mmHg") == ["BP", "<", "140", "mmHg"]
    assert content_stems("the reductions of pressure") == {"reduct", "pressur"}


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=400))
def test_any_text_can_be_read(text: str) -> None:
    found = read_numbers(text)
    assert found.smallest_p >= 0
    assert count_nulls(text) >= 0
