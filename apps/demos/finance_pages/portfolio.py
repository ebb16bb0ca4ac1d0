"""The page about the whole book: where to draw the line, what it earns, and whom it treats how."""

from __future__ import annotations

from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any

from apps.demos.charts import BLUE, GREEN, GREY, ORANGE, legend, quiet_axes, responsive
from apps.demos.finance_pages.answer_card import percent
from apps.demos.finance_pages.asking import problem_card
from apps.demos.finance_pages.book import Curve, Economics, curves_of
from apps.demos.finance_pages.fairness import fairness_card
from core.errors import CasekitError

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from apps.demos.finance_pages.desk import Desk
    from apps.demos.words import Labels

    Curves = Callable[[Economics], Curve]


def portfolio_page(desk: Desk, labels: Labels, language: Any) -> None:
    """Build the page inside the current tab.

    Args:
        desk: The opened bundle.
        labels: Makes components that follow the language.
        language: The component that holds the language.
    """
    import gradio as gr

    labels.make(gr.HTML, {"value": lambda lang: _lead(desk, lang)})
    if not desk.has_outcomes:
        return
    curves, shipped = curves_of(desk), Economics.shipped()
    show = partial(portfolio_html, desk, curves)
    start = round(200 * desk.cutoff) / 2
    with gr.Row(elem_classes="ck-split"):
        with gr.Column(scale=6, min_width=320):
            cutoff = labels.make(
                gr.Slider, {"label": "portfolio.cutoff"}, minimum=0.5, maximum=100, step=0.5,
                value=start, elem_id="cutoff", buttons=[],
            )  # fmt: skip
            shown = gr.HTML(show(labels.first, start, *shipped))
        with gr.Column(scale=4, min_width=320):
            best = labels.make(gr.Button, {"value": "portfolio.best"})
            with labels.make(
                gr.Accordion, {"label": "portfolio.assumptions"}, open=True, elem_classes="ck-form"
            ):
                assumptions = [
                    labels.make(gr.Number, {"label": f"portfolio.{name}"}, value=round(value, 6))
                    for name, value in shipped._asdict().items()
                ]
            labels.make(gr.HTML, {"value": lambda lang: _share_note(desk, lang)})
            fair = gr.HTML(fairness_card(desk, labels.first, start / 100))

    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    asked = [language, cutoff, *assumptions]
    triggers = [cutoff.change, language.change, *(a.change for a in assumptions)]
    gr.on(triggers, show, asked, shown, trigger_mode="always_last", **quiet)
    gr.on(
        [cutoff.change, language.change], partial(_fairness, desk), [language, cutoff], fair,
        trigger_mode="always_last", **quiet,
    )  # fmt: skip
    best.click(partial(_best_cutoff, curves), [cutoff, *assumptions], cutoff, **quiet)


def portfolio_html(
    desk: Desk, curves: Curves, language: str, percentage: float, *assumptions: float
) -> str:
    """Expected numbers at a cut-off, and the curves around it.

    Args:
        desk: The opened bundle.
        curves: Of `curves_of(desk)`.
        language: Of the texts.
        percentage: The cut-off in percent.
        assumptions: The fields of `Economics`, in order.
    """
    try:
        curve = curves(Economics(*assumptions))
    except CasekitError as error:
        return problem_card(error, desk.words, language)
    chosen = percentage / 100
    return _numbers(curve, chosen, desk, language) + _charts(curve, chosen, desk, language)


def _share_note(desk: Desk, language: str) -> str:
    return f'<p class="ck-quiet">{escape(desk.words("portfolio.share_note", language))}</p>'


def _fairness(desk: Desk, language: str, percentage: float) -> str:
    return fairness_card(desk, language, percentage / 100)


def _best_cutoff(curves: Curves, percentage: float, *assumptions: float) -> float:
    """The most profitable cut-off in percent; the present one while an assumption is missing."""
    try:
        return round(200 * curves(Economics(*assumptions)).best) / 2
    except CasekitError:
        return percentage


def _lead(desk: Desk, language: str) -> str:
    words = desk.words
    if not desk.has_outcomes:
        text = words("portfolio.none", language)
    else:
        text = words("portfolio.lead", language, rows=f"{len(desk.reference):,}")
    return (
        f'<h2 class="ck-title">{escape(words("portfolio.title", language))}</h2>'
        f'<p class="ck-quiet">{escape(text)}</p>'
    )


def money(value: float) -> str:
    """An amount without decimals and with a proper minus: −12,300."""
    return f"{value:,.0f}".replace("-", "−")


