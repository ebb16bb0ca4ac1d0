"""The figures of the decision case: drivers compared, learning, the shield, moments from above.

Figure text is English; captions in the reader's language stand in the text beside them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.evaluation.bootstrap import Interval, mean_interval, share_interval
from core.evaluation.figures import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    RED,
    SKY,
    bar_plot,
    new_figure,
)
from verticals.driving.deciding.explaining import record_override
from verticals.driving.deciding.judging import POLICY, RULES, SHIELDED, TAUGHT
from verticals.driving.deciding.stages import ROADS, Explained, Judged, Proved, Taught
from verticals.driving.scenarios.running import Trace
from verticals.driving.scenarios.showing import frames, surface

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLOURS = {
    "always slower": GREY, "idle": SKY, RULES: ORANGE, "rule driver, all-seeing": PURPLE,
    POLICY: RED, TAUGHT: "#000000", SHIELDED: BLUE, f"{RULES}, shield": GREEN,
}  # fmt: skip
_WIDE = 720  # pixels of a picture from above
_CUT = 560  # pixels of its middle
_WORDS, _MARGIN = 54, 12  # rows of pixels that hold words; meadow that is left
_SHOWN = 8  # reasons of a decision


def drivers_figure(judged: Judged) -> Figure:
    """Crash rate against pace, a panel a road: the best corner is down on the right."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.4, 6.4), dpi=100, layout="constrained")
    panels = figure.subplots(2, 2)
    for axes, road in zip(panels.flat, ROADS, strict=True):
        for name, found in judged.episodes[road].items():
            crash = share_interval(int(found.crashed.sum()), len(found.seeds))
            pace = mean_interval(found.pace)
            axes.errorbar(
                pace.value, crash.value, fmt="o", color=_COLOURS.get(name, GREY), label=name,
                xerr=_spread(pace),
                yerr=_spread(crash),
                markersize=6, linewidth=1.2, capsize=2,
            )  # fmt: skip
        axes.set_title(road, fontsize=10, fontweight="bold", loc="left")
        axes.set_ylim(bottom=-0.03)
        axes.yaxis.set_major_formatter("{x:.0%}")
        axes.grid(color="#E6E6E6")
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_axisbelow(True)
    for axes in panels[1]:
        axes.set_xlabel("pace, metres a second")
    for axes in panels[:, 0]:
        axes.set_ylabel("episodes with a collision")
    every: dict[str, Any] = {}
    for axes in panels.flat:
        handles, labels = axes.get_legend_handles_labels()
        every |= {name: shown for shown, name in zip(handles, labels, strict=True)}
    figure.legend(list(every.values()), list(every), loc="outside lower center", ncols=4,
                  frameon=False, fontsize=9)  # fmt: skip
    return figure


def learning_figure(taught: Taught) -> Figure:
    """Return by decisions seen, beside drivers that do not learn and the policy that is judged."""
    curve = taught.learned.curve
    done = np.array([entry["decisions"] for entry in curve]) / 1000
    with new_figure(7.2, 3.6) as (figure, axes):
        axes.plot(done, [entry["return"] for entry in curve], "o-", color=BLUE, label="learning")
        colours = (ORANGE, GREY, GREEN)
        for colour, (name, value) in zip(colours, taught.beside.items(), strict=False):
            axes.axhline(value, color=colour, linestyle="--", linewidth=1.2, label=name)
        axes.set(xlabel="thousand decisions, imitation included", ylabel="return of an episode",
                 title=f"Learning to drive: {taught.settings.road}")  # fmt: skip
        axes.set_xlim(0)
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def why_figure(explained: Explained) -> Figure:
    """What spoke for a decision, and what against it."""
    parts = sorted(explained.why.parts, key=lambda part: abs(part.weight))[-_SHOWN:]
    with new_figure(7.2, 1.2 + 0.32 * len(parts)) as (figure, axes):
        axes.barh([part.name for part in parts], [part.weight for part in parts],
                  color=[BLUE if part.weight > 0 else RED for part in parts])  # fmt: skip
        axes.axvline(0, color=GREY, linewidth=0.8)
        axes.set(xlabel="added to the log-odds of the decision (Shapley value)",
                 title=f"What spoke for {explained.why.action}")  # fmt: skip
        axes.grid(axis="y", visible=False)
    return figure


