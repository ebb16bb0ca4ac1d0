"""What a device's state should be once a call has been carried out, and whether it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from verticals.voice.action.connector import ServiceCall

_STATES: dict[str, tuple[str, ...]] = {
    "turn_off": ("off",),
    "open_cover": ("open", "opening"),
    "close_cover": ("closed", "closing"),
    "open_valve": ("open", "opening"),
    "close_valve": ("closed", "closing"),
    "lock": ("locked", "locking"),
    "unlock": ("unlocked", "unlocking", "open"),
    "alarm_arm_away": ("armed_away", "arming", "pending"),
    "alarm_disarm": ("disarmed", "disarming"),
    "media_pause": ("paused", "idle", "off", "standby"),
    "media_play": ("playing", "buffering"),
    "return_to_base": ("returning", "docked"),
    "dock": ("returning", "docked"),
    "start_mowing": ("mowing",),
}
# Data of a service → attribute of the state, and what one unit of it is there.
_ATTRIBUTES = {
    "brightness_pct": ("brightness", 1.0),
    "percentage": ("percentage", 1.0),
    "position": ("position", 1.0),
    "temperature": ("temperature", 1.0),
    "volume_level": ("volume_level", 100.0),
    "color_name": ("color", 1.0),
    "color_temp_kelvin": ("color_temp_kelvin", 1.0),
    "is_volume_muted": ("is_volume_muted", 1.0),
    "fan_mode": ("fan_mode", 1.0),
}
_TOLERANCE = {"brightness": 1.0, "volume_level": 1.0, "percentage": 1.0, "position": 2.0,
              "color_temp_kelvin": 60.0, "temperature": 0.51}  # fmt: skip
_STATELESS = frozenset(
    {"scene", "script", "button", "input_button", "notify", "timer", "todo", "alarm_clock"}
)


def expected(call: ServiceCall) -> dict[str, tuple[Any, ...]]:
    """What a call should leave: by "state" or attribute name, the values that will do.

    Empty where no state tells, such as the next track or a scene.
    """
    if call.domain in _STATELESS:
        return {}
    wanted: dict[str, tuple[Any, ...]] = {}
    if call.service in _STATES:
        wanted["state"] = _STATES[call.service]
    elif call.service == "turn_on":
        dimmed = call.data.get("brightness_pct")
        wanted["state"] = _on_states(call.domain) if dimmed != 0 else ("off",)
    elif call.service == "start" and call.domain == "vacuum":
        wanted["state"] = ("cleaning", "on")
    elif call.service == "set_hvac_mode":
        wanted["state"] = (call.data.get("hvac_mode"),)
    if call.data.get("brightness_pct") == 0:
        return wanted
    for name, value in call.data.items():
        if name in _ATTRIBUTES:
            attribute, unit = _ATTRIBUTES[name]
            number = isinstance(value, int | float) and not isinstance(value, bool)
            wanted[attribute] = (value * unit if number else value,)
    return wanted


def _on_states(domain: str) -> tuple[str, ...]:
    if domain == "media_player":
        return ("on", "idle", "playing", "paused", "standby", "buffering")
    if domain in {"climate", "humidifier", "water_heater"}:
        return ("on", "heat", "cool", "heat_cool", "auto", "dry", "fan_only", "eco")
    return ("on",)


def matches(
    state: Mapping[str, Any], wanted: Mapping[str, tuple[Any, ...]], *, strict: bool = False
) -> bool:
    """Whether a state is what was wanted; always true where nothing was.

    Args:
        state: {"state": …, "attributes": {…}} in the kit's units.
        wanted: As `expected` returns it.
        strict: Count an attribute that is missing as a difference. Some devices never report
            what they were set to, so a confirmation is not strict; "it is so already" is.
    """
    attributes = state.get("attributes", {})
    for name, values in wanted.items():
        present = state.get("state") if name == "state" else attributes.get(name)
        if present is None and name != "state":
            if strict:
                return False
            continue
        if not any(_same(name, present, value) for value in values):
            return False
    return True


def _same(name: str, present: Any, value: Any) -> bool:
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return abs(float(present) - value) <= _TOLERANCE.get(name, 1e-6)
        except (TypeError, ValueError):
            return False
    return bool(str(present).casefold() == str(value).casefold())