def _numbers(curve: Curve, chosen: float, desk: Desk, language: str) -> str:
    """Profit, approval, default and defaults declined at the chosen cut-off."""
    words, row = desk.words, curve.at(chosen)
    spread = words(
        "portfolio.profit_range", language, low=money(row["low"]), high=money(row["high"])
    )
    nobody = row["approval_rate"] == 0
    shown = [
        (money(row["profit"]), "profit", spread),
        (percent(row["approval_rate"]), "approved", ""),
        ("–" if nobody else percent(row["bad_rate"]), "bad", ""),
        (percent(row["bads_declined"]), "caught", ""),
    ]
    cells = "".join(
        f'<div><div class="ck-mid" data-testid="{name}">{value}</div>'
        f'<div class="ck-unit">{escape(words(f"portfolio.{name}", language))}</div>'
        f'<div class="ck-note">{escape(extra)}</div></div>'
        for value, name, extra in shown
    )
    note = words(
        "portfolio.best_note",
        language,
        best=percent(curve.best),
        low=percent(curve.best_low),
        high=percent(curve.best_high),
        policy=percent(desk.cutoff),
    )
    return (
        f'<section class="ck-card" aria-live="polite"><div class="ck-tiles">{cells}</div>'
        f'<p class="ck-quiet">{escape(note)}</p></section>'
    )


def _charts(curve: Curve, chosen: float, desk: Desk, language: str) -> str:
    """Profit, then approval and default, by cut-off."""
    words, row = desk.words, curve.at(chosen)
    spoken = words(
        "portfolio.spoken",
        language,
        cutoff=percent(chosen),
        approved=percent(row["approval_rate"]),
        bad=percent(row["bad_rate"]),
        profit=money(row["profit"]),
    )
    chosen_mark = ("dash", GREY, words("portfolio.mark_chosen", language))
    profit_legend = [
        ("line", BLUE, words("portfolio.line_profit", language)),
        ("bar", f"{BLUE}40", words("portfolio.line_interval", language)),
        ("dot", GREEN, words("portfolio.mark_best", language)),
        chosen_mark,
    ]
    rate_legend = [
        ("line", BLUE, words("portfolio.line_approval", language)),
        ("dash", ORANGE, words("portfolio.line_bad", language)),
        chosen_mark,
    ]
    return (
        f'<section class="ck-card"><h3>{escape(words("portfolio.profit_axis", language))}</h3>'
        f"{legend(profit_legend)}{responsive(partial(_draw_profit, curve, chosen), spoken)}"
        f"<h3>{escape(words('portfolio.rate_axis', language))}</h3>"
        f"{legend(rate_legend)}{responsive(partial(_draw_rates, curve, chosen), spoken)}"
        f'<p class="ck-quiet">{escape(words("portfolio.reject_note", language))}</p></section>'
    )


def _draw_profit(curve: Curve, chosen: float, figure: Figure) -> None:
    from matplotlib.ticker import EngFormatter

    table = curve.table
    axes = _axes(curve, chosen, figure)
    axes.axhline(0, color=GREY, linewidth=1)
    axes.fill_between(
        table["cutoff"], table["low"], table["high"], color=BLUE, alpha=0.16, linewidth=0
    )
    axes.plot(table["cutoff"], table["profit"], color=BLUE, linewidth=2.2)
    axes.plot(curve.best, curve.at(curve.best)["profit"], "o", color=GREEN, markersize=8)
    axes.yaxis.set_major_formatter(EngFormatter(sep=""))


def _draw_rates(curve: Curve, chosen: float, figure: Figure) -> None:
    from matplotlib.ticker import PercentFormatter

    table = curve.table
    axes = _axes(curve, chosen, figure)
    axes.plot(table["cutoff"], table["approval_rate"], color=BLUE, linewidth=2.2)
    axes.plot(
        table["cutoff"], table["bad_rate"], color=ORANGE, linewidth=2.2, linestyle=(0, (5, 2))
    )
    axes.set_ylim(0, 1.03)
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))


def _axes(curve: Curve, chosen: float, figure: Figure) -> Axes:
    """Axes over the cut-offs that occur, with the chosen one marked."""
    from matplotlib.ticker import PercentFormatter

    axes = figure.subplots()
    quiet_axes(axes)
    last = float(curve.table["cutoff"].iloc[-1])
    axes.set_xlim(0, min(1.0, max(last, chosen) * 1.02))
    axes.axvline(chosen, color=GREY, linestyle=(0, (4, 3)), linewidth=1.5)
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    return axes
