"""What one visitor has on screen: their patient, their last answer, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

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


def new_session() -> Session:
    """The components; the HTML ones are placed by the pages with `.render()`."""
    import gradio as gr

    def state() -> Any:
        return gr.State(None, time_to_live=KEPT_S)

    return Session(
        state(), state(), state(),
        gr.HTML(render=False, elem_id="reply"), gr.HTML(render=False, elem_id="summary"),
        gr.HTML(render=False, elem_id="why"),
    )  # fmt: skip
