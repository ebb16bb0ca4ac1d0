"""The page about markets: value at risk against what happened, and what the tests say of it."""

from __future__ import annotations

from functools import lru_cache, partial
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.demos.charts import BLUE, GREY, RED, legend, quiet_axes, responsive
from apps.demos.finance_pages.answer_card import percent
from apps.demos.finance_pages.asking import problem_card
from core.errors import CasekitError, ParameterError

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure

    from apps.demos.finance_pages.desk import Desk
    from apps.demos.words import Labels, Words
    from verticals.finance.market.backtests import Backtest

SERIES = ("sp500", "nasdaq", "wti")
METHODS = ("fhs", "gjr_t", "garch_t", "garch_normal", "hs")
LEVELS = (0.95, 0.975, 0.99)
DAYS = (250, 500, 1000)
_SIGNS = {"green": "approve", "yellow": "refer", "red": "decline"}


def market_page(desk: Desk, labels: Labels, language: Any) -> None:
    """Build the page inside the current tab.

    Args:
        desk: Gives the texts; the market needs no credit model.
        labels: Makes components that follow the language.
        language: The component that holds the language.
    """
    import gradio as gr

    words = desk.words

    def named(group: str, values: tuple[str, ...]) -> Callable[[str], list[tuple[str, str]]]:
        return lambda lang: [(words(f"market.{group}.{v}", lang), v) for v in values]

    labels.make(gr.HTML, {"value": lambda lang: _lead(words, lang)})
    with gr.Row(elem_classes="ck-choices"):
        series = labels.make(
            gr.Radio, {"label": "market.which", "choices": named("series", SERIES)},
            value="sp500", elem_classes="ck-pills",
        )  # fmt: skip
        level = labels.make(
            gr.Radio, {"label": "market.level"}, choices=[(f"{100 * x:g}%", x) for x in LEVELS],
            value=0.99, elem_classes="ck-pills",
        )  # fmt: skip
        days = labels.make(
            gr.Radio, {"label": "market.days"}, choices=[(str(d), d) for d in DAYS], value=1000,
            elem_classes="ck-pills",
        )  # fmt: skip
        method = labels.make(
            gr.Dropdown, {"label": "market.how", "choices": named("method", METHODS)}, value="fhs",
            min_width=300,
        )  # fmt: skip
    shown = gr.HTML(_working(words, labels.first), elem_id="market", min_height=300)

    # Forecasts are the same for everybody and are never changed: sessions may share them.
    look = lru_cache(maxsize=64)(look_at_market)
    gr.on(  # without triggers: on load, and whenever a choice changes
        None, partial(market_html, words, look), [language, series, level, method, days], shown,
        trigger_mode="always_last", show_progress="minimal", api_visibility="private",
    )  # fmt: skip


def look_at_market(series: str, level: float, method: str, days: int) -> Backtest:
    """Forecasts of each of the last days of an index, held against what happened.

    Args:
        series: One of `SERIES`.
        level: Confidence, one of `LEVELS`.
        method: One of `METHODS`.
        days: How many days, at most 1,000.

    Raises:
        ParameterError: One of them is not offered.
        DataError: The package with the prices is not installed.
    """
    offered = {"series": SERIES, "level": LEVELS, "method": METHODS}
    given = {"series": series, "level": level, "method": method}
    for name, values in offered.items():
        if given[name] not in values:
            text = ", ".join(map(str, values))
            raise ParameterError(
                f"there is no {given[name]!r}", where=name, remedy=f"One of {text}"
            )
    if not DAYS[0] <= days <= DAYS[-1]:
        raise ParameterError(
            f"{days} days are not offered", where="days", remedy=f"From {DAYS[0]} to {DAYS[-1]}"
        )
    from verticals.finance.market.parameters import MarketParameters
    from verticals.finance.market.prices import load_reference
    from verticals.finance.market.view import market_view

    prices = load_reference(
        series, MarketParameters.model_validate({"missing": "drop"})
    ).frame.iloc[:, 0]
    known: Any = method
    return market_view(prices, level, known, days).backtest


def market_html(words: Words, look: Callable[..., Backtest], language: str, *choice: Any) -> str:
    """The chart with its hits, the numbers, and the tests in plain words.

    Args:
        words: The demo's texts.
        look: `look_at_market`, or the same with a memory.
        language: Of the texts.
        choice: Series, level, method and days, as `look` takes them.
    """
    try:
        result = look(*choice)
    except CasekitError as error:
        return problem_card(error, words, language)
    return (
        _numbers(result, words, language)
        + _chart(result, words, language)
        + _tests(result, words, language)
    )


