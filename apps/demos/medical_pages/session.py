"""What one visitor has on screen: their patient, their last answer, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from apps.demos.medical_pages.reply import welcome_html

if TYPE_CHECKING:
    from apps.demos.words import Labels, Words

KEPT_S = 3600  # seconds after which what a visitor left is forgotten


@dataclass(frozen=True)
class Session:
    """Gradio components that several pages write to; each visitor sees their own values."""

    record: Any  # State of Record | None
    asked: Any  # State of Asked | None
    explained: Any  # State of Explanation | None
    reply: Any  # HTML on the page that asks
    summary: Any  # HTML on the patient's page
    why: Any  # HTML on the page that explains
    explain: Any  # Button that fills it
    verdict: Any  # Column that takes a verdict on the answer

    @property
    def shown(self) -> list[Any]:
        """What an answer fills, in the order of `answered` and `forgotten`."""
        return [self.reply, self.asked, self.explained, self.why, self.explain, self.verdict]


def new_session(labels: Labels) -> Session:
    """The components; all but the states are placed by the pages with `.render()`."""
    import gradio as gr

    def state() -> Any:
        return gr.State(None, time_to_live=KEPT_S)

    def html(name: str) -> Any:
        return gr.HTML(render=False, elem_id=name)

    explain = labels.make(gr.Button, {"value": "ask.why"}, interactive=False, render=False)
    verdict = gr.Column(visible=False, elem_classes="ck-card", elem_id="verdict", render=False)
    return Session(
        state(), state(), state(), html("reply"), html("summary"), html("why"), explain, verdict
    )


def answered(html: str, asked: Any, *, explainable: bool) -> list[Any]:
    """Values of `Session.shown` for an answer, or for a problem where `asked` is None."""
    import gradio as gr

    there = gr.update(visible=asked is not None)
    return [html, asked, None, "", gr.update(interactive=explainable), there]


def forgotten(words: Words, language: str) -> list[Any]:
    """Values of `Session.shown` before any answer.

    An answer for one patient must not stand beside another.
    """
    return answered(welcome_html(words, language), None, explainable=False)
