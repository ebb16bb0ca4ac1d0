"""Splits rows into train, public and sealed private parts, and train into folds.

A split respects what the data says: an agreed fold column, time (the future is never trained
on), groups (a customer is never on both sides), and otherwise the class balance.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.errors import DataError

Parts = tuple[np.ndarray, np.ndarray, np.ndarray]
Folds = tuple[tuple[np.ndarray, np.ndarray], ...]


def split_kind(*, time: object = None, group: object = None, fold: object = None) -> str:
    """agreed, time and group, time, group or random."""
    if fold is not None:
        return "agreed"
    return " and ".join(n for n, v in (("time", time), ("group", group)) if v is not None) or (
        "random"
    )


def split_rows(
    target: np.ndarray,
    *,
    time: pd.Series | None = None,
    group: pd.Series | None = None,
    fold: pd.Series | None = None,
    seed: int,
    test: float = 0.3,
    public: float = 1 / 3,
) -> Parts:
    """Row numbers of (train, public, private), each sorted; together they are all rows.

    Args:
        target: (n,) 0 or 1.
        time: (n,) dates or numbers: the last part is test, its end private. A group counts as
            of its last row, so train never holds a row from after the cut. Missing comes first.
        group: (n,) names of customers, each kept on one side; a missing one stands alone.
        fold: (n,) agreed folds: -1 is test.
        seed: Of every random choice.
        test: Share of rows held out.
        public: Share of the held-out rows that is public.

    Raises:
        DataError: Too few rows, groups, dates or cases of a class for such a split.
    """
    rows = np.arange(len(target))
    groups = None if group is None else _codes(group)
    if fold is not None:
        held = _agreed(fold) == -1
        if not held.any() or held.all():
            raise DataError(
                "the agreed split has no row" + (" outside -1" if held.any() else " with fold -1"),
                where=f"column {fold.name!r}",
                remedy="Mark test rows with -1 and the others 0, 1, ...",
            )
        train, rest = rows[~held], rows[held]
    elif time is not None:
        train, rest = _cut_by_time(rows, _order(time, groups), test)
    else:
        train, rest = _cut_at_random(rows, target, groups, test, seed)
    if time is not None and fold is None:
        first, last = _cut_by_time(rest, _order(time, groups), 1 - public)
    else:
        first, last = _cut_at_random(rest, target, groups, 1 - public, seed + 1)
    for part, name in ((train, "train"), (first, "public"), (last, "private")):
        if len(np.unique(target[part])) < 2:
            raise DataError(
                f"the {name} part of the split ({len(part)} rows) holds one class only",
                remedy="Give more rows, or another time, group or fold column",
            )
    return train, first, last


def folds(
    target: np.ndarray,
    train: np.ndarray,
    *,
    time: pd.Series | None = None,
    group: pd.Series | None = None,
    fold: pd.Series | None = None,
    seed: int,
    count: int = 5,
) -> Folds:
    """(fit, validation) row numbers inside train.

    With time they chain forward: each validation part follows all rows it was fitted on, so the
    earliest part is never validated. Otherwise the validation parts together are train.

    Args:
        target: (n,) 0 or 1, for all rows.
        train: Row numbers of train.
        time: As in `split_rows`.
        group: As in `split_rows`.
        fold: As in `split_rows`; folds 0, 1, ... are taken as agreed.
        seed: Of every random choice.
        count: Number of folds, fewer where classes, groups or dates are too few.

    Raises:
        DataError: Not even two folds are possible.
    """
    groups = None if group is None else _codes(group)
    if fold is not None:
        agreed = _agreed(fold)[train]
        names = np.unique(agreed)
        if len(names) > 1:
            return tuple((train[agreed != f], train[agreed == f]) for f in names)
        parts = _random_parts(train, target, groups, count, seed)  # only the test was agreed
    elif time is not None:
        return _forward_chain(train, target, _order(time, groups), count)
    else:
        parts = _random_parts(train, target, groups, count, seed)
    return tuple((np.setdiff1d(train, part, assume_unique=True), part) for part in parts)


def _cut_by_time(rows: np.ndarray, when: np.ndarray, late: float) -> tuple[np.ndarray, np.ndarray]:
    """Rows before and from the cut, which never falls inside one date."""
    ordered = np.sort(when[rows])
    changes = np.flatnonzero(np.diff(ordered)) + 1  # positions where a later date begins
    if len(changes) == 0:
        raise DataError(
            "all rows have the same date, so there is no later part to test on",
            remedy="Leave `time` out, or name a column of application dates",
        )
    wanted = round(len(rows) * (1 - late))
    start = ordered[changes[np.argmin(np.abs(changes - wanted))]]
    is_late = when[rows] >= start
    return rows[~is_late], rows[is_late]


def _cut_at_random(
    rows: np.ndarray, target: np.ndarray, groups: np.ndarray | None, late: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """A stratified random cut of rows, or of whole groups."""
    from sklearn.model_selection import train_test_split

    units, labels = _units(rows, target, groups)
    try:
        _, chosen = train_test_split(
            np.arange(len(units)),
            test_size=round(late * len(units)),
            random_state=seed,
            stratify=labels,
        )
    except ValueError:
        raise _too_few(labels, groups) from None
    is_late = np.isin(_unit_of(rows, groups), units[chosen])
    return rows[~is_late], rows[is_late]


def _random_parts(
    rows: np.ndarray, target: np.ndarray, groups: np.ndarray | None, count: int, seed: int
) -> list[np.ndarray]:
    """Rows in stratified random parts that keep groups whole."""
    from sklearn.model_selection import StratifiedKFold

    units, labels = _units(rows, target, groups)
    count = min(count, int(np.bincount(labels, minlength=2).min()))
    if count < 2:
        raise _too_few(labels, groups)
    folds_ = StratifiedKFold(count, shuffle=True, random_state=seed).split(units, labels)
    unit = _unit_of(rows, groups)
    return [rows[np.isin(unit, units[chosen])] for _, chosen in folds_]


def _forward_chain(train: np.ndarray, target: np.ndarray, when: np.ndarray, count: int) -> Folds:
    ordered = np.sort(when[train])
    positions = np.linspace(0, len(train), count + 2)[1:-1].astype(int)
    starts = np.unique(ordered[positions])
    block = np.searchsorted(starts, when[train], side="right")
    pairs = [(train[block < b], train[block == b]) for b in range(1, len(starts) + 1)]
    usable = [(a, b) for a, b in pairs if min(len(np.unique(target[p])) for p in (a, b)) == 2]
    if not usable:
        raise DataError(
            "the training part has too few dates, or too few of a class, for folds in time",
            remedy="Leave `time` out, or give more history",
        )
    return tuple(usable)


def _order(time: pd.Series, groups: np.ndarray | None) -> np.ndarray:
    """(n,) int64 ranks of time; with groups, of each group's last row."""
    ranks = time.rank(method="dense", na_option="top").to_numpy(dtype=np.int64)
    if groups is None:
        return ranks
    last = np.zeros(int(groups.max()) + 1, np.int64)
    np.maximum.at(last, groups, ranks)
    return last[groups]


