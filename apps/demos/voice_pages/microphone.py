"""The microphone of a page: one button, a level, and the words while they are spoken."""

from __future__ import annotations

from dataclasses import asdict
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apps.demos.voice_pages.ear import LONGEST_S
from apps.demos.voice_pages.icons import icon

if TYPE_CHECKING:
    from apps.demos.voice_pages.desk import Desk
    from apps.demos.words import Labels


def microphone(desk: Desk, labels: Labels, *, name: str = "microphone", talks: bool = True) -> Any:
    """The component; its event `heard` carries the name of a finished recording.

    Args:
        desk: Whose ear hears.
        labels: Makes components that follow the language.
        name: Of the element on the page.
        talks: Whether answers are spoken, which then can be interrupted.
    """
    import gradio as gr

    from core.errors import CasekitError

    def push(message: dict[str, Any]) -> dict[str, Any]:
        """A block of sound; what is known so far."""
        try:
            return asdict(desk.ear.push(message))
        except CasekitError as error:
            return {
                "text": "",
                "settled": "",
                "spoke": True,
                "ended": True,
                "full": False,
                "problem": str(error),
            }

    def drop(recording: str) -> None:
        """A recording that nobody will ask for."""
        desk.ear.drop(str(recording))

    script = Path(__file__).with_name("microphone.js").read_text(encoding="utf-8")
    return labels.make(
        gr.HTML,
        {"value": lambda lang: _html(desk, lang, talks)},
        js_on_load=script,
        server_functions=[push, drop],
        done=0,
        elem_id=name,
        render=False,
    )


def ready() -> Any:
    """An update that tells the microphone that its recording was answered."""
    import secrets

    import gradio as gr

    return gr.HTML(done=secrets.randbits(30))


def _html(desk: Desk, language: str, talks: bool) -> str:
    words = desk.words
    phrases = {
        "idle-title": words("speak.press" if talks else "enrol.press", language),
        "idle": words("speak.press_lead", language),
        "listening-title": words("speak.listening", language),
        "listening": words("speak.listening_lead", language),
        "thinking-title": words("speak.thinking", language),
        "denied": words("speak.denied", language),
        "long": words("speak.long", language, seconds=f"{LONGEST_S:.0f}"),
    }
    if talks:
        phrases["open"] = words("speak.open", language)
    data = " ".join(f'data-{name}="{escape(text)}"' for name, text in phrases.items())
    label = escape(phrases["idle-title"])
    return (
        f'<div class="ck-mic" data-part="root" data-state="idle" {data}>'
        f'<button type="button" data-part="button" aria-pressed="false" aria-label="{label}">'
        f'{icon("microphone")}</button><div><strong data-part="title">{label}</strong>'
        '<p data-part="status" class="ck-quiet" role="status">'
        f"{escape(phrases['idle'])}</p>"
        '<p data-part="partial" class="ck-partial" data-testid="partial" aria-live="polite"></p>'
        "</div></div>"
    )
