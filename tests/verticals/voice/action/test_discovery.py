"""MQTT discovery both ways, devices that are not ours, and topics that names cannot break."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import DataError
from verticals.voice.action import native
from verticals.voice.action.connector import DeviceError, ServiceCall
from verticals.voice.action.discovery import CALL_TOPIC, configuration, discovered, picked
from verticals.voice.action.mqtt_view import MqttView
from verticals.voice.action.topics import checked_topic, entity_segment, segment
from verticals.voice.home.model import Home

HOME = Home.open()

# As Zigbee2MQTT, Tasmota and an ESPHome-like device publish them.
ZIGBEE = {
    "availability": [{"topic": "zigbee2mqtt/bridge/state"}],
    "brightness": True, "brightness_scale": 254, "command_topic": "zigbee2mqtt/Desk/set",
    "device": {"identifiers": ["zigbee2mqtt_0x01"], "name": "Desk", "suggested_area": "Office"},
    "name": None, "object_id": "desk", "schema": "json", "state_topic": "zigbee2mqtt/Desk",
    "unique_id": "0x01_light_zigbee2mqtt",
}  # fmt: skip
TASMOTA = {
    "name": "Heater plug", "~": "tele/plug7", "stat_t": "~/STATE", "cmd_t": "cmnd/plug7/POWER",
    "val_tpl": "{{value_json.POWER}}", "pl_on": "ON", "pl_off": "OFF", "uniq_id": "plug7",
    "avty_t": "~/LWT", "pl_not_avail": "Offline",
}  # fmt: skip
BLIND = {
    "name": "Blind", "uniq_id": "b1", "cmd_t": "blind/set", "pos_t": "blind/pos",
    "set_pos_t": "blind/pos/set", "position_open": 0, "position_closed": 255,
}  # fmt: skip


def _view(*messages: tuple[str, Any]) -> MqttView:
    view = MqttView(("homeassistant",))
    for topic, body in messages:
        text = body if isinstance(body, str) else json.dumps(body)
        view.received(topic, text.encode())
    return view


@pytest.mark.parametrize("entity", HOME.entities, ids=lambda e: e.id)
def test_what_we_publish_we_read(entity: Any) -> None:
    topic, payload = configuration(entity, HOME, "casekit/home")
    prefix = topic.partition("/device/")[0]
    (found,) = discovered(topic, payload, prefix=prefix)
    assert (found.entity.id, found.entity.name) == (entity.id, entity.name)
    assert found.entity.area == entity.area
    assert found.config[CALL_TOPIC].startswith("casekit/home/")
    assert prefix == "homeassistant" or entity.domain in {"media_player", "todo", "weather",
                                                          "person"}  # fmt: skip


def test_the_form_is_home_assistants() -> None:
    topic, payload = configuration(HOME.by_id["light.bedroom"], HOME, "casekit/home")
    body = json.loads(payload)
    assert topic == "homeassistant/device/casekit_light-bedroom/config"
    assert body["device"]["identifiers"]
    assert body["origin"]["name"] == "casekit"
    (part,) = body["components"].values()
    assert part["platform"] == "light"
    assert part["unique_id"]
    assert part["brightness_scale"] == 100
    assert part["state_topic"] == "casekit/home/light-bedroom/state"


def test_devices_of_others_are_read() -> None:
    view = _view(
        ("homeassistant/light/0x01/light/config", ZIGBEE),
        ("homeassistant/switch/plug7/config", TASMOTA),
        ("homeassistant/cover/b1/config", BLIND),
        ("zigbee2mqtt/Desk", {"state": "ON", "brightness": 127, "linkquality": 80}),
        ("tele/plug7/STATE", {"Time": "2026", "POWER": "OFF"}),
        ("blind/pos", "51"),
    )
    assert view.found["light.desk"].entity.area == "office"
    assert view.state("light.desk") == {"state": "on", "attributes": {"brightness": 50.0}}
    assert (view.state("switch.plug7") or {})["state"] == "off"
    assert (view.state("cover.b1") or {})["attributes"] == {"position": 80.0}
    view.received("tele/plug7/LWT", b"Offline")
    assert (view.state("switch.plug7") or {})["state"] == "unavailable"
    view.received("homeassistant/switch/plug7/config", b"")
    assert "switch.plug7" not in view.found


def test_states_may_come_before_their_configuration() -> None:
    view = _view(
        ("zigbee2mqtt/Desk", {"state": "ON"}), ("homeassistant/light/0x01/light/config", ZIGBEE)
    )
    assert (view.state("light.desk") or {})["state"] == "on"


@pytest.mark.parametrize(
    ("config", "kind", "call", "messages"),
    [
        (ZIGBEE, "light", ServiceCall("light.desk", "turn_on", {"brightness_pct": 50}),
         [("zigbee2mqtt/Desk/set", b'{"state": "ON", "brightness": 127}')]),
        (TASMOTA, "switch", ServiceCall("switch.plug7", "turn_off"),
         [("cmnd/plug7/POWER", b"OFF")]),
        (BLIND, "cover", ServiceCall("cover.b1", "set_cover_position", {"position": 80}),
         [("blind/pos/set", b"51")]),
        (BLIND, "cover", ServiceCall("cover.b1", "close_cover"), [("blind/set", b"CLOSE")]),
    ],
)  # fmt: skip
def test_devices_of_others_are_called_as_they_expect(
    config: dict[str, Any], kind: str, call: ServiceCall, messages: list[Any]
) -> None:
    (found,) = discovered(f"homeassistant/{kind}/x/config", json.dumps(config).encode())
    assert native.messages(call, found.config) == messages


def test_what_a_device_cannot_do_is_said() -> None:
    (found,) = discovered("homeassistant/switch/x/config", json.dumps(TASMOTA).encode())
    for call in (ServiceCall("switch.plug7", "lock_up"),
                 ServiceCall("switch.plug7", "set_temperature", {"temperature": 20})):  # fmt: skip
        with pytest.raises(DeviceError, match="cannot do that"):
            native.messages(call, found.config)


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("homeassistant/light/x/config", b"not json"),
        ("homeassistant/light/x/config", b"[1]"),
        ("homeassistant/light/x/config", b'{"command_topic": "a/#"}'),
        ("homeassistant/light/x/config", b'{"command_topic": "$SYS/x"}'),
        ("homeassistant/light/x/config", b'{"command_topic": 5, "state_topic": ""}'),
        ("homeassistant/device/x/config", b'{"components": 5}'),
        ("homeassistant/device/x/config", b'{"components": {"a": {"platform": "../x"}}}'),
        ("elsewhere/light/x/config", b"{}"),
        ("homeassistant/light/x/state", b"{}"),
        ("homeassistant/light/x/config", b"[" * 5000),
    ],
)
def test_bad_discovery_is_refused_and_counted(topic: str, payload: bytes) -> None:
    with pytest.raises(DataError):
        discovered(topic, payload)
    view = MqttView(("homeassistant",))
    view.received(topic, payload)
    assert view.found == {}


@given(st.binary(max_size=200))
def test_no_payload_breaks_the_view(payload: bytes) -> None:
    view = _view(("homeassistant/light/0x01/light/config", ZIGBEE))
    for topic in ("zigbee2mqtt/Desk", "homeassistant/light/new/config", "casekit/home/x/state"):
        view.received(topic, payload)


def test_templates_are_paths_and_never_programs() -> None:
    assert picked("{{ value_json.a['b'] }}", b'{"a": {"b": 5}}') == 5
    assert picked("{{ value_json.temps[1] | float }}", b'{"temps": [1, 2]}') == 2
    assert picked("{{ value }}", b"on") == "on"
    for clever in ("{% for i in range(9) %}x{% endfor %}", "{{ cycler.__init__.__globals__ }}", ""):
        assert picked(clever, b'{"a": 1}') is None
    assert picked("{{ value_json.__class__ }}", b'{"a": 1}') is None


@given(st.text(max_size=80), st.text(max_size=80))
def test_no_name_breaks_out_of_its_level(one: str, other: str) -> None:
    level = segment(one)
    assert level
    assert not set(level) & set("/#+$\x00 ")
    assert len(level) <= 64
    assert (segment(one) == segment(other)) == (one == other)
    checked_topic(f"casekit/{level}/state")


def test_entities_have_levels_of_their_own() -> None:
    levels = {entity_segment(e.id) for e in HOME.entities}
    assert len(levels) == len(HOME.entities)
    assert entity_segment("light.kitchen") == "light-kitchen"
    assert "/" not in entity_segment("light.a/../#")


@pytest.mark.parametrize("bad", ["", "a/#", "+/x", "$SYS/x", "/x", "a\x00b", "x" * 300, None, 5])
def test_unusable_topics_are_refused(bad: object) -> None:
    with pytest.raises(DataError, match="MQTT topic"):
        checked_topic(bad)
