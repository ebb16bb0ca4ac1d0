"""Home Assistant's intents onto services: what each command calls, and when it counts as done."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from verticals.voice.action.calls import ACTIONS, calls_for
from verticals.voice.action.connector import DeviceError, ServiceCall
from verticals.voice.action.expected import expected, matches
from verticals.voice.action.risk import needs_yes
from verticals.voice.command import Command, Slot
from verticals.voice.home.model import Home
from verticals.voice.home.simulated import SimulatedHome

HOME = Home.open()


def _command(intent: str, *entities: str, **slots: Any) -> Command:
    parts = tuple(Slot(name=name, value=value) for name, value in slots.items())
    return Command(intent=intent, entities=entities, slots=parts)


ONE = [
    ("HassTurnOn", "light.porch", {}, "turn_on", {}),
    ("HassTurnOff", "fan.ceiling_fan", {}, "turn_off", {}),
    ("HassTurnOn", "cover.bedroom_blinds", {}, "open_cover", {}),
    ("HassTurnOff", "cover.bedroom_blinds", {}, "close_cover", {}),
    ("HassTurnOn", "lock.back_door", {}, "lock", {}),
    ("HassTurnOff", "lock.back_door", {}, "unlock", {}),
    ("HassTurnOn", "scene.party", {}, "turn_on", {}),
    ("HassTurnOn", "vacuum.robby", {}, "start", {}),
    ("HassToggle", "light.hall", {}, "turn_off", {}),
    ("HassToggle", "light.porch", {}, "turn_on", {}),
    ("HassLightSet", "light.bedroom", {"brightness": 40.0}, "turn_on", {"brightness_pct": 40.0}),
    ("HassLightSet", "light.bedroom", {"color": "red"}, "turn_on", {"color_name": "red"}),
    ("LightAdjust", "light.reading_lamp", {"direction": "up"}, "turn_on", {"brightness_pct": 80}),
    ("HassSetPosition", "cover.office_shade", {"position": 30}, "set_cover_position",
     {"position": 30}),
    ("HassFanSetSpeed", "fan.ceiling_fan", {"percentage": 120}, "set_percentage",
     {"percentage": 100}),
    ("HassClimateSetTemperature", "climate.office", {"temperature": 20.5}, "set_temperature",
     {"temperature": 20.5}),
    ("ClimateAdjust", "climate.thermostat", {"direction": "down"}, "set_temperature",
     {"temperature": 20}),
    ("HassSetVolume", "media_player.living_room_tv", {"volume_level": 90}, "volume_set",
     {"volume_level": 0.9}),
    ("HassSetVolumeRelative", "media_player.living_room_tv", {"volume_step": "up"}, "volume_set",
     {"volume_level": 0.5}),
    ("HassSetVolumeRelative", "media_player.living_room_tv", {"volume_step": -25}, "volume_set",
     {"volume_level": 0.15}),
    ("HassMediaPlayerUnmute", "media_player.kitchen_radio", {}, "volume_mute",
     {"is_volume_muted": False}),
    ("HassMediaSearchAndPlay", "media_player.kitchen_radio", {"search_query": "Queen"},
     "play_media", {"media_content_id": "Queen", "media_content_type": "music"}),
    ("HassListAddItem", "todo.chores", {"item": "rest"}, "add_item", {"item": "rest"}),
    ("AlarmDisarm", "alarm_control_panel.alarm", {}, "alarm_disarm", {}),
]  # fmt: skip


@pytest.mark.parametrize(("intent", "entity", "slots", "service", "data"), ONE)
def test_an_intent_calls_its_service(
    intent: str, entity: str, slots: dict[str, Any], service: str, data: dict[str, Any]
) -> None:
    (call,) = calls_for(_command(intent, entity, **slots), HOME, SimulatedHome(HOME).states())
    assert call == ServiceCall(entity, service, data)


@pytest.mark.parametrize(("intent", "entity", "slots", "_service", "_data"), ONE)
def test_the_simulated_home_confirms_it(
    intent: str, entity: str, slots: dict[str, Any], _service: str, _data: dict[str, Any]
) -> None:
    """What is expected of a call is what the home, another's work, then shows."""
    home = SimulatedHome(HOME)
    (call,) = calls_for(_command(intent, entity, **slots), HOME, home.states())
    asyncio.run(home.apply("1", call))
    assert matches(asyncio.run(home.state(entity)), expected(call))


def test_timers_and_alarms_need_no_device() -> None:
    (start,) = calls_for(_command("HassStartTimer", hours=1, minutes=5, name="pizza"), HOME, {})
    assert start == ServiceCall("timer.assistant", "start", {"seconds": 3900.0, "name": "pizza"})
    (more,) = calls_for(_command("HassIncreaseTimer", minutes=1, start_hours=1), HOME, {})
    assert more.data == {"seconds": 60.0, "start_seconds": 3600.0}
    (alarm,) = calls_for(_command("AlarmSet", time="7 am"), HOME, {})
    assert alarm == ServiceCall("alarm_clock.assistant", "set", {"time": "7 am"})


