"""Puts devices of the kit on MQTT, so that other assistants and Home Assistant see and work them.

Each makes itself known by discovery, tells its state as a retained message, takes calls by id
and acts once on each id. If this process vanishes, its will says so.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections import OrderedDict
from typing import Any

from verticals.voice.action.connector import (
    Connector,
    DeviceError,
    ServiceCall,
    UnreachableError,
)
from verticals.voice.action.discovery import configuration
from verticals.voice.action.mqtt import MqttLink, MqttSettings
from verticals.voice.action.topics import checked_topic, entity_segment
from verticals.voice.home.model import Entity, Home

_REMEMBERED = 50_000
_LONGEST_ID = 200
_LONGEST_CALL = 16_384
# What Home Assistant sends as a bare value to a `set/NAME` topic → the service that takes it.
_SETS = {
    "brightness_pct": "turn_on", "percentage": "set_percentage", "position": "set_cover_position",
    "temperature": "set_temperature", "hvac_mode": "set_hvac_mode",
}  # fmt: skip
_PLAIN = {"on": "turn_on", "off": "turn_off"}


class MqttDevices:
    """The devices of one home behind a connector, offered over MQTT."""

    def __init__(self, settings: MqttSettings, home: Home, connector: Connector) -> None:
        """Describe the bridge.

        Args:
            settings: The broker and the prefixes.
            home: The devices to offer.
            connector: What works them; its timers and alarms are offered too, if it has any.
        """
        self._settings, self._home, self._connector = settings, home, connector
        self._base = checked_topic(settings.base)
        self._entities = {entity_segment(e.id): e for e in home.entities}
        # Answers by id: a repeated call gets the same answer, and nothing is done.
        self._answers: OrderedDict[str, str | None] = OrderedDict()
        self._published: dict[str, bytes] = {}
        self._queue: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue(maxsize=10_000)
        self._changed: asyncio.Queue[str] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []
        self._end = connector.subscribe(lambda name, _state: self._changed.put_nowait(name))
        topics = (
            f"{self._base}/+/call", f"{self._base}/+/set", f"{self._base}/+/set/+",
            f"{checked_topic(settings.discovery)}/status",
        )  # fmt: skip
        self._link = MqttLink(
            settings, self._received, topics, connected=self._announce,
            will=(f"{self._base}/status", b"offline"),
        )  # fmt: skip

    async def start(self, *, wait_s: float | None = 10.0) -> None:
        """Connect and make every device known; see `MqttLink.start` for what is raised."""
        for pseudo, name in (("timer.assistant", "Timers"), ("alarm_clock.assistant", "Alarms")):
            try:
                await self._connector.state(pseudo)
            except DeviceError:
                continue
            self._entities[entity_segment(pseudo)] = Entity(id=pseudo, name=name)
        self._tasks = [asyncio.create_task(self._work()), asyncio.create_task(self._tell())]
        await self._link.start(wait_s=wait_s)

    async def stop(self) -> None:
        """Say goodbye and disconnect."""
        self._end()
        with contextlib.suppress(UnreachableError):  # then the will says it for us
            await self._link.publish(f"{self._base}/status", b"offline", retain=True)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._link.stop()

    def _received(self, topic: str, payload: bytes) -> None:
        if not self._queue.full():  # else the caller hears nothing and sends again
            self._queue.put_nowait((topic, payload))

    async def _announce(self) -> None:
        self._published.clear()  # the broker may have forgotten
        for entity in self._entities.values():
            topic, payload = configuration(
                entity, self._home, self._base, discovery=self._settings.discovery
            )
            await self._link.publish(topic, payload, retain=True)
            await self._publish_state(entity.id)
        await self._link.publish(f"{self._base}/status", b"online", retain=True)

    async def _publish_state(self, entity_id: str) -> None:
        try:
            state = await self._connector.state(entity_id)
        except DeviceError:
            return
        topic = f"{self._base}/{entity_segment(entity_id)}/state"
        payload = json.dumps(state).encode()
        if self._published.get(topic) == payload:
            return
        self._published[topic] = payload
        try:
            await self._link.publish(topic, payload, retain=True)
        except UnreachableError:
            self._published.pop(topic, None)
            raise

    async def _tell(self) -> None:
        while True:
            name = await self._changed.get()
            try:
                await self._publish_state(name)
            except UnreachableError:
                continue  # all states are published again after reconnecting

    async def _work(self) -> None:
        while True:
            topic, payload = await self._queue.get()
            try:
                if topic == f"{self._settings.discovery}/status":
                    if payload == b"online":  # Home Assistant has started and knows nothing
                        await self._announce()
                    continue
                await self._act(topic, payload)
            except UnreachableError:
                continue  # the caller sends again and is answered then

    async def _act(self, topic: str, payload: bytes) -> None:
        name, _, rest = topic.removeprefix(f"{self._base}/").partition("/")
        entity = self._entities.get(name)
        call_id, call = _read(entity, rest, payload)
        if entity is None or call is None:
            return
        if call_id is None:
            await self._do(uuid.uuid4().hex, call)
            return
        if call_id not in self._answers:
            self._answers[call_id] = await self._do(call_id, call)
            if len(self._answers) > _REMEMBERED:
                self._answers.popitem(last=False)
        await self._publish_state(entity.id)
        answer = json.dumps({"id": call_id, "error": self._answers[call_id]}).encode()
        await self._link.publish(f"{self._base}/{name}/done", answer)

    async def _do(self, call_id: str, call: ServiceCall) -> str | None:
        """Act; returns why it was refused."""
        try:
            await self._connector.apply(call_id, call)
        except UnreachableError:
            raise
        except DeviceError as error:
            return error.what
        return None


def _read(
    entity: Entity | None, rest: str, payload: bytes
) -> tuple[str | None, ServiceCall | None]:
    """Id and call of a message; no call where it makes no sense."""
    if entity is None or len(payload) > _LONGEST_CALL:
        return None, None
    try:
        text = payload.decode("utf-8")
        if rest == "call":
            return _with_id(entity, json.loads(text))
        if rest == "set":
            return None, ServiceCall(entity.id, _PLAIN.get(text, text))
        key = rest.removeprefix("set/")
        value: Any = text if key == "hvac_mode" else float(text)
        service = "set_valve_position" if entity.domain == "valve" else _SETS[key]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None, None
    return None, ServiceCall(entity.id, service, {key: value})


def _with_id(entity: Entity, body: dict[str, Any]) -> tuple[str, ServiceCall]:
    call_id, service, data = body["id"], body["service"], body.get("data", {})
    if not (isinstance(call_id, str) and 0 < len(call_id) <= _LONGEST_ID):
        raise ValueError("id")
    if not (isinstance(service, str) and isinstance(data, dict)):
        raise TypeError("service")
    return call_id, ServiceCall(entity.id, service, data)
