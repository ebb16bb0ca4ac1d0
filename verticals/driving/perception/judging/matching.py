"""Which detection is which object, by COCO's rules and with KITTI's limits of difficulty.

The matching is that of pycocotools (Lin et al., 2014): detections in order of their score take the
free object of their class that they overlap most. An object that is hidden or cut too much, or
marked to be ignored, is a region where detections count for nothing (COCO's crowd); one too small
is neither hit nor miss, and detections as small that match nothing are no false alarms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import DataError
from verticals.driving.frame import OBJECTS, Boxes2D, Floats, View
from verticals.driving.perception.judging.resampling import DRAWS, Units, units_of
from verticals.driving.perception.settings import DETECTED
from verticals.driving.perception.sight import Sight

OVERLAPS = np.linspace(0.5, 0.95, 10)  # at which COCO matches; the first says what was found
_REGION = OBJECTS.index("other")  # ignored and of no class: a region for every class


@dataclass(frozen=True)
class Difficulty:
    """Which objects count."""

    max_hidden: float = 0.7  # share hidden by others
    max_cut: float = 0.7  # share outside the image
    min_height: float = 12.0  # pixels, if the image were 288 high
    most: int = 100  # detections of a class in an image, the best first


@dataclass(frozen=True, eq=False)
class Matches:
    """All detections and all objects of the frames that have boxes, one row each.

    Attributes:
        found: frame, kind, score, distance (m), height (px of a 288 px image), detail, truth (row
            of the object matched at overlap 0.5, or -1), x (px likewise, middle).
        truth: frame, kind, counted, region (never sought: hidden, cut, flagged), distance, height,
            hidden, track, detail, x, found (row of the detection, or -1).
        hit: (detections, 10) matched to an object, by overlap.
        void: (detections, 10) counts for nothing.
        frames: Index of each judged frame among the views given.
        sequences: (frames,) number of each one's sequence.
        focal: (frames,) pixels likewise, NaN without calibration.
        units: What intervals draw again.
    """

    found: pd.DataFrame
    truth: pd.DataFrame
    hit: NDArray[np.bool_]
    void: NDArray[np.bool_]
    frames: NDArray[np.int64]
    sequences: NDArray[np.int64]
    focal: Floats
    units: Units


def match(
    sights: Sequence[Sight | Boxes2D],
    views: Sequence[View],
    sequences: Sequence[str],
    *,
    difficulty: Difficulty | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> Matches:
    """Match every frame; those without true boxes are left out.

    Args:
        sights: What was seen, or plain boxes with scores; boxes that are called unknown name no
            class and take no part.
        views: The truth.
        sequences: The sequence of each frame.
        difficulty: What counts.
        draws: Of the bootstrap.
        seed: Of the draws.

    Raises:
        DataError: No frame has true boxes, or detections have no scores.
    """
    rules = difficulty or Difficulty()
    judged = [(i, view, view.boxes) for i, view in enumerate(views) if view.boxes is not None]
    rows = [i for i, _, _ in judged]
    units = units_of([sequences[i] for i in rows], draws=draws, seed=seed)
    every: list[tuple[pd.DataFrame, pd.DataFrame, NDArray, NDArray]] = []
    focal = np.full(len(rows), np.nan)
    base = np.zeros(2, np.int64)
    for number, (i, view, labels) in enumerate(judged):
        camera = view.calibration
        boxes = _claimed(sights[i], i)
        scale = 288 / view.image.shape[0]
        focal[number] = np.nan if camera is None else camera.matrix[0, 0] * scale
        found, truth = _rows(boxes, number, scale), _rows(labels, number, scale)
        every.append(_match_frame(found, truth, boxes, labels, rules=rules, base=base))
        base += [len(every[-1][0]), len(truth)]
    found, truth, hit, void = zip(*every, strict=True)
    _, order = np.unique([sequences[i] for i in rows], return_inverse=True)
    return Matches(
        pd.concat(found, ignore_index=True), pd.concat(truth, ignore_index=True),
        np.concatenate(hit), np.concatenate(void), np.array(rows), order, focal, units,
    )  # fmt: skip


def assign(shared: Floats, ignored: NDArray, crowd: NDArray, least: Floats) -> NDArray[np.int64]:
    """The object of each detection at each overlap, as pycocotools' `evaluateImg` finds it.

    Args:
        shared: (d, g) overlap, detections by falling score.
        ignored: (g,) bool, taken only where no counted object fits.
        crowd: (g,) bool, may be taken more than once.
        least: (t,) overlaps from which a pair fits.

    Returns:
        (d, t) row of the object, -1 for none.
    """
    chosen = np.full((len(shared), len(least)), -1)
    taken = np.zeros((len(least), shared.shape[1]), bool)
    bar = np.minimum(least, 1 - 1e-10)[:, None]
    last = shared.shape[1] - 1
    for row in np.flatnonzero(shared.max(axis=1, initial=0) >= bar.min()):
        fits = (shared[row] >= bar) & (crowd | ~taken)
        firm = fits & ~ignored
        usable = np.where(firm.any(axis=1)[:, None], firm, fits)
        value = np.where(usable, shared[row], -1.0)
        best = last - value[:, ::-1].argmax(axis=1)  # of equals pycocotools takes the last
        good = np.flatnonzero(usable.any(axis=1))
        chosen[row, good] = best[good]
        taken[good, best[good]] = True
    return chosen


def _match_frame(
    found: pd.DataFrame, truth: pd.DataFrame, boxes: Boxes2D, labels: Boxes2D, *,
    rules: Difficulty, base: NDArray,
) -> tuple[pd.DataFrame, pd.DataFrame, NDArray, NDArray]:  # fmt: skip
    """One frame's rows with their partners, numbered from `base` on."""
    from pycocotools import mask

    flagged = np.zeros(len(labels), bool) if labels.ignore is None else labels.ignore
    with np.errstate(invalid="ignore"):
        crowd = flagged | (truth["hidden"] > rules.max_hidden) | (truth["cut"] > rules.max_cut)
    small = truth["height"].to_numpy() < rules.min_height
    crowd, kinds = crowd.to_numpy(bool), truth["kind"].to_numpy()
    ignored = crowd | small
    hit = np.zeros((len(found), len(OVERLAPS)), bool)
    void = np.repeat(found["height"].to_numpy()[:, None] < rules.min_height, len(OVERLAPS), axis=1)
    partner, owner = np.full(len(found), -1), np.full(len(truth), -1)
    kept = np.zeros(len(found), bool)
    for kind in np.unique(found["kind"]):
        mine = np.flatnonzero(found["kind"] == kind)
        mine = mine[np.argsort(-found["score"].to_numpy()[mine], kind="stable")][: rules.most]
        kept[mine] = True
        theirs = np.flatnonzero((kinds == kind) | (flagged & (kinds == _REGION)))
        if not len(theirs):
            continue
        theirs = theirs[np.argsort(ignored[theirs], kind="stable")]
        shared = mask.iou(
            _xywh(boxes.xyxy[mine]), _xywh(labels.xyxy[theirs]), crowd[theirs].astype(np.uint8)
        )
        taken = assign(np.asarray(shared), ignored[theirs], crowd[theirs], OVERLAPS)
        good = taken >= 0
        uncounted = good & ignored[theirs][taken]
        hit[mine] = good & ~uncounted
        void[mine] = np.where(good, uncounted, void[mine])
        first = taken[:, 0]
        firm = (first >= 0) & ~crowd[theirs][first]
        partner[mine[firm]] = theirs[first[firm]] + base[1]
        owner[theirs[first[firm]]] = mine[firm]
    place = np.cumsum(kept) - 1 + base[0]
    owner = np.where(owner >= 0, place[owner] if len(place) else -1, -1)
    found = found.assign(truth=partner)[kept].drop(columns=["hidden", "cut", "track"])
    truth = truth.assign(counted=~ignored, region=crowd, found=owner).drop(columns=["score"])
    return found, truth, hit[kept], void[kept]


