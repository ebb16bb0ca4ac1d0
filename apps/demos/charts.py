"""Matplotlib figures as inline SVG that follows the page: its fonts, its width, light and dark.

Charts carry numbers only; every word stands beside them in HTML, so it is translated and read
aloud like the rest of the page.
"""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Draw = Callable[["Figure"], None]

# Okabe and Ito (2008), darkened or lightened until each has 3:1 on white and on near-black.
BLUE, ORANGE, RED, GREEN, GREY = "#2b7bba", "#c77700", "#d1495b", "#2a9d78", "#8a94a0"

WIDE, NARROW = (8.6, 3.7), (4.1, 3.9)  # inches at 100 units each: laptop and phone

_DRAWING = threading.Lock()  # matplotlib's settings belong to the process, requests to threads


def responsive(
    draw: Draw,
    label: str,
    *,
    wide: tuple[float, float] = WIDE,
    narrow: tuple[float, float] = NARROW,
) -> str:
    """One chart drawn for a laptop and for a phone; the style sheet shows the one that fits.

    Args:
        draw: Fills a figure.
        label: What a screen reader says in place of the chart.
        wide: Size on a laptop in inches.
        narrow: Size on a phone in inches.
    """
    return (
        f'<div class="ck-chart ck-wide">{_svg(draw, wide, label)}</div>'
        f'<div class="ck-chart ck-narrow">{_svg(draw, narrow, label)}</div>'
    )


def _svg(draw: Draw, size: tuple[float, float], label: str) -> str:
    """The figure as an SVG element without metadata, sized by its container."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    buffer = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with _DRAWING, mpl.rc_context({"svg.fonttype": "none", "font.size": 10}):
        figure = Figure(figsize=size, layout="constrained")
        figure.patch.set_alpha(0)
        draw(figure)
        figure.savefig(buffer, format="svg", metadata=nothing)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    opening, rest = text.split(">", 1)
    plain = re.sub(r'\s(width|height)="[^"]*"', "", opening).removeprefix("<svg")
    return f'<svg role="img" aria-label="{escape(label)}"{plain}>{rest}'


def quiet_axes(axes: Axes) -> None:
    """Only what carries numbers: no box, no title, faint horizontal lines."""
    axes.patch.set_alpha(0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(GREY)
    axes.tick_params(colors=GREY, length=0, pad=5)
    axes.grid(axis="y", color=GREY, alpha=0.25, linewidth=0.8)
    axes.set_axisbelow(True)


def legend(entries: list[tuple[str, str, str]]) -> str:
    """A legend in words.

    Args:
        entries: (mark, colour, text); mark is "line", "dash", "dot", "bar" or "triangle".
    """
    items = "".join(
        f'<li><span class="ck-mark ck-mark-{mark}" style="--c:{colour}"></span>{escape(text)}</li>'
        for mark, colour, text in entries
    )
    return f'<ul class="ck-legend">{items}</ul>'
