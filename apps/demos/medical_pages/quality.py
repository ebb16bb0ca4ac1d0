"""The page of measured numbers: how good search, quotes and refusals are, and who signed them."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from apps.demos.finance_pages.tables import Markup, html_table

if TYPE_CHECKING:
    from apps.demos.medical_pages.desk import Desk
    from apps.demos.medical_pages.session import Session
    from apps.demos.words import Labels, Words
    from core.deployment.results import Measurement

_LIMITS = ("informs", "corpus", "summaries", "direction", "questions")


def quality_page(desk: Desk, labels: Labels, language: Any, session: Session) -> None:
    """Build the page inside the current tab."""
    import gradio as gr

    del language, session
    labels.make(gr.HTML, {"value": lambda lang: quality_html(desk, lang)})


def quality_html(desk: Desk, language: str) -> str:
    """The whole page: numbers first, then limits and facts, then the card."""
    words = desk.words
    return (
        _section(words("quality.measured", language), _measured(desk, language))
        + f'<div class="ck-columns"><div>{_limits(words, language)}</div>'
        + f"<div>{_facts(desk, language)}</div></div>"
        + _card(desk, language)
        + f'<p class="ck-quiet ck-disclaimer">{escape(words("site.disclaimer", language))}</p>'
    )


def _section(title: str, body: str) -> str:
    return f'<section class="ck-card"><h3>{escape(title)}</h3>{body}</section>'


def _measured(desk: Desk, language: str) -> str:
    words = desk.words
    if not desk.manifest.measurements:
        return f'<p class="ck-quiet">{escape(words("quality.none", language))}</p>'
    columns = ("metric", "value", "interval", "scale", "baseline", "n")
    rows = [_row(m, words, language) for m in desk.manifest.measurements]
    lead = f'<p class="ck-quiet">{escape(words("quality.lead", language))}</p>'
    heads = [words(f"quality.{c}", language) for c in columns]
    return lead + html_table(heads, rows, numbers=(1, 2, 5))


def _row(measured: Measurement, words: Words, language: str) -> list[object]:
    key = f"measures.{measured.metric}"
    name = words(key, language) if words.has(key) else measured.metric.replace("_", " ")
    interval = ""
    if measured.low is not None and measured.high is not None:
        interval = f"{measured.low:.3f} – {measured.high:.3f}"
    baseline = ""
    if measured.baseline is not None:
        baseline = f"{measured.baseline:.3f} {measured.baseline_model or ''}".strip()
    return [
        name, f"{measured.value:.3f}", interval, Markup(interval_bar(measured)), baseline,
        f"{measured.n:,}",
    ]  # fmt: skip


def interval_bar(measured: Measurement) -> str:
    """A metric between 0 and 1 on its scale: dot, interval, and the baseline as a line."""
    values = [measured.value, measured.low, measured.high, measured.baseline]
    known = [value for value in values if value is not None]
    if min(known) < 0 or max(known) > 1:
        return ""
    low = measured.value if measured.low is None else measured.low
    high = measured.value if measured.high is None else measured.high
    base = (
        f'<div class="ck-base" style="left:{100 * measured.baseline:.1f}%"></div>'
        if measured.baseline is not None
        else ""
    )
    return (
        f'<div class="ck-track ck-slim" aria-hidden="true"><div class="ck-usual" '
        f'style="left:{100 * low:.1f}%;width:{100 * (high - low):.1f}%"></div>{base}'
        f'<div class="ck-dot" style="left:{100 * measured.value:.1f}%"></div></div>'
    )


def _limits(words: Words, language: str) -> str:
    items = "".join(f"<li>{escape(words(f'quality.limit_{x}', language))}</li>" for x in _LIMITS)
    return _section(words("quality.limits", language), f'<ul class="ck-list">{items}</ul>')


def _facts(desk: Desk, language: str) -> str:
    words, manifest, facets = desk.words, desk.manifest, desk.reader.facets()
    first, last = facets.years or (0, 0)
    years = words("quality.years", language, first=first, last=last) if facets.years else ""
    others = {k: v for k, v in manifest.licences.items() if v != manifest.data.licence}
    licences = [manifest.data.licence, *(f"{k}: {v}" for k, v in others.items())]
    facts = {
        "task": manifest.task,
        "created": manifest.created[:16].replace("T", " ") + " UTC",
        "corpus": words(
            "quality.size", language, documents=f"{facets.documents:,}",
            passages=f"{facets.passages:,}",
        ) + years,
        "licences": "; ".join(filter(None, licences)),
        "fingerprint": manifest.data.fingerprint[:16] + " …",
        "versions": ", ".join(f"{k} {v}" for k, v in manifest.versions.items()),
        "signed": _signature(desk, language),
    }  # fmt: skip
    rows = "".join(
        f"<dt>{escape(words(f'quality.{key}', language))}</dt><dd>{escape(text)}</dd>"
        for key, text in facts.items()
        if text
    )
    return _section(words("quality.facts", language), f'<dl class="ck-facts">{rows}</dl>')


def _signature(desk: Desk, language: str) -> str:
    """Who signed the bundle and who checked it."""
    if not desk.signer:
        return desk.words("quality.unsigned", language)
    key = "quality.signed_own" if desk.own else "quality.signed_other"
    return desk.words(key, language, key=f"{desk.signer[:8]}…{desk.signer[-4:]}")


def _card(desk: Desk, language: str) -> str:
    """The model card as it lies in the bundle."""
    text = desk.files.get("card.md", "")
    if not text:
        return ""
    from markdown_it import MarkdownIt

    # "js-default" turns raw HTML in the card into text; pictures would be fetched from elsewhere.
    body = MarkdownIt("js-default").disable(["image", "linkify"], True).render(text)
    title = escape(desk.words("quality.card", language))
    return (
        f'<details class="ck-card ck-fold"><summary>{title}</summary>'
        f'<div class="ck-prose">{body}</div></details>'
    )