def _claimed(sight: Sight | Boxes2D, frame: int) -> Boxes2D:
    """Boxes that claim a class, with scores."""
    boxes = sight.boxes if isinstance(sight, Sight) else sight
    if boxes.scores is None and len(boxes):
        raise DataError("the detections have no scores", where=f"frame {frame}")
    known = np.isin(boxes.classes, np.arange(len(DETECTED)))
    if isinstance(sight, Sight) and len(sight.unknown):
        known &= ~sight.unknown
    if known.all():
        return boxes
    rows = np.flatnonzero(known)
    return Boxes2D(
        boxes.xyxy[rows], boxes.classes[rows], boxes.track_ids[rows],
        distance=None if boxes.distance is None else boxes.distance[rows],
        scores=None if boxes.scores is None else boxes.scores[rows],
        details=tuple(boxes.details[row] for row in rows) if boxes.details else (),
    )  # fmt: skip


def _rows(boxes: Boxes2D, frame: int, scale: float) -> pd.DataFrame:
    n = len(boxes)
    missing = np.full(n, np.nan)

    def known(values: Floats | None) -> Floats:
        return missing if values is None else np.asarray(values, float)

    xyxy = np.asarray(boxes.xyxy, float).reshape(-1, 4)
    return pd.DataFrame({
        "frame": np.full(n, frame), "kind": np.asarray(boxes.classes, np.int64),
        "score": known(boxes.scores), "distance": known(boxes.distance),
        "height": (xyxy[:, 3] - xyxy[:, 1]) * scale,
        "x": (xyxy[:, 0] + xyxy[:, 2]) / 2 * scale, "hidden": known(boxes.occlusion),
        "cut": known(boxes.truncation), "track": boxes.track_ids,
        "detail": np.array(boxes.details if boxes.details else [""] * n, object),
    })  # fmt: skip


def _xywh(xyxy: Floats) -> Floats:
    boxes = np.asarray(xyxy, np.float64).reshape(-1, 4)
    return np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)
