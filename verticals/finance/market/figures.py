"""The figures of the market case: value at risk with hits, contributions, strategies' value.

Figure text is English; captions in the reader's language stand in the text beside them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.evaluation.figures import BLUE, GREY, ORANGE, PALETTE, RED, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from verticals.finance.market.allocation import Allocations
    from verticals.finance.market.backtests import Backtest

STRATEGY_NAMES = {
    "today": "today's weights",
    "equal": "equal weights",
    "min_es": "least ES",
    "risk_parity": "risk parity",
    "hrp": "HRP",
}
_ZONES = {"green": "#009E73", "yellow": "#E69F00", "red": "#D55E00"}


def var_figure(backtest: Backtest) -> Figure:
    """Daily returns, the VaR and ES lines the evening before, hits marked, Basel zone named."""
    f = backtest.forecast
    dates = f.dates.to_numpy()
    hits = f.hits
    with new_figure(7.6, 3.9) as (figure, axes):
        axes.vlines(dates, 0, -f.losses, color="#B9C4CE", linewidth=0.7)
        axes.plot(dates, -f.var, color=BLUE, linewidth=1.2, label=f"VaR {100 * f.level:g}%")
        axes.plot(dates, -f.es, color=ORANGE, linewidth=1.0, label="expected shortfall")
        axes.plot(
            dates[hits], -f.losses[hits], "v", color=RED, markersize=6,
            label=f"hits: {backtest.hits} ({backtest.expected:g} expected)".replace(".0 ", " "),
        )  # fmt: skip
        ends = "day" if f.horizon == 1 else f"{f.horizon} days"
        axes.set(ylabel=f"return of the {ends} in %", title=_title(backtest))
        axes.margins(x=0.01)
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, -0.27), ncols=3)
        if backtest.zone is not None:
            zone = backtest.zone
            axes.text(
                0.995, 0.97, f"Basel zone, last {zone.days} days: {zone.colour} ({zone.hits} hits)",
                transform=axes.transAxes, ha="right", va="top", fontsize=9,
                bbox={"facecolor": "white", "edgecolor": _ZONES[zone.colour], "linewidth": 1.5},
            )  # fmt: skip
    return figure


def contribution_figure(table: pd.DataFrame, *, count: int = 20) -> Figure:
    """Share of expected shortfall beside share of weight, largest on top.

    Args:
        table: Of `portfolio.risk_contributions`.
        count: How many assets to show.
    """
    shown = table.head(count).iloc[::-1]
    place = np.arange(len(shown))
    with new_figure(7.0, 1.2 + 0.26 * len(shown)) as (figure, axes):
        axes.barh(place + 0.18, shown["ES %"], height=0.36, color=BLUE, label="of risk (ES)")
        axes.barh(place - 0.18, shown["weight %"], height=0.36, color="#C3CCD4", label="of weight")
        axes.set_yticks(place, [str(name) for name in shown.index])
        axes.axvline(0, color=GREY, linewidth=0.8)
        axes.set(xlabel="share in %", title="Where the risk sits")
        axes.grid(axis="y", visible=False)
        axes.legend(loc="lower right")
    return figure


def allocation_figure(allocations: Allocations) -> Figure:
    """Value of 100 invested in each strategy, out of sample and after costs."""
    value = 100 * (1 + allocations.returns / 100).cumprod()
    with new_figure(7.6, 3.6) as (figure, axes):
        for colour, name in zip(PALETTE, value.columns, strict=False):
            axes.plot(
                value.index.to_numpy(), value[name], color=colour, linewidth=1.3,
                label=STRATEGY_NAMES.get(str(name), str(name)),
            )  # fmt: skip
        axes.set_yscale("log")
        ticks = _ticks(float(value.min().min()), float(value.max().max()))
        axes.set_yticks(ticks, [f"{t:g}" for t in ticks])
        axes.minorticks_off()
        axes.set(ylabel="value of 100 (log scale)", title="Out of sample, after costs")
        axes.margins(x=0.01)
        axes.legend(loc="upper left")
    return figure


def risk_figure(table: pd.DataFrame) -> Figure:
    """Today's VaR and ES by method, one panel of bars for each horizon in one picture.

    Args:
        table: Of `analysis.risk_table`.
    """
    column = [c for c in table.columns if c.startswith("VaR")][-1]
    shortfall = [c for c in table.columns if c.startswith("ES")][-1]
    labels = [f"{method.replace('_', ' ')}, {days} d" for method, days in table.index]
    place = np.arange(len(table))[::-1]
    with new_figure(7.0, 1.0 + 0.3 * len(table)) as (figure, axes):
        axes.barh(place, table[shortfall], height=0.6, color="#C3CCD4", label=shortfall)
        axes.barh(place, table[column], height=0.6, color=BLUE, label=column)
        axes.set_yticks(place, labels)
        axes.set(xlabel="loss in % of value", title="Risk today")
        axes.grid(axis="y", visible=False)
        axes.legend(loc="lower right")
    return figure


def _title(backtest: Backtest) -> str:
    f = backtest.forecast
    names = {"fhs": "FHS on GJR-GARCH-t", "hs": "Historical simulation"}
    name = names.get(f.method, f.method.replace("_", "-").upper().replace("-T", "-t"))
    return f"{name}: {len(f.var)} days out of sample"


def _ticks(low: float, high: float) -> list[float]:
    steps = [round(m * 10.0**e) for e in range(7) for m in (1, 1.5, 2, 3, 5, 7)]
    return [float(t) for t in steps if low * 0.95 <= t <= high * 1.05]
