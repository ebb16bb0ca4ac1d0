"""Splits frames so that no video, drive or followed object is on two sides.

Neighbours in a video are near duplicates: a model that saw one knows the other, and a split of
single frames measures memory. `split_gap` shows by how much.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import DataError
from core.evaluation.bootstrap import Interval
from core.evaluation.clusters import ratio_interval
from verticals.driving.frame import Floats

SHARES: Mapping[str, float] = {"train": 0.7, "val": 0.15, "test": 0.15}
Rows = NDArray[np.int64]


def units(*columns: Sequence[object]) -> Rows:
    """What may not be torn apart: rows that share a value in any column are one unit.

    Args:
        columns: (n,) each: the video of every frame, the track of every crop, the drive ...; None,
            "" and -1 say nothing and bind nothing.

    Returns:
        (n,) number of every row's unit, from 0.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    count = len(columns[0])
    ends, nodes = [], count
    for column in columns:
        known = [i for i, value in enumerate(column) if value is not None and value not in ("", -1)]
        names, code = np.unique([str(column[i]) for i in known], return_inverse=True)
        ends.append(np.stack([np.array(known, np.int64), nodes + code]))
        nodes += len(names)
    rows, values = np.concatenate(ends, axis=1).astype(np.int64)
    edges = coo_array((np.ones(len(rows), np.int8), (rows, values)), shape=(nodes, nodes))
    _, found = connected_components(edges, directed=False)
    return np.unique(found[:count], return_inverse=True)[1].astype(np.int64)


def split_units(
    unit: Sequence[object] | Rows,
    *,
    shares: Mapping[str, float] = SHARES,
    kinds: Sequence[object] | Rows | None = None,
    seed: int = 0,
) -> dict[str, Rows]:
    """Rows of every part, sorted; each unit is whole in one of them.

    Args:
        unit: (n,) the unit of every row: a column of names, or what `units` gives.
        shares: Of units, by part; they sum to one.
        kinds: (n,) class of every row: units of each class (their commonest) are dealt out by
            the shares separately, so that every part has its due of rare ones.
        seed: Of the dealing.

    Raises:
        DataError: A part would be empty.
        ValueError: The shares do not sum to one.
    """
    if abs(sum(shares.values()) - 1) > 1e-9:
        raise ValueError(f"the shares sum to {sum(shares.values())}, not to 1")
    random = np.random.default_rng(seed)
    _, member = np.unique(np.asarray(unit).astype(str), return_inverse=True)
    count = int(member.max(initial=-1)) + 1
    kind = _commonest(member, count, kinds)
    ends = np.cumsum(list(shares.values()))
    part = np.zeros(count, np.int64)
    start = random.random()
    for number in np.unique(kind):
        those = random.permutation(np.flatnonzero(kind == number))
        # Systematic: positions a constant step apart, so shares hold within one unit in each class.
        at = (start + np.arange(len(those))) / len(those)
        part[those] = np.searchsorted(ends, at % 1.0, side="right").clip(max=len(ends) - 1)
        start = (start + len(those) * 0.6180339887) % 1.0  # classes of one unit fall all over
    parts = {name: np.flatnonzero(part[member] == i) for i, name in enumerate(shares)}
    for name, rows in parts.items():
        if not len(rows) and shares[name] > 0:
            raise DataError(f"the part {name!r} of the split is empty: there are {count} units",
                            remedy="Give more videos or tracks, or larger shares")  # fmt: skip
    return parts


def check_apart(parts: Mapping[str, Rows], *columns: Sequence[object]) -> None:
    """Refuse a split that tears a video or a track.

    Args:
        parts: Rows of every part.
        columns: As in `units`.

    Raises:
        DataError: A value is in two parts; names it and them.
    """
    for column in columns:
        owner: dict[object, str] = {}
        for name, rows in parts.items():
            for row in rows.tolist():
                value = column[row]
                if value is None or value in ("", -1):
                    continue
                if owner.setdefault(value, name) != name:
                    raise DataError(f"{value} is in {owner[value]!r} and in {name!r}",
                                    remedy="Split whole videos and tracks")  # fmt: skip


