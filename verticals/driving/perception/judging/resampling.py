"""How sure a measure of frames is: whole sequences are drawn again, never single frames.

Frames of one drive are near copies of each other, so an interval over frames would be far too
narrow. Every measure here is a function of sums over units; all draws are computed at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import DataError
from core.evaluation.bootstrap import Interval
from verticals.driving.frame import Floats

DRAWS = 300
FEWEST = 8  # sequences; fewer are cut into blocks of frames
BLOCKS = 20  # ... so many in all


@dataclass(frozen=True, eq=False)
class Units:
    """What is drawn again, and how often each draw holds it."""

    of: NDArray[np.int64]  # (frames,) the unit of each frame
    weights: Floats  # (1 + draws, units); the first row is the sample as it is, all ones
    kind: str  # "sequence" or "block of frames"

    def sums(self, values: NDArray, frames: NDArray | None = None) -> Floats:
        """Totals over frames, as observed and in every draw.

        Args:
            values: (n, ...) one row a frame, or one for each of `frames`.
            frames: (n,) the frame of each row.

        Returns:
            (1 + draws, ...).
        """
        values = np.asarray(values, float)
        total = np.zeros((self.weights.shape[1], *values.shape[1:]))
        np.add.at(total, self.of if frames is None else self.of[frames], values)
        return np.tensordot(self.weights, total, axes=1)

    def shares(self, right: NDArray, frames: NDArray, among: NDArray | None = None) -> Floats:
        """(1 + draws,) share of the rows that are right; NaN in draws without any row.

        Args:
            right: (n,) bool or number.
            frames: (n,) the frame of each row.
            among: (n,) bool, rows that count; all by default.
        """
        one = np.ones(len(right)) if among is None else np.asarray(among, float)
        return ratio(self.sums(right * one, frames), self.sums(one, frames))

    def medians(self, values: Floats, frames: NDArray) -> Floats:
        """(1 + draws,) medians of values (n,); NaN in draws without any."""
        if not len(values):
            return np.full(len(self.weights), np.nan)
        order = np.argsort(values, kind="stable")
        ranked, units = values[order], self.of[frames[order]]
        found = np.empty(len(self.weights))
        for row, weights in enumerate(self.weights):
            upto = np.cumsum(weights[units])
            if upto[-1] == 0:
                found[row] = np.nan
                continue
            low = np.searchsorted(upto, upto[-1] / 2, side="left")
            high = np.searchsorted(upto, upto[-1] / 2, side="right")
            found[row] = (ranked[low] + ranked[min(high, len(ranked) - 1)]) / 2
        return found


def units_of(sequences: Sequence[str], *, draws: int = DRAWS, seed: int = 0) -> Units:
    """The units of frames that come in order.

    Args:
        sequences: (frames,) the video, drive or seed of each frame.
        draws: How often to draw as many units as there are.
        seed: Of the draws.

    Raises:
        DataError: There are no frames.
    """
    if not len(sequences):
        raise DataError("there is no frame to judge", remedy="Give labelled frames")
    names, of = np.unique(np.asarray(sequences, str), return_inverse=True)
    kind = "sequence"
    if len(names) < FEWEST:
        kind, of = "block of frames", _blocks(of)
    n = int(of.max()) + 1
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(n, np.full(n, 1 / n), size=draws)
    return Units(of.astype(np.int64), np.concatenate([np.ones((1, n)), drawn]), kind)


def _blocks(sequence: NDArray) -> NDArray:
    """Each sequence cut into runs of consecutive frames, about `BLOCKS` in all."""
    of, start = np.zeros(len(sequence), np.int64), 0
    for one in range(int(sequence.max()) + 1):
        rows = np.flatnonzero(sequence == one)
        pieces = int(np.clip(round(BLOCKS * len(rows) / len(sequence)), 1, len(rows)))
        of[rows] = start + np.arange(len(rows)) * pieces // len(rows)
        start += pieces
    return of


def ratio(part: Floats, whole: Floats) -> Floats:
    """Part / whole, NaN where there is no whole."""
    return np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=whole > 0)


def means(values: Floats) -> Floats:
    """(b,) means over the columns of (b, k) that are known; NaN where none is."""
    known = np.isfinite(values)
    return ratio(np.where(known, values, 0).sum(axis=1), known.sum(axis=1).astype(float))


def interval(drawn: Floats, n: int) -> Interval:
    """The observed value and the middle 95% of the draws.

    Args:
        drawn: (1 + draws,) observed value first; draws where the measure does not exist are NaN.
        n: Observations behind it.
    """
    rest = drawn[1:][np.isfinite(drawn[1:])]
    if not np.isfinite(drawn[0]) or not len(rest):
        return Interval(float(drawn[0]), float("nan"), float("nan"), n)
    low, high = np.quantile(rest, [0.025, 0.975])
    value = float(drawn[0])
    return Interval(value, float(min(low, value)), float(max(high, value)), n)
