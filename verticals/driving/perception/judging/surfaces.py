"""How well pixels are told apart: intersection over union by class (Everingham et al., 2010)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import DataError, ParameterError
from core.evaluation.bootstrap import Interval
from verticals.driving.frame import SURFACES, UNLABELLED, Floats, View
from verticals.driving.perception.judging.resampling import DRAWS, interval, means, ratio, units_of
from verticals.driving.perception.sight import Sight


@dataclass(frozen=True, eq=False)
class SurfaceScores:
    """How much the surfaces seen and the true ones overlap."""

    miou: Interval  # mean over the classes that the truth shows
    pixels: Interval  # share of labelled pixels that are right
    classes: pd.DataFrame  # class, iou, low, high, share of the labelled pixels
    confusion: pd.DataFrame  # pixels: true class by row, class seen by column
    unit: str  # what the intervals draw again


def surface_scores(
    sights: Sequence[Sight | NDArray],
    views: Sequence[View],
    sequences: Sequence[str],
    *,
    classes: Sequence[str] = SURFACES,
    draws: int = DRAWS,
    seed: int = 0,
) -> SurfaceScores:
    """Score label maps; frames without true surfaces are left out.

    Args:
        sights: What was seen, or plain (h, w) maps of SURFACES' indices.
        views: The truth; unlabelled pixels count for nothing.
        sequences: The sequence of each frame.
        classes: To report and average; every labelled pixel counts, also those of other classes.
        draws: Of the bootstrap.
        seed: Of the draws.

    Raises:
        DataError: No frame has true surfaces, or a map is not of the truth's size.
        ParameterError: A class that does not exist.
    """
    unknown = [name for name in classes if name not in SURFACES]
    if unknown or not classes:
        name = unknown[0] if unknown else "(none given)"
        raise ParameterError(f"there is no surface {name!r}", where="classes",
                             remedy=f"Choose from {', '.join(SURFACES)}")  # fmt: skip
    rows = [i for i, view in enumerate(views) if view.surfaces is not None]
    units = units_of([sequences[i] for i in rows], draws=draws, seed=seed)
    tables = np.stack([_confusion(views[i].surfaces, _map(sights[i]), f"frame {i}") for i in rows])
    drawn = units.sums(tables)  # (1 + draws, 11, 12)
    chosen = [SURFACES.index(name) for name in classes]
    shared = _iou(drawn)[:, chosen]
    labelled = drawn.sum(axis=(1, 2))
    right = ratio(np.einsum("bii->b", drawn[:, :, :UNLABELLED]), labelled)
    pixels = drawn[0].sum(axis=1)
    found = [interval(shared[:, k], int(pixels[c])) for k, c in enumerate(chosen)]
    table = pd.DataFrame({
        "class": list(classes), "iou": [f.value for f in found], "low": [f.low for f in found],
        "high": [f.high for f in found], "share": pixels[chosen] / max(pixels.sum(), 1),
    })  # fmt: skip
    confusion = pd.DataFrame(
        drawn[0].astype(np.int64), index=list(SURFACES), columns=[*SURFACES, "unlabelled"]
    )
    return SurfaceScores(
        interval(means(shared), len(rows)), interval(right, len(rows)), table, confusion,
        units.kind,
    )  # fmt: skip


def usual_surfaces(views: Sequence[View]) -> NDArray[np.uint8]:
    """What each place of the image shows most often: the map to be better than.

    Args:
        views: With surfaces, all of one size; others are left out. Taken from the frames that are
            scored it is the best that can be said without looking.

    Raises:
        DataError: There are none, or they differ in size.
    """
    maps = [view.surfaces for view in views if view.surfaces is not None]
    if not maps or any(one.shape != maps[0].shape for one in maps):
        raise DataError("there are no true surfaces of one size")
    counts = np.zeros((len(SURFACES), *maps[0].shape), np.int32)
    for one in maps:
        for kind in range(len(SURFACES)):
            counts[kind] += one == kind
    return counts.argmax(axis=0).astype(np.uint8)


def _map(sight: Sight | NDArray) -> NDArray:
    return sight.surfaces if isinstance(sight, Sight) else np.asarray(sight)


def _confusion(truth: NDArray | None, seen: NDArray, where: str) -> NDArray[np.int64]:
    """(11, 12) pixels by true class and class seen, the last for none."""
    if truth is None or truth.shape != seen.shape:
        size = None if truth is None else truth.shape
        raise DataError(f"surfaces seen {seen.shape} and true ones {size} differ in size",
                        where=where, remedy="Judge at the size of the image seen")  # fmt: skip
    kept = truth < UNLABELLED
    width = UNLABELLED + 1
    flat = truth[kept].astype(np.int64) * width + np.minimum(seen[kept], UNLABELLED)
    return np.bincount(flat, minlength=UNLABELLED * width).reshape(UNLABELLED, width)


def _iou(tables: Floats) -> Floats:
    """(b, 11), NaN where the truth has none of the class: there is nothing to be found."""
    square = tables[:, :, :UNLABELLED]
    hit = np.einsum("bii->bi", square)
    true = tables.sum(axis=2)
    union = true + square.sum(axis=1) - hit
    return np.where(true > 0, ratio(hit, union), np.nan)
