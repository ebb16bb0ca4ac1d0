"""What is hidden cannot be read any more, and nothing else changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from verticals.driving.data.privacy import hide_people
from verticals.driving.frame import OBJECTS, Boxes2D, Frame, View


def frame_of(kind: str, box: tuple[float, float, float, float]) -> Frame:
    image = np.random.default_rng(0).integers(0, 255, (200, 200, 3), dtype=np.uint8)
    boxes = Boxes2D(np.array([box]), np.array([OBJECTS.index(kind)]), np.array([1]))
    return Frame({"camera": View(image, boxes=boxes)})


def test_the_head_of_a_person_becomes_a_few_blocks_and_the_rest_stays() -> None:
    before = frame_of("pedestrian", (80, 40, 120, 160))
    after = hide_people(before).views["camera"].image
    was = before.views["camera"].image
    head = after[40:76, 80:120].reshape(-1, 3)
    assert len(np.unique(head, axis=0)) <= 100  # of 1,440 different pixels
    assert np.array_equal(after[80:], was[80:])
    assert np.array_equal(after[:, :70], was[:, :70])
    assert not np.shares_memory(after, was)


def test_the_band_of_a_plate_is_hidden_and_a_box_outside_does_no_harm() -> None:
    before = frame_of("car", (20, 20, 180, 120))
    changed = (hide_people(before).views["camera"].image != before.views["camera"].image).any(
        axis=2
    )
    rows = np.flatnonzero(changed.any(axis=1))
    assert (rows.min(), rows.max()) == (65, 114)
    outside = frame_of("car", (300, 300, 400, 400))
    assert np.array_equal(hide_people(outside).views["camera"].image,
                          outside.views["camera"].image)  # fmt: skip


def test_without_boxes_nothing_is_called_private() -> None:
    bare = frame_of("car", (0, 0, 1, 1))
    bare = replace(bare, views={"camera": replace(bare.views["camera"], boxes=None)})
    with pytest.raises(ValueError, match="detect people first"):
        hide_people(bare)
