"""Puts known errors into labels, so that finding them can be measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from verticals.driving.frame import OBJECTS, Boxes2D, Floats

_SHIFT = (0.25, 0.5)  # shares of a box's own width and height by which it is moved


@dataclass(frozen=True, eq=False)
class Spoilt:
    """Labels with errors in them, image by image, and where those are."""

    labels: tuple[Boxes2D, ...]
    flipped: tuple[NDArray[np.bool_], ...]  # for every box that is left
    shifted: tuple[NDArray[np.bool_], ...]
    deleted: tuple[Floats, ...]  # (m, 4) boxes that are not there any more

    def count(self) -> int:
        """Errors altogether."""
        parts = (*self.flipped, *self.shifted)
        return int(sum(p.sum() for p in parts) + sum(len(d) for d in self.deleted))


def spoil(
    labels: Sequence[Boxes2D],
    *,
    flipped: float = 0.05,
    deleted: float = 0.05,
    shifted: float = 0.05,
    kinds: Sequence[str] = OBJECTS,
    seed: int = 0,
) -> Spoilt:
    """Give other classes to some boxes, drop some and move some; no box suffers twice.

    Args:
        labels: True boxes, image by image; those to ignore are left alone.
        flipped: Share of all boxes that get another class.
        deleted: Share that is dropped.
        shifted: Share that is moved by a quarter to a half of its own size, up or down and left or
            right, so that it overlaps its old place by 0.14 to 0.39 (intersection over union).
        kinds: Classes that a flipped box may get; at least one besides its own.
        seed: Of every choice.

    Raises:
        ValueError: The shares exceed one.
    """
    if flipped + deleted + shifted > 1 or min(flipped, deleted, shifted) < 0:
        raise ValueError("the shares of spoilt boxes must be at least 0 and sum to at most 1")
    random = np.random.default_rng(seed)
    choices = np.array([OBJECTS.index(kind) for kind in kinds], np.int64)
    places = [(image, row) for image, boxes in enumerate(labels) for row in range(len(boxes))
              if boxes.ignore is None or not boxes.ignore[row]]  # fmt: skip
    order = [places[i] for i in random.permutation(len(places))]
    counts = [round(share * len(places)) for share in (flipped, deleted, shifted)]
    ends = np.cumsum(counts)
    flips, drops, moves = (set(order[end - count : end])
                           for end, count in zip(ends, counts, strict=True))  # fmt: skip
    out: list[Boxes2D] = []
    flip_marks: list[NDArray[np.bool_]] = []
    move_marks: list[NDArray[np.bool_]] = []
    gone: list[Floats] = []
    for image, boxes in enumerate(labels):
        xyxy, classes = boxes.xyxy.copy(), boxes.classes.copy()
        rows = range(len(boxes))
        flip, drop, move = (np.array([(image, row) in chosen for row in rows], bool)
                            for chosen in (flips, drops, moves))  # fmt: skip
        for row in np.flatnonzero(flip):
            classes[row] = random.choice(choices[choices != classes[row]])
        for row in np.flatnonzero(move):
            size = xyxy[row, 2:] - xyxy[row, :2]
            step = size * random.uniform(*_SHIFT, 2) * random.choice((-1, 1), 2)
            xyxy[row] += np.tile(step, 2)
        changed = replace(boxes, xyxy=xyxy, classes=classes, details=())
        out.append(_kept(changed, ~drop))
        flip_marks.append(flip[~drop])
        move_marks.append(move[~drop])
        gone.append(xyxy[drop])
    return Spoilt(tuple(out), tuple(flip_marks), tuple(move_marks), tuple(gone))


def _kept(boxes: Boxes2D, keep: NDArray[np.bool_]) -> Boxes2D:
    columns: dict[str, Any] = {
        name: None if (column := getattr(boxes, name)) is None else column[keep]
        for name in ("xyxy", "classes", "track_ids", "amodal_xyxy", "occlusion", "truncation",
                     "distance", "scores", "ignore")
    }  # fmt: skip
    return replace(boxes, **columns)
