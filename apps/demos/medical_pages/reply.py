"""An answer as the page shows it: evidence in context, agreement or conflict, or a refusal."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from apps.demos.finance_pages.tables import Markup, html_table
from apps.demos.medical_pages.badges import badge, direction_badge, grade_badge, percent
from apps.demos.medical_pages.quotes import plain, quotation, safe_link, verbatim

if TYPE_CHECKING:
    from apps.demos.medical_pages.desk import Desk, Word
    from apps.demos.words import Words
    from verticals.medical.answer import Answer, Evidence

_SIDES = ("supports", "contradicts", "no difference", "unclear")
_EVEN = 0.5  # confidence below which an answer is called doubtful
_PICO = ("population", "intervention", "comparison", "outcome")


def reply_html(
    answer: Answer, desk: Desk, language: str, weights: Sequence[Sequence[Word]] = ()
) -> str:
    """The whole answer.

    Args:
        answer: What the engine says.
        desk: Reads the documents that are quoted.
        language: Of the page.
        weights: By piece of evidence, the words of its document that carried it; may be empty.
    """
    words = desk.words
    parts = [_status(answer, words, language), _warnings(answer, words, language)]
    if answer.status == "answered":
        parts += [
            _generated(answer, words, language),
            _sides(answer, words, language),
            _pieces(answer.evidence, "reply.evidence", desk, language, weights),
            _table(answer.evidence, words, language),
        ]
    elif answer.nearest:
        parts.append(_pieces(answer.nearest, "reply.nearest", desk, language, ()))
    parts += [_pico(answer, words, language), _disclaimer(words, language)]
    return "".join(parts)


def welcome_html(words: Words, language: str) -> str:
    """What stands in place of an answer before there is one."""
    items = "".join(
        f"<li>{escape(words(f'welcome.{part}', language))}</li>"
        for part in ("quotes", "sides", "refuses", "patient")
    )
    title = words("welcome.title", language)
    return _section(title, f'<ul class="ck-list">{items}</ul>')


def _section(title: str, body: str, kind: str = "") -> str:
    return f'<section class="ck-card {kind}"><h3>{escape(title)}</h3>{body}</section>'


def _status(answer: Answer, words: Words, language: str) -> str:
    """Answered or not, how sure, and which facts of the patient shaped the search."""
    doubtful = answer.status == "answered" and answer.confidence < _EVEN
    key = "doubtful" if doubtful else answer.status
    head = badge("unclear" if doubtful else answer.status, words(f"reply.{key}", language))
    sure = percent(answer.confidence)
    reason = f"<p>{escape(answer.reason)}</p>" if answer.reason else ""
    facts = "".join(f"<li>{escape(fact)}</li>" for fact in answer.facts_used)
    used = (
        f"<h4>{escape(words('reply.facts', language))}</h4>"
        f'<ul class="ck-chips" data-testid="facts">{facts}</ul>'
        if facts
        else ""
    )
    return (
        f'<section class="ck-card" aria-live="polite" data-testid="reply" '
        f'data-status="{answer.status}"><div class="ck-head">{head}</div>'
        f'<div class="ck-sureness"><div class="ck-mid">{escape(sure)}</div>'
        f'<div class="ck-unit">{escape(words("reply.sure", language))}</div></div>'
        f'<div class="ck-effect" role="img" aria-label="{escape(sure)}">'
        f'<div style="width:{100 * answer.confidence:.0f}%"></div></div>{reason}{used}</section>'
    )


def _warnings(answer: Answer, words: Words, language: str) -> str:
    if not answer.warnings:
        return ""
    items = "".join(f"<p>{escape(warning)}</p>" for warning in answer.warnings)
    label = escape(words("reply.warning", language))
    return f'<section class="ck-card ck-caution" role="note" aria-label="{label}">{items}</section>'


def _generated(answer: Answer, words: Words, language: str) -> str:
    """A model's wording, where one is set: verified sentence by sentence, and how many fell."""
    if not answer.generated and not answer.dropped:
        return ""
    text = verbatim(answer.generated) or escape(words("reply.nothing_kept", language))
    note = words("reply.dropped", language, dropped=answer.dropped)
    body = f'<p class="ck-lines">{text}</p><p class="ck-quiet">{escape(note)}</p>'
    return _section(words("reply.generated", language), body)


