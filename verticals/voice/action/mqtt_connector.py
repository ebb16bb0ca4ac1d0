"""A home over MQTT: finds devices by discovery, hears their states, calls them exactly once.

Devices of the kit answer a call by its id; a call whose answer was lost is sent again with the
same id and answered without acting. Other devices get the payloads they know.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from verticals.voice.action import native
from verticals.voice.action.connector import (
    DeviceError,
    ServiceCall,
    StateChanged,
    UncertainError,
    UnreachableError,
)
from verticals.voice.action.discovery import CALL_TOPIC
from verticals.voice.action.mqtt import MqttLink, MqttSettings
from verticals.voice.action.mqtt_view import MqttView
from verticals.voice.action.topics import checked_topic
from verticals.voice.home.model import Entity, Home


class MqttConnector:
    """The devices behind a broker; `await start()` it within the loop that uses it."""

    def __init__(self, settings: MqttSettings, home: Home | None = None) -> None:
        """Describe the connection.

        Args:
            settings: The broker and the prefixes.
            home: Devices known beforehand: while they are not heard of they count as
                unreachable, not as unknown.
        """
        self._settings = settings
        self._base = checked_topic(settings.base)
        prefixes = (checked_topic(settings.discovery), f"{self._base}/discovery")
        self._view = MqttView(prefixes)
        self._known = {entity.id for entity in home.entities} if home else set()
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._listeners: list[StateChanged] = []
        self._news = asyncio.Event()
        ours = (f"{self._base}/+/state", f"{self._base}/+/done", f"{self._base}/status")
        configs = [f"{p}/{rest}" for p in prefixes for rest in ("+/+/config", "+/+/+/config")]
        self._link = MqttLink(
            settings, self._received, (*configs, *ours), lost=self._lost, connected=self._again
        )
        self._followed: set[str] = set()
        self._following: asyncio.Task[None] | None = None

    async def start(self, *, wait_s: float | None = 10.0) -> None:
        """Connect; see `MqttLink.start` for what is raised."""
        await self._link.start(wait_s=wait_s)

    async def stop(self) -> None:
        """Disconnect."""
        if self._following is not None:
            self._following.cancel()
        await self._link.stop()

    @property
    def remembers(self) -> bool:
        """True while every device found is one of the kit's, which act once on an id."""
        return all(self._view.ours(name) for name in self._view.found)

    def entities(self) -> tuple[Entity, ...]:
        """Every entity found by discovery so far."""
        return tuple(found.entity for found in self._view.found.values())

    async def state(self, entity_id: str) -> dict[str, Any]:
        """The last state heard; waits a little for the first. See `Connector.state`.

        Raises:
            DeviceError: No such entity was discovered.
            UnreachableError: The broker is away, or the entity has not told its state.
        """
        if await self._until(lambda: self._view.state(entity_id) is not None):
            state = self._view.state(entity_id)
            if state is not None:
                return state
        self._must_know(entity_id)
        raise UnreachableError("The device has not told its state", where=entity_id)

    async def apply(self, command_id: str, call: ServiceCall) -> None:
        """Make a call; see `Connector.apply`."""
        await self._until(lambda: call.entity_id in self._view.found)
        self._must_know(call.entity_id)
        if not self._link.ready:
            raise UnreachableError("The MQTT broker does not answer", where=call.entity_id)
        if call.entity_id not in self._view.found or self._view.offline(call.entity_id):
            raise UnreachableError("The device is offline", where=call.entity_id)
        config = self._view.found[call.entity_id].config
        if CALL_TOPIC not in config:
            await self._apply_native(call, native.messages(call, config))
            return
        body = {"id": command_id, "service": call.service, "data": dict(call.data)}
        answer = await self._answered(command_id, str(config[CALL_TOPIC]), json.dumps(body))
        if error := answer.get("error"):
            raise DeviceError(str(error)[:200], where=call.entity_id)

    def subscribe(self, callback: StateChanged) -> Callable[[], None]:
        """Hear of every change of state, in order; returns what ends it."""
        self._listeners.append(callback)

        def end() -> None:
            if callback in self._listeners:
                self._listeners.remove(callback)

        return end

    def _must_know(self, entity_id: str) -> None:
        known = entity_id in self._view.found or entity_id in self._known
        if self._link.ready and not known:
            raise DeviceError("No such device was discovered over MQTT", where=entity_id)

    async def _answered(self, command_id: str, topic: str, body: str) -> dict[str, Any]:
        """Publish a call and wait for the device's answer to its id."""
        answer = asyncio.get_running_loop().create_future()
        self._waiting[command_id] = answer
        try:
            await self._link.publish(topic, body.encode())
            async with asyncio.timeout(self._settings.timeout_s):
                result: dict[str, Any] = await answer
                return result
        except TimeoutError:
            raise UnreachableError("The device gave no answer", where=topic) from None
        finally:
            self._waiting.pop(command_id, None)
            if answer.done() and not answer.cancelled():
                answer.exception()  # seen, whoever raised first

    async def _apply_native(self, call: ServiceCall, messages: list[native.Message]) -> None:
        for topic, body in messages:
            try:
                await self._link.publish(topic, body)
            except UnreachableError as error:
                if call.repeatable:
                    raise
                raise UncertainError(error.what, where=call.entity_id) from error

    async def _until(self, so: Callable[[], bool]) -> bool:
        """Whether something becomes so within the settings' time."""
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                while not so():
                    await self._news.wait()
        except TimeoutError:
            return False
        return True

    def _received(self, topic: str, payload: bytes) -> None:
        changed = self._view.received(topic, payload)
        if topic.endswith("/done"):
            self._done(payload)
        for entity_id in changed:
            state = self._view.state(entity_id)
            for listener in tuple(self._listeners) if state else ():
                listener(entity_id, dict(state or {}))
        news, self._news = self._news, asyncio.Event()
        news.set()
        if topic.endswith("/config") and self._unfollowed():
            self._follow_soon()

    def _done(self, payload: bytes) -> None:
        try:
            answer = json.loads(payload)
            future = self._waiting.get(str(answer["id"]))
        except (ValueError, KeyError, TypeError, RecursionError):
            return
        if future is not None and not future.done():
            future.set_result(answer)

    def _lost(self) -> None:
        self._followed = set()
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(UnreachableError("The MQTT broker went away"))

    async def _again(self) -> None:
        await self._follow()

    def _unfollowed(self) -> set[str]:
        """Topics of other devices; ours are all under one prefix that is followed anyway."""
        others = {t for t in self._view.topics() if not t.startswith(f"{self._base}/")}
        return others - self._followed

    def _follow_soon(self) -> None:
        if self._following is None or self._following.done():
            self._following = asyncio.create_task(self._follow())

    async def _follow(self) -> None:
        while missing := self._unfollowed():
            self._followed |= missing
            try:
                await self._link.subscribe(sorted(missing))
            except UnreachableError:
                self._followed -= missing
                return
