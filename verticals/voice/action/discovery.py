"""Home Assistant's MQTT discovery both ways: makes our devices known, reads what others offer.

After home-assistant.io/integrations/mqtt (device and single-component discovery, abbreviations).
Of templates, only paths such as `{{ value_json.state }}` are followed: a template from the
network is not a program we run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from core.errors import DataError
from verticals.voice.action.topics import checked_topic, entity_segment
from verticals.voice.home.model import Entity, Home

CALL_TOPIC = "casekit_call_topic"
"""Our own key: where a device takes {"id", "service", "data"} and acts once on an id."""
DONE_TOPIC = "casekit_done_topic"
"""Our own key: where it says {"id", "error", "state"} afterwards."""

READABLE = frozenset({
    "light", "switch", "fan", "cover", "valve", "lock", "climate", "scene", "button", "vacuum",
    "alarm_control_panel", "sensor", "binary_sensor", "siren", "humidifier", "lawn_mower",
})  # fmt: skip
"""Components of Home Assistant's MQTT integration that the kit reads."""

_LONG = {
    "~": "~", "avty": "availability", "avty_t": "availability_topic", "cmd_t": "command_topic",
    "stat_t": "state_topic", "dev": "device", "o": "origin", "cmps": "components",
    "p": "platform", "uniq_id": "unique_id", "obj_id": "object_id",
    "def_ent_id": "default_entity_id", "val_tpl": "value_template",
    "stat_val_tpl": "state_value_template", "dev_cla": "device_class",
    "unit_of_meas": "unit_of_measurement", "pl_on": "payload_on", "pl_off": "payload_off",
    "pl_open": "payload_open", "pl_cls": "payload_close", "pl_stop": "payload_stop",
    "pl_lock": "payload_lock", "pl_unlk": "payload_unlock", "pl_prs": "payload_press",
    "pl_avail": "payload_available", "pl_not_avail": "payload_not_available",
    "stat_on": "state_on", "stat_off": "state_off", "schema": "schema",
    "bri_cmd_t": "brightness_command_topic", "bri_stat_t": "brightness_state_topic",
    "bri_val_tpl": "brightness_value_template", "bri_scl": "brightness_scale",
    "pct_cmd_t": "percentage_command_topic", "pct_stat_t": "percentage_state_topic",
    "pct_val_tpl": "percentage_value_template", "pos_t": "position_topic",
    "pos_tpl": "position_template", "set_pos_t": "set_position_topic",
    "pos_clsd": "position_closed", "pos_open": "position_open",
    "mode_cmd_t": "mode_command_topic", "mode_stat_t": "mode_state_topic",
    "mode_stat_tpl": "mode_state_template", "temp_cmd_t": "temperature_command_topic",
    "temp_stat_t": "temperature_state_topic", "temp_stat_tpl": "temperature_state_template",
    "curr_temp_t": "current_temperature_topic", "curr_temp_tpl": "current_temperature_template",
    "sa": "suggested_area", "ids": "identifiers", "t": "topic", "sup_clrm": "supported_color_modes",
}  # fmt: skip
_PATH = re.compile(r"\{\{\s*(value_json|value)((?:\.\w+|\[\s*['\"]?\w+['\"]?\s*\])*)\s*[|}]")
_STEP = re.compile(r"\w+")


@dataclass(frozen=True)
class Discovered:
    """An entity that a discovery message describes."""

    entity: Entity
    config: Mapping[str, Any]
    """Its configuration: keys in full, topics expanded and checked."""


