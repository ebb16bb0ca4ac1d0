"""A device's state in a few words, in the page's language, and what changed between two states."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from apps.demos.words import Words
from verticals.voice.home.model import Entity, Home
from verticals.voice.home.timers import CLOCK, ENTITY

State = Mapping[str, Any]
States = Mapping[str, State]


@dataclass(frozen=True)
class Change:
    """What a device was and is."""

    entity: str
    before: State
    after: State


def changes(before: States, after: States) -> tuple[Change, ...]:
    """The devices that stand otherwise than before, clocks and slow warming apart."""
    from verticals.voice.regression import changed

    plain = {name: dict(state) for name, state in before.items()}
    names = list(changed(plain, {name: dict(state) for name, state in after.items()}))
    # A second timer leaves the state as it was.
    if len(timers_of(before)) != len(timers_of(after)) and ENTITY not in names:
        names.append(ENTITY)
    return tuple(Change(name, before[name], after[name]) for name in names)


def timers_of(states: States) -> list[dict[str, Any]]:
    """The running and paused timers, soonest first."""
    return list(states.get(ENTITY, {}).get("attributes", {}).get("timers") or [])


def name_of(home: Home, entity: str, words: Words, language: str) -> str:
    """What a device is called."""
    if entity in (ENTITY, CLOCK):
        return words("home.timers" if entity == ENTITY else "home.alarms", language)
    return home.by_id[entity].name


def state_text(entity: Entity | None, state: State, words: Words, language: str) -> str:
    """A state as people say it: "on, 40%", "21 °C", "playing Take Five".

    Args:
        entity: The device; None for the assistant's own timers and alarms.
        state: Its state and attributes.
        words: The demo's texts.
        language: Of the page.
    """
    value = str(state["state"])
    said = words(f"states.{value}", language) if words.has(f"states.{value}") else value
    detail = _DETAILS.get(entity.domain) if entity else None
    return detail(_Said(said, value, state["attributes"], words, language)) if detail else said


def short_text(entity: Entity, state: State) -> str:
    """What stands below an icon on the plan: a number, or nothing."""
    value, more = str(state["state"]), state["attributes"]
    if entity.domain == "light" and value == "on":
        return _percent(more.get("brightness"))
    if entity.domain == "climate" and value != "off":
        return f"{more.get('temperature', 0):g}°"
    if entity.domain == "cover" and value == "open" and more.get("position", 100) != 100:
        return _percent(more["position"])
    if entity.domain == "media_player" and value == "playing":
        return _percent(more.get("volume_level"))
    if entity.domain == "sensor":
        unit = str(more.get("unit_of_measurement", "")).replace("°C", "°")
        return f"{value}{unit if len(unit) < 2 else ' ' + unit}"
    return ""


@dataclass(frozen=True)
class _Said:
    """A state as one word, and what else is known."""

    word: str
    value: str
    more: Mapping[str, Any]
    words: Words
    language: str

    def joined(self, *parts: str) -> str:
        return ", ".join(part for part in (self.word, *parts) if part)


def _light(said: _Said) -> str:
    if said.value != "on":
        return said.word
    return said.joined(_percent(said.more.get("brightness")), _colour(said))


def _climate(said: _Said) -> str:
    degrees = said.more.get("temperature")
    return said.word if said.value == "off" or degrees is None else said.joined(f"{degrees:g} °C")


def _cover(said: _Said) -> str:
    part = said.value == "open" and said.more.get("position", 100) != 100
    return said.joined(_percent(said.more["position"])) if part else said.word


def _fan(said: _Said) -> str:
    return said.joined(_percent(said.more.get("percentage"))) if said.value == "on" else said.word


def _media(said: _Said) -> str:
    playing, level = said.value == "playing", said.more.get("volume_level")
    title = str(said.more.get("media_title") or "") if playing else ""
    loud = ""
    if said.value in ("playing", "idle") and level is not None:
        muted = said.more.get("is_volume_muted")
        key = "states.muted" if muted else "states.volume"
        loud = said.words(key, said.language, level=_percent(level))
    return said.joined(title, loud)


def _sensor(said: _Said) -> str:
    return f"{said.value} {said.more.get('unit_of_measurement', '')}".strip()


def _weather(said: _Said) -> str:
    return said.joined(f"{said.more.get('temperature', '')} °C")


def _list(said: _Said) -> str:
    items = str(said.more.get("items") or "").replace("|", ", ")
    return items or said.words("states.empty", said.language)


def _scene(said: _Said) -> str:
    return said.words("states.started" if "T" in said.value else "states.ready", said.language)


def _colour(said: _Said) -> str:
    if said.more.get("color"):
        key = f"colours.{said.more['color']}"
        return said.words(key, said.language) if said.words.has(key) else str(said.more["color"])
    return f"{said.more['color_temp_kelvin']:g} K" if said.more.get("color_temp_kelvin") else ""


def _percent(value: object) -> str:
    return f"{value:.0f}%" if isinstance(value, int | float) else ""


_DETAILS: Mapping[str, Callable[[_Said], str]] = {
    "light": _light, "climate": _climate, "cover": _cover, "fan": _fan, "media_player": _media,
    "sensor": _sensor, "weather": _weather, "todo": _list, "scene": _scene, "script": _scene,
}  # fmt: skip
