"""No video and no track is on two sides, and what a split of frames flatters by is measured."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import DataError
from verticals.driving.data.splits import check_apart, nearest, split_gap, split_units, units


def test_rows_that_share_a_video_or_a_track_are_one_unit() -> None:
    video = ["a", "a", "b", "c", "", None]
    track = [1, 2, 2, -1, -1, 7]
    found = units(video, track)
    assert found[0] == found[1] == found[2]  # a by its video, b by the track 2
    assert len({found[0], *found[3:].tolist()}) == 4


@given(
    sizes=st.lists(st.integers(1, 6), min_size=12, max_size=60), seed=st.integers(0, 5),
    kinds=st.integers(1, 4),
)  # fmt: skip
def test_every_row_is_in_one_part_and_no_unit_in_two(
    sizes: list[int], seed: int, kinds: int
) -> None:
    unit = np.repeat(np.arange(len(sizes)), sizes)
    parts = split_units(unit, kinds=(unit % kinds).tolist(), seed=seed,
                        shares={"train": 0.6, "test": 0.4})  # fmt: skip
    assert np.array_equal(np.sort(np.concatenate(list(parts.values()))), np.arange(len(unit)))
    check_apart(parts, unit.tolist())
    share = len(np.unique(unit[parts["test"]])) / len(sizes)
    assert abs(share - 0.4) <= (kinds + 1) / len(sizes) + 1e-9


def test_rare_kinds_are_in_every_part() -> None:
    kinds = np.repeat([0, 1], [400, 20])
    parts = split_units(np.arange(420), kinds=kinds.tolist(), seed=3)
    assert [int((kinds[rows] == 1).sum()) for rows in parts.values()] == [14, 3, 3]


def test_a_torn_track_is_named_and_an_empty_part_refused() -> None:
    parts = {"train": np.array([0, 1]), "test": np.array([2])}
    with pytest.raises(DataError, match="v9 is in 'train' and in 'test'"):
        check_apart(parts, ["v1", "v9", "v9"])
    with pytest.raises(DataError, match="empty"):
        split_units(["one"] * 5)
    with pytest.raises(ValueError, match="sum to"):
        split_units(["a", "b"], shares={"train": 0.5})


def test_near_duplicates_flatter_a_split_of_frames() -> None:
    random = np.random.default_rng(0)
    tracks = np.repeat(np.arange(200), 4)
    classes = tracks % 5
    centres = random.normal(0, 1, (5, 8))[np.arange(200) % 5] + random.normal(0, 1.5, (200, 8))
    frames = centres[tracks] + random.normal(0, 0.05, (800, 8))
    gap = split_gap(frames, classes, [str(t) for t in tracks])
    assert gap.random.value > 0.95  # its own twin names it
    assert gap.apart.high < 0.8
    assert gap.low > 0.1
    assert gap.low < gap.gap < gap.high


def test_nearest_neighbours_do_not_depend_on_the_blocks() -> None:
    random = np.random.default_rng(1)
    known, asked, classes = random.normal(size=(50, 3)), random.normal(size=(33, 3)), np.arange(50)
    distance = np.linalg.norm(asked[:, None] - known[None], axis=2)
    assert nearest(known, classes, asked, at_once=7).tolist() == distance.argmin(axis=1).tolist()
