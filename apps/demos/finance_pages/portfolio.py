"""The page about the whole book: where to draw the line, what it earns, and whom it treats how."""

from __future__ import annotations

from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any

from apps.demos.charts import BLUE, GREEN, GREY, ORANGE, legend, quiet_axes, responsive
from apps.demos.finance_pages.answer_card import percent
from apps.demos.finance_pages.asking import problem_card
from apps.demos.finance_pages.book import Book, Economics, book_of
from apps.demos.finance_pages.fairness import fairness_card
from core.errors import CasekitError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from apps.demos.finance_pages.desk import Desk
    from apps.demos.words import Labels


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
    with gr.Row(elem_classes="ck-split"):
        with gr.Column(scale=6, min_width=320):
            cutoff = labels.make(
                gr.Slider, {"label": "portfolio.cutoff"}, minimum=0.5, maximum=100, step=0.5,
                value=round(200 * desk.cutoff) / 2, elem_id="cutoff", buttons=[],
            )  # fmt: skip
            shown = gr.HTML(portfolio_html(desk, labels.first, 100 * desk.cutoff, *Economics()))
        with gr.Column(scale=4, min_width=320):
            best = labels.make(gr.Button, {"value": "portfolio.best"})
            with labels.make(
                gr.Accordion, {"label": "portfolio.assumptions"}, open=True, elem_classes="ck-form"
            ):
                assumptions = [
                    labels.make(
                        gr.Number, {"label": f"portfolio.{name}"}, value=value, minimum=0,
                        maximum=100 if name in ("margin", "lgd") else None,
                    )
                    for name, value in Economics()._asdict().items()
                ]  # fmt: skip
            fair = gr.HTML(fairness_card(desk, labels.first, desk.cutoff))

    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    asked = [language, cutoff, *assumptions]
    triggers = [cutoff.change, language.change, *(a.change for a in assumptions)]
    gr.on(
        triggers, partial(portfolio_html, desk), asked, shown, trigger_mode="always_last", **quiet
    )
    gr.on(
        [cutoff.change, language.change], partial(_fairness, desk), [language, cutoff], fair,
        trigger_mode="always_last", **quiet,
    )  # fmt: skip
    best.click(partial(_best_cutoff, desk), [cutoff, *assumptions], cutoff, **quiet)


def portfolio_html(desk: Desk, language: str, percentage: float, *assumptions: float) -> str:
    """Expected numbers at a cut-off, and the curves around it.

    Args:
        desk: The opened bundle.
        language: Of the texts.
        percentage: The cut-off in percent.
        assumptions: The fields of `Economics`, in order.
    """
    try:
        book = book_of(desk, Economics(*assumptions))
    except CasekitError as error:
        return problem_card(error, desk.words, language)
    at = book.at(percentage / 100)
    return _numbers(book, at, desk, language) + _curves(book, at, desk, language)


def _fairness(desk: Desk, language: str, percentage: float) -> str:
    return fairness_card(desk, language, percentage / 100)


def _best_cutoff(desk: Desk, percentage: float, *assumptions: float) -> float:
    """The most profitable cut-off in percent; the present one while an assumption is missing."""
    try:
        book = book_of(desk, Economics(*assumptions))
    except CasekitError:
        return percentage
    return float(100 * book.cutoffs[book.best])


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


def _numbers(book: Book, at: int, desk: Desk, language: str) -> str:
    """Approval, default, defaults caught and profit at the chosen cut-off."""
    words = desk.words
    gap = book.profit[book.best] - book.profit[at]
    note = (
        words("portfolio.at_best", language)
        if gap <= 0
        else words(
            "portfolio.versus",
            language,
            difference=money(gap),
            best=percent(book.cutoffs[book.best]),
        )
    )
    bad = "–" if book.bad[at] != book.bad[at] else percent(book.bad[at])
    shown = [
        (money(book.profit[at]), "profit", note),
        (percent(book.approved[at]), "approved", ""),
        (bad, "bad", ""),
        (percent(book.caught[at]), "caught", ""),
    ]
    cells = "".join(
        f'<div><div class="ck-mid" data-testid="{name}">{value}</div>'
        f'<div class="ck-unit">{escape(words(f"portfolio.{name}", language))}</div>'
        f'<div class="ck-note">{escape(extra)}</div></div>'
        for value, name, extra in shown
    )
    return f'<section class="ck-card ck-tiles" aria-live="polite">{cells}</section>'


def _curves(book: Book, at: int, desk: Desk, language: str) -> str:
    """Profit, then approval and default, by cut-off."""
    words = desk.words
    spoken = words(
        "portfolio.spoken",
        language,
        cutoff=percent(book.cutoffs[at]),
        approved=percent(book.approved[at]),
        bad=percent(book.bad[at]),
        profit=money(book.profit[at]),
    )
    marks = [
        ("dot", GREEN, words("portfolio.mark_best", language)),
        ("dash", GREY, words("portfolio.mark_chosen", language)),
    ]
    profit_legend = [("line", BLUE, words("portfolio.line_profit", language)), *marks]
    rate_legend = [
        ("line", BLUE, words("portfolio.line_approval", language)),
        ("dash", ORANGE, words("portfolio.line_bad", language)),
    ]
    return (
        f'<section class="ck-card"><h3>{escape(words("portfolio.profit_axis", language))}</h3>'
        f"{legend(profit_legend)}{responsive(partial(_draw_profit, book, at), spoken)}"
        f"<h3>{escape(words('portfolio.rate_axis', language))}</h3>"
        f"{legend(rate_legend)}{responsive(partial(_draw_rates, book, at), spoken)}"
        f'<p class="ck-quiet">{escape(words("portfolio.reject_note", language))}</p></section>'
    )


def _draw_profit(book: Book, at: int, figure: Figure) -> None:
    from matplotlib.ticker import EngFormatter, PercentFormatter

    axes = figure.subplots()
    quiet_axes(axes)
    axes.axhline(0, color=GREY, linewidth=1)
    axes.plot(book.cutoffs, book.profit, color=BLUE, linewidth=2.2)
    axes.axvline(book.cutoffs[at], color=GREY, linestyle=(0, (4, 3)), linewidth=1.5)
    axes.plot(book.cutoffs[book.best], book.profit[book.best], "o", color=GREEN, markersize=8)
    axes.plot(book.cutoffs[at], book.profit[at], "o", color=BLUE, markersize=6)
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.yaxis.set_major_formatter(EngFormatter(sep=""))


def _draw_rates(book: Book, at: int, figure: Figure) -> None:
    from matplotlib.ticker import PercentFormatter

    axes = figure.subplots()
    quiet_axes(axes)
    axes.plot(book.cutoffs, book.approved, color=BLUE, linewidth=2.2)
    axes.plot(book.cutoffs, book.bad, color=ORANGE, linewidth=2.2, linestyle=(0, (5, 2)))
    axes.axvline(book.cutoffs[at], color=GREY, linestyle=(0, (4, 3)), linewidth=1.5)
    axes.set(xlim=(0, 1), ylim=(0, 1.03))
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
