"""The page of runtimes: how fast each is here and now, what it loses, and what the network is."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from apps.demos.driving_pages.taking import problem_html
from apps.demos.finance_pages.tables import Markup, html_table
from core.errors import CasekitError

if TYPE_CHECKING:
    import pandas as pd

    from apps.demos.driving_pages.desk import Desk
    from apps.demos.driving_pages.runtimes import Speed
    from apps.demos.words import Labels, Words

_QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
_BUSY: dict[str, Any] = {"api_visibility": "private", "show_progress": "full"}


def speed_page(desk: Desk, labels: Labels, language: Any, chooser: Any) -> None:
    """Build the page inside the current tab.

    Args:
        desk: Opened perception.
        labels: Makes components that follow the language.
        language: The component that holds the language.
        chooser: The dropdown of runtimes on the page that sees.
    """
    import gradio as gr

    words = desk.words
    timed = gr.State(None, time_to_live=1800)
    made = gr.State(None, time_to_live=1800)
    with gr.Column(elem_classes="ck-card"):
        labels.make(gr.HTML, {"value": lambda lang: _lead(words, lang)})
        with gr.Row(elem_classes="ck-actions"):
            measure = labels.make(
                gr.Button, {"value": "speed.measure"}, variant="primary", elem_id="measure"
            )
            make = labels.make(
                gr.Button, {"value": "speed.make"}, visible=desk.runtimes.can_make, elem_id="make"
            )
        table = gr.HTML(elem_id="speeds")
        losses = gr.HTML(elem_id="losses")
    labels.make(gr.HTML, {"value": lambda lang: card_html(desk, lang)})

    def measured(lang: str) -> list[Any]:
        try:
            image = desk.first.moments[0].image
            speeds = [desk.runtimes.time(kind, image) for kind in desk.runtimes.kinds]
        except CasekitError as error:
            return [None, problem_html(error, words, lang)]
        return [speeds, speeds_html(speeds, words, lang)]

    def exported(lang: str) -> list[Any]:
        try:
            found = desk.runtimes.make()
        except CasekitError as error:
            return [None, problem_html(error, words, lang), gr.skip(), gr.skip()]
        choices = [(words(f"runtimes.{kind}", lang), kind) for kind in desk.runtimes.kinds]
        return [found, losses_html(found, words, lang), gr.update(choices=choices),
                gr.update(visible=False)]  # fmt: skip

    def anew(speeds: list[Speed] | None, found: pd.DataFrame | None, lang: str) -> list[str]:
        return [
            speeds_html(speeds, words, lang) if speeds else "",
            losses_html(found, words, lang) if found is not None else "",
        ]

    measure.click(measured, language, [timed, table], **_BUSY, concurrency_id="measure")
    make.click(exported, language, [made, losses, chooser, make], **_BUSY, concurrency_id="measure")
    language.change(anew, [timed, made, language], [table, losses], **_QUIET)


def speeds_html(speeds: list[Speed], words: Words, language: str) -> str:
    """Pictures a second of every runtime, with a bar."""
    most = max(speed.rate for speed in speeds)
    rows = [
        [
            words(f"runtimes.{speed.kind}", language),
            Markup(
                f'<div class="ck-effect"><div style="width:{100 * speed.rate / most:.0f}%"></div>'
                "</div>"
            ),
            f"{speed.rate:.1f}", f"{speed.slowest_ms:.0f} ms", speed.pictures,
        ]
        for speed in speeds
    ]  # fmt: skip
    heads = ["kind", "bar", "rate", "slowest", "pictures"]
    names = ["" if head == "bar" else words(f"speed.{head}", language) for head in heads]
    return f'<div data-testid="speeds">{html_table(names, rows, numbers=(2, 3, 4))}</div>'


def losses_html(table: pd.DataFrame, words: Words, language: str) -> str:
    """What every export loses next to torch; refused ones say so."""
    rows = []
    for row in table.to_dict("records"):
        used = bool(row["used"])
        tone = "ck-approve" if used else "ck-decline"
        verdict = words("speed.used" if used else "speed.refused", language)
        rows.append([
            words(f"runtimes.{row['kind']}", language),
            Markup(f'<span class="ck-tag {tone}">{escape(verdict)}</span>'),
            _number(row["miou_loss"], 4), _number(row["ap50_loss"], 4), _number(row["mib"], 1),
            _number(row["times_torch"], 1),
        ])  # fmt: skip
    heads = ["kind", "verdict", "miou", "ap50", "mib", "times"]
    names = [words(f"speed.{head}", language) for head in heads]
    lead = f'<p class="ck-quiet">{escape(words("speed.losses", language))}</p>'
    return lead + html_table(names, rows, numbers=(2, 3, 4, 5))


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}" if value == value else "–"  # noqa: PLR0124 - NaN is not itself


def _lead(words: Words, language: str) -> str:
    title, text = words("speed.title", language), words("speed.lead", language)
    return f'<h2 class="ck-title">{escape(title)}</h2><p class="ck-quiet">{escape(text)}</p>'


def card_html(desk: Desk, language: str) -> str:
    """What is known of the network, as it is written beside it."""
    limits = "".join(
        f"<li>{escape(desk.words(f'limits.{key}', language))}</li>"
        for key in ("rendered", "lens", "unknown", "demo")
    )
    title = escape(desk.words("speed.limits", language))
    told = f'<section class="ck-card"><h3>{title}</h3><ul class="ck-list">{limits}</ul></section>'
    if not desk.card:
        return told
    from markdown_it import MarkdownIt

    # "js-default" turns raw HTML in the card into text; pictures would be fetched from elsewhere.
    body = MarkdownIt("js-default").disable(["image", "linkify"], True).render(desk.card)
    title = escape(desk.words("speed.card", language))
    return told + (
        f'<details class="ck-card ck-fold"><summary>{title}</summary>'
        f'<div class="ck-prose">{body}</div></details>'
    )
