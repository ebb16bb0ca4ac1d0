"""Whether confidence means what it says: expected calibration error of boxes and of pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import DataError
from core.evaluation.bootstrap import Interval, wilson
from core.evaluation.metrics import ECE_BINS
from verticals.driving.frame import UNLABELLED, Floats, View
from verticals.driving.perception.judging.matching import Matches
from verticals.driving.perception.judging.resampling import (
    DRAWS,
    Units,
    interval,
    ratio,
    units_of,
)
from verticals.driving.perception.sight import Sight

_FINE = 1000  # steps of confidence that pixels are counted in before they are binned


@dataclass(frozen=True, eq=False)
class Confidence:
    """How far confidence is from the share that is right."""

    ece: Interval  # over bins of equal mass (Naeini et al., 2015)
    curve: pd.DataFrame  # predicted, observed, low, high, n: for calibration_plot
    unit: str


def detection_confidence(matches: Matches) -> Confidence:
    """Scores against the share of detections that hit an object (overlap 0.5).

    Raises:
        DataError: Nothing was detected.
    """
    frames, scores, hit = detection_outcomes(matches)
    if not len(scores):
        raise DataError("nothing was detected that counts")
    order = np.argsort(scores, kind="stable")
    rank = np.empty(len(scores), np.int64)
    rank[order] = np.arange(len(scores)) * ECE_BINS // len(scores)
    _, same = np.unique(scores, return_inverse=True)
    first = np.full(same.max() + 1, ECE_BINS)
    np.minimum.at(first, same, rank)  # equal scores share a bin
    sums = np.zeros((len(scores), ECE_BINS, 3))
    sums[np.arange(len(scores)), first[same]] = np.stack([np.ones(len(hit)), scores, hit], axis=1)
    return _confidence(matches.units, matches.units.sums(sums, frames))


def detection_outcomes(matches: Matches) -> tuple[NDArray, Floats, NDArray]:
    """Frame, score and whether it hit, of every detection: what a calibrator is fitted on."""
    kept = ~matches.void[:, 0]
    found = matches.found[kept]
    return found["frame"].to_numpy(int), found["score"].to_numpy(float), matches.hit[kept, 0]


def pixel_confidence(
    sights: Sequence[Sight],
    views: Sequence[View],
    sequences: Sequence[str],
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> Confidence:
    """Confidence in surfaces against the share of labelled pixels that are right.

    Args:
        sights: What was seen.
        views: The truth; frames without surfaces are left out.
        sequences: The sequence of each frame.
        draws: Of the bootstrap.
        seed: Of the draws.

    Raises:
        DataError: No frame has true surfaces, or a map is not of the truth's size.
    """
    rows = [i for i, view in enumerate(views) if view.surfaces is not None]
    units = units_of([sequences[i] for i in rows], draws=draws, seed=seed)
    fine = np.stack([_histogram(sights[i], views[i], f"frame {i}") for i in rows])
    mass = fine[:, :, 0].sum(axis=0)
    middle = np.cumsum(mass) - mass / 2
    bins = np.minimum((middle * ECE_BINS / max(mass.sum(), 1)).astype(int), ECE_BINS - 1)
    into = (bins[:, None] == np.arange(ECE_BINS)).astype(float)
    return _confidence(units, units.sums(np.einsum("fsk,sb->fbk", fine, into)))


def _histogram(sight: Sight, view: View, where: str) -> Floats:
    """(fine steps, 3): labelled pixels, their confidence, how many are right."""
    truth = view.surfaces
    if truth is None or not truth.shape == sight.surfaces.shape == sight.confidence.shape:
        raise DataError("surfaces, confidence and truth differ in size", where=where)
    kept = truth < UNLABELLED
    sure = np.clip(sight.confidence[kept].astype(float), 0, 1)
    right = sight.surfaces[kept] == truth[kept]
    step = np.minimum((sure * _FINE).astype(np.int64), _FINE - 1)
    return np.stack([np.bincount(step, w, _FINE) for w in (None, sure, right)], axis=1)


def _confidence(units: Units, sums: Floats) -> Confidence:
    """From (1 + draws, bins, 3) numbers, confidence and rights."""
    n, said, right = np.moveaxis(sums, 2, 0)
    errors = ratio(np.abs(right - said).sum(axis=1), n.sum(axis=1))
    total = int(n[0].sum())
    raw = interval(errors, total)
    # drawing again adds noise to a distance from zero: centre it, as core's ECE does
    shift = float(np.nanmean(errors[1:])) - raw.value if len(errors) > 1 else 0.0
    low, high = max(raw.low - shift, 0.0), max(raw.high - shift, 0.0)
    rate, used = ratio(right, n), n[0] > 0
    if units.weights.shape[1] > 1:
        spread = np.nanquantile(rate[1:][:, used], [0.025, 0.975], axis=0)
    else:
        spread = np.array([wilson(r, int(m)) for r, m in zip(rate[0][used], n[0][used],
                                                            strict=True)]).T  # fmt: skip
    curve = pd.DataFrame({
        "predicted": (said[0] / np.maximum(n[0], 1))[used], "observed": rate[0][used],
        "low": spread[0], "high": spread[1], "n": n[0][used].astype(np.int64),
    })  # fmt: skip
    ece = Interval(raw.value, min(low, raw.value), max(high, raw.value), total)
    return Confidence(ece, curve, units.kind)
