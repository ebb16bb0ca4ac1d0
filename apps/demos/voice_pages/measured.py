"""The page about the bundle: what was measured, with which certainty, and who vouches for it."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from apps.demos.finance_pages.tables import html_table

if TYPE_CHECKING:
    from apps.demos.voice_pages.desk import Desk
    from apps.demos.words import Words
    from core.deployment.manifest import Manifest
    from core.deployment.results import Measurement

_PLAIN = ("seconds_whole", "false_wakes_an_hour")  # that are no shares
_COLUMNS = ("metric", "value", "interval", "baseline", "n")


def measured_html(desk: Desk, language: str) -> str:
    """Numbers first, then facts, then the model card; nothing where no bundle was opened."""
    manifest = desk.manifest
    if manifest is None:
        return ""
    return (
        _numbers(manifest, desk.words, language)
        + _facts(manifest, desk, language)
        + _card(desk, language)
    )


def _section(title: str, body: str) -> str:
    return f'<section class="ck-card"><h3>{escape(title)}</h3>{body}</section>'


def _numbers(manifest: Manifest, words: Words, language: str) -> str:
    if not manifest.measurements:
        return ""
    lead = f'<p class="ck-quiet">{escape(words("numbers.lead", language))}</p>'
    head = [words(f"numbers.{column}", language) for column in _COLUMNS]
    rows = [_row(measured, words, language) for measured in manifest.measurements]
    return _section(
        words("numbers.title", language), lead + html_table(head, rows, numbers=(1, 2, 3, 4))
    )


def _row(measured: Measurement, words: Words, language: str) -> list[object]:
    key = f"measures.{measured.metric}"
    name = words(key, language) if words.has(key) else measured.metric.replace("_", " ")
    show = _plain if measured.metric in _PLAIN else _percent
    low, high = measured.low, measured.high
    interval = "" if low is None or high is None else f"{show(low)} – {show(high)}"
    baseline = "" if measured.baseline is None else show(measured.baseline)
    return [name, show(measured.value), interval, baseline, f"{measured.n:,}"]


def _percent(value: float) -> str:
    return f"{100 * value:.1f}%"


def _plain(value: float) -> str:
    return f"{value:.2f}"


def _facts(manifest: Manifest, desk: Desk, language: str) -> str:
    words = desk.words
    signed = words("numbers.signed_own" if desk.own else "numbers.signed_other", language,
                   key=f"{desk.signer[:8]}…{desk.signer[-4:]}") if desk.signer else words(
        "numbers.unsigned", language)  # fmt: skip
    facts = {
        "task": manifest.task,
        "created": manifest.created[:16].replace("T", " ") + " UTC",
        "data": words("numbers.rows", language, source=manifest.data.source,
                      rows=f"{manifest.data.rows:,}"),
        "licences": "; ".join(f"{what}: {text}" for what, text in manifest.licences.items()),
        "signed": signed,
    }  # fmt: skip
    items = "".join(
        f"<dt>{escape(words(f'numbers.{key}', language))}</dt><dd>{escape(text)}</dd>"
        for key, text in facts.items()
        if text
    )
    return _section(words("numbers.facts", language), f'<dl class="ck-facts">{items}</dl>')


def _card(desk: Desk, language: str) -> str:
    """The model card as it lies in the bundle."""
    if not desk.card:
        return ""
    from markdown_it import MarkdownIt

    # "js-default" turns raw HTML in the card into text; pictures would be fetched from elsewhere.
    body = MarkdownIt("js-default").disable(["image", "linkify"], True).render(desk.card)
    title = escape(desk.words("numbers.card", language))
    return (
        f'<details class="ck-card ck-fold"><summary>{title}</summary>'
        f'<div class="ck-prose">{body}</div></details>'
    )
