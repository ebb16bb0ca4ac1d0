"""A second opinion on pedestrians: another network, trained by others on other pictures.

A small SSD (Liu et al., 2016; MIT licence) pinned by its SHA-256 and opened as a frozen graph in
OpenVINO; the package that carries it is never imported. Two detectors that share neither data nor
design seldom err together, so what both see is likelier than either alone says, and where only one
sees something a person should look.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import ModelError
from core.models.resolver import resolve
from verticals.driving.frame import OBJECTS, Boxes2D, Floats
from verticals.driving.perception.unknown_calibration import log_odds

if TYPE_CHECKING:
    from core.evaluation.calibration import Calibrator

PEDESTRIAN = OBJECTS.index("pedestrian")
RIDDEN = tuple(OBJECTS.index(name) for name in ("cyclist", "motorcycle"))
_SIDE = 300  # pixels: what the network was trained on
_PERSON = 1  # its only class
_SAME = 0.5  # IoU from which two boxes are one person


@dataclass(frozen=True, eq=False)
class SecondOpinion:
    """The opened detector; safe to share between threads."""

    network: Any  # openvino.CompiledModel
    least: float = 0.2  # score of boxes that are given
    tiled: bool = True  # look at overlapping squares too: figures would be too small otherwise
    calibrator: Calibrator | None = None  # from scores to chances, see `calibration`

    @staticmethod
    def open(
        path: str | Path | None = None,
        *,
        least: float = 0.2,
        tiled: bool = True,
        threads: int = 1,
        calibrator: Calibrator | None = None,
    ) -> SecondOpinion:
        """Open the pinned file.

        Args:
            path: A copy of frozen_inference_graph.pb; by default found by the resolver.
            least: Score below which boxes are dropped.
            tiled: Whether to look at overlapping squares besides the whole picture.
            threads: That one picture may use.
            calibrator: Makes scores chances.

        Raises:
            ModelError: The file or OpenVINO is not there, or the file is not the pinned one.
        """
        file = resolve("pedestrian_ssdlite", path=path)
        try:
            import openvino
        except ImportError:
            raise ModelError("OpenVINO is not installed",
                             remedy="pip install 'casekit[edge]'") from None  # fmt: skip
        core = openvino.Core()
        model = core.read_model(str(file))
        model.reshape([1, _SIDE, _SIDE, 3])
        # float32, so that every machine gives the same boxes
        options = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}
        return SecondOpinion(core.compile_model(model, "CPU", options), least, tiled, calibrator)

    def boxes(self, images: Sequence[NDArray[np.uint8]]) -> list[Boxes2D]:
        """Pedestrians of every (height, width, 3) uint8 RGB image, best first."""
        return [self._one(image) for image in images]

    def _one(self, image: NDArray[np.uint8]) -> Boxes2D:
        found: list[Floats] = [np.zeros((0, 5))]
        for left, top, right, bottom in windows(image.shape[1], image.shape[0], self.tiled):
            seen = self._look(image[top:bottom, left:right])
            whole = np.ones(len(seen), bool)
            # A figure cut by the window's edge is another window's to see.
            if left > 0:
                whole &= seen[:, 0] > 2
            if right < image.shape[1]:
                whole &= seen[:, 2] < right - left - 2
            found.append(seen[whole] + (left, top, left, top, 0))
        rows = np.concatenate(found)
        rows = rows[_suppressed(rows[:, :4], rows[:, 4])]
        scores = rows[:, 4]
        if self.calibrator is not None:
            scores = self.calibrator.transform(log_odds(scores))
        n = len(rows)
        return Boxes2D(rows[:, :4], np.full(n, PEDESTRIAN), np.full(n, -1), scores=scores)

    def _look(self, image: NDArray[np.uint8]) -> Floats:
        """(n, 5) boxes in the given image's pixels, and scores."""
        import cv2

        height, width = image.shape[:2]
        given = cv2.resize(image, (_SIDE, _SIDE), interpolation=cv2.INTER_LINEAR)
        out = self.network(given[None])
        boxes, scores = out["detection_boxes:0"][0], out["detection_scores:0"][0]
        kept = (scores >= self.least) & (out["detection_classes:0"][0] == _PERSON)
        top, left, bottom, right = boxes[kept].clip(0, 1).T
        places = np.stack([left * width, top * height, right * width, bottom * height], axis=1)
        return np.column_stack([places, scores[kept]]).astype(float)


