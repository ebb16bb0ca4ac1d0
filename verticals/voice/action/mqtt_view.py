"""What is known of a home from the MQTT messages heard so far; sends nothing."""

from __future__ import annotations

import json
from typing import Any

from core.errors import DataError
from verticals.voice.action import native
from verticals.voice.action.discovery import CALL_TOPIC, DONE_TOPIC, Discovered, discovered

_MOST_ENTITIES = 5000
_MOST_WAITING = 20_000


class MqttView:
    """Entities, states and availability, built from messages in any order."""

    def __init__(self, prefixes: tuple[str, ...]) -> None:
        """Nothing is known yet.

        Args:
            prefixes: Of discovery topics.
        """
        self._prefixes = prefixes
        self._states: dict[str, dict[str, Any]] = {}
        self._by_topic: dict[str, set[str]] = {}
        self._offline: dict[str, bool] = {}
        self._from_config: dict[str, tuple[str, ...]] = {}
        # States may come before the configuration that explains them.
        self._early: dict[str, bytes] = {}
        self.found: dict[str, Discovered] = {}
        """What was discovered, by entity id."""
        self.dropped = 0
        """How many messages could not be used."""

    def received(self, topic: str, payload: bytes) -> list[str]:
        """Take a message in; returns the ids of the entities whose state it changed."""
        prefix = next((p for p in self._prefixes if topic.startswith(f"{p}/")), None)
        if prefix is not None and topic.endswith("/config"):
            return self._configured(topic, payload, prefix)
        if topic not in self._by_topic:
            if len(self._early) < _MOST_WAITING:
                self._early[topic] = payload
            return []
        return [e for e in sorted(self._by_topic[topic]) if self._told(e, topic, payload)]

    def state(self, entity_id: str) -> dict[str, Any] | None:
        """The state as last heard; "unavailable" while the device is offline; None: unheard."""
        state = self._states.get(entity_id)
        if state is None:
            return None
        shown = "unavailable" if self.offline(entity_id) else state["state"]
        return {"state": shown, "attributes": dict(state["attributes"])}

    def offline(self, entity_id: str) -> bool:
        """Whether the device, or its will, said that it is away."""
        found = self.found.get(entity_id)
        topic = found.config.get("availability_topic") if found else None
        return self._offline.get(str(topic), False)

    def ours(self, entity_id: str) -> bool:
        """Whether the device takes calls by id."""
        return entity_id in self.found and CALL_TOPIC in self.found[entity_id].config

    def topics(self) -> set[str]:
        """Every topic to follow for what was discovered."""
        own = {str(f.config[DONE_TOPIC]) for f in self.found.values() if DONE_TOPIC in f.config}
        return own | set(self._by_topic)

    def _configured(self, topic: str, payload: bytes, prefix: str) -> list[str]:
        try:
            news = discovered(topic, payload, prefix=prefix)
        except DataError:
            self.dropped += 1
            return []
        gone = set(self._from_config.pop(topic, ())) - {d.entity.id for d in news}
        for name in gone:
            self.found.pop(name, None)
            self._states.pop(name, None)
        for item in news:
            if len(self.found) >= _MOST_ENTITIES and item.entity.id not in self.found:
                self.dropped += 1
                continue
            self.found[item.entity.id] = item
        self._from_config[topic] = tuple(d.entity.id for d in news if d.entity.id in self.found)
        changed: list[str] = []
        for name in self._from_config[topic]:
            changed += self._follow(name)
        return changed

    def _follow(self, name: str) -> list[str]:
        config = self.found[name].config
        topics = native.state_topics(config)
        if available := config.get("availability_topic"):
            topics.add(str(available))
        changed = []
        for topic in sorted(topics):
            self._by_topic.setdefault(topic, set()).add(name)
            if topic in self._early and self._told(name, topic, self._early[topic]):
                changed.append(name)
        return changed

    def _told(self, name: str, topic: str, payload: bytes) -> bool:
        found = self.found.get(name)
        if found is None:
            return False
        if topic == found.config.get("availability_topic"):
            away = str(found.config.get("payload_not_available", "offline")).encode()
            self._offline[topic] = payload == away
            self._early[topic] = payload
            return True
        if CALL_TOPIC in found.config:
            return self._told_by_ours(name, payload)
        news = native.told(found.entity.domain, found.config, topic, payload)
        if not news:
            return False
        before = self._states.get(name, {"state": "unknown", "attributes": {}})
        attributes = {k: v for k, v in news.items() if k != "state"}
        self._states[name] = {
            "state": news.get("state", before["state"]),
            "attributes": {**found.entity.attributes, **before["attributes"], **attributes},
        }
        return True

    def _told_by_ours(self, name: str, payload: bytes) -> bool:
        try:
            state = json.loads(payload)
            attributes = dict(state["attributes"])
            self._states[name] = {"state": str(state["state"]), "attributes": attributes}
        except (ValueError, KeyError, TypeError, RecursionError):
            self.dropped += 1
            return False
        return True
