"""How well lane lines are found, as CULane counts it (Pan et al., 2018).

Lines are drawn as broad bands; a line is found where its band and a true one overlap by half, each
used once. A line too short to judge, or farther than the second to either side, counts neither as
hit nor as miss.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.evaluation.bootstrap import Interval
from verticals.driving.frame import Floats, LaneLine, View
from verticals.driving.perception.judging.resampling import DRAWS, interval, ratio, units_of
from verticals.driving.perception.settings import LANES
from verticals.driving.perception.sight import Sight
from verticals.driving.tracking.scoring import matched

# CULane draws 30 pixels at a width of 1640, which OpenCV makes 31. A thickness of 8 makes 8.9: the
# same share of an image of this width, to which lines are scaled before they are drawn.
_CANVAS, _BROAD = 471, 8
SHORTEST = 20 / 512  # likewise; of the line in the image
OVERLAP = 0.5


@dataclass(frozen=True, eq=False)
class LaneScores:
    """How well lane lines are found; over all lines of all frames."""

    f1: Interval
    precision: Interval
    recall: Interval
    numbered: Interval  # share of the lines found that have the right number from the camera
    unit: str


def lane_scores(
    sights: Sequence[Sight | tuple[LaneLine, ...]],
    views: Sequence[View],
    sequences: Sequence[str],
    *,
    offsets: Sequence[int] = LANES,
    draws: int = DRAWS,
    seed: int = 0,
) -> LaneScores:
    """Score lane lines; frames without true ones (None, not an empty tuple) are left out.

    Args:
        sights: What was seen, or plain lines.
        views: The truth.
        sequences: The sequence of each frame.
        offsets: Lines that count; give 0 too for labels that do not number them.
        draws: Of the bootstrap.
        seed: Of the draws.

    Raises:
        DataError: No frame has lane labels.
    """
    judged = [(i, view, view.lanes) for i, view in enumerate(views) if view.lanes is not None]
    units = units_of([sequences[i] for i, _, _ in judged], draws=draws, seed=seed)
    counts = []
    for i, view, lines in judged:
        sight = sights[i]
        seen = sight.lanes if isinstance(sight, Sight) else sight
        counts.append(_count(seen, lines, view.image.shape[:2], offsets))
    hit, false, missed, right = np.moveaxis(units.sums(np.array(counts)), 1, 0)
    n = int(hit[0] + missed[0])
    return LaneScores(
        interval(ratio(2 * hit, 2 * hit + false + missed), n),
        interval(ratio(hit, hit + false), int(hit[0] + false[0])),
        interval(ratio(hit, hit + missed), n), interval(ratio(right, hit), int(hit[0])),
        units.kind,
    )  # fmt: skip


def overlaps(first: Sequence[Floats], second: Sequence[Floats], size: tuple[int, int]) -> Floats:
    """(n, m) intersection over union of lines drawn as bands.

    Args:
        first: n lines of (k, 2) pixels.
        second: m lines.
        size: Height and width of the image that the lines are given in.
    """
    if not (len(first) and len(second)):
        return np.zeros((len(first), len(second)))
    a, b = (np.stack([_band(line, size).ravel() for line in lines]).astype(np.float32)
            for lines in (first, second))  # fmt: skip
    shared = a @ b.T
    union = a.sum(axis=1)[:, None] + b.sum(axis=1) - shared
    return np.asarray(shared / np.maximum(union, 1), float)


def _count(
    seen: Sequence[LaneLine], true: Sequence[LaneLine], size: tuple[int, ...],
    offsets: Sequence[int],
) -> tuple[int, int, int, int]:  # fmt: skip
    """Hits, false alarms, misses, and hits with the right number."""
    height, width = size[0], size[1]
    seen = [line for line in seen if len(line.points) > 1]
    true = [line for line in true if len(line.points) > 1]
    shared = overlaps([o.points for o in seen], [o.points for o in true], (height, width))
    counts = np.array([line.offset in offsets and _length(line.points) >= SHORTEST * width
                       for line in true], bool)  # fmt: skip
    rows, columns = matched(shared[:, counts], OVERLAP)
    free = np.ones(len(seen), bool)
    free[rows] = False
    excused = free & (shared[:, ~counts] >= OVERLAP).any(axis=1)
    partners = [one for one, counted in zip(true, counts, strict=True) if counted]
    right = sum(seen[r].offset == partners[c].offset for r, c in zip(rows, columns, strict=True))
    return len(rows), int((free & ~excused).sum()), len(partners) - len(rows), right


def _band(line: Floats, size: tuple[int, int]) -> NDArray[np.uint8]:
    scale = _CANVAS / size[1]
    drawn = np.zeros((max(1, round(size[0] * scale)), _CANVAS), np.uint8)
    points = np.rint(np.asarray(line, float) * scale * 16).astype(np.int32)  # sixteenths of a pixel
    cv2.polylines(drawn, [points.reshape(-1, 1, 2)], False, 1, _BROAD, shift=4)
    return drawn


def _length(line: Floats) -> float:
    return float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum())
