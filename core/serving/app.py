"""The HTTP service of a bundle: its schemas checked strictly, its answers counted, no value told.

Knows no case. Loads nothing from the network: there is no interactive page, only /openapi.json.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any

import orjson
from fastapi import Depends, FastAPI, Request, Response, Security
from fastapi.security import APIKeyHeader
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException

from core.deployment.bundle import Bundle
from core.deployment.predictor import Predictor
from core.errors import BundleError, DataError
from core.monitoring.service_metrics import ServiceMetrics
from core.serving.access import Access
from core.serving.case_routes import RouteTools, add_case_routes
from core.serving.document import Described, Health, bodies, document, request_body, responses
from core.serving.problems import FieldProblem, ProblemError, invalid
from core.serving.watch import Watch
from core.serving.workers import Workers

API_KEY = APIKeyHeader(name="X-API-Key", auto_error=False)
_COMMON = (401, 429, 500)


@dataclass(frozen=True)
class ServiceLimits:
    """What one service takes on."""

    body_bytes: int = 2_000_000  # of one request
    inputs: int = 1_000  # in one request
    rate: str = "1200/minute"  # requests of one key
    seconds: float = 30.0  # to receive a body, and to answer it
    threads: int = 2  # that predict at once
    waiting: int = 64  # requests that may wait for them


@dataclass(frozen=True)
class Service:
    """Everything the routes of one service share."""

    bundle: Bundle
    predictor: Predictor
    limits: ServiceLimits
    access: Access
    metrics: ServiceMetrics
    workers: Workers
    request: type[BaseModel]
    answer: type[BaseModel]


def create_app(
    bundle: Bundle, *, keys: Iterable[str], limits: ServiceLimits | None = None
) -> FastAPI:
    """The service of a bundle.

    Args:
        bundle: Opened, and so verified. Its golden inputs are answered once before any caller's.
        keys: API keys that may call, of at least 16 characters.
        limits: What the service takes on.

    Returns:
        An application for any ASGI server.

    Raises:
        BundleError: The bundle cannot be loaded, or answers its golden inputs differently.
        ParameterError: No key, a short one, or a rate that cannot be read.
    """
    limits = limits or ServiceLimits()
    access = Access(keys, limits.rate)
    predictor = _ready_predictor(bundle)
    request, answer = bodies(predictor, limits.inputs)
    service = Service(
        bundle=bundle,
        predictor=predictor,
        limits=limits,
        access=access,
        metrics=ServiceMetrics(bundle.id, predictor.output_model.model_json_schema()),
        workers=Workers(limits.threads, limits.waiting, limits.seconds),
        request=request,
        answer=answer,
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        service.workers.close()

    app = FastAPI(
        title=f"casekit {bundle.manifest.case}",
        version=bundle.digest[:12],
        description=bundle.manifest.task,
        docs_url=None,  # FastAPI's pages fetch scripts from elsewhere
        redoc_url=None,
        lifespan=lifespan,
        exception_handlers={ProblemError: _on_problem, HTTPException: _on_http},
    )
    app.add_middleware(Watch, metrics=service.metrics)
    _add_open_routes(app, service)
    _add_routes(app, service)
    tools = RouteTools(
        predictor, _guard(service), lambda r: _read(r, service.limits), service.workers.run
    )
    add_case_routes(app, bundle.manifest.case, tools)
    described = document(app, request, answer)
    app.openapi = lambda: described  # type: ignore[method-assign]
    return app


def _ready_predictor(bundle: Bundle) -> Predictor:
    """The predictor, once it has answered the golden inputs as it did when it was packed."""
    predictor = bundle.predictor()
    difference, tolerance = bundle.replay(predictor), bundle.manifest.golden.tolerance
    if difference > tolerance:
        raise BundleError(
            f"the golden answers differ by {difference:.3g}, allowed is {tolerance:.3g}",
            where=str(bundle.path),
            remedy="Use the versions the bundle was made with (casekit bundle show)",
        )
    return predictor


def _add_open_routes(app: FastAPI, service: Service) -> None:
    """What a load balancer and a monitor ask, without a key."""

    @app.get("/health", responses=responses("Health", 500), summary="Whether the service lives")
    async def health() -> Response:
        return _json(Health(status="ok"))

    @app.get("/ready", responses=responses("Health", 500, 503), summary="Whether it takes more")
    async def ready() -> Response:
        if service.workers.busy():
            raise ProblemError(503, "Too many requests are waiting", headers={"Retry-After": "1"})
        return _json(Health(status="ready"))

    text = {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Success."}

    @app.get("/metrics", responses=responses("Health", 500) | {200: text}, summary="Prometheus")
    async def metrics() -> Response:
        return Response(service.metrics.render(), media_type=service.metrics.content_type)


def _guard(service: Service) -> list[Any]:
    """Dependencies that admit callers with a key."""

    async def admitted(key: Annotated[str | None, Security(API_KEY)]) -> None:
        service.access.admit(key)

    return [Depends(admitted)]


def _add_routes(app: FastAPI, service: Service) -> None:
    """What callers with a key ask."""
    guard = _guard(service)
    golden = service.bundle.manifest.golden.inputs[:1]
    example = {"inputs": golden} if golden else None

    @app.post(
        "/v1/predict",
        dependencies=guard,
        responses=responses("PredictAnswer", 400, *_COMMON, 408, 413, 415, 422, 503, 504),
        openapi_extra=request_body("PredictRequest", example),
        summary=service.bundle.manifest.task,
    )
    async def predict(request: Request) -> Response:
        return _json(await _answer(service, await _read(request, service.limits)))

    described = Described(
        bundle=service.bundle.id, signer=service.bundle.signer, manifest=service.bundle.manifest
    )

    @app.get(
        "/v1/manifest",
        dependencies=guard,
        responses=responses("Described", *_COMMON),
        summary="What is served, and how well it was measured to do",
    )
    async def manifest() -> Response:
        return _json(described)

    if example is None:
        return

    @app.get(
        "/v1/example",
        dependencies=guard,
        responses=responses("PredictRequest", *_COMMON),
        summary="A valid body for /v1/predict",
    )
    async def show_example() -> Response:
        return Response(orjson.dumps(example), media_type="application/json")


async def _read(request: Request, limits: ServiceLimits) -> bytes:
    """The body, if it is JSON, not too large and in time."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise ProblemError(415, "The body is not JSON", "Send Content-Type: application/json")
    too_large = ProblemError(
        413,
        f"The body is larger than {limits.body_bytes:,} bytes",
        "Send fewer inputs in one request",
    )
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > limits.body_bytes:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(limits.seconds):
            async for part in request.stream():
                body += part
                if len(body) > limits.body_bytes:
                    raise too_large
    except TimeoutError:
        raise ProblemError(408, "The body did not arrive in time", "Send it again") from None
    return bytes(body)


