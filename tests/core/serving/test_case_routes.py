"""A case may add routes; they stand on the service's own keys, limits and threads."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient

from core.serving.app import ServiceLimits
from core.serving.case_routes import RouteTools

KEY = {"X-API-Key": "a-key-of-the-tests-0123456789"}


@pytest.fixture
def client(
    serve: Callable[..., FastAPI], tiny_case: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> TestClient:
    """A service whose case adds a route that echoes the size of a body."""

    def service_routes(app: FastAPI, tools: RouteTools) -> None:
        async def size(request: Request) -> dict[str, Any]:
            body = await tools.read(request)
            return {"size": await tools.run(lambda: len(body)), "told": tools.predictor is not None}

        size.__annotations__["request"] = Request
        app.add_api_route("/size", size, methods=["POST"], dependencies=tools.guard)

    monkeypatch.setattr(tiny_case, "service_routes", service_routes, raising=False)
    return TestClient(serve(ServiceLimits(body_bytes=50)))


def test_a_case_adds_routes(client: TestClient) -> None:
    assert client.post("/size", json=[1], headers=KEY).json() == {"size": 3, "told": True}


def test_they_need_the_key_and_keep_the_limits(client: TestClient) -> None:
    assert client.post("/size", json=[1]).status_code == 401
    assert client.post("/size", json="x" * 100, headers=KEY).status_code == 413
    assert client.post("/size", content=b"1", headers=KEY).status_code == 415


def test_a_case_without_routes_adds_none(serve: Callable[..., FastAPI]) -> None:
    assert TestClient(serve()).post("/size", json=[1], headers=KEY).status_code == 404
