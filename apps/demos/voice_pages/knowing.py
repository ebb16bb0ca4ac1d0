"""The people of a visit as a list, how far a voice is learned, and what was taught."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from apps.demos.voice_pages.icons import icon
from apps.demos.voice_pages.who import may_text
from verticals.voice.people.enrolment import ENROLMENTS

if TYPE_CHECKING:
    from apps.demos.voice_pages.visits import Visit
    from apps.demos.words import Words
    from verticals.voice.people.learned import Lesson

READ = ("first", "second", "third")  # sentences to read aloud


def people_html(visit: Visit | None, words: Words, language: str) -> str:
    """Who is enrolled and may do what, and what was taught; each with a button to undo it."""
    names = visit.people.names if visit else ()
    people = "".join(_person(name, visit, words, language) for name in names) if visit else ""
    people += _stranger(visit, words, language) if names and visit else ""
    if not people:
        people = f'<li class="ck-quiet">{escape(words("people.nobody", language))}</li>'
    lessons = visit.people.lessons if visit else ()
    taught = "".join(_lesson(n, x, words, language) for n, x in enumerate(lessons))
    if not taught:
        taught = f'<li class="ck-quiet">{escape(words("people.untaught", language))}</li>'
    return (
        f'<section class="ck-card"><h3>{escape(words("people.known", language))}</h3>'
        f'<ul class="ck-people-list" data-testid="people">{people}</ul></section>'
        f'<section class="ck-card"><h3>{escape(words("people.taught", language))}</h3>'
        f'<ul class="ck-people-list" data-testid="lessons">{taught}</ul></section>'
    )


def progress_html(clips: int, words: Words, language: str) -> str:
    """The sentences to read; those that were recorded have a tick."""
    items = "".join(
        f'<li class="{"ck-read" if n < clips else "ck-next" if n == clips else ""}">'
        f"{icon('yes') if n < clips else '<i></i>'}"
        f"<span>{escape(words(f'enrol.{name}', language))}</span></li>"
        for n, name in enumerate(READ)
    )
    told = words("enrol.progress", language, done=min(clips, ENROLMENTS), all=ENROLMENTS)
    return (
        f'<ol class="ck-reading" aria-label="{escape(told)}">{items}</ol>'
        f'<p class="ck-note" role="status" data-testid="clips">{escape(told)}</p>'
    )


def taught_text(lesson: Lesson, words: Words, language: str) -> str:
    """What was taught, and for whom."""
    whose = lesson.speaker or words("people.everybody", language)
    return words("people.lesson", language, heard=lesson.heard, meant=lesson.meant, whose=whose)


def _person(name: str, visit: Visit, words: Words, language: str) -> str:
    may = visit.people.permissions(name)
    role = words(f"roles.{may.role}", language)
    return (
        f"<li>{icon('person')}<span><b>{escape(name)}</b> · {escape(role)}"
        f"<small>{escape(may_text(may, words, language))}</small></span>"
        + _undo("forget", name, words("people.forget", language), name)
        + "</li>"
    )


def _stranger(visit: Visit, words: Words, language: str) -> str:
    may = may_text(visit.people.permissions(None), words, language)
    return (
        f"<li>{icon('ask')}<span>{escape(words('people.stranger', language))}"
        f"<small>{escape(may)}</small></span></li>"
    )


def _lesson(number: int, lesson: Lesson, words: Words, language: str) -> str:
    text = taught_text(lesson, words, language)
    undo = _undo("undo", str(number), words("people.undo", language), text)
    return f"<li>{icon('yes')}<span>{escape(text)}</span>{undo}</li>"


def _undo(act: str, value: str, text: str, what: str) -> str:
    return (
        f'<button type="button" class="ck-act" data-act="{act}" data-value="{escape(value)}" '
        f'aria-label="{escape(f"{text}: {what}")}">{escape(text)}</button>'
    )
