"""The figures of perception's report, each from a measure of `judging`, and sights drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import DataError
from core.evaluation.figures import BLUE, GREY, ORANGE, PALETTE, calibration_plot, new_figure
from verticals.driving.overlays import caption, draw_boxes, draw_lanes, draw_surfaces
from verticals.driving.perception.settings import DETECTED

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from verticals.driving.frame import Floats
    from verticals.driving.perception.judging.confidence import Confidence
    from verticals.driving.perception.judging.detections import DetectionScores
    from verticals.driving.perception.judging.objects import DistanceScores
    from verticals.driving.perception.judging.surfaces import SurfaceScores
    from verticals.driving.perception.sight import Sight

Image = NDArray[np.uint8]  # (height, width, 3) RGB
_GAP = 4  # pixels between the pictures of a montage


def surfaces_figure(scores: Mapping[str, SurfaceScores]) -> Figure:
    """Overlap by class with its interval, one bar for each perception compared.

    Args:
        scores: One or more, by name, of the same classes.

    Raises:
        DataError: There are none.
    """
    tables = {name: one.classes for name, one in scores.items()}
    if not tables:
        raise DataError("there is nothing to draw", remedy="Give at least one score")
    first = next(iter(tables.values()))
    with new_figure(height=1.2 + 0.3 * len(first) * max(1.0, 0.6 * len(tables))) as (figure, axes):
        _bars(axes, list(first["class"]), {n: t[["iou", "low", "high"]] for n, t in tables.items()})
        if len(tables) == 1:
            mean = next(iter(scores.values())).miou.value
            axes.axvline(mean, color=GREY, linestyle="--", linewidth=1.2, label=f"mean {mean:.2f}")
        axes.set(xlabel="intersection over union, 95% interval", xlim=(0, 1),
                 title="How well each surface is found")  # fmt: skip
        figure.legend(loc="outside lower center", ncols=4)
    return figure


def detections_figure(scores: Mapping[str, DetectionScores]) -> Figure:
    """Average precision at overlap 0.5 by class with its interval.

    Args:
        scores: One or more, by name; classes that one lacks stay empty.

    Raises:
        DataError: There are none.
    """
    tables = {name: one.classes.set_index("class") for name, one in scores.items()}
    names = [k for k in DETECTED if any(k in table.index for table in tables.values())]
    if not names:
        raise DataError("there is nothing to draw", remedy="Give at least one score")
    with new_figure(height=1.2 + 0.3 * len(names) * max(1.0, 0.6 * len(tables))) as (figure, axes):
        columns = ["ap50", "low", "high"]
        _bars(axes, names, {n: t.reindex(names)[columns] for n, t in tables.items()})
        axes.set(xlabel="average precision at overlap 0.5, 95% interval", xlim=(0, 1),
                 title="How well each kind of object is found")  # fmt: skip
        figure.legend(loc="outside lower center", ncols=4)
    return figure


def slices_figure(scores: DetectionScores) -> Figure:
    """Recall and precision by height, distance and weather, with their intervals."""
    table = scores.slices
    rows = np.arange(len(table)) + 0.6 * (table["slice"] != table["slice"].shift()).cumsum()
    with new_figure(height=1.2 + 0.34 * len(table)) as (figure, axes):
        for name, marker, colour, lift in (("recall", "o", BLUE, -0.12),
                                           ("precision", "s", ORANGE, 0.12)):  # fmt: skip
            ends = ["low", "high"] if name == "recall" else ["precision_low", "precision_high"]
            for place, (low, high) in zip(rows + lift, table[ends].to_numpy(float), strict=True):
                axes.plot([low, high], [place, place], color=colour, linewidth=1.6)
            axes.plot(table[name], rows + lift, marker, color=colour, markersize=6, label=name)
        names = [f"{s}: {b}" if s != b else s for s, b in zip(table["slice"], table["bin"],
                                                             strict=True)]  # fmt: skip
        axes.set_yticks(rows, [f"{n}  ({k:,})" for n, k in zip(names, table["objects"],
                                                               strict=True)])  # fmt: skip
        axes.invert_yaxis()
        axes.set(xlabel="share, 95% interval (objects in brackets)", xlim=(0, 1.02),
                 title="What is found, and where")  # fmt: skip
        axes.grid(axis="y", visible=False)
        figure.legend(loc="outside lower center", ncols=2)
    return figure


def distance_figure(scores: DistanceScores) -> Figure:
    """Relative error of distance by distance, beside what the box's height alone would say."""
    table = scores.bins[scores.bins["by"] == "distance"]
    values = 100 * table[["error", "low", "high"]].to_numpy(float)
    rows = np.arange(len(table))
    with new_figure(height=3.2) as (figure, axes):
        axes.bar(rows, values[:, 0], yerr=_spread(values), color=BLUE, width=0.55, capsize=3,
                 error_kw={"linewidth": 1.2})  # fmt: skip
        axes.axhline(100 * scores.baseline, color=GREY, linestyle="--", linewidth=1.2,
                     label="from class and height of the box, all distances")  # fmt: skip
        axes.set_xticks(rows, [f"{b}\n{n:,} objects" for b, n in zip(table["bin"],
                                                                    table["objects"],
                                                                    strict=True)])  # fmt: skip
        axes.set(ylabel="median error, %", title="How far off distances are", ylim=(0, None))
        axes.grid(axis="x", visible=False)
        axes.legend()
    return figure