def reads_figure(explained: Explained) -> Figure:
    """Which kinds of numbers the policy reads, over many decisions."""
    table = explained.reads
    return bar_plot(
        [str(part) for part in table["part"]], table["mean absolute effect"].to_numpy(),
        label="mean absolute effect on the log-odds", title="What the policy reads",
    )  # fmt: skip


def roads_figure(traces: Sequence[Trace]) -> Figure:
    """The middle of an episode on every road, from above; crosses mark what perception holds."""
    from matplotlib.figure import Figure

    rows = -(-len(traces) // 2)
    figure = Figure(figsize=(8.4, 2.6 * rows), dpi=90, layout="constrained")
    for axes, trace in zip(figure.subplots(rows, 2).flat, traces, strict=False):
        middle = len(trace.states) // 2
        image = next(image for k, image in enumerate(frames(trace)) if k == middle)
        width = image.shape[1]
        part = image[30:, (width - _CUT) // 2 : (width + _CUT) // 2, ::-1]
        axes.imshow(part, interpolation="antialiased")
        axes.set_title(trace.case.scenario.layout, fontsize=10, fontweight="bold", loc="left")
        axes.set_axis_off()
    return figure


def strip(trace: Trace, *, pictures: int = 3, around: float | None = None) -> Figure:
    """Moments of a run from above, one below the other.

    Args:
        trace: The run.
        pictures: How many.
        around: Seconds at which the moments are centred; by default they span the whole run.
    """
    last = len(trace.states) - 1
    wanted: NDArray[Any] = np.linspace(0, last, pictures)
    if around is not None:
        middle = int(np.abs(trace.times - around).argmin())
        spread = min(15, max(last // 4, 1))
        wanted = middle + spread * (np.arange(pictures) - pictures // 2)
    chosen = sorted({int(k) for k in np.clip(np.round(wanted), 0, last)})
    shown = np.stack([image for k, image in enumerate(frames(trace)) if k in chosen])
    return picture(np.concatenate([_small(image) for image in _trimmed(shown)]))


def shield_figure(judged: Judged, road: str) -> Figure:
    """The moments around the shield's hardest intervention on a road."""
    trace = record_override(judged, road)
    if trace is None:
        return _note("The shield had nothing to do.")
    return strip(trace, around=core_moment(trace))


def suite_figure(proved: Proved) -> Figure:
    """Cases passed by scenario and driver."""
    return surface({name: list(some) for name, some in proved.runs.items()})


def failure_figure(proved: Proved) -> Figure:
    """The shrunk failure from its first moment to its last."""
    return _note("No case failed.") if proved.small is None else strip(proved.small)


def core_moment(trace: Trace) -> float:
    """The second at which the shield asked for most, else the last one."""
    if trace.overrides:
        return min(trace.overrides, key=lambda one: one.cap).time_s
    return float(trace.times[-1])


def picture(image: NDArray[np.uint8]) -> Figure:
    """An (h, w, 3) RGB image as a figure of its own size."""
    from matplotlib.figure import Figure

    height, width = image.shape[:2]
    figure = Figure(figsize=(width / 100, height / 100), dpi=100)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.imshow(image, interpolation="none", aspect="auto")
    axes.set_axis_off()
    return figure


def _spread(one: Interval) -> list[list[float]]:
    """Lengths of an interval below and above its value; never negative, however it was rounded."""
    return [[max(one.value - one.low, 0.0)], [max(one.high - one.value, 0.0)]]


def _note(text: str) -> Figure:
    """A sentence where there is nothing to draw."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 0.6), dpi=100)
    figure.text(0.01, 0.5, text, va="center")
    return figure


def _trimmed(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pictures (n, h, w, 3) without the meadow between their words and the road, and below it."""
    ground = images[0, -1, -1]
    busy = np.flatnonzero((images[:, _WORDS:] != ground).any(axis=(0, 2, 3))) + _WORDS
    if not len(busy):
        return images
    first, last = max(int(busy[0]) - _MARGIN, _WORDS), int(busy[-1]) + _MARGIN
    return np.concatenate([images[:, :_WORDS], images[:, first:last]], axis=1)


def _small(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A BGR picture of a run, smaller and RGB."""
    import cv2

    size = (_WIDE, image.shape[0] * _WIDE // image.shape[1])
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)[:, :, ::-1]
    small[-2:] = 255
    return np.ascontiguousarray(small, np.uint8)