def _lead(words: Words, language: str) -> str:
    return (
        f'<h2 class="ck-title">{escape(words("market.title", language))}</h2>'
        f'<p class="ck-quiet">{escape(words("market.lead", language))}</p>'
    )


def _working(words: Words, language: str) -> str:
    text = escape(words("market.working", language))
    return f'<section class="ck-card"><p class="ck-quiet">{text}</p></section>'


def _numbers(result: Backtest, words: Words, language: str) -> str:
    """The last evening's forecast, and how often it was exceeded."""
    f = result.forecast
    day = f"{f.dates[-1]:%Y-%m-%d}"
    cells = [
        (f"{f.var[-1]:.2f}%", words("market.var", language, level=f"{100 * f.level:g}%", day=day)),
        (f"{f.es[-1]:.2f}%", words("market.es", language)),
        (str(result.hits), words("market.hits", language, expected=f"{result.expected:.1f}",
                                 days=f"{len(f.var):,}")),
        (percent(result.hit_rate.value / 100), words(
            "market.rate", language, low=percent(result.hit_rate.low / 100),
            high=percent(result.hit_rate.high / 100), aim=percent(1 - f.level))),
    ]  # fmt: skip
    tiles = "".join(
        f'<div><div class="ck-mid">{value}</div><div class="ck-unit">{escape(text)}</div></div>'
        for value, text in cells
    )
    return f'<section class="ck-card ck-tiles" aria-live="polite">{tiles}</section>'


def _chart(result: Backtest, words: Words, language: str) -> str:
    f = result.forecast
    spoken = words(
        "market.spoken", language, hits=result.hits, expected=f"{result.expected:.1f}",
        first=f"{f.dates[0]:%Y-%m-%d}", last=f"{f.dates[-1]:%Y-%m-%d}",
    )  # fmt: skip
    entries = [
        ("bar", GREY, words("market.line_return", language)),
        ("line", BLUE, words("market.line_var", language, level=f"{100 * f.level:g}%")),
        ("triangle", RED, words("market.mark_hit", language)),
    ]
    chart = responsive(partial(_draw, result), spoken, wide=(10.6, 4.0), narrow=(4.1, 4.2))
    title = escape(words("market.chart", language))
    return f'<section class="ck-card"><h3>{title}</h3>{legend(entries)}{chart}</section>'


def _draw(result: Backtest, figure: Figure) -> None:
    from matplotlib.ticker import PercentFormatter

    f = result.forecast
    axes = figure.subplots()
    quiet_axes(axes)
    returns = -f.losses
    dates = f.dates.to_numpy()
    axes.vlines(dates, 0, returns, color=GREY, alpha=0.55, linewidth=0.9)
    axes.plot(dates, -f.var, color=BLUE, linewidth=1.6)
    hits = f.hits
    low = float(np.ptp(returns)) * 0.035
    axes.plot(dates[hits], returns[hits] - low, "^", color=RED, markersize=7)
    axes.axhline(0, color=GREY, linewidth=0.8)
    axes.margins(x=0.01)
    ticks = np.linspace(0, len(dates) - 1, 7 if figure.get_figwidth() > 6 else 4).astype(int)
    axes.set_xticks(dates[ticks], [f"{day:%Y-%m}" for day in f.dates[ticks]])
    axes.yaxis.set_major_formatter(PercentFormatter(100, decimals=0))


def _tests(result: Backtest, words: Words, language: str) -> str:
    """Each test as a question with its answer; a failure is called one."""
    items = []
    for test in result.tests:
        verdict = "holds" if test.passed else "fails"
        items.append(_item(
            words(f"market.test.{test.name}", language),
            words(f"market.{verdict}", language, p=f"{test.p_value:.3f}"),
            "approve" if test.passed else "decline",
        ))  # fmt: skip
    if result.zone is not None:
        zone = result.zone
        items.append(_item(
            words("market.zone", language, days=zone.days),
            words(f"market.zones.{zone.colour}", language, hits=zone.hits),
            _SIGNS[zone.colour],
        ))  # fmt: skip
    title = escape(words("market.tests", language))
    note = escape(words("market.tests_note", language))
    return (
        f'<section class="ck-card"><h3>{title}</h3><ul class="ck-tests">{"".join(items)}</ul>'
        f'<p class="ck-quiet">{note}</p></section>'
    )


def _item(question: str, answer: str, kind: str) -> str:
    from apps.demos.finance_pages.answer_card import icon

    return (
        f'<li><span>{escape(question)}</span><span class="ck-badge ck-{kind}">{icon(kind)}'
        f"{escape(answer)}</span></li>"
    )
