"""Answers to questions about the home, the weather, the time and the timers: short sentences."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from verticals.voice.action.calls import ALARMS, TIMERS
from verticals.voice.action.connector import Connector, DeviceError
from verticals.voice.action.replies import is_or_are, length, listed, sentence, spoken
from verticals.voice.action.targets import targets
from verticals.voice.command import Command
from verticals.voice.home.model import Entity, Home

State = Mapping[str, Any]
_CONDITIONS = {
    "partlycloudy": "partly cloudy", "clear-night": "clear", "pouring": "pouring with rain",
    "lightning-rainy": "stormy", "snowy-rainy": "sleeting", "fog": "foggy",
}  # fmt: skip
_BINARY = {
    "window": ("open", "closed"), "door": ("open", "closed"), "garage_door": ("open", "closed"),
    "opening": ("open", "closed"), "motion": ("detecting motion", "quiet"),
    "occupancy": ("occupied", "empty"), "lock": ("unlocked", "locked"),
    "battery": ("low", "full"), "moisture": ("wet", "dry"), "smoke": ("alarmed", "clear"),
    "problem": ("in trouble", "fine"), "connectivity": ("connected", "disconnected"),
    "presence": ("home", "away"),
}  # fmt: skip
_NO = {
    "HassRespond": "Hello.", "HassNevermind": "Okay.", "HassBroadcast": "I cannot broadcast here.",
    "MediaRate": "I cannot rate music yet.", "ListCreate": "I cannot make new lists yet.",
    "ListRemove": "I cannot delete lists.", "TimeConvert": "I cannot convert time zones yet.",
}  # fmt: skip


async def answer(
    command: Command, home: Home, connector: Connector, *, now: datetime | None = None
) -> str:
    """The answer to a question.

    Args:
        command: What was asked.
        home: Its devices.
        connector: Where their states are read.
        now: The present; the computer's, in local time, if None.

    Raises:
        DeviceError: The question is about nothing that this home has.
        UnreachableError: The home does not answer.
    """
    now = now or datetime.now().astimezone()
    if (said := _about_no_device(command.intent, now)) is not None:
        return said
    if command.intent == "HassTimerStatus":
        return _timers(command, await connector.state(TIMERS))
    if command.intent == "AlarmQuery":
        times = (await connector.state(ALARMS))["attributes"].get("alarms", [])
        return f"Your alarm is set for {listed(times)}." if times else "No alarm is set."
    if command.intent not in _ANSWERS:
        raise DeviceError("I do not know how to do that", where=command.intent)
    entities = targets(command, home, {})
    if not entities:
        raise DeviceError("No device of this home fits", where=command.intent)
    states = await asyncio.gather(*(connector.state(entity.id) for entity in entities))
    return _ANSWERS[command.intent](_Asked(command, home, entities, tuple(states), now))


@dataclass(frozen=True)
class _Asked:
    command: Command
    home: Home
    entities: tuple[Entity, ...]
    states: tuple[State, ...]
    now: datetime


def _about_no_device(intent: str, now: datetime) -> str | None:
    if intent == "HassGetCurrentTime":
        return f"It is {now.hour % 12 or 12}:{now.minute:02} {'AM' if now.hour < 12 else 'PM'}."
    if intent == "HassGetCurrentDate":
        return f"It is {now:%A}, {now:%B} {now.day}, {now.year}."
    return _NO.get(intent)


def _states(it: _Asked) -> str:
    entities, states, asked = it.entities, it.states, it.command.slot("state")
    if entities[0].domain == "todo":
        return _items(it)
    words = [_word(entity, state) for entity, state in zip(entities, states, strict=True)]
    if len(entities) == 1:
        told = f"{spoken(entities[0])} {is_or_are(entities[0])} {words[0]}"
        if asked is None:
            return sentence(told)
        yes = str(asked).casefold() in {words[0].casefold(), str(states[0]["state"]).casefold()}
        return sentence(f"{'Yes' if yes else 'No'}, {told}")
    if asked is None:
        pairs = zip(entities, words, strict=True)
        return sentence(listed([f"{spoken(e)} {is_or_are(e)} {word}" for e, word in pairs]))
    fit = [
        entity
        for entity, state, word in zip(entities, states, words, strict=True)
        if str(asked).casefold() in {str(state["state"]).casefold(), word.casefold()}
    ]
    return _those(fit, len(entities), str(asked))


def _those(fit: list[Entity], of: int, asked: str) -> str:
    if not fit:
        return f"No, none is {asked}."
    if len(fit) > 4:
        return f"{len(fit)} of {of} are {asked}."
    verb = "is" if len(fit) == 1 else "are"
    return sentence(f"{listed([spoken(e) for e in fit])} {verb} {asked}")


def _word(entity: Entity, state: State) -> str:
    """A state as it is said: "on at 40 percent", "closed", "12.5 degrees"."""
    value, attributes = str(state["state"]), state.get("attributes", {})
    if entity.domain == "binary_sensor":
        yes, no = _BINARY.get(entity.device_class, ("on", "off"))
        return {"on": yes, "off": no}.get(value, value)
    unit = str(attributes.get("unit_of_measurement", ""))
    if unit:
        said = {"°C": "degrees", "°F": "degrees", "%": "percent", "W": "watts"}.get(unit, unit)
        return f"{value} {said}"
    if entity.domain == "light" and value == "on" and attributes.get("brightness") is not None:
        return f"on at {attributes['brightness']:g} percent"
    return {"not_home": "away", "armed_away": "armed", "home": "home"}.get(
        value, value.replace("_", " ")
    )


def _warmth(it: _Asked) -> str:
    degrees = it.states[0]["attributes"].get("current_temperature", it.states[0]["state"])
    area = it.home.area_by_id.get(it.entities[0].area or "")
    where = f" in the {area.name.lower()}" if area else ""
    return f"It is {degrees} degrees{where}."


def _weather(it: _Asked) -> str:
    state = it.states[0]
    attributes = state["attributes"]
    said = str(it.command.slot("date") or "").casefold()
    days = attributes.get("forecast") or []
    ahead = _days_ahead(said or it.command.text.casefold(), it.now)
    if ahead and ahead < len(days):
        day = days[ahead]
        sky = _CONDITIONS.get(str(day["condition"]), str(day["condition"]))
        low, high = day["templow"], day["temperature"]
        when = "Tomorrow" if ahead == 1 else f"In {ahead} days"
        return f"{when} it will be {sky}, {round(low)} to {round(high)} degrees."
    sky = _CONDITIONS.get(str(state["state"]), str(state["state"]))
    degrees = attributes.get("temperature")
    return f"It is {sky}." if degrees is None else f"It is {sky}, {round(degrees)} degrees."


def _days_ahead(said: str, now: datetime) -> int:
    if "day after tomorrow" in said:
        return 2
    if "tomorrow" in said:
        return 1
    names = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    for place, name in enumerate(names):
        if name in said:
            return (place - now.weekday()) % 7
    return (5 - now.weekday()) % 7 if "weekend" in said else 0


def _timers(command: Command, state: State) -> str:
    rows = state["attributes"].get("timers", [])
    name = str(command.slot("name") or "").strip().casefold()
    rows = [row for row in rows if not name or str(row["name"]).casefold() == name]
    if not rows:
        return f"There is no {name} timer." if name else "No timer is running."
    told = [
        f"{length(row['remaining_s'])} left on the {(row['name'] + ' ') if row['name'] else ''}"
        f"timer{', which is paused' if row['paused'] else ''}"
        for row in rows[:3]
    ]
    return sentence(listed(told))


def _playing(it: _Asked) -> str:
    for entity, state in zip(it.entities, it.states, strict=True):
        title = state["attributes"].get("media_title")
        if state["state"] == "playing" and title:
            return sentence(f"{title} is playing on {spoken(entity)}")
    return "Nothing is playing."


def _items(it: _Asked) -> str:
    listing = str(it.states[0]["attributes"].get("items") or "")
    items, name = [item for item in listing.split("|") if item], spoken(it.entities[0])
    return sentence(f"On {name}: {listed(items)}") if items else f"There is nothing on {name}."


_ANSWERS: Mapping[str, Callable[[_Asked], str]] = {
    "HassGetState": _states, "HassGetWeather": _weather, "HassClimateGetTemperature": _warmth,
    "MediaQuery": _playing, "ListQuery": _items,
}  # fmt: skip