def test_devices_follow_from_the_slots_when_none_is_named() -> None:
    calls = calls_for(_command("HassTurnOff", area="Kitchen", domain="light"), HOME, {})
    assert {call.entity_id for call in calls} == {"light.kitchen", "light.kitchen_counter"}
    states = {"media_player.kitchen_radio": {"state": "playing", "attributes": {}}}
    (call,) = calls_for(_command("HassMediaPause"), HOME, states)
    assert call.entity_id == "media_player.kitchen_radio"


@pytest.mark.parametrize(
    "command",
    [
        _command("HassGetState", "light.porch"),
        _command("HassTurnOn", "light.nowhere"),
        _command("HassTurnOn"),
        _command("HassStartTimer"),
        _command("HassLightSet", "light.porch"),
        _command("HassLightSet", "light.porch", brightness="lots"),
        _command("HassSetVolume", "media_player.kitchen_radio", volume_level="1e400"),
        _command("HassListAddItem", "todo.chores", item=""),
    ],
)
def test_what_cannot_be_done_says_so(command: Command) -> None:
    with pytest.raises(DeviceError):
        calls_for(command, HOME, {})


def test_sent_twice_no_setting_differs() -> None:
    """All but what adds up is repeatable: relative commands became absolute."""
    for intent, entity, slots, _service, _data in ONE:
        (call,) = calls_for(_command(intent, entity, **slots), HOME, SimulatedHome(HOME).states())
        assert call.repeatable == (call.service != "add_item")
    for intent in ("HassMediaNext", "HassMediaPrevious"):
        (call,) = calls_for(_command(intent), HOME, {})
        assert not call.repeatable
    assert not calls_for(_command("HassStartTimer", minutes=1), HOME, {})[0].repeatable


def test_states_match_with_tolerance_and_by_kind() -> None:
    dim = ServiceCall("light.x", "turn_on", {"brightness_pct": 40})
    wanted = expected(dim)
    assert matches({"state": "on", "attributes": {"brightness": 40.4}}, wanted)
    assert not matches({"state": "on", "attributes": {"brightness": 60}}, wanted)
    assert not matches({"state": "off", "attributes": {"brightness": 40}}, wanted)
    assert matches({"state": "on", "attributes": {}}, wanted)
    assert not matches({"state": "on", "attributes": {}}, wanted, strict=True)
    zero = expected(ServiceCall("light.x", "turn_on", {"brightness_pct": 0}))
    assert matches({"state": "off", "attributes": {}}, zero, strict=True)
    assert matches({"state": "opening", "attributes": {}}, expected(
        ServiceCall("cover.x", "open_cover")))  # fmt: skip
    assert not matches({"state": "unavailable", "attributes": {}}, expected(
        ServiceCall("lock.x", "lock")))  # fmt: skip


@pytest.mark.parametrize(
    ("intent", "entity", "slots", "asks"),
    [
        ("HassTurnOff", "lock.front_door", {}, True),
        ("HassTurnOn", "lock.front_door", {}, False),
        ("HassTurnOn", "cover.garage_door", {}, True),
        ("HassTurnOff", "cover.garage_door", {}, False),
        ("HassSetPosition", "cover.garage_door", {"position": 10}, True),
        ("HassTurnOn", "cover.living_room_curtains", {}, False),
        ("AlarmDisarm", "alarm_control_panel.alarm", {}, True),
        ("AlarmArm", "alarm_control_panel.alarm", {}, False),
        ("HassTurnOn", "scene.party", {}, False),
    ],
)
def test_what_opens_the_home_asks_first(
    intent: str, entity: str, slots: dict[str, Any], asks: bool
) -> None:
    command = _command(intent, entity, **slots)
    assert needs_yes(command, calls_for(command, HOME, {}), HOME) is asks


def test_a_scene_that_unlocks_asks_first() -> None:
    scenes = tuple(
        s.model_copy(update={"sets": {**s.sets, "lock.front_door": {"state": "unlocked"}}})
        for s in HOME.scenes
    )
    home = HOME.model_copy(update={"scenes": scenes})
    command = _command("HassTurnOn", "scene.party")
    assert needs_yes(command, calls_for(command, home, {}), home)


def test_every_action_of_home_assistants_intents_is_known() -> None:
    told = {"HassTurnOn", "HassTurnOff", "HassLightSet", "HassSetPosition", "HassMediaNext",
            "HassClimateSetTemperature", "HassVacuumStart", "HassStartTimer", "HassFanSetSpeed",
            "HassListCompleteItem", "HassShoppingListAddItem", "HassCancelAllTimers"}  # fmt: skip
    assert told <= ACTIONS
