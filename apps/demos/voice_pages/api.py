"""The same answers for programs: named endpoints beside the pages (`gradio_client`, HTTP)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.errors import CasekitError, DataError

if TYPE_CHECKING:
    from apps.demos.voice_pages.desk import Desk


def add_endpoints(desk: Desk) -> None:
    """Add /answer and /understand to the demo being built.

    Args:
        desk: Opened parts.
    """
    import gradio as gr
    from gradio.events import api
    from pydantic import ValidationError

    from verticals.voice.predictor import HomePredictor, HomeRequest

    predictor = HomePredictor(desk.parts)

    def answer(request: dict) -> dict:
        """What a home at rest would do on a request, as the bundle's schemas describe both."""
        try:
            (answered,) = predictor.predict([HomeRequest.model_validate(request)])
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(part) for part in first["loc"]) or "request"
            told = DataError(first["msg"], where=place)
            raise gr.Error(str(told), print_exception=False) from error
        return answered.model_dump(mode="json")

    def understand(text: str) -> dict[str, Any]:
        """What a sentence asks the home to do; nothing is done."""
        try:
            return desk.parts.understander.understand(str(text)[:300]).model_dump(mode="json")
        except CasekitError as error:
            raise gr.Error(str(error), print_exception=False) from error

    for function in (answer, understand):
        api(function, api_name=function.__name__, api_description=function.__doc__)
