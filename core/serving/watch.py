"""The outermost layer of a service: counts, times and logs every request, and survives any fault.

Logs name routes, statuses and places in code, never a value, a query or a message of an exception.
"""

from __future__ import annotations

import logging
import secrets
import time
import traceback

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.monitoring.service_metrics import ServiceMetrics
from core.serving.problems import ProblemError

log = logging.getLogger("casekit.serving")

CLIENT_LEFT = 499  # as nginx logs a caller who did not wait
_HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}


class Watch:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, metrics: ServiceMetrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever happens inside."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start, name, status = time.perf_counter(), secrets.token_hex(8), 0

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = name
                headers.update(_HEADERS)
            await send(message)

        try:
            await self._app(scope, receive, send_marked)
        except ClientDisconnect:
            status = CLIENT_LEFT
        except Exception as error:  # the service goes on
            log.error("request=%s fault=%s", name, place_of(error))
            if not status:
                problem = ProblemError(500, "The service failed", f"Report request {name}")
                await problem.response()(scope, receive, send_marked)
        finally:
            seconds = time.perf_counter() - start
            route = getattr(scope.get("route"), "path", "unmatched")
            self._metrics.request(route, status, seconds)
            log.info("request=%s route=%s status=%d ms=%.1f", name, route, status, 1e3 * seconds)


def place_of(error: BaseException) -> str:
    """An exception's class and where it was raised: everything but its message."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    places = " < ".join(f"{f.filename}:{f.lineno} {f.name}" for f in reversed(frames))
    return f"{type(error).__name__} at {places}"