def _sides(answer: Answer, words: Words, language: str) -> str:
    """Agreement in a line; conflict side by side."""
    present = [side for side in _SIDES if answer.agreement.get(side)]
    if not present:
        return ""
    if present == ["unclear"]:
        body = f"<p>{escape(words('sides.unread', language))}</p>"
        return _section(words("sides.title", language), body)
    if not answer.conflict:
        key = "sides.one" if len(present) == 1 else "sides.some"
        said = ", ".join(
            words("sides.count", language, n=answer.agreement[side],
                  side=words(f"directions.{side.replace(' ', '_')}", language).lower())
            for side in present
        )  # fmt: skip
        body = f"<p>{escape(words(key, language, said=said))}</p>"
        return _section(words("sides.title", language), body)
    columns = "".join(_side(side, answer, words, language) for side in present)
    lead = f'<p class="ck-quiet">{escape(words("sides.conflict_lead", language))}</p>'
    body = f'{lead}<div class="ck-sides" data-testid="conflict">{columns}</div>'
    return _section(words("sides.conflict", language), body, "ck-problem")


def _side(side: str, answer: Answer, words: Words, language: str) -> str:
    numbered = enumerate(answer.evidence, 1)
    items = "".join(
        f'<li><span class="ck-no">{n}</span><span>{escape(plain(e.quote))}<br>'
        f'<span class="ck-quiet">{escape(_from(e))}</span></span></li>'
        for n, e in numbered
        if e.direction == side
    )
    count = words("sides.documents", language, n=answer.agreement[side])
    return (
        f'<div><div class="ck-head">{direction_badge(side, words, language)}'
        f'<span class="ck-quiet">{escape(count)}</span></div><ul>{items}</ul></div>'
    )


def _pieces(
    evidence: Sequence[Evidence],
    title: str,
    desk: Desk,
    language: str,
    weights: Sequence[Sequence[Word]],
) -> str:
    words = desk.words
    lead = f'<p class="ck-quiet">{escape(words(f"{title}_lead", language))}</p>'
    body = "".join(
        _piece(n, e, desk, language, weights[n - 1] if weights else ())
        for n, e in enumerate(evidence, 1)
    )
    return _section(words(title, language), f'{lead}<ol class="ck-pieces">{body}</ol>')


def _piece(
    number: int,
    evidence: Evidence,
    desk: Desk,
    language: str,
    weights: Sequence[Word],
) -> str:
    """One quotation: badges, the quote in its passage, and where to verify it."""
    words, text = desk.words, desk.reader.text(evidence.document)
    start, end = evidence.start, evidence.end
    missing = ""
    if text[start:end] != evidence.quote:  # never show a place that does not hold the words
        text, start, end, weights = evidence.quote, 0, len(evidence.quote), ()
        missing = f'<div class="ck-quiet">{escape(words("piece.missing", language))}</div>'
    support = words("piece.bears", language, p=percent(evidence.support))
    where = " · ".join(filter(None, [evidence.section, evidence.note]))
    return (
        f'<li id="evidence-{number}"><div class="ck-head"><span class="ck-no">{number}</span>'
        f"{grade_badge(evidence.grade, words, language)}"
        f"{direction_badge(evidence.direction, words, language, evidence.direction_probability)}"
        f'<span class="ck-num">{escape(support)}</span></div>'
        f"{quotation(text, start, end, weights)}{missing}"
        f'<div class="ck-source">{safe_link(evidence.link, evidence.title)} '
        f'<span class="ck-quiet">{escape(_from(evidence))}</span></div>'
        f'<div class="ck-quiet">{escape(where)}</div></li>'
    )


def _from(evidence: Evidence) -> str:
    """Who published it and when."""
    return ", ".join(
        str(part) for part in (evidence.organisation or evidence.journal, evidence.year) if part
    )


def _table(evidence: Sequence[Evidence], words: Words, language: str) -> str:
    columns = ("no", "source", "year", "grade", "direction", "link", "support", "place")
    rows = [
        [n, e.title, e.year or "", words(f"grades.{e.grade.replace(' ', '_')}", language),
         Markup(direction_badge(e.direction, words, language)),
         Markup(safe_link(e.link, e.doi or e.pmid or e.link)), percent(e.support),
         f"{e.document} [{e.start}:{e.end}]"]
        for n, e in enumerate(evidence, 1)
    ]  # fmt: skip
    table = html_table([words(f"piece.{c}", language) for c in columns], rows, numbers=(0, 2, 6))
    title = escape(words("reply.table", language))
    return (
        f'<details class="ck-card ck-fold"><summary>{title}</summary>'
        f'<div class="ck-wrap">{table}</div></details>'
    )


def _pico(answer: Answer, words: Words, language: str) -> str:
    found = answer.pico.model_dump() if answer.pico else {}
    rows = "".join(
        f"<dt>{escape(words(f'pico.{part}', language))}</dt><dd>{escape(plain(found[part]))}</dd>"
        for part in _PICO
        if found.get(part)
    )
    if not rows:
        return ""
    return _section(words("pico.title", language), f'<dl class="ck-facts">{rows}</dl>')


def _disclaimer(words: Words, language: str) -> str:
    return f'<p class="ck-quiet ck-disclaimer">{escape(words("site.disclaimer", language))}</p>'
