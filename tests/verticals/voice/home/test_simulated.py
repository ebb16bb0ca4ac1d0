"""The simulated home: states follow services, scenes and the clock; a call acts once."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from verticals.voice.action.connector import DeviceError, ServiceCall
from verticals.voice.home import weather
from verticals.voice.home.model import Home
from verticals.voice.home.services import UnknownServiceError, after
from verticals.voice.home.simulated import SimulatedHome


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 7, 1, 12, 0)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def simulated(clock: Clock) -> SimulatedHome:
    return SimulatedHome(Home.open(), now=clock)


def do(home: SimulatedHome, command_id: str, entity: str, service: str, **data: Any) -> None:
    asyncio.run(home.apply(command_id, ServiceCall(entity, service, data)))


def state(home: SimulatedHome, entity: str) -> dict[str, Any]:
    return asyncio.run(home.state(entity))


@pytest.mark.parametrize(
    ("entity", "service", "data", "wanted", "attributes"),
    [
        ("light.kitchen", "turn_on", {"brightness_pct": 40}, "on", {"brightness": 40}),
        ("light.kitchen", "turn_on", {"brightness_pct": 0}, "off", {}),
        ("light.reading_lamp", "turn_on", {"brightness_step_pct": 20}, "on", {"brightness": 80}),
        ("light.bedroom", "turn_on", {"color_name": "blue"}, "on", {"color": "blue"}),
        ("fan.ceiling_fan", "turn_on", {"percentage": 30}, "on", {"percentage": 30}),
        ("climate.thermostat", "set_temperature", {"temperature": 19}, "heat", {"temperature": 19}),
        ("cover.bedroom_blinds", "set_cover_position", {"position": 30}, "open", {"position": 30}),
        ("lock.front_door", "unlock", {}, "unlocked", {}),
        ("media_player.living_room_speaker", "volume_set", {"volume_level": 0.55}, "paused",
         {"volume_level": 55}),
        ("media_player.living_room_speaker", "media_play", {}, "playing",
         {"media_title": "Take Five"}),
        ("media_player.living_room_speaker", "media_next_track", {}, "playing",
         {"media_title": "Kind of Blue"}),
        ("vacuum.robby", "start", {}, "cleaning", {}),
        ("todo.shopping_list", "add_item", {"item": "eggs"}, "3", {"items": "milk|bread|eggs"}),
        ("todo.shopping_list", "complete_item", {"item": "Milk"}, "1", {"items": "bread"}),
        ("alarm_control_panel.alarm", "alarm_arm_away", {}, "armed_away", {}),
    ],
)  # fmt: skip
def test_services_change_states(
    simulated: SimulatedHome, entity: str, service: str, data: dict[str, Any], wanted: str,
    attributes: dict[str, Any],
) -> None:  # fmt: skip
    do(simulated, "1", entity, service, **data)
    found = state(simulated, entity)
    assert found["state"] == wanted
    assert attributes.items() <= found["attributes"].items()


def test_a_call_acts_once_whatever_happens(simulated: SimulatedHome) -> None:
    for _ in range(3):
        do(simulated, "same", "media_player.living_room_speaker", "volume_up")
    assert state(simulated, "media_player.living_room_speaker")["attributes"]["volume_level"] == 40
    do(simulated, "other", "media_player.living_room_speaker", "volume_up")
    assert state(simulated, "media_player.living_room_speaker")["attributes"]["volume_level"] == 50


def test_a_refused_call_may_be_made_again(simulated: SimulatedHome) -> None:
    with pytest.raises(DeviceError):
        do(simulated, "1", "light.kitchen", "turn_on", brightness_pct=300)
    do(simulated, "1", "light.kitchen", "turn_on", brightness_pct=30)
    assert state(simulated, "light.kitchen")["attributes"]["brightness"] == 30


@pytest.mark.parametrize(
    ("entity", "service", "data"),
    [
        ("light.none", "turn_on", {}),
        ("light.kitchen", "fly", {}),
        ("sensor.outside_temperature", "turn_on", {}),
        ("climate.thermostat", "set_temperature", {"temperature": 400}),
        ("climate.thermostat", "set_temperature", {"temperature": "warm"}),
        ("cover.bedroom_blinds", "set_cover_position", {"position": -1}),
        ("todo.shopping_list", "remove_item", {"item": "gold"}),
        ("timer.assistant", "start", {"seconds": 0}),
        ("timer.assistant", "cancel", {}),
        ("scene.movie_night", "turn_off", {}),
    ],
)
def test_what_cannot_be_done_is_refused_and_changes_nothing(
    simulated: SimulatedHome, entity: str, service: str, data: dict[str, Any]
) -> None:
    before = simulated.states()
    with pytest.raises(DeviceError):
        do(simulated, "1", entity, service, **data)
    assert simulated.states() == before


def test_a_scene_sets_its_devices_and_listeners_hear_it(simulated: SimulatedHome) -> None:
    heard: list[tuple[str, str]] = []
    end = simulated.subscribe(lambda name, new: heard.append((name, new["state"])))
    do(simulated, "1", "scene.movie_night", "turn_on")
    assert ("media_player.living_room_tv", "on") in heard
    assert ("cover.living_room_curtains", "closed") in heard
    assert state(simulated, "light.reading_lamp")["attributes"]["brightness"] == 15
    end()
    do(simulated, "2", "light.hall", "turn_off")
    assert "light.hall" not in dict(heard)


def test_reset_brings_back_the_first_states(simulated: SimulatedHome) -> None:
    before = simulated.states()
    do(simulated, "1", "scene.party", "turn_on")
    do(simulated, "2", "timer.assistant", "start", seconds=60)
    assert simulated.states() != before
    simulated.reset()
    assert simulated.states() == before


def test_timers_follow_the_clock(simulated: SimulatedHome, clock: Clock) -> None:
    do(simulated, "1", "timer.assistant", "start", seconds=600, name="pizza")
    do(simulated, "2", "timer.assistant", "start", seconds=60)
    clock.now += timedelta(seconds=30)
    rows = state(simulated, "timer.assistant")["attributes"]["timers"]
    assert [(r["name"], r["remaining_s"]) for r in rows] == [("", 30), ("pizza", 570)]
    do(simulated, "3", "timer.assistant", "pause", name="pizza")
    clock.now += timedelta(hours=1)
    found = state(simulated, "timer.assistant")
    assert found["state"] == "paused"
    assert [r["remaining_s"] for r in found["attributes"]["timers"]] == [570]
    do(simulated, "4", "timer.assistant", "unpause")
    do(simulated, "5", "timer.assistant", "increase", seconds=30)
    assert state(simulated, "timer.assistant")["attributes"]["timers"][0]["remaining_s"] == 600
    do(simulated, "6", "timer.assistant", "cancel", name="pizza")
    assert state(simulated, "timer.assistant")["state"] == "idle"


def test_alarms_are_kept(simulated: SimulatedHome) -> None:
    do(simulated, "1", "alarm_clock.assistant", "set", time="7 am")
    assert state(simulated, "alarm_clock.assistant")["attributes"]["alarms"] == ["7 am"]
    do(simulated, "2", "alarm_clock.assistant", "cancel", time="7 am")
    assert state(simulated, "alarm_clock.assistant")["state"] == "0"


def test_a_room_warms_towards_its_set_point(simulated: SimulatedHome, clock: Clock) -> None:
    do(simulated, "1", "climate.thermostat", "set_temperature", temperature=25)
    warm = []
    for _ in range(4):
        warm.append(state(simulated, "climate.thermostat")["attributes"]["current_temperature"])
        clock.now += timedelta(minutes=30)
    assert warm == sorted(warm)
    assert warm[0] < warm[-1] < 25


def test_the_weather_is_the_same_for_the_same_day_and_place() -> None:
    day = datetime(2026, 1, 15, 8)
    week = weather.forecast(day, seed=3)
    assert weather.forecast(day + timedelta(days=2), seed=3)[0] == week[2]
    assert weather.forecast(day, seed=4) != week
    assert all(d.templow < d.temperature for d in week)
    assert all(0 <= d.precipitation_probability <= 100 for d in week)


def test_summer_is_warmer_than_winter_on_both_halves() -> None:
    def mean(month: int, latitude: float) -> float:
        days = weather.forecast(datetime(2026, month, 1), days=28, latitude=latitude)
        return sum(d.temperature for d in days) / len(days)

    assert mean(7, 48) > mean(1, 48) + 8
    assert mean(1, -35) > mean(7, -35) + 8


def test_a_service_leaves_the_given_state_alone() -> None:
    before = {"state": "off", "attributes": {"brightness": 5}}
    after("light", before, "turn_on", {"brightness_pct": 50})
    assert before == {"state": "off", "attributes": {"brightness": 5}}
    with pytest.raises(UnknownServiceError):
        after("teapot", before, "pour", {})
