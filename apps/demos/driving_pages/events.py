"""Hands the object that was pressed to a handler."""

# Annotations are objects here, not text: Gradio recognises the parameter by its type, and Gradio
# is imported only when a page is built.

from collections.abc import Callable
from typing import Any


def with_row(act: Callable[..., Any]) -> Callable[..., Any]:
    """A handler of four inputs and the row that was pressed.

    Args:
        act: Takes what was seen, language, layers, moment and the row; gives its answers in turn.
    """
    import gradio as gr

    def call(looked: Any, language: Any, layers: Any, at: Any, event: gr.EventData) -> Any:
        data = event._data if isinstance(event._data, dict) else {}
        yield from act(looked, language, layers, at, data.get("row"))

    return call
