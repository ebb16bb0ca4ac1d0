"""All measures of a perception at once, and one table of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import pandas as pd

from core.errors import DataError
from core.evaluation.bootstrap import Interval
from verticals.driving.frame import View
from verticals.driving.perception.judging.confidence import (
    Confidence,
    detection_confidence,
    pixel_confidence,
)
from verticals.driving.perception.judging.detections import (
    SHOWN,
    DetectionScores,
    detection_scores,
)
from verticals.driving.perception.judging.lanes import LaneScores, lane_scores
from verticals.driving.perception.judging.matching import Difficulty, Matches, match
from verticals.driving.perception.judging.objects import (
    DistanceScores,
    NameScores,
    PerceptionErrors,
    distance_scores,
    light_scores,
    perception_errors,
    sign_scores,
)
from verticals.driving.perception.judging.resampling import DRAWS
from verticals.driving.perception.judging.surfaces import (
    SurfaceScores,
    surface_scores,
    usual_surfaces,
)
from verticals.driving.perception.sight import Sight

_Score = TypeVar("_Score")


@dataclass(frozen=True, eq=False)
class Judged:
    """What was measured; None where the labels or the sights allow no such measure."""

    frames: int
    surfaces: SurfaceScores | None = None
    usual: SurfaceScores | None = None  # each pixel said to be what stands there most often
    detections: DetectionScores | None = None
    distance: DistanceScores | None = None
    lights: NameScores | None = None
    signs: NameScores | None = None
    lanes: LaneScores | None = None
    pixels: Confidence | None = None  # of their surfaces
    boxes: Confidence | None = None  # of their being an object
    errors: PerceptionErrors | None = None
    matches: Matches | None = None

    def measures(self) -> dict[str, tuple[Interval, float | None, str]]:
        """Name of each measure: the interval, a baseline that does not look, and what it is."""
        out: dict[str, tuple[Interval, float | None, str]] = {}
        if self.surfaces:
            usual, what = self.usual, "what is usual at the place" if self.usual else ""
            out["miou"] = self.surfaces.miou, usual.miou.value if usual else None, what
            blind = usual.pixels.value if usual else None
            out["pixels_right"] = self.surfaces.pixels, blind, what
        if self.detections:
            out["ap50"] = self.detections.ap50, None, ""
            out["ap"] = self.detections.ap, None, ""
        if self.distance:
            what = "class and height of the box"
            out["distance_error"] = self.distance.error, self.distance.baseline, what
        if self.lanes:
            out["lane_f1"] = self.lanes.f1, None, ""
            out["lane_precision"] = self.lanes.precision, None, ""
            out["lane_recall"] = self.lanes.recall, None, ""
        if self.lights:
            what = f"always {self.lights.baseline_is}"
            out["light_state"] = self.lights.right, self.lights.baseline, what
            if self.lights.over_time:
                out["light_state_over_time"] = self.lights.over_time, self.lights.baseline, what
        if self.signs:
            out["sign_name"] = (self.signs.right, self.signs.baseline,
                                f"always {self.signs.baseline_is}")  # fmt: skip
        if self.boxes:
            out["box_ece"] = self.boxes.ece, None, ""
        if self.pixels:
            out["pixel_ece"] = self.pixels.ece, None, ""
        return out

    def table(self, baseline: Judged | None = None, name: str = "baseline") -> pd.DataFrame:
        """One row a measure: measure, value, low, high, n, baseline, baseline is.

        Args:
            baseline: Another perception judged on the same frames, to stand in the place of the
                guesses that do not look.
            name: What it is.
        """
        other = {} if baseline is None else baseline.measures()
        rows = []
        for measure, (one, blind, what) in self.measures().items():
            value, is_ = (other[measure][0].value, name) if measure in other else (blind, what)
            rows.append((measure, one.value, one.low, one.high, one.n, value, is_))
        columns = ["measure", "value", "low", "high", "n", "baseline", "baseline is"]
        return pd.DataFrame(rows, columns=columns)


def report(
    sights: Sequence[Sight],
    views: Sequence[View],
    sequences: Sequence[str],
    weathers: Sequence[str] | None = None,
    *,
    classes: Sequence[str] | None = None,
    difficulty: Difficulty | None = None,
    shown: float = SHOWN,
    draws: int = DRAWS,
    seed: int = 0,
) -> Judged:
    """Judge what was seen by what was there.

    Args:
        sights: One a frame.
        views: The truth, likewise; what a view lacks is not judged on it.
        sequences: Likewise: video, drive or seed. Intervals draw whole sequences again, or blocks
            of frames where there are fewer than eight.
        weathers: Likewise, for slices by weather.
        classes: Of objects; by default those that occur.
        difficulty: Which objects count.
        shown: Score from which a detection is believed.
        draws: Of the bootstrap.
        seed: Of the draws.

    Raises:
        DataError: The lists differ in length, or there is no frame.
    """
    lengths = {len(sights), len(views), len(sequences)}
    lengths |= set() if weathers is None else {len(weathers)}
    if len(lengths) > 1 or not len(views):
        raise DataError(f"{len(sights)} sights, {len(views)} views and {len(sequences)} sequences",
                        remedy="Give one of each for every frame, and at least one")  # fmt: skip
    surfaces = usual = pixels = None
    if any(view.surfaces is not None for view in views):
        surfaces = surface_scores(sights, views, sequences, draws=draws, seed=seed)
        pixels = pixel_confidence(sights, views, sequences, draws=draws, seed=seed)
        usual = _if_any(lambda: surface_scores(
            [usual_surfaces(views)] * len(views), views, sequences, draws=1))  # fmt: skip
    lanes = None
    if any(view.lanes is not None for view in views):
        lanes = lane_scores(sights, views, sequences, draws=draws, seed=seed)
    judged = Judged(len(views), surfaces=surfaces, usual=usual, lanes=lanes, pixels=pixels)
    if all(view.boxes is None for view in views):
        return judged
    of = match(sights, views, sequences, difficulty=difficulty, draws=draws, seed=seed)
    return replace(
        judged,
        detections=detection_scores(of, classes=classes, weathers=weathers, shown=shown),
        distance=_if_any(lambda: distance_scores(of, shown=shown)),
        lights=_if_any(lambda: light_scores(of, shown=shown)),
        signs=_if_any(lambda: sign_scores(of, shown=shown)),
        boxes=_if_any(lambda: detection_confidence(of)),
        errors=perception_errors(of, shown=shown),
        matches=of,
    )


def _if_any(measure: Callable[[], _Score]) -> _Score | None:
    """The measure, or None where there is nothing to measure."""
    try:
        return measure()
    except DataError:
        return None