async def _answer(service: Service, body: bytes) -> BaseModel:
    """The answer to a body, checked, predicted on a thread and counted."""
    inputs = _checked(service, body)
    try:
        outputs = await service.workers.run(lambda: service.predictor.predict(inputs))
    except DataError as error:
        # What it says may quote a value; where it says so names a row and a column.
        place = FieldProblem(field=error.where, problem="The model cannot use this")
        raise ProblemError(
            422, "The model cannot use an input", error.remedy, errors=[place]
        ) from None
    service.metrics.answers(outputs)
    return service.answer.model_construct(outputs=outputs, bundle=service.bundle.id)


def _checked(service: Service, body: bytes) -> list[BaseModel]:
    """The inputs in a body: strictly what the schema says, no text that looks like a number."""
    try:
        # Stricter than pydantic's reader: no NaN, no Infinity, no number beyond a float.
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        remedy = f"See line {error.lineno}, column {error.colno}"
        raise ProblemError(400, f"The body is not JSON: {error.msg}", remedy) from None
    try:
        request: Any = service.request.model_validate_json(body, strict=True)
    except ValidationError as first:
        if not any(detail["type"] == "int_type" for detail in first.errors(include_input=False)):
            raise _refused(service, first) from None
        try:  # to JSON schema 26.0 is an integer, to pydantic it is not
            request = service.request.model_validate_json(
                orjson.dumps(_whole_numbers(parsed)), strict=True
            )
        except ValidationError as error:
            raise _refused(service, error) from None
    inputs: list[BaseModel] = request.inputs
    return inputs


def _refused(service: Service, error: ValidationError) -> ProblemError:
    """What was not valid, by the names the input's fields have in JSON."""
    fields = service.predictor.input_model.model_fields.items()
    return invalid(error, tuple(field.alias or name for name, field in fields))


def _whole_numbers(value: Any) -> Any:
    """A JSON value whose whole numbers are all written without a fraction."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, list):
        return [_whole_numbers(part) for part in value]
    if isinstance(value, dict):
        return {name: _whole_numbers(part) for name, part in value.items()}
    return value


def _json(answer: BaseModel) -> Response:
    """A model as an HTTP answer."""
    payload: Any = answer.__pydantic_serializer__.to_json(answer, by_alias=True)
    return Response(payload, media_type="application/json")


async def _on_problem(_: Request, error: Exception) -> Response:
    """A problem as an answer."""
    if not isinstance(error, ProblemError):
        raise error
    return error.response()


async def _on_http(_: Request, error: Exception) -> Response:
    """What the router says, such as 404 and 405, as a problem."""
    if not isinstance(error, HTTPException):
        raise error
    remedy = "See /openapi.json for what there is"
    return ProblemError(
        error.status_code, str(error.detail), remedy, headers=error.headers
    ).response()
