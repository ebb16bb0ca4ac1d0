"""The same answers for programs: a named endpoint beside the pages (`gradio_client`, HTTP)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import CasekitError, DataError

if TYPE_CHECKING:
    from apps.demos.medical_pages.desk import Desk


def add_endpoints(desk: Desk) -> None:
    """Add /answer to the demo being built.

    Args:
        desk: The opened bundle.
    """
    import gradio as gr
    from gradio.events import api
    from pydantic import ValidationError

    from verticals.medical.answer import Question

    def answer(question: dict) -> dict:
        """Evidence for a question, as the bundle's schemas describe both."""
        try:
            try:
                asked = Question.model_validate(question)
            except ValidationError as error:
                first = error.errors(include_url=False, include_input=False)[0]
                place = ".".join(str(part) for part in first["loc"])
                raise DataError(first["msg"], where=place) from None
            return desk.reader.answer(asked).model_dump(mode="json")
        except CasekitError as error:
            raise gr.Error(str(error), print_exception=False) from error

    api(answer, api_name="answer", api_description=answer.__doc__)
