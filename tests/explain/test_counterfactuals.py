"""What would change the answer: changes found are real, allowed and few."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explain.counterfactuals import counterfactuals, number_options

ROW = pd.DataFrame({"amount": [9_000.0], "months": [48.0], "job": pd.Series(["none"], dtype="str")})
OPTIONS: dict[str, list[Any]] = {
    "amount": [1_000.0, 3_000.0, 6_000.0],
    "months": [12.0, 24.0, 36.0],
    "job": ["clerk", "none"],
}


def score(frame: pd.DataFrame) -> np.ndarray:
    """A probability that falls with smaller, shorter loans and a job."""
    z = frame["amount"] / 4_000 + frame["months"] / 24 - 2.0 * (frame["job"] == "clerk") - 2.0
    return np.asarray(1 / (1 + np.exp(-z)), dtype=float)


@pytest.mark.parametrize("cutoff", [0.9, 0.7, 0.5, 0.3, 0.15])
def test_changes_cross_the_cutoff_when_scored_again(cutoff: float) -> None:
    found = counterfactuals(ROW, score, OPTIONS, cutoff)
    assert found
    for change in found:
        row = ROW.copy()
        for name, (before, after) in change.changes.items():
            assert row[name].iloc[0] == before
            assert after in OPTIONS[name]
            row[name] = pd.Series([after]).astype(row[name].dtype)
        assert score(row)[0] == pytest.approx(change.probability)
        assert change.probability < cutoff


def test_fewest_fields_come_first_and_no_field_is_changed_for_nothing() -> None:
    found = counterfactuals(ROW, score, OPTIONS, 0.7)
    sizes = [len(change.changes) for change in found]
    assert sizes == sorted(sizes)
    alone = {next(iter(c.changes)) for c in found if len(c.changes) == 1}
    assert all(not alone & set(c.changes) for c in found if len(c.changes) > 1)


def test_only_the_given_fields_change() -> None:
    found = counterfactuals(ROW, score, {"months": OPTIONS["months"]}, 0.85)
    assert {name for change in found for name in change.changes} == {"months"}


def test_nobody_below_the_cutoff_needs_a_change() -> None:
    assert counterfactuals(ROW, score, OPTIONS, 0.999) == ()


def test_an_impossible_cutoff_finds_nothing() -> None:
    assert counterfactuals(ROW, score, OPTIONS, 1e-9) == ()


def test_the_smallest_sufficient_step_is_taken() -> None:
    # Only the amount may change; the largest amount below the cut-off is the least effort.
    found = counterfactuals(ROW, score, {"amount": OPTIONS["amount"]}, 0.9)
    enough = [v for v in OPTIONS["amount"] if score(ROW.assign(amount=v))[0] < 0.9]
    assert found[0].changes["amount"] == (9_000.0, max(enough))


@settings(max_examples=50, deadline=None)
@given(
    values=st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=60),
    current=st.floats(-1e6, 1e6),
    direction=st.sampled_from(["lower", "higher", "any"]),
    limits=st.tuples(st.floats(-1e6, 0), st.floats(0, 1e6)),
)
def test_numbers_move_only_where_they_may(
    values: list[float], current: float, direction: str, limits: tuple[float, float]
) -> None:
    options = number_options(
        pd.Series(values), current, direction=direction, minimum=limits[0], maximum=limits[1]
    )
    assert all(limits[0] <= v <= limits[1] for v in options)
    assert direction != "lower" or all(v < current for v in options)
    assert direction != "higher" or all(v > current for v in options)


def test_whole_numbers_stay_whole() -> None:
    options = number_options(pd.Series([1.0, 2.0, 3.0, 10.0, np.nan]), 2.0)
    assert all(v == int(v) for v in options)