def configuration(
    entity: Entity, home: Home, base: str, *, discovery: str = "homeassistant"
) -> tuple[str, bytes]:
    """Topic and retained payload by which a device of ours makes itself known.

    Kinds that Home Assistant's MQTT knows go to its prefix, as a device with one component; the
    others (players, lists, weather) to ours, in the same form.
    """
    here = f"{checked_topic(base)}/{entity_segment(entity.id)}"
    name = entity_segment(entity.id)
    ours = entity.domain not in READABLE
    area = home.area_by_id.get(entity.area or "")
    component: dict[str, Any] = {
        "platform": entity.domain, "unique_id": f"casekit_{name}", "name": entity.name,
        "default_entity_id": entity.id, "state_topic": f"{here}/state",
        CALL_TOPIC: f"{here}/call", DONE_TOPIC: f"{here}/done",
        **({"device_class": entity.device_class} if entity.device_class else {}),
        **_keys(entity, here),
    }  # fmt: skip
    payload = {
        "device": {
            "identifiers": [f"casekit_{name}"], "name": entity.name,
            **({"suggested_area": area.name} if area else {}),
        },
        "origin": {"name": "casekit"},
        "availability_topic": f"{base}/status",
        "components": {name: component},
    }  # fmt: skip
    prefix = f"{base}/discovery" if ours else checked_topic(discovery)
    return f"{prefix}/device/casekit_{name}/config", json.dumps(payload).encode()


def _keys(entity: Entity, here: str) -> dict[str, Any]:
    """What Home Assistant needs to work a kind of device through its state and `set` topics."""
    state = "{{ value_json.state }}"
    attribute = "{{ value_json.attributes.%s }}".__mod__
    command = {"command_topic": f"{here}/set"}
    switch = {**command, "payload_on": "turn_on", "payload_off": "turn_off"}
    keys: dict[str, Any] = {"value_template": state}
    if entity.domain == "light":
        keys = {**switch, "state_value_template": state, "payload_on": "on", "payload_off": "off"}
        if "brightness" in entity.features:
            keys |= {"brightness_command_topic": f"{here}/set/brightness_pct",
                     "brightness_state_topic": f"{here}/state", "brightness_scale": 100,
                     "brightness_value_template": attribute("brightness")}  # fmt: skip
    elif entity.domain == "switch":
        keys |= {**switch, "state_on": "on", "state_off": "off"}
    elif entity.domain == "fan":
        keys = {**switch, "state_value_template": state, "payload_on": "on", "payload_off": "off",
                "percentage_command_topic": f"{here}/set/percentage",
                "percentage_state_topic": f"{here}/state",
                "percentage_value_template": attribute("percentage")}  # fmt: skip
    elif entity.domain == "cover":
        keys |= {**command, "payload_open": "open_cover", "payload_close": "close_cover",
                 "payload_stop": "stop_cover", "set_position_topic": f"{here}/set/position",
                 "position_topic": f"{here}/state",
                 "position_template": attribute("position")}  # fmt: skip
    elif entity.domain == "lock":
        keys |= {**command, "payload_lock": "lock", "payload_unlock": "unlock",
                 "state_locked": "locked", "state_unlocked": "unlocked"}  # fmt: skip
    elif entity.domain == "climate":
        keys = {"mode_command_topic": f"{here}/set/hvac_mode", "mode_state_topic": f"{here}/state",
                "mode_state_template": state, "modes": ["off", "heat", "cool", "auto"],
                "temperature_command_topic": f"{here}/set/temperature",
                "temperature_state_topic": f"{here}/state",
                "temperature_state_template": attribute("temperature"),
                "current_temperature_topic": f"{here}/state",
                "current_temperature_template": attribute("current_temperature")}  # fmt: skip
    elif entity.domain in {"scene", "button"}:
        keys = {**command, "payload_on": "turn_on", "payload_press": "press"}
    elif entity.domain == "vacuum":
        keys = {**command, "payload_start": "start", "payload_return_to_base": "return_to_base",
                "payload_pause": "pause",
                "supported_features": ["start", "pause", "return_home"]}  # fmt: skip
    elif entity.domain == "alarm_control_panel":
        keys |= {**command, "payload_arm_away": "alarm_arm_away", "payload_disarm": "alarm_disarm",
                 "code_arm_required": False, "supported_features": ["arm_away"]}  # fmt: skip
    elif entity.domain == "binary_sensor":
        keys |= {"payload_on": "on", "payload_off": "off"}
    elif unit := entity.attributes.get("unit_of_measurement"):
        keys |= {"unit_of_measurement": unit}
    return keys


