"""A patient's record in short: what is active, what to beware of, values, calculators, reports."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from html import escape
from typing import TYPE_CHECKING

from apps.demos.medical_pages.badges import badge
from apps.demos.medical_pages.labs import labs_html
from apps.demos.medical_pages.quotes import safe_link

if TYPE_CHECKING:
    from apps.demos.medical_pages.desk import Advice, Desk, Score
    from apps.demos.medical_pages.records import Record
    from apps.demos.words import Words
    from verticals.medical.patient.record import PatientSummary


def person(summary: PatientSummary, words: Words, language: str) -> str:
    """Sex and age, as far as the record says."""
    key = f"record.{summary.gender}"
    sex = words(key, language) if summary.gender and words.has(key) else ""
    age = ""
    if summary.birth_date and not summary.deceased:
        born, today = summary.birth_date, date.today()
        years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
        age = words("record.age", language, years=years)
    dead = words("record.deceased", language) if summary.deceased else ""
    known = filter(None, [sex, age, dead])
    return words("site.comma", language).join(known) or words("record.somebody", language)


def summary_html(desk: Desk, record: Record | None, language: str) -> str:
    """The whole page of a record."""
    words = desk.words
    if record is None:
        return nobody_html(words, language)
    summary = record.summary
    gender = summary.gender
    labs = labs_html(summary.labs, gender, words, language) or _none(words, language)
    note = f'<p class="ck-quiet">{escape(words("lab.note", language))}</p>'
    return (
        f'<h2 class="ck-title">{escape(person(summary, words, language))}</h2>'
        f'<p class="ck-quiet">{escape(words("record.lead", language))}</p>'
        f'<div class="ck-columns"><div>{_advice(desk.reader.advise(record), words, language)}'
        f"{_scores(desk.reader.scores(record), words, language)}</div>"
        f"<div>{_lists(summary, words, language)}</div></div>"
        + _section(words("lab.title", language), note + labs)
        + _reports(summary, words, language)
        + f'<p class="ck-quiet ck-disclaimer">{escape(words("site.disclaimer", language))}</p>'
    )


def _section(title: str, body: str, kind: str = "") -> str:
    return f'<section class="ck-card {kind}"><h3>{escape(title)}</h3>{body}</section>'


def nobody_html(words: Words, language: str) -> str:
    """What the page says while no patient is chosen."""
    text = escape(words("record.nobody", language))
    return f'<section class="ck-card"><p class="ck-quiet">{text}</p></section>'


def _none(words: Words, language: str) -> str:
    return f'<p class="ck-quiet">{escape(words("record.none", language))}</p>'


def _lists(summary: PatientSummary, words: Words, language: str) -> str:
    """Conditions, medicines, allergies, and what was left out of the record."""
    conditions = [
        (c.name, " · ".join(filter(None, [c.code, str(c.onset.year) if c.onset else ""])))
        for c in summary.conditions
    ]
    medicines = [
        (
            m.name,
            ", ".join(m.ingredients) if len(m.ingredients) else words("record.unread", language),
        )
        for m in summary.medicines
    ]
    out = ""
    for key, entries in (
        ("conditions", conditions), ("medicines", medicines),
        ("allergies", [(a, "") for a in summary.allergies]),
        ("warnings", [(w, "") for w in summary.warnings]),
    ):  # fmt: skip
        if not entries and key == "warnings":
            continue
        items = "".join(
            f'<li>{escape(name)} <span class="ck-quiet">{escape(more)}</span></li>'
            for name, more in entries
        )
        body = f'<ul class="ck-list">{items}</ul>' if items else _none(words, language)
        out += _section(words(f"record.{key}", language), body)
    return out


def _advice(cards: Sequence[Advice], words: Words, language: str) -> str:
    """Interactions and contra-indications as CDS cards."""
    items = "".join(
        f'<article class="ck-cds ck-cds-{card.indicator}">'
        f"{badge(card.indicator, words(f'advice.{card.indicator}', language), 'ck-small')}"
        f"<p><strong>{escape(card.summary)}</strong></p>"
        f'<p class="ck-lines">{escape(card.detail)}</p>'
        f'<p class="ck-quiet">{safe_link(card.link, card.source)}</p></article>'
        for card in cards
    )
    none = f'<p class="ck-quiet">{escape(words("advice.none", language))}</p>'
    return _section(words("advice.title", language), items or none)


def _scores(scores: Sequence[Score], words: Words, language: str) -> str:
    """Calculators that the record has the inputs for."""
    if not scores:
        return ""
    items = "".join(
        f'<li><div class="ck-row"><span>{safe_link(score.link, score.name)}</span>'
        f"<strong>{escape(score.value or words('score.none', language))}</strong></div>"
        f'<div class="ck-lines">{escape(score.says)}</div>{_rests_on(score, words, language)}</li>'
        for score in scores
    )
    return _section(words("score.title", language), f'<ul class="ck-reasons">{items}</ul>')


def _rests_on(score: Score, words: Words, language: str) -> str:
    """What a score was calculated from, lacks, and takes to be absent."""
    parts = (("inputs", score.inputs), ("missing", score.missing), ("assumed", score.assumed))
    lines = [
        words(f"score.{key}", language, list=", ".join(names)) for key, names in parts if names
    ]
    return "".join(f'<div class="ck-quiet">{escape(line)}</div>' for line in lines)


def _reports(summary: PatientSummary, words: Words, language: str) -> str:
    """Texts of imaging and other reports, folded."""
    return "".join(
        f'<details class="ck-card ck-fold"><summary>{escape(report.title)} '
        f'<span class="ck-quiet">{f"{report.issued:%Y-%m-%d}" if report.issued else ""}</span>'
        f'</summary><p class="ck-lines">{escape(report.text)}</p></details>'
        for report in summary.reports
    )
