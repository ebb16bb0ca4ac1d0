"""Adverse-action reasons: specific, principal, truthful, never protected."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.errors import DataError, ParameterError
from verticals.finance.reasons import (
    ReasonMapping,
    draft_mapping,
    reason_effects,
    reason_table,
    reference_of,
    shipped_mapping,
    silenced,
)

COLUMNS = ("amount", "months", "savings", "sex", "district", "age")
MAPPING = ReasonMapping.from_yaml(
    """
draft: false
silent: [sex]
reasons:
- {code: R01, features: [amount, months], en: Loan too large for too long, zh: 贷款金额过大期限过长}
- {code: R02, features: [savings], en: Savings are low, zh: 储蓄较少}
- {code: R03, features: [age], en: Age, zh: 年龄}
- {code: R04, features: [district], en: District, zh: 地区}
"""
)
contributions = arrays(float, (5, len(COLUMNS)), elements=st.floats(-3, 3))


@settings(max_examples=100, deadline=None)
@given(values=contributions, reference=arrays(float, len(COLUMNS), elements=st.floats(-1, 1)))
def test_reasons_are_few_strong_and_never_protected(
    values: np.ndarray, reference: np.ndarray
) -> None:
    mapping = silenced(MAPPING, ["district"])
    known = dict(zip(COLUMNS, reference.tolist(), strict=True))
    for row, listed in zip(values, reason_table(values, COLUMNS, mapping, known), strict=True):
        effects = [r["effect"] for r in listed]
        assert len(listed) <= 4
        assert effects == sorted(effects, reverse=True)
        assert all(e > 0 for e in effects)
        named = {f for r in listed for f in r["features"]}
        assert not named & {"sex", "district"}
        gain = dict(zip(COLUMNS, row - reference, strict=True))
        for r in listed:
            assert r["effect"] == pytest.approx(sum(gain[f] for f in r["features"]))


def test_the_strongest_are_kept_when_there_are_more() -> None:
    mapping = draft_mapping(COLUMNS)
    values = np.array([[0.5, 0.1, 0.9, 0.3, 0.7, 0.2]])
    listed = reason_table(values, COLUMNS, mapping, {})[0]
    assert [r["features"] for r in listed] == [["savings"], ["district"], ["amount"], ["sex"]]


def test_columns_behind_one_reason_are_added() -> None:
    effects = reason_effects(
        np.array([[0.3, 0.4, 0, 9.0, 0, 0]]), COLUMNS, MAPPING, {"amount": 0.1}
    )
    assert effects[0, 0] == pytest.approx(0.6)


def test_a_row_better_than_the_reference_has_no_reasons() -> None:
    assert reason_table(-np.ones((2, 6)), COLUMNS, MAPPING, {}) == [[], []]
    assert reason_table(np.zeros((0, 6)), COLUMNS, MAPPING, {}) == []


@pytest.mark.parametrize(("language", "text"), [("en", "Savings are low"), ("zh", "储蓄较少")])
def test_reasons_speak_the_language(language: str, text: str) -> None:
    mapping = ReasonMapping.from_yaml(MAPPING.to_yaml(), language)  # type: ignore[arg-type]
    values = np.array([[0, 0, 1.0, 0, 0, 0]])
    assert reason_table(values, COLUMNS, mapping, {})[0][0]["text"] == text


def test_a_column_without_wording_fails_by_name() -> None:
    with pytest.raises(ParameterError, match="phone"):
        MAPPING.covering([*COLUMNS, "phone"])
    with pytest.raises(ParameterError, match="phone"):
        reason_table(np.zeros((1, 7)), [*COLUMNS, "phone"], MAPPING, {})


@pytest.mark.parametrize(
    "text",
    [
        "draft: true\nreasons: [{code: A, features: [x], en: X}]",
        "draft: true\nreasons: [{code: A, features: [], en: X, zh: X}]",
        "draft: true\nreasons: [{code: A, features: [x], en: X, zh: X, colour: red}]",
        "draft: true\nreasons: [{code: A, features: [x, x], en: X, zh: X}]",
    ],
)
def test_a_wrong_file_says_what_is_wrong(text: str) -> None:
    with pytest.raises(ParameterError):
        ReasonMapping.from_yaml(text)


def test_yaml_brings_the_mapping_back() -> None:
    assert ReasonMapping.from_yaml(MAPPING.to_yaml()) == MAPPING


def test_shipped_wordings_are_complete_and_confirmed(repo: Path) -> None:
    names = [p.stem for p in (repo / "verticals/finance/reason_texts").glob("*.yaml")]
    assert "german_credit" in names
    for name in names:
        mapping = shipped_mapping(name)
        assert mapping is not None
        assert not mapping.draft
        codes = [r.code for r in mapping.reasons]
        assert len(codes) == len(set(codes))
        named = {f for r in mapping.reasons for f in r.features}
        assert not named & mapping.silent
    assert shipped_mapping("a client's book") is None


def test_the_reference_is_the_mean_of_the_approved() -> None:
    values = np.arange(12.0).reshape(2, 6)
    assert reference_of(values, COLUMNS, np.array([True, False]))["months"] == 1.0
    with pytest.raises(DataError, match="no training row is approved"):
        reference_of(values, COLUMNS, np.array([False, False]))
