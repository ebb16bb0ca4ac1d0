"""Scores tracks as KITTI's benchmark does: HOTA, CLEAR and Identity, with its regions to ignore.

The metrics are those of the `trackers` package; here is only what KITTI does before them (Geiger et
al., 2012; TrackEval, Luiten and Hoffhues, 2020): a result that lies on a neighbouring class (a van
for a car), on an object hidden or cut too much, in a DontCare region, or that is too small, counts
neither for nor against the tracker.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from verticals.driving.frame import Boxes2D, Floats

Measured = Mapping[str, dict[str, Any]]

MATCHED = 0.5  # overlap from which a result and a label are the same object
SMALLEST = 25.0  # pixels of height below which a result that hits nothing is ignored
INSIDE = 0.5  # share of a result in a DontCare region from which it is ignored


@dataclass(frozen=True)
class Sequence2D:
    """One video ready for the metrics: what counts of it, frame by frame."""

    truth: list[np.ndarray]  # ids, 0 to the number of objects
    found: list[np.ndarray]  # ids, likewise
    overlap: list[np.ndarray]  # (truth, found) intersection over union


@dataclass(frozen=True)
class TrackScores:
    """How well objects were followed, over all videos."""

    hota: float  # higher order tracking accuracy (Luiten et al., 2021)
    detection: float  # DetA, of it the part of finding
    association: float  # AssA, of it the part of keeping
    mota: float  # CLEAR (Bernardin and Stiefelhagen, 2008)
    idf1: float  # Identity (Ristani et al., 2016)
    switches: int  # of identity
    missed: int
    false: int


def prepare(
    labels: Sequence[Boxes2D],
    results: Sequence[Boxes2D],
    *,
    kind: int,
    neighbours: Sequence[int] = (),
    smallest: float = SMALLEST,
) -> Sequence2D:
    """Leave out what does not count.

    Args:
        labels: One per frame; `ignore` marks DontCare regions, which have no track id, and objects
            that are hidden or cut too much to count, which have one.
        results: One per frame, with track ids.
        kind: Index into OBJECTS of the class scored.
        neighbours: Classes so alike that finding one is neither right nor wrong.
        smallest: Height in pixels.

    Raises:
        ValueError: Not as many results as labels.
    """
    truth, found, overlap = [], [], []
    for label, result in zip(labels, results, strict=True):
        boxes = result.xyxy
        alike = np.isin(label.classes, (kind, *neighbours)) & (label.track_ids >= 0)
        ignored = np.zeros(len(label), bool) if label.ignore is None else label.ignore
        uncounted = (ignored | (label.classes != kind))[alike]
        shared = iou(label.xyxy[alike], boxes)
        rows, columns = matched(shared, MATCHED)
        free = np.ones(len(boxes), bool)
        free[columns] = False
        dropped = np.zeros(len(boxes), bool)
        dropped[columns[uncounted[rows]]] = True
        small = boxes[:, 3] - boxes[:, 1] <= smallest
        regions = label.xyxy[ignored & (label.track_ids < 0)]
        dropped |= free & (small | _inside(regions, boxes))
        truth.append(label.track_ids[alike][~uncounted])
        found.append(result.track_ids[~dropped])
        overlap.append(shared[~uncounted][:, ~dropped])
    return Sequence2D(_numbered(truth), _numbered(found), overlap)


def measure(video: Sequence2D) -> Measured:
    """What `score` adds up, of one video."""
    from trackers.eval.clear import compute_clear_metrics
    from trackers.eval.hota import compute_hota_metrics
    from trackers.eval.identity import compute_identity_metrics

    given = (video.truth, video.found, video.overlap)
    return {
        "hota": compute_hota_metrics(*given),
        "clear": compute_clear_metrics(*given, threshold=MATCHED),
        "identity": compute_identity_metrics(*given, threshold=MATCHED),
    }


def score(measured: Sequence[Measured]) -> TrackScores:
    """The metrics over videos together, as the benchmarks add them up.

    Args:
        measured: Of each video, by `measure`.
    """
    from trackers.eval.clear import aggregate_clear_metrics
    from trackers.eval.hota import aggregate_hota_metrics
    from trackers.eval.identity import aggregate_identity_metrics

    hota = aggregate_hota_metrics([one["hota"] for one in measured])
    clear = aggregate_clear_metrics([one["clear"] for one in measured])
    identity = aggregate_identity_metrics([one["identity"] for one in measured])
    return TrackScores(
        hota=float(hota["HOTA"]), detection=float(hota["DetA"]), association=float(hota["AssA"]),
        mota=float(clear["MOTA"]), idf1=float(identity["IDF1"]), switches=int(clear["IDSW"]),
        missed=int(clear["CLR_FN"]), false=int(clear["CLR_FP"]),
    )  # fmt: skip


def occlusions(videos: Sequence[Sequence2D], *, frames: int = 1) -> tuple[int, int]:
    """How often an object that was lost is found again, and how often as somebody else.

    Args:
        videos: As `prepare` gives them.
        frames: An object counts as lost that no result matched for so many frames.

    Returns:
        Times that an object reappeared, and times that it had another identity then.
    """
    again = changed = 0
    for video in videos:
        last: dict[int, tuple[int, int]] = {}  # object -> frame and identity of the last match
        for number, (truth, found, shared) in enumerate(
            zip(video.truth, video.found, video.overlap, strict=True)
        ):
            for row, column in zip(*matched(shared, MATCHED), strict=True):
                thing, identity = int(truth[row]), int(found[column])
                if thing in last and number - last[thing][0] > frames:
                    again += 1
                    changed += identity != last[thing][1]
                last[thing] = number, identity
    return again, changed


def iou(first: Floats, second: Floats) -> Floats:
    """Intersection over union of every pair.

    Args:
        first: (n, 4) xyxy.
        second: (m, 4) xyxy.

    Returns:
        (n, m), 0 to 1.
    """
    shared = _intersection(first, second)
    areas = _area(first)[:, None] + _area(second) - shared
    return shared / np.maximum(areas, 1e-9)


def matched(shared: Floats, least: float) -> tuple[np.ndarray, np.ndarray]:
    """Pairs that overlap most in sum, each at least so much: rows and columns."""
    from scipy.optimize import linear_sum_assignment

    kept = np.where(shared >= least, shared, 0.0)
    rows, columns = linear_sum_assignment(-kept)
    good = kept[rows, columns] > 0
    return rows[good], columns[good]


def _inside(regions: Floats, boxes: Floats) -> np.ndarray:
    """Which boxes lie in a region for the larger part."""
    share = _intersection(regions, boxes) / np.maximum(_area(boxes), 1e-9)
    return np.asarray(share.max(axis=0, initial=0.0) > INSIDE)


def _intersection(first: Floats, second: Floats) -> Floats:
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    sides = np.clip(high - low, 0, None)
    return np.asarray(sides[..., 0] * sides[..., 1])


def _area(boxes: Floats) -> Floats:
    return np.asarray((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]))


def _numbered(ids: list[np.ndarray]) -> list[np.ndarray]:
    """Ids as 0, 1, 2, ... over a video, as the metrics want them."""
    names = np.unique(np.concatenate([np.zeros(0, np.int64), *ids]))
    return [np.searchsorted(names, one) for one in ids]
