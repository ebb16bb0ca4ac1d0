"""What a case may add to its own service: routes of a protocol that its field already speaks.

A case offers `service_routes(app, tools)`; the service gives it what its own routes stand on, so
that limits, keys and threads are the same for all.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request

from core.cases import get_case
from core.deployment.predictor import Predictor


@dataclass(frozen=True)
class RouteTools:
    """What routes of a case stand on."""

    predictor: Predictor
    guard: Sequence[Any]  # FastAPI dependencies that admit callers with a key
    read: Callable[[Request], Awaitable[bytes]]  # a JSON body, in size and in time
    run: Callable[[Callable[[], Any]], Awaitable[Any]]  # a blocking call on a worker's thread


def add_case_routes(app: FastAPI, case: str, tools: RouteTools) -> None:
    """Add the routes of a case, if it has any."""
    offered = getattr(get_case(case), "service_routes", None)
    if offered is not None:
        offered(app, tools)
