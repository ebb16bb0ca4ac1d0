"""The sound of an exchange as a picture: what was heard when, and which parts of it counted."""

from __future__ import annotations

from functools import partial
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from apps.demos.charts import BLUE, GREY, ORANGE, legend, responsive
from apps.demos.voice_pages.speaking import player

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from apps.demos.voice_pages.desk import Desk
    from apps.demos.voice_pages.visits import Exchange
    from verticals.voice.command import Word
    from verticals.voice.why import Why

_KHZ = (0.25, 0.5, 1.0, 2.0, 4.0)
_WORDS = 14  # that fit above the picture
_LINE = 8  # rows of the picture as high as a line of words
_MARGIN_S = 0.3  # shown before and after the words


def sound_card(exchange: Exchange, why: Why, desk: Desk, language: str) -> str:
    """Spectrogram, words above it, and the patches that carried them.

    Args:
        exchange: That was heard.
        why: Its explanation, with regions.
        desk: Opened parts.
        language: Of the page.
    """
    words = desk.words
    chart = responsive(
        partial(_draw, why, exchange.turn.transcript.words),
        words("why.picture", language),
        wide=(8.6, 3.2),
        narrow=(4.1, 3.0),
    )
    entries = [
        ("bar", BLUE, words("why.loud", language)),
        ("bar", ORANGE, words("why.counted", language)),
    ]
    sound = "" if exchange.sound is None else player(
        exchange.sound, words("why.listen", language)
    )  # fmt: skip
    return (
        f'<section class="ck-card"><h3>{escape(words("why.sound", language))}</h3>'
        f'<p class="ck-quiet">{escape(words("why.sound_lead", language))}</p>'
        f"{legend(entries)}{chart}{sound}</section>"
    )


def _draw(why: Why, heard: tuple[Word, ...], figure: Figure) -> None:
    """Log-mel energies below, patches above them: the more opaque, the more they counted."""
    from matplotlib.colors import LinearSegmentedColormap

    axes = figure.subplots()
    rows = len(why.spectrogram)
    times = why.times_s()
    first, last = float(times[0]), float(times[-1])
    spoken = (heard[0].start_s - _MARGIN_S, heard[-1].end_s + _MARGIN_S) if heard else (0.0, last)
    loud = LinearSegmentedColormap.from_list("loud", [(0.17, 0.48, 0.73, a) for a in (0.0, 0.85)])
    axes.imshow(
        why.spectrogram, origin="lower", aspect="auto", extent=(first, last, 0, rows), cmap=loud,
        interpolation="nearest",
    )  # fmt: skip
    if why.regions is not None:
        weights = np.clip(why.regions.weights, 0, None)
        counted = LinearSegmentedColormap.from_list(
            "counted", [(0.78, 0.47, 0.0, a) for a in (0.0, 0.7)]
        )
        axes.imshow(
            weights / (weights.max() or 1.0), origin="lower", aspect="auto",
            extent=(first, last, 0, rows), cmap=counted, interpolation="nearest", vmin=0, vmax=1,
        )  # fmt: skip
        for edge in times[1:-1]:
            axes.axvline(edge, color=GREY, linewidth=0.4, alpha=0.5)
    _write(axes, heard, rows)
    axes.set_yticks(_rows_of(rows), [f"{f:g}" for f in _KHZ])
    axes.set_xlim(max(0.0, first, spoken[0]), min(last, spoken[1]))
    axes.set_xlabel("s", color=GREY)
    axes.set_ylabel("kHz", color=GREY)
    axes.tick_params(colors=GREY, length=0)
    axes.patch.set_alpha(0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _write(axes: Axes, heard: tuple[Word, ...], rows: int) -> None:
    """The words above the sound, at the time at which they were said, by turns in two lines."""
    for number, word in enumerate(heard[:_WORDS]):
        middle, line = (word.start_s + word.end_s) / 2, rows + 2 + _LINE * (number % 2)
        axes.text(middle, line, word.text, ha="center", va="bottom", fontsize=10)
        axes.plot([word.start_s, word.end_s], [rows + 0.8] * 2, color=GREY, clip_on=False)


def _rows_of(rows: int) -> list[float]:
    """Rows of the picture at which round frequencies lie (Slaney's mel scale)."""
    top = 15 + np.log(8) / (np.log(6.4) / 27)
    mels = [15 * f if f < 1 else 15 + np.log(f) / (np.log(6.4) / 27) for f in _KHZ]
    return [float(m / top * rows) for m in mels]
