"""The same for programs: a named endpoint beside the pages (`gradio_client`, HTTP)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.errors import CasekitError

if TYPE_CHECKING:
    from apps.demos.voice_pages.desk import Desk


def add_endpoints(desk: Desk) -> None:
    """Add /understand to the demo being built.

    Args:
        desk: Opened parts.
    """
    import gradio as gr
    from gradio.events import api

    def understand(text: str) -> dict[str, Any]:
        """What a sentence asks the home to do; nothing is done."""
        try:
            return desk.parts.understander.understand(text[:300]).model_dump(mode="json")
        except CasekitError as error:
            raise gr.Error(str(error), print_exception=False) from error

    api(understand, api_name="understand", api_description=understand.__doc__)
