"""Which calls carry out a command: Home Assistant's intents onto its services, device by device.

Whatever is relative ("a bit louder", "toggle") is made absolute from the present states, so that
a call sent twice does no harm. It sends nothing and speaks to nobody.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from verticals.voice.action.connector import DeviceError, ServiceCall
from verticals.voice.action.targets import States, targets
from verticals.voice.command import Command
from verticals.voice.home.model import Entity, Home

TIMERS = "timer.assistant"
ALARMS = "alarm_clock.assistant"
_CLOCK = {"AlarmSet": "set", "AlarmCancel": "cancel"}
_STEP = 10.0

_ON = {
    "cover": "open_cover", "valve": "open_valve", "lock": "lock", "vacuum": "start",
    "lawn_mower": "start_mowing", "button": "press", "input_button": "press",
    "alarm_control_panel": "alarm_arm_away",
}  # fmt: skip
_OFF = {
    "cover": "close_cover", "valve": "close_valve", "lock": "unlock",
    "vacuum": "return_to_base", "lawn_mower": "dock", "alarm_control_panel": "alarm_disarm",
}  # fmt: skip
_ONE_SERVICE = {
    "HassOpenCover": "open_cover", "HassCloseCover": "close_cover", "CoverStop": "stop_cover",
    "HassStopMoving": "stop_cover", "AlarmArm": "alarm_arm_away", "AlarmDisarm": "alarm_disarm",
    "HassVacuumStart": "start", "HassVacuumReturnToBase": "return_to_base",
    "HassLawnMowerStartMowing": "start_mowing", "HassLawnMowerDock": "dock",
    "HassMediaPause": "media_pause", "HassMediaUnpause": "media_play",
    "HassMediaNext": "media_next_track", "HassMediaPrevious": "media_previous_track",
}  # fmt: skip
_LISTS = {
    "HassListAddItem": "add_item", "HassListRemoveItem": "remove_item",
    "HassListCompleteItem": "complete_item", "HassShoppingListAddItem": "add_item",
    "HassShoppingListCompleteItem": "complete_item",
}  # fmt: skip
_TIMERS = {
    "HassStartTimer": "start", "HassIncreaseTimer": "increase", "HassDecreaseTimer": "decrease",
    "HassCancelTimer": "cancel", "HassCancelAllTimers": "cancel_all",
    "HassPauseTimer": "pause", "HassUnpauseTimer": "unpause",
}  # fmt: skip
_LEVELS = {
    "HassSetPosition": ("set_cover_position", "position", 50.0, (0.0, 100.0)),
    "HassFanSetSpeed": ("set_percentage", "percentage", 50.0, (0.0, 100.0)),
    "HassClimateSetTemperature": ("set_temperature", "temperature", 20.0, (-50.0, 120.0)),
    "ClimateAdjust": ("set_temperature", "temperature", 20.0, (-50.0, 120.0)),
    "HassSetVolume": ("volume_set", "volume_level", 50.0, (0.0, 100.0)),
    "HassSetVolumeRelative": ("volume_set", "volume_level", 50.0, (0.0, 100.0)),
}
_MODES = {"HassClimateSetFanMode": "fan_mode", "HassClimateSetHvacMode": "hvac_mode"}
ACTIONS = frozenset(
    {
        *_ONE_SERVICE, *_LISTS, *_TIMERS, *_LEVELS, *_MODES, *_CLOCK,
        "HassTurnOn", "HassTurnOff", "HassToggle", "HassSetVolume", "HassSetVolumeRelative",
        "HassMediaPlayerMute", "HassMediaPlayerUnmute", "HassMediaSearchAndPlay", "HassBroadcast",
        "HassLightSet", "LightAdjust", "ClimateAdjust", "HassVacuumCleanArea", "MediaMode",
    }
)  # fmt: skip
"""Intents that change something; any other intent is a question or talk."""


def calls_for(command: Command, home: Home, states: States) -> tuple[ServiceCall, ...]:
    """The calls that carry out a command.

    Args:
        command: What was understood; with no entities, they follow from its slots.
        home: The home it was said in.
        states: Present states by entity id, for what is relative; may lack some.

    Raises:
        DeviceError: The intent is no action, names no device of the home, or lacks a slot.
    """
    if command.intent not in ACTIONS:
        raise DeviceError("This is not an action", where=command.intent)
    if command.intent in _TIMERS:
        return (_timer_call(command),)
    if command.intent in _CLOCK:
        return (_alarm_call(command),)
    entities = targets(command, home, states)
    if not entities:
        raise DeviceError("No device of this home fits", where=command.intent)
    return tuple(_call(command, entity, states) for entity in entities)


def _call(command: Command, entity: Entity, states: States) -> ServiceCall:
    intent = command.intent
    if intent in _ONE_SERVICE:
        return ServiceCall(entity.id, _ONE_SERVICE[intent])
    if intent in {"HassTurnOn", "HassTurnOff", "HassToggle"}:
        return ServiceCall(entity.id, _switched(intent, entity, states))
    if intent in _LISTS:
        return ServiceCall(entity.id, _LISTS[intent], {"item": str(_needs(command, "item"))})
    if intent == "HassBroadcast":
        return ServiceCall(entity.id, "send_message", {"message": _needs(command, "message")})
    if intent == "HassVacuumCleanArea":
        return ServiceCall(entity.id, "clean_area", {"area": str(_needs(command, "area"))})
    present = states.get(entity.id, {}).get("attributes", entity.attributes)
    service, data = _setting(command, entity, present)
    return ServiceCall(entity.id, service, data)


def _switched(intent: str, entity: Entity, states: States) -> str:
    on = intent == "HassTurnOn"
    if intent == "HassToggle":
        state = states.get(entity.id, {}).get("state", entity.state)
        resting = {"off", "closed", "unlocked", "docked", "disarmed", "idle", "standby", ""}
        on = state in resting
    special = _ON if on else _OFF
    return special.get(entity.domain, "turn_on" if on else "turn_off")


def _setting(
    command: Command, entity: Entity, present: Mapping[str, Any]
) -> tuple[str, dict[str, Any]]:
    """Service and data of the intents that set a value."""
    intent = command.intent
    if intent in {"HassLightSet", "LightAdjust"}:
        return "turn_on", _light_data(command, present)
    if intent == "MediaMode":
        return _media_mode(str(command.slot("mode") or "shuffle"))
    if intent == "HassMediaSearchAndPlay":
        kind = str(command.slot("media_class") or "music")
        query = str(_needs(command, "search_query"))
        return "play_media", {"media_content_id": query, "media_content_type": kind}
    if intent in {"HassMediaPlayerMute", "HassMediaPlayerUnmute"}:
        return "volume_mute", {"is_volume_muted": intent == "HassMediaPlayerMute"}
    if intent in _MODES:
        mode = _MODES[intent]
        return f"set_{mode}", {mode: str(_needs(command, mode))}
    service, slot, usual, (low, high) = _LEVELS[intent]
    if intent == "HassSetPosition" and entity.domain == "valve":
        service = "set_valve_position"
    level = _within(_level(command, slot, present.get(slot), usual), low, high)
    return service, {slot: round(level / 100, 4) if slot == "volume_level" else level}


def _level(command: Command, slot: str, present: object, usual: float) -> float:
    """What to set: as said, or a step from what it is."""
    said = command.slot(slot)
    if said is not None:
        return _number(said)
    short = "volume_step" if slot == "volume_level" else f"{slot}_step"
    step = command.slot("direction") or _needs(command, short)
    size = 1.0 if slot == "temperature" else _STEP
    change = {"up": size, "down": -size}.get(str(step))
    return _number(usual if present is None else present) + (
        _number(step) if change is None else change
    )


def _light_data(command: Command, present: Mapping[str, Any]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    level = command.slot("brightness")
    step = command.slot("brightness_step") or command.slot("direction")
    if level is not None:
        data["brightness_pct"] = _within(level, 0, 100)
    elif step is not None:
        change = {"up": 2 * _STEP, "down": -2 * _STEP}.get(str(step)) or _number(step)
        before = present.get("brightness")
        level = _number(50 if before is None else before) + change
        data["brightness_pct"] = _within(level, 1, 100)
    if (colour := command.slot("color")) is not None:
        data["color_name"] = str(colour)
    if (kelvin := command.slot("temperature")) is not None:
        data["color_temp_kelvin"] = _within(kelvin, 1000, 12000)
    if not data:
        raise DeviceError("Neither brightness nor colour was said", where=command.intent)
    return data


def _media_mode(mode: str) -> tuple[str, dict[str, Any]]:
    if mode.startswith("repeat"):
        return "repeat_set", {"repeat": "one"}
    return "shuffle_set", {"shuffle": True}


def _alarm_call(command: Command) -> ServiceCall:
    when = " ".join(str(command.slot(n)) for n in ("time", "date") if command.slot(n))
    if command.intent == "AlarmSet" and not when:
        raise DeviceError("No time was said", where=command.intent)
    service = _CLOCK[command.intent]
    if service == "cancel" and command.slot("all"):
        service = "cancel_all"
    return ServiceCall(ALARMS, service, {"time": when} if when else {})


def _timer_call(command: Command) -> ServiceCall:
    service = _TIMERS[command.intent]
    data: dict[str, Any] = {}
    length, started = _seconds(command, ""), _seconds(command, "start_")
    if service in {"start", "increase", "decrease"}:
        if not length:
            raise DeviceError("No duration was said", where=command.intent)
        data["seconds"] = length
    if started:
        data["start_seconds"] = started
    for name in ("name", "area"):
        if (said := command.slot(name)) is not None:
            data[name] = str(said).strip()
    return ServiceCall(TIMERS, service, data)


def _seconds(command: Command, prefix: str) -> float:
    units = {"hours": 3600.0, "minutes": 60.0, "seconds": 1.0}
    return sum(
        _number(value) * size
        for unit, size in units.items()
        if (value := command.slot(prefix + unit)) is not None
    )


def _needs(command: Command, name: str) -> str | float:
    value = command.slot(name)
    if value is None or value == "":
        raise DeviceError(f"The command lacks its {name.replace('_', ' ')}", where=command.intent)
    return value


def _number(value: object) -> float:
    try:
        number = float(str(value))
    except ValueError:
        number = float("nan")
    if not math.isfinite(number) or abs(number) > 1e9:
        raise DeviceError(f"{value!r} is not a usable number")
    return number


def _within(value: object, low: float, high: float) -> float:
    return min(max(_number(value), low), high)
