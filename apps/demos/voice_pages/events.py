"""Hands an event's own data to a handler."""

# Annotations are objects here, not text: Gradio recognises the parameter by its type, and Gradio
# is imported only when a page is built.

from collections.abc import Callable
from typing import Any

Act = Callable[[Any, Any, Any, dict[str, Any]], Any]


def with_data(act: Act) -> Callable[..., Any]:
    """A handler of three inputs and the event's data.

    Args:
        act: Takes key, language, speaker and what the event carries.
    """
    import gradio as gr

    def call(key: Any, language: Any, speaker: Any, event: gr.EventData) -> Any:
        data = event._data
        return act(key, language, speaker, data if isinstance(data, dict) else {})

    return call
