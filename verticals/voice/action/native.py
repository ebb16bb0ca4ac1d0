"""How devices that are not ours speak MQTT: service calls to their payloads, payloads to states.

After the MQTT components of Home Assistant: default values are theirs. These devices know no
command ids; so only calls that may be repeated reach them twice.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from verticals.voice.action.connector import DeviceError, ServiceCall
from verticals.voice.action.discovery import picked

Config = Mapping[str, Any]
Message = tuple[str, bytes]

# Service → key of the payload in the configuration, and its default.
_PAYLOADS = {
    "open_cover": ("payload_open", "OPEN"), "close_cover": ("payload_close", "CLOSE"),
    "stop_cover": ("payload_stop", "STOP"), "open_valve": ("payload_open", "OPEN"),
    "close_valve": ("payload_close", "CLOSE"), "lock": ("payload_lock", "LOCK"),
    "unlock": ("payload_unlock", "UNLOCK"), "press": ("payload_press", "PRESS"),
    "start": ("payload_start", "start"), "pause": ("payload_pause", "pause"),
    "return_to_base": ("payload_return_to_base", "return_to_base"),
    "alarm_arm_away": ("payload_arm_away", "ARM_AWAY"),
    "alarm_arm_home": ("payload_arm_home", "ARM_HOME"),
    "alarm_disarm": ("payload_disarm", "DISARM"),
}  # fmt: skip
# Data of a service → key of its topic.
_VALUES = {
    "percentage": "percentage_command_topic", "position": "set_position_topic",
    "temperature": "temperature_command_topic", "hvac_mode": "mode_command_topic",
}  # fmt: skip
# Attribute → keys of its topic and its template.
_SOURCES = {
    "brightness": ("brightness_state_topic", "brightness_value_template"),
    "percentage": ("percentage_state_topic", "percentage_value_template"),
    "position": ("position_topic", "position_template"),
    "temperature": ("temperature_state_topic", "temperature_state_template"),
    "current_temperature": ("current_temperature_topic", "current_temperature_template"),
}  # fmt: skip


def messages(call: ServiceCall, config: Config) -> list[Message]:
    """Topics and payloads that carry out a call.

    Raises:
        DeviceError: The device's configuration offers no way to do it.
    """
    result: list[Message] = []
    for name, key in _VALUES.items():
        if name in call.data:
            level = _scaled(name, call.data[name], config)
            result.append((_topic(config, key, call), _text(level)))
    if call.domain == "light" and call.service in {"turn_on", "turn_off"}:
        return _light(call, config)
    if call.service in _PAYLOADS:
        key, usual = _PAYLOADS[call.service]
        result.append((_topic(config, "command_topic", call), _text(config.get(key, usual))))
    elif call.service in {"turn_on", "turn_off"} and call.domain == "climate":
        mode = "off" if call.service == "turn_off" else "heat"
        result.append((_topic(config, "mode_command_topic", call), _text(mode)))
    elif call.service in {"turn_on", "turn_off"}:
        key, usual = ("payload_on", "ON") if call.service == "turn_on" else ("payload_off", "OFF")
        result.append((_topic(config, "command_topic", call), _text(config.get(key, usual))))
    if not result:
        raise DeviceError("The device cannot do that", where=f"{call.entity_id}, {call.service}")
    return result


def _light(call: ServiceCall, config: Config) -> list[Message]:
    on = call.service == "turn_on" and call.data.get("brightness_pct") != 0
    colour = call.data.keys() & {"color_name", "color_temp_kelvin"}
    if colour:
        # Colours by name need the tables of Home Assistant: go through its connector instead.
        raise DeviceError("This light takes no colours over MQTT", where=call.entity_id)
    topic = _topic(config, "command_topic", call)
    level = call.data.get("brightness_pct") if on else None
    scale = float(config.get("brightness_scale", 255))
    if config.get("schema") == "json":
        body: dict[str, Any] = {"state": "ON" if on else "OFF"}
        if level is not None:
            body["brightness"] = round(level * scale / 100)
        return [(topic, json.dumps(body).encode())]
    key, usual = ("payload_on", "ON") if on else ("payload_off", "OFF")
    result = [(topic, _text(config.get(key, usual)))]
    if level is not None:
        dimmer = _topic(config, "brightness_command_topic", call)
        result.append((dimmer, _text(round(level * scale / 100))))
    return result


def _scaled(name: str, value: Any, config: Config) -> Any:
    if name == "position":
        low, high = _ends(config)
        return round(low + (high - low) * float(value) / 100)
    return value


def _ends(config: Config) -> tuple[float, float]:
    return float(config.get("position_closed", 0)), float(config.get("position_open", 100))


def _topic(config: Config, key: str, call: ServiceCall) -> str:
    topic = config.get(key)
    if not topic:
        raise DeviceError("The device cannot do that", where=f"{call.entity_id}, {call.service}")
    return str(topic)


def _text(value: Any) -> bytes:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return (f"{value:g}" if number else str(value)).encode()


def state_topics(config: Config) -> set[str]:
    """The topics that tell a device's state."""
    keys = ("state_topic", "mode_state_topic", *(key for key, _ in _SOURCES.values()))
    return {str(config[key]) for key in keys if config.get(key)}


def told(domain: str, config: Config, topic: str, payload: bytes) -> dict[str, Any]:
    """What a message tells: "state" and attributes by name, in the kit's units; may be empty."""
    news: dict[str, Any] = {}
    key = "mode_state" if domain == "climate" else "state"
    if topic == config.get(f"{key}_topic"):
        template = config.get(f"{key}_template") or config.get("state_value_template")
        if domain not in {"fan", "light"}:
            template = config.get("mode_state_template") or config.get("value_template") or template
        if config.get("schema") == "json" or (domain == "vacuum" and template is None):
            template = "{{ value_json.state }}"
            level = picked("{{ value_json.brightness }}", payload)
            if level is not None:
                news["brightness"] = _percent("brightness", level, config)
        value = picked(template, payload)
        if value is not None:
            news["state"] = _state(domain, str(value), config)
    for name, (place, form) in _SOURCES.items():
        if topic == config.get(place):
            value = picked(config.get(form), payload)
            news |= {} if value is None else {name: _percent(name, value, config)}
    return {name: value for name, value in news.items() if value is not None}


def _state(domain: str, value: str, config: Config) -> str:
    pairs = {
        str(config.get("state_on", config.get("payload_on", "ON"))): "on",
        str(config.get("state_off", config.get("payload_off", "OFF"))): "off",
        str(config.get("state_locked", "LOCKED")): "locked",
        str(config.get("state_unlocked", "UNLOCKED")): "unlocked",
        str(config.get("state_open", "open")): "open",
        str(config.get("state_closed", "closed")): "closed",
    }
    return value if domain == "sensor" else pairs.get(value, value.lower())[:255]


def _percent(name: str, value: Any, config: Config) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    if name == "brightness":
        return round(100 * number / float(config.get("brightness_scale", 255)), 1)
    if name == "position":
        low, high = _ends(config)
        return round(100 * (number - low) / ((high - low) or 1), 1)
    return number
