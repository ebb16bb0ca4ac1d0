"""How well objects are found: average precision as COCO counts it, recall by size and distance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import ParameterError
from core.evaluation.bootstrap import Interval
from verticals.driving.frame import Floats
from verticals.driving.perception.judging.matching import OVERLAPS, Matches
from verticals.driving.perception.judging.resampling import interval, means
from verticals.driving.perception.settings import DETECTED

RECALLS = np.linspace(0, 1, 101)
SHOWN = 0.5  # score from which a detection is believed
SIZES = (12.0, 24.0, 48.0, 96.0, np.inf)  # pixels of height in an image 288 high
DISTANCES = (0.0, 15.0, 30.0, 60.0, np.inf)  # metres
_CELLS = 2_000_000  # numbers held at once


@dataclass(frozen=True, eq=False)
class DetectionScores:
    """How well objects are found and named."""

    ap50: Interval  # mean over the classes that occur, at overlap 0.5
    ap: Interval  # ... and over overlaps 0.5 to 0.95
    classes: pd.DataFrame  # class, ap50, low, high, ap, ap_low, ap_high, objects
    slices: pd.DataFrame  # slice, bin, recall, low, high, precision, precision_low, ..., objects
    unit: str


def detection_scores(
    matches: Matches,
    *,
    classes: Sequence[str] | None = None,
    weathers: Sequence[str] | None = None,
    shown: float = SHOWN,
) -> DetectionScores:
    """Score the matches.

    Args:
        matches: From `match`.
        classes: To be averaged; by default those of which an object counts.
        weathers: A name for each of the frames given to `match`, for slices by weather.
        shown: Score from which recall and precision believe a detection.

    Raises:
        ParameterError: A class that perception does not detect.
    """
    kinds = _kinds(matches, classes)
    drawn = average_precision(matches, kinds)
    counted = matches.truth["counted"].to_numpy(bool)
    objects = np.array([int((counted & (matches.truth["kind"] == k)).sum()) for k in kinds])
    rows = []
    for k, kind in enumerate(kinds):
        half, whole = (interval(one, int(objects[k]))
                       for one in (drawn[:, k, 0], drawn[:, k].mean(axis=1)))  # fmt: skip
        rows.append((DETECTED[kind], half.value, half.low, half.high, whole.value, whole.low,
                     whole.high, int(objects[k])))  # fmt: skip
    columns = ["class", "ap50", "low", "high", "ap", "ap_low", "ap_high", "objects"]
    total = int(objects.sum())
    return DetectionScores(
        interval(means(drawn[:, :, 0]), total), interval(means(drawn.mean(axis=2)), total),
        pd.DataFrame(rows, columns=columns), _slices(matches, kinds, weathers, shown),
        matches.units.kind,
    )  # fmt: skip


def average_precision(
    matches: Matches,
    kinds: Sequence[int],
    among: NDArray[np.bool_] | None = None,
    *,
    draws: int | None = None,
) -> Floats:
    """Average precision at 101 recalls, as pycocotools' `accumulate`, in every draw at once.

    Args:
        matches: From `match`.
        kinds: Indices into OBJECTS.
        among: (frames,) only these; all by default.
        draws: How many of the draws to compute; all by default.

    Returns:
        (1 + draws, kinds, 10 overlaps); NaN where a draw has no object of the kind.
    """
    end = None if draws is None else 1 + draws
    weights = matches.units.weights[:end, matches.units.of]  # (1 + draws, frames)
    if among is not None:
        weights = weights * among
    found, truth = matches.found, matches.truth
    out = np.full((len(weights), len(kinds), len(OVERLAPS)), np.nan)
    for k, kind in enumerate(kinds):
        there = truth["counted"] & (truth["kind"] == kind)
        objects = weights[:, truth["frame"][there].to_numpy(int)].sum(axis=1)
        mine = np.flatnonzero(found["kind"] == kind)
        mine = mine[np.argsort(-found["score"].to_numpy()[mine], kind="stable")]
        frames, hit, void = (
            found["frame"].to_numpy(int)[mine],
            matches.hit[mine],
            matches.void[mine],
        )
        for part in _parts(len(weights), len(mine)):
            often = weights[part][:, frames]
            for t in range(len(OVERLAPS)):
                out[part, k, t] = _area(often, hit[:, t], void[:, t], objects[part])
    return out


def _area(often: Floats, hit: NDArray, void: NDArray, objects: Floats) -> Floats:
    """(b,) mean precision at `RECALLS`; detections weigh as `often` (b, d) says."""
    hits = np.cumsum(often * hit, axis=1)
    taken = hits + np.cumsum(often * ~(hit | void), axis=1)
    precision = hits / (taken + np.spacing(1))
    # the best precision at this recall or a higher one; none beyond the last detection
    best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    best = np.concatenate([best, np.zeros((len(best), 1))], axis=1)
    out = np.full(len(often), np.nan)
    for row in np.flatnonzero(objects > 0):
        place = np.searchsorted(hits[row] / objects[row], RECALLS, side="left")
        out[row] = best[row, place].mean()
    return out


def _parts(draws: int, columns: int) -> Iterator[slice]:
    size = max(1, _CELLS // max(columns, 1))
    for start in range(0, draws, size):
        yield slice(start, min(start + size, draws))


def _kinds(matches: Matches, classes: Sequence[str] | None) -> list[int]:
    unknown = [name for name in classes or () if name not in DETECTED]
    if unknown:
        raise ParameterError(f"no {unknown[0]!r} is detected", where="classes",
                             remedy=f"Choose from {', '.join(DETECTED)}")  # fmt: skip
    if classes is not None:
        return [DETECTED.index(name) for name in classes]
    counted = matches.truth["kind"][matches.truth["counted"].to_numpy(bool)]
    return [k for k in range(len(DETECTED)) if (counted == k).any()]


def _slices(
    matches: Matches, kinds: list[int], weathers: Sequence[str] | None, shown: float
) -> pd.DataFrame:
    """Recall of the objects and precision of the detections in every bin.

    A detection that hit is in its object's bin; a false alarm is where it claims to be.
    """
    truth = matches.truth[matches.truth["counted"] & matches.truth["kind"].isin(kinds)]
    kept = (matches.found["score"] >= shown) & matches.found["kind"].isin(kinds)
    kept &= ~matches.void[:, 0]
    found, hit = matches.found[kept], matches.hit[kept.to_numpy(), 0]
    seen = np.isin(truth["found"], found.index)
    partner = matches.truth.reindex(found["truth"])
    rows = []

    def add(slice_: str, bin_: str, mine: NDArray, theirs: NDArray, ap50: float) -> None:
        n = int(mine.sum())
        if not n:
            return
        recall = interval(matches.units.shares(seen, truth["frame"].to_numpy(int), mine), n)
        precision = interval(
            matches.units.shares(hit, found["frame"].to_numpy(int), theirs), int(theirs.sum())
        )
        rows.append((slice_, bin_, recall.value, recall.low, recall.high, precision.value,
                     precision.low, precision.high, ap50, n))  # fmt: skip

    add("all", "all", np.ones(len(truth), bool), np.ones(len(found), bool),
        _ap50(matches, kinds))  # fmt: skip
    for name, column, edges, unit in (
        ("height", "height", SIZES, "px"), ("distance", "distance", DISTANCES, "m"),
    ):  # fmt: skip
        mine = truth[column].to_numpy(float)
        theirs = np.where(hit, partner[column].to_numpy(float), found[column].to_numpy(float))
        for low, high in pairwise(edges):
            text = bin_name(low, high, unit)
            add(
                name, text, (mine >= low) & (mine < high), (theirs >= low) & (theirs < high), np.nan
            )
    if weathers is not None:
        sky = np.asarray(weathers, str)[matches.frames]
        for one in np.unique(sky):
            there = sky == one
            add("weather", str(one), there[truth["frame"].to_numpy(int)],
                there[found["frame"].to_numpy(int)],
                _ap50(matches, kinds, there))  # fmt: skip
    columns = ["slice", "bin", "recall", "low", "high", "precision", "precision_low",
               "precision_high", "ap50", "objects"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _ap50(matches: Matches, kinds: list[int], among: NDArray[np.bool_] | None = None) -> float:
    return float(means(average_precision(matches, kinds, among, draws=0)[:, :, 0])[0])


def bin_name(low: float, high: float, unit: str) -> str:
    """A bin as people read it: `15-30 m`, `60+ m`."""
    return f"{low:g}+ {unit}" if np.isinf(high) else f"{low:g}-{high:g} {unit}"
