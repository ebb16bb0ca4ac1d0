"""Hands an event's own data to a handler."""

# Annotations are objects here, not text: Gradio recognises the parameter by its type, and Gradio
# is imported only when a page is built.

from collections.abc import Callable
from typing import Any


def with_data(act: Callable[..., Any]) -> Callable[..., Any]:
    """A handler of three inputs and the event's data.

    Args:
        act: Takes key, language, speaker and what the event carries.
    """
    import gradio as gr

    def call(key: Any, language: Any, speaker: Any, event: gr.EventData) -> Any:
        return act(key, language, speaker, _carried(event))

    return call


def with_event(act: Callable[..., Any]) -> Callable[..., Any]:
    """A handler of two inputs and the event's data.

    Args:
        act: Takes key, language and what the event carries.
    """
    import gradio as gr

    def call(key: Any, language: Any, event: gr.EventData) -> Any:
        return act(key, language, _carried(event))

    return call


def _carried(event: Any) -> dict[str, Any]:
    data = event._data
    return data if isinstance(data, dict) else {}
