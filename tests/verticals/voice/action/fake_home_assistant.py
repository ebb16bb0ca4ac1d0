"""A small Home Assistant: the messages of its documented REST and WebSocket interfaces."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

TOKEN = "a-long-lived-token"
LIGHT = "light.kitchen"


class FakeHomeAssistant:
    """Its states, its registries, and what was asked of it."""

    def __init__(self) -> None:
        self.states: dict[str, dict[str, Any]] = {
            LIGHT: _state(LIGHT, "off", friendly_name="Kitchen Light", brightness=None,
                          supported_color_modes=["color_temp", "hs"]),
            "media_player.tv": _state("media_player.tv", "playing", volume_level=0.4),
            "cover.blind": _state("cover.blind", "open", current_position=70,
                                  device_class="blind"),
            "sensor.hidden": _state("sensor.hidden", "3"),
        }  # fmt: skip
        self.calls: list[tuple[str, str, dict[str, Any]]] = []
        self.sockets: set[Any] = set()
        self.subscribed: dict[Any, int] = {}
        self.port = 0
        self.stumbles = 0
        """How many calls to answer with 503."""

    async def change(self, entity_id: str, state: str, **attributes: Any) -> None:
        """A device changes, as if by hand."""
        old = self.states[entity_id]
        new = _state(entity_id, state, **{**old["attributes"], **attributes})
        self.states[entity_id] = new
        data = {"entity_id": entity_id, "old_state": old, "new_state": new}
        for socket, number in list(self.subscribed.items()):
            event = {"event_type": "state_changed", "data": data, "origin": "LOCAL",
                     "time_fired": "2026-01-01T00:00:00+00:00"}  # fmt: skip
            with contextlib.suppress(RuntimeError):
                await socket.send_json({"id": number, "type": "event", "event": event})

    async def drop_sockets(self) -> None:
        """As a restart would."""
        for socket in list(self.sockets):
            self.subscribed.pop(socket, None)
            with contextlib.suppress(RuntimeError):
                await socket.close()

    def registry(self, kind: str) -> list[dict[str, Any]]:
        """What `config/KIND_registry/list` answers."""
        return {
            "floor": [{"floor_id": "ground", "name": "Ground Floor", "level": 0, "aliases": []}],
            "area": [{"area_id": "kitchen", "name": "Kitchen", "floor_id": "ground",
                      "aliases": ["cook room"], "labels": []}],
            "device": [{"id": "d1", "area_id": "kitchen", "name": "Bulb"}],
            "entity": [
                {"entity_id": LIGHT, "device_id": "d1", "area_id": None, "name": None,
                 "original_name": "Bulb", "aliases": ["cooker light"], "disabled_by": None,
                 "hidden_by": None},
                {"entity_id": "sensor.hidden", "hidden_by": "user"},
            ],
        }[kind]  # fmt: skip

    async def serve(self, service: str, domain: str, body: dict[str, Any]) -> None:
        """Do what a service does."""
        self.calls.append((domain, service, body))
        entity_id = body.get("entity_id", "")
        if entity_id == LIGHT and service in {"turn_on", "turn_off"}:
            level = body.get("brightness_pct", 100)
            on = service == "turn_on"
            await self.change(entity_id, "on" if on else "off",
                              brightness=round(level * 2.55) if on else None)  # fmt: skip
        elif service == "volume_set":
            await self.change(entity_id, "playing", volume_level=body["volume_level"])


def _state(entity_id: str, state: str, **attributes: Any) -> dict[str, Any]:
    return {"entity_id": entity_id, "state": state, "attributes": attributes,
            "last_changed": "2026-01-01T00:00:00+00:00",
            "context": {"id": "01", "parent_id": None, "user_id": None}}  # fmt: skip


def _application(fake: FakeHomeAssistant) -> Any:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse, PlainTextResponse
    from starlette.routing import Route, WebSocketRoute

    def allowed(request: Request) -> bool:
        return request.headers.get("authorization") == f"Bearer {TOKEN}"

    async def root(request: Request) -> Any:
        if not allowed(request):
            return PlainTextResponse("401: Unauthorized", 401)
        return JSONResponse({"message": "API running."})

    async def state(request: Request) -> Any:
        if not allowed(request):
            return PlainTextResponse("401: Unauthorized", 401)
        found = fake.states.get(request.path_params["entity_id"])
        if found is None:
            return JSONResponse({"message": "Entity not found."}, 404)
        return JSONResponse(found)

    async def call(request: Request) -> Any:
        if not allowed(request):
            return PlainTextResponse("401: Unauthorized", 401)
        if fake.stumbles:
            fake.stumbles -= 1
            return PlainTextResponse("503", 503)
        domain, service = request.path_params["domain"], request.path_params["service"]
        if service == "no_such_service":
            return PlainTextResponse("400: Bad Request", 400)
        if service == "media_next_track":
            fake.calls.append((domain, service, await request.json()))
            await asyncio.sleep(2)  # done, but the answer comes too late
        else:
            await fake.serve(service, domain, await request.json())
        return JSONResponse([])

    return Starlette(routes=[
        Route("/api/", root), Route("/api/states/{entity_id}", state),
        Route("/api/services/{domain}/{service}", call, methods=["POST"]),
        WebSocketRoute("/api/websocket", lambda socket: _talk(fake, socket)),
    ])  # fmt: skip


async def _talk(fake: FakeHomeAssistant, socket: Any) -> None:
    from starlette.websockets import WebSocketDisconnect

    await socket.accept()
    fake.sockets.add(socket)
    try:
        await socket.send_json({"type": "auth_required", "ha_version": "2026.11.0"})
        hello = json.loads(await socket.receive_text())
        if hello != {"type": "auth", "access_token": TOKEN}:
            await socket.send_json({"type": "auth_invalid", "message": "Invalid access token"})
            await socket.close()
            return
        await socket.send_json({"type": "auth_ok", "ha_version": "2026.11.0"})
        while True:
            await _answer(fake, socket, json.loads(await socket.receive_text()))
    except (WebSocketDisconnect, RuntimeError):
        pass
    finally:
        fake.sockets.discard(socket)
        fake.subscribed.pop(socket, None)


async def _answer(fake: FakeHomeAssistant, socket: Any, asked: dict[str, Any]) -> None:
    number, kind = asked["id"], asked["type"]
    result: Any = None
    if kind == "subscribe_events":
        fake.subscribed[socket] = number
    elif kind == "get_states":
        result = list(fake.states.values())
    elif kind.startswith("config/") and kind.endswith("_registry/list"):
        result = fake.registry(kind.removeprefix("config/").removesuffix("_registry/list"))
    else:
        error = {"code": "unknown_command", "message": "Unknown command."}
        await socket.send_json({"id": number, "type": "result", "success": False, "error": error})
        return
    await socket.send_json({"id": number, "type": "result", "success": True, "result": result})


@contextlib.asynccontextmanager
async def running() -> AsyncIterator[FakeHomeAssistant]:
    """A fake that answers, on a free port."""
    import uvicorn

    fake = FakeHomeAssistant()
    config = uvicorn.Config(_application(fake), host="127.0.0.1", port=0, log_level="critical",
                            lifespan="off", timeout_graceful_shutdown=1)  # fmt: skip
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    fake.port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield fake
    finally:
        server.should_exit = True
        await task