@dataclass(frozen=True)
class SplitGap:
    """One classifier, judged on single frames drawn at random and on whole tracks."""

    random: Interval  # accuracy where frames of one track are on both sides
    apart: Interval  # accuracy on tracks that it never saw
    gap: float  # the first minus the second: what the random split flatters by
    low: float  # of its 95% interval, tracks drawn again
    high: float


Classify = Callable[[Floats, NDArray[np.int64], Floats], NDArray[np.int64]]


def split_gap(
    features: Floats,
    classes: NDArray[np.int64],
    tracks: Sequence[str],
    *,
    classify: Classify | None = None,
    test: float = 0.3,
    seed: int = 0,
) -> SplitGap:
    """Accuracy of a classifier by a split of frames and by a split of tracks.

    Both splits hold the same share of frames out, and the intervals draw whole tracks again.

    Args:
        features: (n, d) of n frames.
        classes: (n,) what they show.
        tracks: (n,) the sequence each is from.
        classify: Takes (m, d) and (m,) to learn from and (k, d) to name, gives (k,); the nearest
            neighbour by default.
        test: Share held out.
        seed: Of both splits.
    """
    shares = {"train": 1 - test, "test": test}
    rows = np.arange(len(classes))
    found: list[tuple[Rows, NDArray[np.bool_]]] = []
    for unit in (rows, np.asarray(tracks)):
        parts = split_units(unit, shares=shares, kinds=classes, seed=seed)
        named = (classify or nearest)(features[parts["train"]], classes[parts["train"]],
                                      features[parts["test"]])  # fmt: skip
        found.append((parts["test"], named == classes[parts["test"]]))
    names = [[str(tracks[i]) for i in rows.tolist()] for rows, _ in found]
    random, apart = (
        ratio_interval(right.astype(float), np.ones(len(right)), name, seed=seed)
        for (_, right), name in zip(found, names, strict=True)
    )
    drawn = [_drawn(right, name, seed + i)
             for i, ((_, right), name) in enumerate(zip(found, names, strict=True))]  # fmt: skip
    low, high = np.quantile(drawn[0] - drawn[1], [0.025, 0.975])
    return SplitGap(random, apart, random.value - apart.value, float(low), float(high))


def nearest(
    known: Floats, classes: NDArray[np.int64], asked: Floats, *, at_once: int = 1024
) -> NDArray[np.int64]:
    """The class of the nearest known row by Euclid: (k,); distances of `at_once` rows in memory."""
    known, asked = known.astype(np.float32), asked.astype(np.float32)
    length = (known**2).sum(axis=1)
    found = [
        classes[np.argmin(length - 2 * asked[i : i + at_once] @ known.T, axis=1)]
        for i in range(0, len(asked), at_once)
    ]
    return np.concatenate(found) if found else np.zeros(0, np.int64)


def _drawn(right: NDArray[np.bool_], names: Sequence[str], seed: int) -> Floats:
    """(2000,) accuracies, the tracks of the test rows drawn again."""
    _, member = np.unique(np.asarray(names), return_inverse=True)
    total = np.bincount(member)
    correct = np.bincount(member, weights=right)
    share = np.full(len(total), 1 / len(total))
    counts = np.random.default_rng(seed).multinomial(len(total), share, size=2000)
    return (counts @ correct) / (counts @ total)


def _commonest(member: Rows, count: int, kinds: Sequence[object] | Rows | None) -> Rows:
    """(units,) number of each unit's commonest class; all alike without classes."""
    if kinds is None:
        return np.zeros(count, np.int64)
    names, code = np.unique(np.asarray(kinds), return_inverse=True)
    table = np.zeros((count, len(names)), np.int64)
    np.add.at(table, (member, code), 1)
    return table.argmax(axis=1)
