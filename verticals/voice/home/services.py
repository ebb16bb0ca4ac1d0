"""What each service does to a device's state: pure functions, one a kind of device."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

State = dict[str, Any]
Service = Callable[[State, Mapping[str, Any]], State]
_STEP = 10


class UnknownServiceError(ValueError):
    """The device has no such service, or not with such data."""


def after(domain: str, state: State, service: str, data: Mapping[str, Any]) -> State:
    """The state after a service; the one given is not changed.

    Args:
        domain: Of the device, such as light.
        state: {"state": str, "attributes": {…}} in the kit's units (0 to 100).
        service: Home Assistant's name.
        data: In Home Assistant's names and units.

    Raises:
        UnknownServiceError: No such service, or a value it does not take.
    """
    services = _SERVICES.get(domain, {})
    if service not in services:
        raise UnknownServiceError(f"{domain} has no service {service!r}")
    return services[service](state, data)


def _set(state: State, value: str | None = None, **attributes: Any) -> State:
    return {
        "state": state["state"] if value is None else value,
        "attributes": {**state["attributes"], **attributes},
    }


def _share(value: Any, name: str, scale: float = 1.0) -> float:
    number = _number(value, name) * scale
    if not 0 <= number <= 100:
        raise UnknownServiceError(f"{name} must lie between 0 and {100 / scale:g}")
    return round(number, 1)


def _number(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnknownServiceError(f"{name} must be a number, not {value!r}")
    return float(value)


def _light_on(state: State, data: Mapping[str, Any]) -> State:
    new: dict[str, Any] = {}
    if "brightness_pct" in data:
        new["brightness"] = _share(data["brightness_pct"], "brightness_pct")
        if new["brightness"] == 0:
            return _set(state, "off")
    elif "brightness_step_pct" in data:
        step = _number(data["brightness_step_pct"], "brightness_step_pct")
        before = state["attributes"].get("brightness", 100) if state["state"] == "on" else 0
        new["brightness"] = max(1.0, min(100.0, before + step))
    if "color_name" in data:
        new |= {"color": str(data["color_name"]), "color_temp_kelvin": None}
    if "color_temp_kelvin" in data:
        kelvin = _number(data["color_temp_kelvin"], "color_temp_kelvin")
        new |= {"color_temp_kelvin": kelvin, "color": None}
    new.setdefault("brightness", state["attributes"].get("brightness", 100))
    return _set(state, "on", **new)


def _fan_on(state: State, data: Mapping[str, Any]) -> State:
    if "percentage" in data:
        share = _share(data["percentage"], "percentage")
        return _set(state, "on" if share else "off", percentage=share)
    return _set(state, "on")


def _warmth(state: State, data: Mapping[str, Any]) -> State:
    value = _number(data.get("temperature"), "temperature")
    if not 5 <= value <= 95:  # to 35 in °C; homes in °F set 60 to 95
        raise UnknownServiceError("temperature must lie between 5 and 95 degrees")
    mode = str(data.get("hvac_mode", "heat" if state["state"] == "off" else state["state"]))
    return _set(state, mode, temperature=value)


def _mode(state: State, data: Mapping[str, Any]) -> State:
    mode = str(data.get("hvac_mode", ""))
    if mode not in ("off", "heat", "cool", "heat_cool", "auto", "dry", "fan_only"):
        raise UnknownServiceError(f"there is no mode {mode!r}")
    return _set(state, mode)


def _position(state: State, data: Mapping[str, Any]) -> State:
    position = _share(data.get("position"), "position")
    return _set(state, "open" if position else "closed", position=position)


def _volume(state: State, data: Mapping[str, Any]) -> State:
    level = _share(data.get("volume_level"), "volume_level", 100)
    return _set(state, volume_level=level, is_volume_muted=False)


def _louder(step: float) -> Service:
    def change(state: State, _: Mapping[str, Any]) -> State:
        level = float(state["attributes"].get("volume_level", 50)) + step
        return _set(state, volume_level=max(0.0, min(100.0, level)), is_volume_muted=False)

    return change


def _track(step: int) -> Service:
    def change(state: State, data: Mapping[str, Any]) -> State:
        titles = list(data.get("titles") or ["Track 1", "Track 2", "Track 3"])
        playing = state["attributes"].get("media_title")
        place = titles.index(playing) + step if playing in titles else 0
        return _set(state, "playing", media_title=titles[place % len(titles)])

    return change


def _play(state: State, data: Mapping[str, Any]) -> State:
    title = str(data.get("media_content_id") or state["attributes"].get("media_title") or "Music")
    kind = data.get("media_content_type")
    new = {"media_title": title} | ({"media_content_type": str(kind)} if kind else {})
    return _set(state, "playing", **new)


def _mute(state: State, data: Mapping[str, Any]) -> State:
    return _set(state, is_volume_muted=bool(data.get("is_volume_muted", True)))


def _items(state: State) -> list[str]:
    return [item for item in str(state["attributes"].get("items") or "").split("|") if item]


def _listed(state: State, items: list[str]) -> State:
    return _set(state, str(len(items)), items="|".join(items))


def _add_item(state: State, data: Mapping[str, Any]) -> State:
    item = str(data.get("item", "")).replace("|", " ").strip()
    if not item:
        raise UnknownServiceError("item must not be empty")
    items = _items(state)
    return _listed(state, items if item in items else [*items, item])


def _remove_item(state: State, data: Mapping[str, Any]) -> State:
    item = str(data.get("item", "")).strip().casefold()
    items = _items(state)
    kept = [i for i in items if i.casefold() != item]
    if len(kept) == len(items):
        raise UnknownServiceError(f"{item!r} is not on the list")
    return _listed(state, kept)


def _to(value: str, **attributes: Any) -> Service:
    return lambda state, _: _set(state, value, **attributes)


def _toggle(state: State, _: Mapping[str, Any]) -> State:
    return _set(state, "off" if state["state"] == "on" else "on")


_SWITCH: dict[str, Service] = {"turn_on": _to("on"), "turn_off": _to("off"), "toggle": _toggle}
_COVER: dict[str, Service] = {
    "open_cover": _to("open", position=100), "close_cover": _to("closed", position=0),
    "stop_cover": lambda state, _: _set(state), "set_cover_position": _position,
}  # fmt: skip
_SERVICES: dict[str, dict[str, Service]] = {
    "light": {**_SWITCH, "turn_on": _light_on},
    "switch": _SWITCH, "input_boolean": _SWITCH, "humidifier": _SWITCH, "siren": _SWITCH,
    "fan": {
        **_SWITCH, "turn_on": _fan_on, "set_percentage": _fan_on,
    },
    "climate": {
        "turn_on": _to("heat"), "turn_off": _to("off"), "set_temperature": _warmth,
        "set_hvac_mode": _mode,
        "set_fan_mode": lambda state, data: _set(state, fan_mode=str(data.get("fan_mode", "auto"))),
    },
    "cover": _COVER,
    "valve": {
        "open_valve": _to("open", position=100), "close_valve": _to("closed", position=0),
        "set_valve_position": _position,
    },
    "lock": {"lock": _to("locked"), "unlock": _to("unlocked"), "open": _to("open")},
    "alarm_control_panel": {
        "alarm_arm_away": _to("armed_away"), "alarm_arm_home": _to("armed_home"),
        "alarm_disarm": _to("disarmed"),
    },
    "media_player": {
        "turn_on": _to("idle"), "turn_off": _to("off"), "media_play": _play,
        "media_pause": _to("paused"), "media_stop": _to("idle"), "play_media": _play,
        "media_next_track": _track(1), "media_previous_track": _track(-1),
        "volume_set": _volume, "volume_up": _louder(_STEP), "volume_down": _louder(-_STEP),
        "volume_mute": _mute,
        "shuffle_set": lambda state, data: _set(state, shuffle=bool(data.get("shuffle", True))),
        "repeat_set": lambda state, data: _set(state, repeat=str(data.get("repeat", "one"))),
    },
    "vacuum": {
        "start": _to("cleaning"), "pause": _to("paused"), "stop": _to("idle"),
        "return_to_base": _to("docked"),
        "clean_area": lambda state, data: _set(state, "cleaning", area=str(data.get("area", ""))),
    },
    "lawn_mower": {"start_mowing": _to("mowing"), "dock": _to("docked")},
    "todo": {
        "add_item": _add_item, "remove_item": _remove_item, "complete_item": _remove_item,
    },
    "button": {"press": lambda state, _: _set(state)},
    "input_button": {"press": lambda state, _: _set(state)},
}  # fmt: skip
