"""The figures of a home's report, each from a table or an explanation of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.evaluation.figures import BLUE, GREY, ORANGE, RED, interval_plot, new_figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from core.deployment.results import Measurement
    from verticals.voice.why import Why

_SHARES = {
    "intents_right": "intents right", "slots_right": "values right",
    "frame_right": "whole request right", "frame_right_from_text": "... from perfect hearing",
    "done_right": "home stands as it should",
}  # fmt: skip


def shares_figure(measurements: Sequence[Measurement]) -> Figure:
    """Shares of the test recordings that every stage got right, with intervals by speaker."""
    found = [m for m in measurements if m.metric in _SHARES]
    names = [_SHARES[m.metric] for m in found]
    values, low, high = (np.array([getattr(m, k) for m in found], float)
                         for k in ("value", "low", "high"))  # fmt: skip
    return interval_plot(
        names, values, low, high, label="share of the test recordings, 95% interval",
        title="From hearing to doing", highlight=_SHARES["done_right"],
    )  # fmt: skip


def threshold_figure(tuning: pd.DataFrame, chosen: float) -> Figure:
    """Wrong actions and questions back by threshold, on the dev recordings."""
    with new_figure(height=3.2) as (figure, axes):
        axes.step(tuning["threshold"], tuning["wrongly"], color=RED, label="wrong actions")
        axes.step(tuning["threshold"], tuning["asked back"], color=ORANGE, label="questions back")
        axes.step(tuning["threshold"], tuning["cost"], color=BLUE, label="cost")
        axes.axvline(chosen, color=GREY, linestyle="--", linewidth=1.2, label="chosen")
        axes.set(xlabel="ask back below this confidence", ylabel="dev recordings",
                 title="When to ask back", ylim=(0, None))  # fmt: skip
        axes.legend()
    return figure


def latency_figure(latency: pd.DataFrame) -> Figure:
    """Seconds by stage, median and 95th percentile."""
    with new_figure(height=1.2 + 0.4 * len(latency)) as (figure, axes):
        rows = np.arange(len(latency))
        axes.barh(rows, latency["95th percentile s"], color=GREY, height=0.5,
                  label="95th percentile")  # fmt: skip
        axes.barh(rows, latency["median s"], color=BLUE, height=0.5, label="median")
        axes.set_yticks(rows, latency["stage"])
        axes.invert_yaxis()
        axes.set(xlabel="seconds", title="Where the time goes")
        axes.grid(axis="y", visible=False)
        axes.legend(loc="center right")  # the stages in the middle are short
    return figure


def words_figure(why: Why, intents: Sequence[str]) -> Figure:
    """What every word of a command's part adds to it: blue speaks for it, red against."""
    longest = max(map(len, why.words), default=1)
    weights = np.full((max(len(why.words), 1), longest), np.nan)
    for row, words in enumerate(why.words):
        weights[row, : len(words)] = [w.weight for w in words]
    with new_figure(width=1.6 + 0.95 * longest,
                    height=0.9 + 0.55 * len(weights)) as (figure, axes):  # fmt: skip
        axes.grid(visible=False)
        axes.set_title("Words that carried the command")
        reach = max(float(np.nanmax(np.abs(weights), initial=0.0)), 1e-6)
        axes.imshow(weights, cmap="RdBu", vmin=-reach, vmax=reach, aspect="auto")
        for row, words in enumerate(why.words):
            for column, word in enumerate(words):
                colour = "white" if abs(word.weight) > 0.6 * reach else "black"
                axes.text(column, row, f"{word.word}\n{word.weight:+.2f}", ha="center",
                          va="center", color=colour, fontsize=8)  # fmt: skip
        axes.set_xticks([])
        axes.set_yticks(range(len(why.words)), list(intents)[: len(why.words)])
    return figure


def sound_figure(why: Why) -> Figure:
    """The spectrogram of what was heard; framed where silence would cost the words most."""
    with new_figure(height=3.2) as (figure, axes):
        axes.grid(visible=False)
        axes.set(title="Where the words were heard", xlabel="seconds", ylabel="hertz (mel scale)")
        regions = why.regions
        if regions is None:
            return figure
        rows, columns = why.spectrogram.shape
        axes.imshow(why.spectrogram, origin="lower", aspect="auto", cmap="Greys",
                    extent=(0, columns, 0, rows))  # fmt: skip
        heat = np.clip(regions.weights, 0, None)
        mesh = axes.pcolormesh(regions.times, regions.bands, heat, cmap="Oranges", alpha=0.45)
        figure.colorbar(mesh, ax=axes, label="log-probability lost without it")
        axes.set_xticks(regions.times[::2], [f"{t:.1f}" for t in why.times_s()[::2]])
        axes.set_yticks(regions.bands, [f"{hz:,.0f}" for hz in why.bands_hz()])
    return figure


def measurement_table(measurements: Sequence[Measurement]) -> pd.DataFrame:
    """The measurements as a table for reading."""
    rows = [
        (m.metric.replace("_", " "), m.value, m.low, m.high, m.n,
         "" if m.baseline is None else m.baseline, m.baseline_model or "")
        for m in measurements
    ]  # fmt: skip
    columns = ["metric", "value", "low", "high", "n", "baseline", "baseline is"]
    return pd.DataFrame(rows, columns=columns)
