"""The endpoints for programs, over HTTP."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from verticals.voice.assistant import Parts
from verticals.voice.predictor import HomePredictor, HomeRequest


@pytest.fixture(scope="module")
def client(served: str) -> Any:
    from gradio_client import Client

    return Client(served, verbose=False)


def test_only_named_endpoints_are_offered(client: Any) -> None:
    offered = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert set(offered) == {"/answer", "/understand"}


def test_answer_is_the_predictors_own(client: Any, parts: Parts, recording: Path) -> None:
    for request in (
        {"text": "set the desk lamp to 40 percent"},
        {"audio": base64.b64encode(recording.read_bytes()).decode()},
        {"text": "turn on the light in here", "area": "garage"},
    ):
        (mine,) = HomePredictor(parts).predict([HomeRequest.model_validate(request)])
        assert client.predict(request, api_name="/answer") == mine.model_dump(mode="json")


@pytest.mark.parametrize(
    ("request_", "told"),
    [({}, "either text or audio"), ({"text": "x", "shoe": 1}, "shoe"), ({"text": 7}, "text"),
     ({"text": "x" * 501}, "text")],
)  # fmt: skip
def test_a_bad_request_is_told_the_field(client: Any, request_: Any, told: str) -> None:
    with pytest.raises(Exception, match=told):
        client.predict(request_, api_name="/answer")


def test_understand_says_what_is_meant_and_does_nothing(client: Any) -> None:
    told = client.predict("unlock the front door", api_name="/understand")
    assert told["status"] == "confirm"
    assert told["commands"][0]["entities"] == ["lock.front_door"]
