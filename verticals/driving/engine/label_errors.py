"""Which labels are probably wrong: those with which a model that is usually right disagrees.

The scores of single boxes are those of ObjectLab (Tkachenko et al., 2023) in cleanlab: a label is
suspect if a sure prediction of another class lies on it, or the nearest prediction of its own
class fits badly; a sure prediction far from any label is an object that was overlooked. The model
must not have been trained on the labels it judges, or it repeats their errors: judge each part by a
model of the other parts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.evaluation.bootstrap import Interval
from verticals.driving.engine.spoiling import Spoilt
from verticals.driving.frame import OBJECTS, UNLABELLED, Boxes2D, Floats

KINDS = ("flipped", "shifted", "missing")
SURE = 0.9  # score from which a prediction may speak against a label; cleanlab has 0.95
LEAST = 0.5  # score from which a prediction may say where a labelled object ends
_SAME = 0.5  # overlap by which a prediction is the object that was deleted
Detect = Callable[[NDArray[np.uint8]], Boxes2D]  # (height, width, 3) RGB; with scores


@dataclass(frozen=True, eq=False)
class Suspects:
    """Labels and holes in them, the worst first."""

    image: NDArray[np.int64]  # (s,) number of the image
    row: NDArray[np.int64]  # (s,) of its label; of its prediction where the kind is "missing"
    kind: NDArray[np.int64]  # (s,) index into KINDS
    score: Floats  # (s,) 0 surely wrong, 1 right
    xyxy: Floats  # (s, 4) where to look, pixels

    def __len__(self) -> int:
        return len(self.image)


def rank_labels(
    labels: Sequence[Boxes2D], found: Sequence[Boxes2D], *, sure: float = SURE, least: float = LEAST
) -> Suspects:
    """Labelled boxes and overlooked objects, from the most to the least suspect.

    A label is listed once, with what speaks most against it; only sure predictions that touch no
    label are listed as missing. Labels to be ignored are not listed, but cover what they cover.

    Args:
        labels: Image by image.
        found: What a model found there, with scores.
        sure: Score from which a prediction counts against a class or for an overlooked object.
        least: Score from which it counts for a place.

    Raises:
        ValueError: Predictions have no scores, or there are more or fewer images of them.
    """
    from cleanlab.object_detection import rank

    if len(labels) != len(found) or any(b.scores is None for b in found):
        raise ValueError("give predictions with scores, one Boxes2D for every image of labels")
    told = [{"bboxes": boxes.xyxy, "labels": boxes.classes} for boxes in labels]
    guesses = [_by_class(boxes, min(sure, least)) for boxes in found]
    # cleanlab asks for scores *above* a limit
    flipped = rank.compute_swap_box_scores(
        labels=told, predictions=guesses, high_probability_threshold=sure - 1e-9)  # fmt: skip
    shifted = rank.compute_badloc_box_scores(
        labels=told, predictions=guesses, low_probability_threshold=least - 1e-9)  # fmt: skip
    missing = rank.compute_overlooked_box_scores(
        labels=told, predictions=guesses, high_probability_threshold=sure)  # fmt: skip
    parts = []
    for image, (boxes, given) in enumerate(zip(labels, guesses, strict=True)):
        # cleanlab compares a label whose object the model missed with its neighbour's prediction.
        placed = np.where(_seen(boxes, given), shifted[image], 1.0)
        both = np.stack([flipped[image], placed], axis=1).reshape(-1, 2)
        counted = np.flatnonzero(
            np.ones(len(boxes), bool) if boxes.ignore is None else ~boxes.ignore
        )
        parts.append((np.full(len(counted), image), counted, both.argmin(axis=1)[counted],
                      both.min(axis=1)[counted], boxes.xyxy[counted]))  # fmt: skip
        flat = np.concatenate(list(given))
        alone = np.flatnonzero(~np.isnan(missing[image]))
        # cleanlab's score says how far the nearest label is; how sure the model is ranks better.
        parts.append((np.full(len(alone), image), alone, np.full(len(alone), 2),
                      1 - flat[alone, 4], flat[alone, :4]))  # fmt: skip
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    order = np.argsort(columns[3], kind="stable")
    where, row, kind, score, xyxy = (column[order] for column in columns)
    return Suspects(where.astype(np.int64), row.astype(np.int64), kind.astype(np.int64),
                    score, xyxy)  # fmt: skip


def rank_images(
    images: Iterable[NDArray[np.uint8]], labels: Sequence[Boxes2D], detect: Detect
) -> Suspects:
    """`rank_labels` with whatever finds objects in an image: a bundle, a second opinion, ours."""
    return rank_labels(labels, [detect(image) for image in images])


def hits(suspects: Suspects, spoilt: Spoilt) -> NDArray[np.bool_]:
    """Which suspects point at an error that was put in: (s,).

    A label that was flipped or moved counts whatever it is suspected of; a missing object counts
    once, for the first suspect that overlaps it by half.
    """
    open_ = [np.ones(len(boxes), bool) for boxes in spoilt.deleted]
    right = np.zeros(len(suspects), bool)
    for i, (image, row, kind) in enumerate(
        zip(suspects.image.tolist(), suspects.row.tolist(), suspects.kind.tolist(), strict=True)
    ):
        if KINDS[kind] != "missing":
            right[i] = spoilt.flipped[image][row] or spoilt.shifted[image][row]
            continue
        overlap = overlaps(suspects.xyxy[i], spoilt.deleted[image]) * open_[image]
        if len(overlap) and overlap.max() >= _SAME:
            open_[image][int(overlap.argmax())] = False
            right[i] = True
    return right


def precision_at(
    suspects: Suspects, right: NDArray[np.bool_], k: int, *, n_boot: int = 1000, seed: int = 0
) -> Interval:
    """Share of the first k suspects that are errors, its interval over images drawn again.

    Args:
        suspects: Ranked.
        right: (s,) as `hits` gives.
        k: How many are looked at; fewer if there are fewer suspects.
        n_boot: Resamples.
        seed: Of them.
    """
    images = int(suspects.image.max(initial=0)) + 1
    k = min(k, len(suspects))
    if not k:
        return Interval(0.0, 0.0, 1.0, 0)
    random = np.random.default_rng(seed)
    counts = random.multinomial(images, np.full(images, 1 / images), size=n_boot)
    weight = counts[:, suspects.image]  # (n_boot, s): how often each suspect's image was drawn
    before = np.cumsum(weight, axis=1) - weight
    taken = np.clip(k - before, 0, weight)
    drawn = (taken * right).sum(axis=1) / np.maximum(taken.sum(axis=1), 1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Interval(float(right[:k].mean()), float(low), float(high), k)


def rank_masks(
    masks: Iterable[NDArray[np.uint8]], probabilities: Iterable[Floats]
) -> tuple[Floats, list[Floats]]:
    """How well segmentation masks agree with a model (Lad and Mueller, 2023), one at a time.

    Args:
        masks: (height, width) indices into SURFACES, or UNLABELLED.
        probabilities: (classes, height, width) of SURFACES for each.

    Returns:
        (n,) quality of every mask, the worst near 0, and n maps (height, width) of the probability
        of each pixel's own label, 1 where there is none: show these to whoever corrects it.
    """
    from cleanlab.segmentation.rank import get_label_quality_scores

    quality, maps = [], []
    for mask, given in zip(masks, probabilities, strict=True):
        bare = mask == UNLABELLED
        # What was left out agrees with everything: a class of its own, certain there.
        whole = np.concatenate([np.where(bare, 0, given), bare[None]]).astype(np.float64)
        rank, pixels = get_label_quality_scores(
            np.where(bare, len(given), mask)[None].astype(np.int64), whole[None], verbose=False
        )
        quality.append(float(rank[0]))
        maps.append(pixels[0])
    return np.array(quality), maps


def overlaps(box: Floats, boxes: Floats) -> Floats:
    """Intersection over union of one box (4,) with others (n, 4): (n,)."""
    sides = np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2])
    shared = np.prod(np.maximum(sides, 0), axis=1)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) + np.prod(box[2:] - box[:2])
    return np.asarray(shared / np.maximum(areas - shared, 1e-9))


def _seen(labels: Boxes2D, given: NDArray[np.object_]) -> NDArray[np.bool_]:
    """(n,) labels that a prediction of their class overlaps, and that is not another label's."""
    seen = np.zeros(len(labels), bool)
    for kind, rows in enumerate(given):
        for box in rows[:, :4] if len(labels) else ():
            shared = overlaps(box, labels.xyxy)
            its = shared > 0 if shared.max() < _SAME else np.arange(len(labels)) == shared.argmax()
            seen |= its & (labels.classes == kind)
    return seen


def _by_class(boxes: Boxes2D, least: float) -> NDArray[np.object_]:
    """As cleanlab wants predictions: for each class (m, 5) sides and score."""
    out = np.empty(len(OBJECTS), dtype=object)
    scores = np.asarray(boxes.scores, float)
    table = np.column_stack([boxes.xyxy.reshape(-1, 4), scores])
    for kind in range(len(OBJECTS)):
        out[kind] = table[(boxes.classes == kind) & (scores >= least)]
    return out
