"""The page of people: learn a voice from three clips, and see or take back what is known."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from apps.demos.voice_pages.enrolling import Enrolling
from apps.demos.voice_pages.events import with_event
from apps.demos.voice_pages.microphone import microphone, ready
from verticals.voice.people.permissions import ROLES

if TYPE_CHECKING:
    from apps.demos.voice_pages.desk import Desk
    from apps.demos.voice_pages.screen import Screen
    from apps.demos.words import Labels

_QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


def people_page(desk: Desk, labels: Labels, language: Any, screen: Screen) -> None:
    """Build the page inside the current tab.

    Args:
        desk: Opened parts.
        labels: Makes components that follow the language.
        language: The component that holds the language.
        screen: What the visitor has on screen.
    """
    import gradio as gr

    acts, words = Enrolling(desk), desk.words

    def roles(lang: str) -> list[tuple[str, str]]:
        return [(words(f"roles.{role}", lang), role) for role in ROLES if role != "unknown"]

    labels.make(gr.HTML, {"value": lambda lang: _head(desk, lang)})
    with gr.Row(elem_classes="ck-split"):
        with gr.Column(scale=6, min_width=300, elem_classes="ck-card ck-enrol"):
            labels.make(gr.HTML, {"value": lambda lang: _title(desk, lang)})
            name = labels.make(
                gr.Textbox,
                {"label": "enrol.name"},
                max_length=40,
                max_lines=1,
                elem_id="enrol-name",
            )
            role = labels.make(
                gr.Radio, {"label": "enrol.role", "choices": roles}, value="resident",
                elem_classes="ck-pills", elem_id="enrol-role",
            )  # fmt: skip
            screen.progress.render()
            hears = microphone(desk, labels, name="enrol-microphone", talks=False)
            hears.render()
            with gr.Row(elem_classes="ck-actions"):
                learn = labels.make(gr.Button, {"value": "enrol.learn"}, variant="primary")
                again = labels.make(gr.Button, {"value": "enrol.again"})
                upload = labels.make(
                    gr.UploadButton, {"label": "enrol.upload"}, file_types=["audio"],
                    file_count="multiple", elem_id="enrol-recordings",
                )  # fmt: skip
            told = gr.HTML(elem_id="enrol-told")
        with gr.Column(scale=5, min_width=300):
            screen.people.render()
    shown, place = [*screen.shown, told], [screen.key, language]
    hears.heard(with_event(acts.heard), place, shown, **_QUIET).then(ready, None, hears, **_QUIET)
    upload.upload(acts.uploaded, [*place, upload], shown, **_QUIET)
    again.click(acts.again, place, shown, **_QUIET)
    for happens in (learn.click, name.submit):
        happens(acts.learned, [*place, name, role], shown, **_QUIET)
    screen.people.forget(with_event(acts.forgotten), place, shown, **_QUIET)
    screen.people.undo(with_event(acts.undone), place, shown, **_QUIET)


def _head(desk: Desk, language: str) -> str:
    words = desk.words
    return (
        f'<h2 class="ck-title">{escape(words("people.title", language))}</h2>'
        f'<p class="ck-quiet">{escape(words("people.lead", language))}</p>'
    )


def _title(desk: Desk, language: str) -> str:
    words = desk.words
    return (
        f"<h3>{escape(words('enrol.title', language))}</h3>"
        f'<p class="ck-quiet">{escape(words("enrol.lead", language))}</p>'
    )
