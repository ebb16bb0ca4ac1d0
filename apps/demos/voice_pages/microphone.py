"""The microphone of the page: one button, a level, and the words while they are spoken."""

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


def microphone(desk: Desk, labels: Labels) -> Any:
    """The component; its event `heard` carries the name of a finished recording.

    Args:
        desk: Whose ear hears.
        labels: Makes components that follow the language.
    """
    import gradio as gr

    from core.errors import CasekitError

    def push(message: dict[str, Any]) -> dict[str, Any]:
        """A block of sound; what is known so far."""
        try:
            return asdict(desk.ear.push(message))
        except CasekitError as error:
            return {"text": "", "ended": True, "full": False, "problem": str(error)}

    script = Path(__file__).with_name("microphone.js").read_text(encoding="utf-8")
    return labels.make(
        gr.HTML,
        {"value": lambda lang: _html(desk, lang)},
        js_on_load=script,
        server_functions=[push],
        done=0,
        elem_id="microphone",
        render=False,
    )


def _html(desk: Desk, language: str) -> str:
    words = desk.words
    phrases = {
        "idle": words("speak.press_lead", language),
        "listening": words("speak.listening", language),
        "thinking": words("speak.thinking", language),
        "denied": words("speak.denied", language),
        "long": words("speak.long", language, seconds=f"{LONGEST_S:.0f}"),
    }
    data = " ".join(f'data-{name}="{escape(text)}"' for name, text in phrases.items())
    label = escape(words("speak.press", language))
    return (
        f'<div class="ck-mic" data-part="root" data-state="idle" {data}>'
        f'<button type="button" data-part="button" aria-label="{label}">{icon("microphone")}'
        "</button>"
        f'<div><strong>{label}</strong><p data-part="status" class="ck-quiet" role="status">'
        f"{escape(phrases['idle'])}</p>"
        '<p data-part="partial" class="ck-partial" data-testid="partial" aria-live="polite"></p>'
        "</div></div>"
    )
