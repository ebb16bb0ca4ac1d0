"""The figures every case shows: models with their intervals, calibration, curves, bars.

Each returns a matplotlib Figure that is not registered with pyplot, so nothing leaks and a
notebook shows it once. Colours are the colour-blind safe set of Okabe and Ito (2008).
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, RED, PURPLE, SKY, GREY = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#7A7A7A",
)  # fmt: skip
PALETTE = (BLUE, ORANGE, GREEN, PURPLE, SKY, RED)


@contextmanager
def new_figure(width: float = 7.0, height: float = 3.6) -> Iterator[tuple[Figure, Axes]]:
    """A figure of one axes in the kit's style; sizes in inches."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    settings: dict[Any, Any] = {
        "font.size": 10, "axes.spines.top": False, "axes.spines.right": False,
        "axes.grid": True, "grid.color": "#E6E6E6", "axes.axisbelow": True,
        "axes.titlesize": 11, "axes.titleweight": "bold", "axes.titlelocation": "left",
        "legend.frameon": False,
    }  # fmt: skip
    with mpl.rc_context(settings):
        figure = Figure(figsize=(width, height), dpi=110, layout="constrained")
        yield figure, figure.subplots()


def png(figure: Figure) -> bytes:
    """A figure as a PNG file without metadata: the same figure is the same bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def interval_plot(
    names: Sequence[str],
    value: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    *,
    label: str,
    title: str,
    highlight: str | None = None,
) -> Figure:
    """Models as dots with their confidence intervals, best on top.

    Args:
        names: One name a row.
        value: (n,) values; `low` and `high` are the ends of their intervals.
        low: (n,) lower ends.
        high: (n,) upper ends.
        label: Name of the x axis, with its unit.
        title: What the reader should see.
        highlight: Name drawn in colour; the others stay grey.
    """
    order = np.argsort(value)
    with new_figure(height=1.0 + 0.32 * len(names)) as (figure, axes):
        for row, i in enumerate(order):
            colour = BLUE if names[i] == highlight else GREY
            axes.plot([low[i], high[i]], [row, row], color=colour, linewidth=2)
            axes.plot(value[i], row, "o", color=colour, markersize=7)
        axes.set_yticks(range(len(names)), [names[i] for i in order])
        axes.set(xlabel=label, title=title)
        axes.grid(axis="y", visible=False)
    return figure


def calibration_plot(curves: Mapping[str, pd.DataFrame], *, title: str) -> Figure:
    """Predicted against observed rate by score band.

    Args:
        curves: For each model a table with `predicted`, `observed`, `low`, `high`.
        title: What the reader should see.
    """
    with new_figure(height=4.2) as (figure, axes):
        top = 0.0
        for colour, (name, curve) in zip(PALETTE, curves.items(), strict=False):
            spread = np.abs(curve[["low", "high"]].to_numpy().T - curve["observed"].to_numpy())
            axes.errorbar(
                curve["predicted"], curve["observed"], yerr=spread, fmt="o-",
                color=colour, label=name, capsize=2, linewidth=1.2, markersize=5,
            )  # fmt: skip
            top = max(top, float(curve[["predicted", "high"]].to_numpy().max()))
        axes.plot([0, top], [0, top], "--", color=GREY, linewidth=1, label="perfect")
        axes.set(xlabel="predicted probability", ylabel="observed rate", title=title)
        axes.legend(loc="upper left")
    return figure


def bar_plot(
    names: Sequence[str], values: np.ndarray, *, label: str, title: str, colour: str = BLUE
) -> Figure:
    """Horizontal bars from zero, largest on top."""
    order = np.argsort(values)
    with new_figure(height=1.0 + 0.28 * len(names)) as (figure, axes):
        axes.barh([names[i] for i in order], np.asarray(values)[order], color=colour)
        axes.axvline(0, color=GREY, linewidth=0.8)
        axes.set(xlabel=label, title=title)
        axes.grid(axis="y", visible=False)
    return figure
