"""What an export loses, class by class, on labelled frames: overlap of surfaces, AP50 of objects.

Every loss is paired: both networks see the same frames, and whole sequences are drawn again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.evaluation.bootstrap import Interval
from verticals.driving.frame import SURFACES, UNLABELLED, Floats, View
from verticals.driving.perception.eye import Eye, Runtime
from verticals.driving.perception.judging.detections import average_precision
from verticals.driving.perception.judging.matching import match
from verticals.driving.perception.judging.resampling import DRAWS, interval, means, ratio, units_of
from verticals.driving.perception.settings import DETECTED, PerceptionSettings
from verticals.driving.perception.sight import Sight

_PART = 8  # frames seen at a time


@dataclass(frozen=True)
class Limits:
    """How much an export may lose, as shares of one."""

    miou: float = 0.01  # mean overlap of the surfaces
    surface: float = 0.03  # overlap of any one surface
    ap50: float = 0.02  # mean average precision of the objects
    fewest: int = 20  # objects of a class, below which its own loss is shown and refuses nothing
    object: float = 0.05  # average precision of any one class


@dataclass(frozen=True, eq=False)
class Scores:
    """How well one runtime sees, in every draw of the bootstrap; empty where nothing is labelled.

    Attributes:
        iou: (1 + draws, 11) by surface, NaN for those that do not occur.
        ap50: (1 + draws, k) by class of objects.
        kinds: The k classes.
        objects: How many there are of each.
    """

    iou: Floats
    ap50: Floats
    kinds: tuple[str, ...]
    objects: tuple[int, ...]

    @property
    def miou(self) -> float:
        """Mean overlap over the surfaces that occur; NaN without any."""
        return float(means(self.iou[:1])[0]) if self.iou.size else float("nan")


Judge = Callable[[Runtime], Scores]


@dataclass(frozen=True, eq=False)
class Frames:
    """Labelled frames as a judge of runtimes."""

    views: Sequence[View]
    sequences: Sequence[str]  # of each view
    settings: PerceptionSettings
    draws: int = DRAWS
    seed: int = 0

    def __call__(self, run: Runtime) -> Scores:
        """Judge one.

        Raises:
            DataError: There are no frames, or none with labels.
        """
        eye = Eye(run, self.settings)
        sights: list[Sight] = []
        for start in range(0, len(self.views), _PART):
            part = self.views[start : start + _PART]
            sights += eye.see([v.image for v in part], [v.calibration for v in part])
        iou: Floats = np.zeros((0, len(SURFACES)))
        ap50: Floats = np.zeros((0, 0))
        kinds: list[int] = []
        objects: list[int] = []
        if any(v.surfaces is not None for v in self.views):
            iou = self._overlaps(sights)
        if any(v.boxes is not None and len(v.boxes) for v in self.views):
            matches = match(sights, self.views, self.sequences, draws=self.draws, seed=self.seed)
            there = matches.truth["kind"][matches.truth["counted"].to_numpy(bool)].to_numpy(int)
            kinds = sorted(set(there.tolist()) & set(range(len(DETECTED))))
            objects = [int((there == kind).sum()) for kind in kinds]
            if kinds:
                ap50 = average_precision(matches, kinds)[:, :, 0]
        return Scores(iou, ap50, tuple(DETECTED[kind] for kind in kinds), tuple(objects))

    def _overlaps(self, sights: Sequence[Sight]) -> Floats:
        """(1 + draws, 11)."""
        rows = [i for i, view in enumerate(self.views) if view.surfaces is not None]
        n = len(SURFACES)
        counts = np.zeros((len(rows), n * (n + 1)))
        for row, i in enumerate(rows):
            truth, seen = np.asarray(self.views[i].surfaces), sights[i].surfaces
            kept = truth < UNLABELLED
            flat = truth[kept].astype(np.int64) * (n + 1) + np.minimum(seen[kept], n)
            counts[row] = np.bincount(flat, minlength=n * (n + 1))
        units = units_of([self.sequences[i] for i in rows], draws=self.draws, seed=self.seed)
        tables = units.sums(counts).reshape(-1, n, n + 1)
        hit = np.einsum("bii->bi", tables[:, :, :n])
        true = tables.sum(axis=2)
        union = true + tables[:, :, :n].sum(axis=1) - hit
        return np.where(true > 0, ratio(hit, union), np.nan)


@dataclass(frozen=True, eq=False)
class Loss:
    """What was lost against float32 in torch; positive is worse."""

    miou: Interval | None  # None where no surfaces were labelled
    ap50: Interval | None
    classes: pd.DataFrame  # class, of, before, after, loss, low, high, objects

    def over(self, limits: Limits) -> str:
        """The first limit that is passed, in words; empty if none is."""
        whole = (("mIoU", self.miou, limits.miou), ("mean AP50", self.ap50, limits.ap50))
        for name, lost, limit in whole:
            if lost is not None and not lost.value <= limit:  # not a number is too much as well
                return f"it loses {lost.value:.4f} of {name}, and {limit:g} is allowed"
        table = self.classes
        few = (table["of"] == "object") & (table["objects"] < limits.fewest)
        allowed = np.where(table["of"] == "surface", limits.surface, limits.object)
        passed = table[(table["loss"].to_numpy() > allowed) & ~few.to_numpy()]
        if len(passed):
            worst = passed.sort_values("loss").iloc[-1]
            limit = limits.surface if worst["of"] == "surface" else limits.object
            return (f"it loses {worst['loss']:.4f} of the {worst['of']} {worst['class']!r}, and "
                    f"{limit:g} is allowed")  # fmt: skip
        return ""

    def suffering(self, limits: Limits) -> set[str]:
        """Which of "surface" and "object" passed a limit."""
        bad = set()
        for of, lost, limit, one in (
            ("surface", self.miou, limits.miou, limits.surface),
            ("object", self.ap50, limits.ap50, limits.object),
        ):
            mine = self.classes[self.classes["of"] == of]
            if of == "object":
                mine = mine[mine["objects"] >= limits.fewest]
            if (lost is not None and not lost.value <= limit) or (mine["loss"] > one).any():
                bad.add(of)
        return bad


def loss(before: Scores, after: Scores) -> Loss:
    """What `after` lost; both judged by one judge."""
    rows = []
    for k, name in enumerate(SURFACES if before.iou.size else ()):
        if np.isfinite(before.iou[0, k]):
            change = interval(before.iou[:, k] - after.iou[:, k], len(before.iou))
            rows.append((name, "surface", before.iou[0, k], after.iou[0, k], change.value,
                         change.low, change.high, 0))  # fmt: skip
    for k, name in enumerate(before.kinds):
        change = interval(before.ap50[:, k] - after.ap50[:, k], before.objects[k])
        rows.append((name, "object", before.ap50[0, k], after.ap50[0, k], change.value,
                     change.low, change.high, before.objects[k]))  # fmt: skip
    columns = ["class", "of", "before", "after", "loss", "low", "high", "objects"]
    miou = _change(before.iou, after.iou) if before.iou.size else None
    ap50 = _change(before.ap50, after.ap50) if before.ap50.size else None
    return Loss(miou, ap50, pd.DataFrame(rows, columns=columns))


def _change(before: Floats, after: Floats) -> Interval:
    return interval(means(before) - means(after), before.shape[1])