def reliability_figure(confidences: Mapping[str, Confidence]) -> Figure:
    """Confidence against the share that is right; the error is in the legend."""
    curves = {f"{n} (error {c.ece.value:.3f})": c.curve for n, c in confidences.items()}
    figure = calibration_plot(curves, title="Whether confidence means what it says")
    figure.axes[0].set(xlabel="confidence", ylabel="share that is right", xlim=(0, 1), ylim=(0, 1))
    return figure


def draw_sight(image: Image, sight: Sight, *, shown: float = 0.5) -> Image:
    """All that is said of an image, drawn over it.

    Args:
        image: (h, w, 3) RGB, the one that was seen.
        sight: What was said of it.
        shown: Score from which a box is drawn.
    """
    boxes = sight.boxes
    kept = np.ones(len(boxes), bool) if boxes.scores is None else boxes.scores >= shown
    rows = np.flatnonzero(kept)
    some = replace(
        boxes, xyxy=boxes.xyxy[rows], classes=boxes.classes[rows], track_ids=boxes.track_ids[rows],
        details=tuple(boxes.details[i] for i in rows) if boxes.details else (),
        **{name: None if (v := getattr(boxes, name)) is None else v[rows] for name in (
            "amodal_xyxy", "occlusion", "truncation", "distance", "scores", "ignore")},
    )  # fmt: skip
    words = [caption(some, i) for i in range(len(some))]
    if len(sight.unknown):
        words = [f"unknown? {one}" if u else one
                 for one, u in zip(words, sight.unknown[rows], strict=True)]  # fmt: skip
    return draw_boxes(draw_lanes(draw_surfaces(image, sight.surfaces), sight.lanes), some, words)


def montage(images: Sequence[Image], *, columns: int = 2, width: int = 512) -> Image:
    """Pictures side by side, row by row, each scaled to one width.

    Args:
        images: RGB, of any sizes.
        columns: Pictures in a row.
        width: Of each, in pixels.

    Raises:
        DataError: There are none.
    """
    if not images:
        raise DataError("there is no picture to show")
    small = [cv2.resize(i, (width, max(1, round(i.shape[0] * width / i.shape[1]))),
                        interpolation=cv2.INTER_AREA) for i in images]  # fmt: skip
    height, columns = max(len(one) for one in small), min(columns, len(small))
    rows = -(-len(small) // columns)
    out = np.full(
        (rows * (height + _GAP) - _GAP, columns * (width + _GAP) - _GAP, 3), 255, np.uint8
    )
    for number, one in enumerate(small):
        top, left = (n * (s + _GAP) for n, s in zip(divmod(number, columns), (height, width),
                                                    strict=True))  # fmt: skip
        out[top : top + len(one), left : left + width] = one
    return out


def _bars(axes: Axes, names: Sequence[str], tables: Mapping[str, pd.DataFrame]) -> None:
    """Horizontal bars with intervals, in groups of one a table of value, low and high."""
    rows, height = np.arange(len(names)), 0.8 / len(tables)
    for k, (name, table) in enumerate(tables.items()):
        values = table.to_numpy(float)
        place = rows + (k - (len(tables) - 1) / 2) * height
        settings: dict[str, Any] = {"linewidth": 1.2, "capsize": 2}
        axes.barh(place, np.nan_to_num(values[:, 0]), height=0.9 * height, label=name,
                  color=PALETTE[k % len(PALETTE)])  # fmt: skip
        axes.errorbar(values[:, 0], place, xerr=_spread(values), fmt="none", ecolor="#333333",
                      **settings)  # fmt: skip
    axes.set_yticks(rows, [name.replace("_", " ") for name in names])
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)


def _spread(values: Floats) -> Floats:
    """(2, n) how far the interval reaches below and above (n, 3) value, low and high."""
    return np.nan_to_num(np.abs(values[:, 1:] - values[:, :1]).T)