def windows(width: int, height: int, tiled: bool = True) -> Iterator[tuple[int, int, int, int]]:
    """The whole picture, then squares as high as it, half overlapping: left top right bottom.

    The network squeezes what it is given into a square; a wide picture would make everyone thin.
    """
    yield 0, 0, width, height
    if not tiled or width < 1.25 * height:
        return
    count = max(2, -(-2 * (width - height) // height) + 1)
    for left in np.linspace(0, width - height, count).round().astype(int).tolist():
        yield left, 0, left + height, height


def calibration(found: Sequence[Boxes2D], truth: Sequence[Boxes2D]) -> tuple[Floats, Any]:
    """Scores of boxes and whether each is a person, for `unknown_calibration.fit_confidence`.

    Args:
        found: Boxes of every image, with scores.
        truth: Labels of the same images.

    Returns:
        (n,) scores and (n,) booleans; each label makes one box right, the best one.
    """
    scores, right = [np.zeros(0)], [np.zeros(0, bool)]
    for boxes, labels in zip(found, truth, strict=True):
        people = labels.xyxy[labels.classes == PEDESTRIAN]
        matched = np.zeros(len(boxes), bool)
        overlap, left = iou(boxes.xyxy, people), np.ones(len(people), bool)
        for row in np.argsort(-np.asarray(boxes.scores), kind="stable"):
            best = np.where(left, overlap[row], -1)
            if len(people) and best.max() >= _SAME:
                matched[row], left[best.argmax()] = True, False
        scores.append(np.asarray(boxes.scores))
        right.append(matched)
    return np.concatenate(scores), np.concatenate(right)


@dataclass(frozen=True, eq=False)
class Merged:
    """What two detectors say together."""

    boxes: Boxes2D  # of every class; pedestrians fused, best first
    seen_by: tuple[str, ...]  # per box: "both", "network" or "second"
    disputed: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))  # per box:
    # one is sure that a person stands there, and the other, who could see it, is not


def merge(
    boxes: Boxes2D, others: Boxes2D, *, trust: float = 0.5, least_height: float = 24.0
) -> Merged:
    """Join a network's objects with the second opinion's pedestrians.

    Boxes of the same person are averaged by score, as in weighted boxes fusion (Solovyev et al.,
    2021). Their score is the chance that not both are wrong; a box of the second opinion alone
    keeps `trust` of its own. A "pedestrian" who sits on what the network calls a cyclist or a
    motorcycle is its rider, and left out.

    Args:
        boxes: Of the network: any classes, with calibrated scores.
        others: Pedestrians of the second opinion, with calibrated scores.
        trust: Share of lone second opinions that hold, 0 to 1.
        least_height: Pixels below which the second opinion is not expected to see anyone.
    """
    mine, theirs = _scores(boxes), trust * _scores(others)
    same = (boxes.classes == PEDESTRIAN)[:, None]
    pairs = _pairs(np.where(same, iou(boxes.xyxy, others.xyxy), 0), mine, theirs)
    xyxy, scores = boxes.xyxy.astype(float).copy(), mine.copy()
    by = np.full(len(boxes), "network", object)
    for a, b in pairs:
        # both are nearly sure of nothing at zero: the network's box stands then
        weights = np.array([mine[a] + 1e-9, theirs[b]])
        xyxy[a] = weights @ np.stack([boxes.xyxy[a], others.xyxy[b]]) / weights.sum()
        scores[a], by[a] = 1 - (1 - mine[a]) * (1 - theirs[b]), "both"
    ridden = boxes.xyxy[np.isin(boxes.classes, RIDDEN)]
    riding = (_share_inside(others.xyxy, ridden) > 0.6).any(axis=1)
    alone = np.setdiff1d(np.flatnonzero(~riding), [b for _, b in pairs])
    heights = np.concatenate([xyxy[:, 3] - xyxy[:, 1], np.diff(others.xyxy[alone][:, 1::2])[:, 0]])
    joined = _appended(replace(boxes, xyxy=xyxy, scores=scores), others, alone, theirs)
    seen_by = np.concatenate([by, np.full(len(alone), "second", object)])
    sure = np.concatenate([scores, _scores(others)[alone]]) > 0.5
    disputed = (
        sure & (joined.classes == PEDESTRIAN) & (seen_by != "both") & (heights >= least_height)
    )
    order = np.argsort(-np.asarray(joined.scores), kind="stable")
    return Merged(taken(joined, order), tuple(seen_by[order].tolist()), disputed[order])


