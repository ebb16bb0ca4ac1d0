"""Which frames to label next: those the model doubts, and that differ from each other.

Doubt alone picks the same hard scene over and over, difference alone picks oddities that nothing
can be learned from. Frames are drawn as k-means++ draws its seeds (Arthur and Vassilvitskii, 2007),
each in proportion to a power of its doubt times its squared distance from what is labelled or
already drawn; on a network's own features, as BADGE does (Ash et al., 2020), with the doubt as a
weight instead of the length of a gradient. It knows no model: doubt and embeddings are arrays.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from verticals.driving.frame import Floats

Rows = NDArray[np.int64]
SHARPNESS = 6.0  # chosen on German signs, with another split than the benchmark's
_CELLS = 4_000_000  # distances held at once: 16 MB, whatever the number of frames


def doubt(probabilities: Floats) -> Floats:
    """How close the second best class comes (margin sampling; Scheffer et al., 2001).

    Args:
        probabilities: (n, k) of at least two classes.

    Returns:
        (n,) 0 where one class is certain, 1 where two are equally likely.
    """
    best = np.partition(probabilities, -2, axis=1)
    return np.asarray(1 - (best[:, -1] - best[:, -2]))


def frame_doubt(scores: Floats, confidence: Floats | None = None) -> float:
    """The probability that something in a frame is wrong, if its scores are calibrated.

    A box is wrong with the smaller of its score and one minus it: it is kept or left out by half.
    Boxes err independently here, which they do not quite; for a ranking of frames it suffices.

    Args:
        scores: (m,) probabilities of the boxes that were found, those below half among them.
        confidence: (height, width) probability of each pixel's class.

    Returns:
        0 to 1; 0 for a frame without boxes and pixels.
    """
    right = float(np.exp(np.log(np.clip(np.maximum(scores, 1 - scores), 0.5, 1)).sum()))
    sure = 1.0 if confidence is None else float(confidence.mean())
    return 1 - right * sure


def choose_frames(
    doubts: Floats,
    embeddings: Floats,
    budget: int,
    *,
    labelled: Sequence[int] | Rows = (),
    sharpness: float = SHARPNESS,
    seed: int = 0,
) -> Rows:
    """The frames to label next, in the order in which they were drawn.

    Every draw reads the embeddings once; memory beyond them does not grow with their number
    squared.

    Args:
        doubts: (n,) from 0, of all frames; those of labelled ones do not matter.
        embeddings: (n, d) of all frames, in any scale.
        budget: How many to choose; fewer come back if fewer are left.
        labelled: Rows that have labels already.
        sharpness: Power of the doubt: 0 looks at difference alone, a great one at the most doubted
            frames alone.
        seed: Of the draws.

    Returns:
        (budget,) rows, none labelled, none twice.

    Raises:
        ValueError: A doubt or embedding is no finite number, or a doubt is below 0.
    """
    doubts = np.asarray(doubts, np.float64)
    if not (np.isfinite(doubts).all() and np.isfinite(embeddings).all() and (doubts >= 0).all()):
        raise ValueError("doubts must be finite and at least 0, embeddings finite")
    weights = (doubts / max(float(doubts.max(initial=0)), 1e-12)) ** sharpness
    points = np.ascontiguousarray(embeddings, np.float32)
    points = points - points.mean(axis=0)  # shorter vectors lose fewer digits below
    known = np.asarray(labelled, np.int64)
    free = np.ones(len(points), bool)
    free[known] = False
    random = np.random.default_rng(seed)
    squares = np.einsum("nd,nd->n", points, points)
    apart = nearest_squared(points, points[known]) if len(known) else np.ones(len(points))
    chosen: list[int] = []
    while len(chosen) < budget and free.any():
        row = _drawn(weights * apart * free, free, random)
        distance = np.maximum(squares + squares[row] - 2 * (points @ points[row]), 0)
        # Before the first draw nothing was known, and all frames were equally far.
        apart = np.minimum(apart, distance) if chosen or len(known) else distance
        free[row] = False
        chosen.append(row)
    return np.array(chosen, np.int64)


def nearest_squared(points: Floats, centres: Floats) -> Floats:
    """(n,) squared distances from the nearest centre, in blocks of bounded memory."""
    step = max(1, _CELLS // max(len(centres), 1))
    lengths = np.einsum("md,md->m", centres, centres)
    found = np.empty(len(points), np.float32)
    for start in range(0, len(points), step):
        block = points[start : start + step]
        least = (lengths - 2 * (block @ centres.T)).min(axis=1)
        found[start : start + step] = least + np.einsum("nd,nd->n", block, block)
    return np.maximum(found, 0)


def _drawn(weight: Floats, free: NDArray[np.bool_], random: np.random.Generator) -> int:
    """A free row in proportion to its weight; any free one where all weigh nothing."""
    total = np.cumsum(weight, dtype=np.float64)
    if total[-1] <= 0:
        return int(random.choice(np.flatnonzero(free)))
    return int(np.searchsorted(total, random.random() * total[-1], side="right"))
