"""The same answers for programs: named endpoints beside the pages (`gradio_client`, HTTP)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.errors import CasekitError, DataError

if TYPE_CHECKING:
    from apps.demos.driving_pages.desk import Desk


def add_endpoints(desk: Desk) -> None:
    """Add /see and /play to the demo being built.

    Args:
        desk: What is shared.
    """
    import gradio as gr
    from gradio.events import api
    from pydantic import ValidationError

    from apps.demos.driving_pages.decide import play_case
    from verticals.driving.predictor import RoadImage, RoadPredictor
    from verticals.driving.scenarios.running import summary

    predictor = RoadPredictor(desk.runtimes.eye(desk.first.runtime))

    def see(request: dict) -> dict:
        """What a photograph (base64) shows, as the bundle's schemas describe both."""
        try:
            try:
                asked = RoadImage.model_validate(request)
            except ValidationError as error:
                first = error.errors(include_url=False, include_input=False)[0]
                place = ".".join(str(part) for part in first["loc"])
                raise DataError(first["msg"], where=place) from None
            (answer,) = predictor.predict([asked])
            found: dict[str, Any] = answer.model_dump(mode="json")
            return found
        except CasekitError as error:
            raise gr.Error(str(error), print_exception=False) from error

    def play(scenario: str, case: int, driver: str) -> list[dict]:
        """A scenario's case without and with the shield: what was measured, what failed."""
        try:
            return [summary(trace) for trace in play_case(desk, scenario, int(case), driver)]
        except CasekitError as error:
            raise gr.Error(str(error), print_exception=False) from error

    api(see, api_name="see", api_description=see.__doc__)
    api(play, api_name="play", api_description=play.__doc__)