def iou(a: Floats, b: Floats) -> Floats:
    """Intersection over union of boxes: (n, 4) and (m, 4) xyxy → (n, m)."""
    shared = _shared(a, b)
    union = _area(a)[:, None] + _area(b)[None] - shared
    found: Floats = shared / np.maximum(union, 1e-9)
    return found


def taken(boxes: Boxes2D, rows: NDArray[Any]) -> Boxes2D:
    """Some of the boxes, in the order of the rows."""
    optional = ("amodal_xyxy", "occlusion", "truncation", "distance", "scores", "ignore")
    kept = {
        name: None if (value := getattr(boxes, name)) is None else value[rows] for name in optional
    }
    chosen = np.arange(len(boxes))[rows]
    details = tuple(boxes.details[i] for i in chosen) if boxes.details else ()
    return Boxes2D(boxes.xyxy[rows], boxes.classes[rows], boxes.track_ids[rows], **kept,
                   details=details)  # fmt: skip


def _appended(boxes: Boxes2D, others: Boxes2D, rows: Any, scores: Floats) -> Boxes2D:
    n = len(rows)
    distance = boxes.distance
    if distance is not None:
        distance = np.concatenate([distance, np.full(n, np.nan)])
    return Boxes2D(
        np.concatenate([boxes.xyxy, others.xyxy[rows]]),
        np.concatenate([boxes.classes, others.classes[rows]]),
        np.concatenate([boxes.track_ids, np.full(n, -1)]),
        distance=distance,
        scores=np.concatenate([_scores(boxes), scores[rows]]),
        details=(*boxes.details, *[""] * n) if boxes.details else (),
    )


def _pairs(overlap: Floats, mine: Floats, theirs: Floats) -> list[tuple[int, int]]:
    """Rows and columns that are the same person, most overlapping in all."""
    from scipy.optimize import linear_sum_assignment

    # Among equal overlaps the surer boxes belong together.
    worth = np.where(overlap >= _SAME, overlap + 1e-3 * (mine[:, None] + theirs[None]), 0)
    rows, columns = linear_sum_assignment(-worth)
    return [(int(a), int(b)) for a, b in zip(rows, columns, strict=True) if worth[a, b] > 0]


def _suppressed(xyxy: Floats, scores: Floats) -> NDArray[np.intp]:
    """Rows that no better box covers, best first."""
    order = np.argsort(-scores, kind="stable")
    kept: list[np.intp] = []
    overlap = np.maximum(iou(xyxy, xyxy), _share_inside(xyxy, xyxy) - 0.3)
    for row in order:
        if not kept or overlap[row, kept].max() < _SAME:
            kept.append(row)
    return np.array(kept, np.intp)


def _scores(boxes: Boxes2D) -> Floats:
    return np.ones(len(boxes)) if boxes.scores is None else np.asarray(boxes.scores, float)


def _area(boxes: Floats) -> Floats:
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 0)
    area: Floats = sides[:, 0] * sides[:, 1]
    return area


def _shared(a: Floats, b: Floats) -> Floats:
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    area: Floats = np.maximum(high - low, 0).prod(axis=2)
    return area


def _share_inside(a: Floats, b: Floats) -> Floats:
    """Share of each of (n, 4) boxes that lies in each of (m, 4)."""
    share: Floats = _shared(a, b) / np.maximum(_area(a)[:, None], 1e-9)
    return share