def discovered(topic: str, payload: bytes, *, prefix: str = "homeassistant") -> list[Discovered]:
    """The entities of a discovery message, of one device or one component; none for a removal.

    Raises:
        DataError: It is no discovery message, or unusable; names topic and field.
    """
    levels = topic.removeprefix(f"{prefix}/").split("/")
    if not topic.startswith(f"{prefix}/") or levels[-1] != "config" or len(levels) not in (3, 4):
        raise DataError("This is no discovery topic", where=topic[:80])
    if not payload.strip():
        return []
    try:
        config = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise DataError("A discovery message is not JSON", where=topic[:80]) from error
    if not isinstance(config, dict):
        raise DataError("A discovery message is not an object", where=topic[:80])
    try:
        return list(_entities(levels, _full(config)))
    except (ValueError, TypeError, AttributeError) as error:
        raise DataError(
            "A discovery message cannot be used", where=f"{topic[:80]}: {type(error).__name__}"
        ) from error


def _entities(levels: list[str], config: dict[str, Any]) -> Iterator[Discovered]:
    shared = {k: v for k, v in config.items() if k != "components"}
    parts = config.get("components") if levels[0] == "device" else {levels[-2]: config}
    if not isinstance(parts, dict) or len(parts) > 200:
        raise ValueError("components")
    for key, part in parts.items():
        whole = {**shared, **_full(part)}
        domain = str(whole.get("platform", levels[0]))
        if levels[0] != "device" and domain not in READABLE:
            continue
        yield _entity(domain, str(key), _expanded(whole))


def _entity(domain: str, key: str, config: dict[str, Any]) -> Discovered:
    device = config.get("device") or {}
    name = config.get("name") or _full(device).get("name") or key
    wanted = str(config.get("default_entity_id") or "")
    own = config.get("object_id") or config.get("unique_id") or key
    plain = re.sub(r"[^a-z0-9_]+", "_", str(own).lower()).strip("_") or "unnamed"
    entity_id = wanted if wanted.startswith(f"{domain}.") else f"{domain}.{plain}"
    area = _full(device).get("suggested_area")
    unit = config.get("unit_of_measurement")
    entity = Entity(
        id=entity_id[:120], name=str(name)[:80],
        area=re.sub(r"[^a-z0-9]+", "_", str(area).lower()).strip("_")[:64] if area else None,
        device_class=str(config.get("device_class") or "")[:40],
        features=("brightness",) if _dims(config) else (),
        attributes={"unit_of_measurement": str(unit)[:20]} if unit else {},
    )  # fmt: skip
    return Discovered(entity, config)


def _dims(config: Mapping[str, Any]) -> bool:
    return bool(config.get("brightness_command_topic") or config.get("brightness") is True)


def _full(config: Any) -> dict[str, Any]:
    if not isinstance(config, dict):
        raise TypeError("object expected")
    return {_LONG.get(str(key), str(key)): value for key, value in config.items()}


def _expanded(config: dict[str, Any]) -> dict[str, Any]:
    """Topics with `~` replaced, each checked."""
    base = str(config.get("~", ""))
    result = dict(config)
    for key, value in config.items():
        if key == "topic" or key.endswith("_topic"):
            text = str(value)
            text = base + text[1:] if text.startswith("~") else text
            text = text[:-1] + base if text.endswith("~") else text
            result[key] = checked_topic(text, where=key)
    return result


def picked(template: object, payload: bytes) -> Any:
    """What a template takes out of a payload; None where it finds nothing or is too clever.

    Args:
        template: Such as `{{ value_json.state }}`; None takes the whole payload as text.
        payload: A message.
    """
    try:
        text = payload.decode("utf-8")
        if template is None:
            return text
        match = _PATH.search(str(template))
        if match is None:
            return None
        found: Any = json.loads(text) if match[1] == "value_json" else text
        for step in _STEP.findall(match[2]):
            found = found[int(step)] if isinstance(found, list) else found[step]
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        return None
    return found
