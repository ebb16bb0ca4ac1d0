"""For whom is asked: the bar above the pages, and the page about that patient."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apps.demos.medical_pages.asking import problem_html
from apps.demos.medical_pages.records import Record, read_record
from apps.demos.medical_pages.session import forgotten
from apps.demos.medical_pages.summary import nobody_html, person, summary_html
from core.errors import CasekitError

if TYPE_CHECKING:
    from apps.demos.medical_pages.desk import Desk
    from apps.demos.medical_pages.session import Session
    from apps.demos.words import Labels, Words

NOBODY, UPLOADED = "", "uploaded"


def patient_bar(desk: Desk, labels: Labels, language: Any, session: Session) -> None:
    """For whom is asked: nobody, a made-up patient, or an uploaded record.

    An uploaded file is read once and deleted at once; the record stays in memory for an hour.
    """
    import gradio as gr

    words = desk.words
    with gr.Row(elem_classes="ck-who"):
        who = labels.make(
            gr.Dropdown,
            {"label": "who.label", "choices": lambda lang: _choices(desk, lang)},
            value=NOBODY,
            elem_id="who",
            scale=0,
            min_width=280,
        )
        upload = labels.make(
            gr.UploadButton, {"label": "who.upload"}, file_types=[".json"], elem_id="record",
            scale=0, min_width=190,
        )  # fmt: skip
        told = gr.HTML(elem_id="told")

    def choose(name: str, record: Record | None, lang: str) -> list[Any]:
        """The record of a name; an uploaded one is already there."""
        file = desk.patients.get(name)
        if file is not None:
            opened = _opened(desk, file, lang)
        elif name == UPLOADED and record is not None:
            opened = [record, _told(record, words, lang), summary_html(desk, record, lang)]
        else:
            opened = [None, "", nobody_html(words, lang)]
        return [*opened, *forgotten(words, lang)]

    def take(file: str | None, lang: str) -> list[Any]:
        """Read an uploaded record, and delete the file."""
        if not file:
            return [gr.update(), None, "", nobody_html(words, lang), *forgotten(words, lang)]
        path = Path(file)
        try:
            opened = _opened(desk, path, lang)
        finally:
            path.unlink(missing_ok=True)
        found = opened[0] is not None
        value = gr.update(
            value=UPLOADED if found else NOBODY, choices=_choices(desk, lang, uploaded=found)
        )
        return [value, *opened, *forgotten(words, lang)]

    quiet: dict[str, Any] = {"api_visibility": "private"}
    shown = [session.record, told, session.summary, *session.shown]
    who.input(choose, [who, session.record, language], shown, **quiet)
    upload.upload(take, [upload, language], [who, *shown], **quiet)
    language.change(
        lambda record, lang: [_told(record, words, lang), summary_html(desk, record, lang)],
        [session.record, language], [told, session.summary], show_progress="hidden", **quiet,
    )  # fmt: skip
    language.change(
        lambda record, name, lang: gr.update(
            choices=_choices(desk, lang, uploaded=name == UPLOADED and record is not None)
        ),
        [session.record, who, language], who, show_progress="hidden", **quiet,
    )  # fmt: skip


def patient_page(desk: Desk, labels: Labels, language: Any, session: Session) -> None:
    """Build the page inside the current tab; the bar above the pages fills it."""
    del language
    session.summary.value = nobody_html(desk.words, labels.first)
    session.summary.render()


def _choices(desk: Desk, language: str, *, uploaded: bool = False) -> list[tuple[str, str]]:
    words = desk.words
    named = [(_name(name, words, language), name) for name in desk.patients]
    own = [(words("who.uploaded", language), UPLOADED)] if uploaded else []
    return [(words("who.nobody", language), NOBODY), *named, *own]


def _name(name: str, words: Words, language: str) -> str:
    key = f"people.{name}"
    return words(key, language) if words.has(key) else name.replace("_", " ").capitalize()


def _opened(desk: Desk, file: Path, language: str) -> list[Any]:
    """(record, a line about it, its page) of a file, or what is wrong with it."""
    try:
        record = read_record(file)
    except CasekitError as error:
        problem = problem_html(error, desk.words, language)
        return [None, problem, problem]
    return [record, _told(record, desk.words, language), summary_html(desk, record, language)]


def _told(record: Record | None, words: Words, language: str) -> str:
    """The patient in a line, beside the selector."""
    if record is None:
        return ""
    summary = record.summary
    line = words(
        "who.line", language, who=person(summary, words, language),
        conditions=len(summary.conditions), medicines=len(summary.medicines),
        labs=len(summary.labs),
    )  # fmt: skip
    return f'<p class="ck-quiet" data-testid="who">{escape(line)}</p>'
