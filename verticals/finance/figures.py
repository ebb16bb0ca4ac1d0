"""The credit report's figures, each from a table of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from core.evaluation.figures import (
    BLUE,
    GREY,
    ORANGE,
    RED,
    bar_plot,
    calibration_plot,
    interval_plot,
    new_figure,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def leaderboard_figure(table: pd.DataFrame) -> Figure:
    """AUC of every entrant on the sealed part with its interval; the champion in colour."""
    champion = table.loc[table["champion"], "model"]
    return interval_plot(
        list(table["model"]), table["roc_auc"].to_numpy(), table["low"].to_numpy(),
        table["high"].to_numpy(), label="AUC on sealed loans, 95% interval",
        title="Who ranks borrowers best",
        highlight=None if champion.empty else str(champion.iloc[0]),
    )  # fmt: skip


def calibration_figure(table: pd.DataFrame) -> Figure:
    """Predicted against observed default rate by score band, a line a model."""
    curves = {str(name): curve for name, curve in table.groupby("model", sort=False)}
    return calibration_plot(curves, title="Can the probabilities be taken at their word?")


def profit_figure(curve: pd.DataFrame, cutoff: float) -> Figure:
    """Profit, with its interval, and approval rate by cut-off; the chosen one marked."""
    shown = curve[curve["cutoff"] <= min(1.0, 4 * cutoff)]
    with new_figure(height=4.0) as (figure, axes):
        axes.fill_between(
            shown["cutoff"], shown["low"] * 100, shown["high"] * 100, color=BLUE, alpha=0.15
        )
        axes.plot(shown["cutoff"], shown["profit"] * 100, color=BLUE, label="profit")
        axes.axhline(0, color=GREY, linewidth=0.8)
        axes.axvline(cutoff, color=RED, linestyle="--", linewidth=1.2, label="chosen cut-off")
        axes.set(
            xlabel="decline from this probability of default",
            ylabel="profit, % of exposure applied for", title="Where lending stops paying",
        )  # fmt: skip
        right = axes.twinx()
        right.plot(shown["cutoff"], shown["approval_rate"] * 100, color=ORANGE, label="approved")
        right.set(ylabel="approved, %", ylim=(0, 100))
        right.grid(visible=False)
        lines = axes.get_legend_handles_labels(), right.get_legend_handles_labels()
        axes.legend(lines[0][0] + lines[1][0], lines[0][1] + lines[1][1], loc="lower right")
    return figure


def stress_figure(table: pd.DataFrame) -> Figure:
    """Expected loss of the same book by scenario."""
    return bar_plot(
        list(table["scenario"]), table["loss_share"].to_numpy() * 100,
        label="expected loss, % of exposure", title="The same book in a bad year",
    )  # fmt: skip


def importance_figure(table: pd.DataFrame, most: int = 12) -> Figure:
    """Mean absolute contribution of the most important columns."""
    top = table.head(most)
    return bar_plot(
        [_short(name) for name in top["feature"]], top["importance"].to_numpy(),
        label="mean |contribution|, log-odds", title="What moves the score",
    )  # fmt: skip


def _short(name: str, most: int = 34) -> str:
    words = name.replace("_", " ")
    return words if len(words) <= most else words[: most - 1] + "…"
