"""The service's OpenAPI document: the bundle's own schemas, and every error a caller can meet."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, Field, create_model
from pydantic.json_schema import models_json_schema

from core.deployment.manifest import Manifest
from core.deployment.predictor import Predictor
from core.serving.problems import MEDIA_TYPE, Problem

_REFERENCE = "#/components/schemas/{model}"
_MEANING = {
    400: "The body is not JSON.",
    401: "The API key is missing or not valid.",
    408: "The body did not arrive in time.",
    413: "The body is too large.",
    415: "The body is not sent as application/json.",
    422: "A field is not valid; each is named, with the remedy.",
    429: "This key calls too often; Retry-After says how long to wait.",
    500: "The service failed.",
    503: "Too many requests are waiting; Retry-After says how long to wait.",
    504: "The answer took too long.",
}
_WAITING = {429, 503}


class Described(BaseModel):
    """What the service serves."""

    bundle: str = Field(description="Short name of exactly this bundle.")
    signer: str = Field(description="Public key of who made it.")
    manifest: Manifest


class Health(BaseModel):
    """Whether the service lives."""

    status: str


def bodies(predictor: Predictor, most: int) -> tuple[type[BaseModel], type[BaseModel]]:
    """Models of the body of a request and of its answer.

    Args:
        predictor: Whose inputs and outputs they hold.
        most: Inputs allowed in one request.
    """
    given: Any = predictor.input_model
    answered: Any = predictor.output_model
    request = create_model(
        "PredictRequest",
        __config__={"extra": "forbid"},
        inputs=(list[given], Field(min_length=1, max_length=most)),
    )
    answer = create_model(
        "PredictAnswer",
        outputs=(list[answered], Field(description="One for each input, in order.")),
        bundle=(str, Field(description="Short name of the bundle that answered.")),
    )
    return request, answer


def responses(model: str, *statuses: int) -> dict[int | str, dict[str, Any]]:
    """The documented answers of a route: 200 with a named model, and problems."""
    documented: dict[int | str, dict[str, Any]] = {
        200: {"description": "Success.", "content": {"application/json": {"schema": _ref(model)}}}
    }
    for status in statuses:
        documented[status] = {
            "description": _MEANING[status],
            "content": {MEDIA_TYPE: {"schema": _ref("Problem")}},
        }
        if status in _WAITING:
            seconds = {"description": "Seconds to wait.", "schema": {"type": "integer"}}
            documented[status]["headers"] = {"Retry-After": seconds}
    return documented


def request_body(model: str, example: Any) -> dict[str, Any]:
    """The documented body of a route, for `openapi_extra`."""
    content: dict[str, Any] = {"schema": _ref(model)}
    if example is not None:
        content["example"] = example
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


def document(app: FastAPI, request: type[BaseModel], answer: type[BaseModel]) -> dict[str, Any]:
    """The whole document, as /openapi.json gives it."""
    described = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    _, definitions = models_json_schema(
        [
            (request, "validation"),
            (answer, "serialization"),
            (Problem, "serialization"),
            (Described, "serialization"),
            (Health, "serialization"),
        ],
        ref_template=_REFERENCE,
    )
    described.setdefault("components", {}).setdefault("schemas", {}).update(definitions["$defs"])
    return described


def _ref(model: str) -> dict[str, str]:
    """A reference to a named schema of the document."""
    return {"$ref": _REFERENCE.format(model=model)}
