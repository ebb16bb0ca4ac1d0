"""Splits are disjoint and complete, keep groups whole, and never train on the future."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from core.data.splits import folds, split_kind, split_rows
from core.errors import DataError

BOOKS = st.tuples(st.integers(200, 600), st.integers(0, 10_000), st.floats(0.1, 0.5))


def book(n: int, seed: int, rate: float) -> tuple[np.ndarray, pd.Series, pd.Series]:
    rng = np.random.default_rng(seed)
    target = (rng.random(n) < rate).astype(np.int8)
    time = pd.Series(pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 300, n), "D"))
    group = pd.Series(rng.integers(0, n // 3, n)).astype("str")
    assume(target.sum() > 20)
    return target, time, group


def partition(n: int, *parts: np.ndarray) -> bool:
    return bool(np.array_equal(np.sort(np.concatenate(parts)), np.arange(n)))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(BOOKS, st.booleans(), st.booleans())
def test_properties_of_every_split(args: tuple, by_time: bool, by_group: bool) -> None:
    target, time, group = book(*args)
    how = {"time": time if by_time else None, "group": group if by_group else None}
    try:
        train, public, private = split_rows(target, **how, seed=args[1])
        parts = folds(target, train, **how, seed=args[1])
    except DataError:  # a class too rare for every part is refused, as documented
        assume(target.sum() > 60)
        raise
    assert partition(len(target), train, public, private)
    assert len(train) / len(target) == pytest.approx(0.7, abs=0.08)
    assert len(public) / (len(public) + len(private)) == pytest.approx(1 / 3, abs=0.12)
    if by_group:
        sides = [set(group[p]) for p in (train, public, private)]
        assert sum(len(side) for side in sides) == len(set.union(*sides))
    if by_time:
        test = np.concatenate([public, private])
        cut = time[train].max()
        late = time[test] if not by_group else time.groupby(group).transform("max")[test]
        assert cut < late.min()
    again = split_rows(target, **how, seed=args[1])
    assert all(np.array_equal(a, b) for a, b in zip((train, public, private), again, strict=True))
    for fit, valid in parts:
        assert not set(fit) & set(valid)
        assert set(fit) | set(valid) <= set(train)
        if by_group:
            assert not set(group[fit]) & set(group[valid])
        if by_time:
            reach = time if not by_group else time.groupby(group).transform("max")
            assert reach[fit].max() < reach[valid].min()
    covered = np.concatenate([v for _, v in parts])
    assert len(covered) == len(set(covered))
    if not by_time:
        assert set(covered) == set(train)


def test_random_splits_are_stratified_and_agree_with_scikit_learn() -> None:
    from sklearn.model_selection import train_test_split

    target = np.array([0] * 800 + [1] * 200, dtype=np.int8)
    train, public, private = split_rows(target, seed=20261123)
    assert [target[p].mean() for p in (train, public, private)] == pytest.approx(
        [0.2] * 3, abs=0.01
    )
    _, test = train_test_split(
        np.arange(1000), test_size=0.3, random_state=20261123, stratify=target
    )
    assert set(test) == set(public) | set(private)
    assert [len(p) for p in (train, public, private)] == [700, 100, 200]


def test_agreed_folds_are_taken_as_they_are() -> None:
    rng = np.random.default_rng(0)
    target = rng.integers(0, 2, 500).astype(np.int8)
    fold = pd.Series(rng.integers(-1, 4, 500), name="fold")
    train, public, private = split_rows(target, fold=fold, seed=1)
    assert set(public) | set(private) == set(np.flatnonzero(fold == -1))
    parts = folds(target, train, fold=fold, seed=1)
    assert [set(v) for _, v in parts] == [set(np.flatnonzero(fold == f)) for f in range(4)]
    with pytest.raises(DataError, match="no row with fold -1"):
        split_rows(target, fold=fold.abs(), seed=1)
    fold = fold.astype(float)
    fold[7] = np.nan
    with pytest.raises(DataError, match=r"row 8, column 'fold'"):
        split_rows(target, fold=fold, seed=1)


def test_impossible_splits_say_why() -> None:
    target = np.array([0, 1] * 100, dtype=np.int8)
    same = pd.Series([pd.Timestamp("2020-01-01")] * 200)
    with pytest.raises(DataError, match="same date"):
        split_rows(target, time=same, seed=0)
    with pytest.raises(DataError, match="too few groups"):
        split_rows(target, group=pd.Series(["a"] * 200), seed=0)
    sorted_by_outcome = pd.Series(pd.date_range("2020-01-01", periods=200))
    with pytest.raises(DataError, match="one class"):
        split_rows(np.sort(target), time=sorted_by_outcome, seed=0)


def test_a_date_is_never_cut_in_two_and_missing_groups_stand_alone() -> None:
    rng = np.random.default_rng(0)
    target = rng.integers(0, 2, 1000).astype(np.int8)
    months = pd.Series(pd.date_range("2020-01-01", periods=10, freq="MS")).repeat(100)
    months = months.reset_index(drop=True)
    train, public, private = split_rows(target, time=months, seed=0)
    assert [months[p].nunique() for p in (train, public, private)] == [7, 1, 2]
    alone = pd.Series([np.nan] * 1000)
    assert [len(p) for p in split_rows(target, group=alone, seed=0)] == [700, 100, 200]


def test_kinds_are_named() -> None:
    one = pd.Series([1])
    assert split_kind() == "random"
    assert split_kind(time=one, group=one) == "time and group"
    assert split_kind(group=one) == "group"
    assert split_kind(time=one, fold=one) == "agreed"
