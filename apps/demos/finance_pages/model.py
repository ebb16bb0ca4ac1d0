"""The page about the model: what it is for, what it was measured to do, and who signed it."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from apps.demos.finance_pages.tables import html_table

if TYPE_CHECKING:
    from apps.demos.finance_pages.desk import Desk
    from apps.demos.words import Labels
    from core.deployment.results import Measurement

_LIMITS = ("informs", "population", "cause", "time", "protected")


def model_page(desk: Desk, labels: Labels, language: Any) -> None:
    """Build the page inside the current tab.

    Args:
        desk: The opened bundle.
        labels: Makes components that follow the language.
        language: The component that holds the language; the labels follow it already.
    """
    import gradio as gr

    del language
    labels.make(gr.HTML, {"value": lambda lang: model_html(desk, lang)})


def model_html(desk: Desk, language: str) -> str:
    """The whole page: limits first, then facts, numbers, the leaderboard and the card."""
    return (
        '<div class="ck-columns"><div>'
        + _limits(desk, language)
        + _facts(desk, language)
        + "</div><div>"
        + _metrics(desk, language)
        + _leaderboard(desk, language)
        + "</div></div>"
        + _card(desk, language)
    )


def _section(title: str, body: str) -> str:
    return f'<section class="ck-card"><h3>{escape(title)}</h3>{body}</section>'


def _limits(desk: Desk, language: str) -> str:
    items = "".join(f"<li>{escape(desk.words(f'model.limit_{x}', language))}</li>" for x in _LIMITS)
    return _section(desk.words("model.limits_title", language), f'<ul class="ck-list">{items}</ul>')


def _facts(desk: Desk, language: str) -> str:
    words, manifest = desk.words, desk.manifest
    others = {k: v for k, v in manifest.licences.items() if v != manifest.data.licence}
    licences = "; ".join(f"{what}: {text}" for what, text in others.items())
    versions = ", ".join(f"{k} {v}" for k, v in manifest.versions.items())
    facts = {
        "task": manifest.task,
        "created": manifest.created[:16].replace("T", " ") + " UTC",
        "data": f"{manifest.data.source}, "
        + words("model.rows", language, rows=f"{manifest.data.rows:,}"),
        "licences": "; ".join(filter(None, [manifest.data.licence, licences])),
        "fingerprint": manifest.data.fingerprint[:16] + " …",
        "versions": versions or f"casekit {manifest.casekit_version}",
        "signed": _signature(desk, language),
    }
    rows = "".join(
        f"<dt>{escape(words(f'model.{key}', language))}</dt><dd>{escape(text)}</dd>"
        for key, text in facts.items()
        if text
    )
    return _section(words("model.facts", language), f'<dl class="ck-facts">{rows}</dl>')


def _signature(desk: Desk, language: str) -> str:
    """Who signed the bundle and who checked it."""
    if not desk.signer:
        return desk.words("model.unsigned", language)
    key = "model.signed_own" if desk.own else "model.signed_other"
    valid = desk.words(key, language, key=f"{desk.signer[:8]}…{desk.signer[-4:]}")
    return f"{valid} {desk.words('model.checked_by', language)}"


def _metrics(desk: Desk, language: str) -> str:
    """The champion's metrics with their intervals, beside the baseline's."""
    words = desk.words
    rows = [_metric_row(m, desk, language) for m in desk.champion_measurements]
    columns = ("metric", "value", "interval", "baseline", "n")
    body = (
        html_table([words(f"model.{c}", language) for c in columns], rows, numbers=(1, 2, 3, 4))
        if rows
        else f'<p class="ck-quiet">{escape(words("model.none", language))}</p>'
    )
    return _section(words("model.metrics", language), body)


def _metric_row(measured: Measurement, desk: Desk, language: str) -> list[object]:
    key = f"metrics.{measured.metric}"
    name = desk.words(key, language) if desk.words.has(key) else measured.metric.replace("_", " ")
    interval = ""
    if measured.low is not None and measured.high is not None:
        interval = f"{measured.low:.3f} – {measured.high:.3f}"
    baseline = "" if measured.baseline is None else f"{measured.baseline:.3f}"
    return [name, f"{measured.value:.3f}", interval, baseline, f"{measured.n:,}"]


def _leaderboard(desk: Desk, language: str) -> str:
    """Every entrant by its AUC on the same held-out loans, best first."""
    words = desk.words
    entrants = [
        m for m in desk.manifest.measurements if m.metric == "roc_auc" and m.split == "test"
    ]
    if len(entrants) < 2:
        return ""
    entrants = sorted(entrants, key=lambda m: -m.value)
    rows = [[m.model, *_metric_row(m, desk, language)[1:3]] for m in entrants]
    head = [words(f"model.{c}", language) for c in ("entrant", "auc", "interval")]
    return _section(words("model.leaderboard", language), html_table(head, rows, numbers=(1, 2)))


def _card(desk: Desk, language: str) -> str:
    """The model card as it lies in the bundle."""
    text = desk.files.get("card.md", "")
    if not text:
        return ""
    from markdown_it import MarkdownIt

    # "js-default" turns raw HTML in the card into text; pictures would be fetched from elsewhere.
    body = MarkdownIt("js-default").disable(["image", "linkify"], True).render(text)
    title = escape(desk.words("model.card", language))
    return (
        f'<details class="ck-card ck-fold"><summary>{title}</summary>'
        f'<div class="ck-prose">{body}</div></details>'
    )