def _codes(group: pd.Series) -> np.ndarray:
    """(n,) int64 group numbers; a missing name is a group of its own."""
    codes = pd.factorize(group)[0].astype(np.int64)
    alone = codes < 0
    codes[alone] = codes.max() + 1 + np.arange(alone.sum())
    return codes


def _agreed(fold: pd.Series) -> np.ndarray:
    numbers = pd.to_numeric(fold, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = ~((numbers >= -1) & (numbers == np.round(numbers)))
    if wrong.any():
        raise DataError(
            "the fold is no whole number from -1",
            where=f"row {int(np.flatnonzero(wrong)[0]) + 1}, column {fold.name!r}",
            remedy="Mark test rows with -1 and the others 0, 1, ...",
        )
    return numbers.astype(np.int64)


def _unit_of(rows: np.ndarray, groups: np.ndarray | None) -> np.ndarray:
    return rows if groups is None else groups[rows]


def _units(
    rows: np.ndarray, target: np.ndarray, groups: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """What is drawn, rows or whole groups, and its class: a group is bad when one row is."""
    if groups is None:
        return rows, target[rows].astype(np.int64)
    units, inverse = np.unique(groups[rows], return_inverse=True)
    labels = np.zeros(len(units), np.int64)
    np.maximum.at(labels, inverse, target[rows].astype(np.int64))
    return units, labels


def _too_few(labels: np.ndarray, groups: np.ndarray | None) -> DataError:
    what = "rows" if groups is None else "groups"
    bad, good = int(labels.sum()), int(len(labels) - labels.sum())
    return DataError(
        f"too few {what} to split: {good} good and {bad} bad",
        remedy="Give more data; every part needs cases of both classes",
    )
