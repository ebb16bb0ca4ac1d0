"""What the learned model's intents and parts ask of a home."""

from __future__ import annotations

import pytest

from verticals.voice.command import Command, Slot
from verticals.voice.home.model import Home
from verticals.voice.understanding.linking import Linker
from verticals.voice.understanding.mapping import command_of, durations, open_mapping
from verticals.voice.understanding.targets import ACTED_ON


def read(text: str, intent: str, area: str | None = None, **parts: str) -> Command | None:
    home = Home.open()
    slots = [
        Slot(name=n, value=w, start=text.index(w), end=text.index(w) + len(w))
        for n, w in parts.items()
    ]
    return command_of(home, Linker(home), text, intent, slots, area=area)


@pytest.mark.parametrize(
    ("text", "intent", "parts", "command", "entities", "values"),
    [
        ("lights off in the study", "iot_hue_lightoff", {"house_place": "study"},
         "HassTurnOff", {"light.desk_lamp"}, {"area": "Office"}),
        ("raise the volume to seventy percent", "audio_volume_up",
         {"change_amount": "seventy percent"}, "HassSetVolume",
         {"media_player.living_room_speaker"}, {"volume_level": 70}),
        ("make me a coffee", "iot_coffee", {}, "HassTurnOn", {"switch.coffee_maker"}, {}),
        ("put apples on my grocery list", "lists_createoradd", {"list_name": "grocery"},
         "HassListAddItem", {"todo.shopping_list"}, {"item": "apple"}),
        ("what day is it", "datetime_query", {}, "HassGetCurrentDate", set(), {}),
        ("play the wall by pink floyd", "play_music",
         {"song_name": "the wall", "artist_name": "pink floyd"}, "HassMediaSearchAndPlay",
         {"media_player.living_room_speaker"}, {"search_query": "the wall pink floyd"}),
        ("timer an hour and a half", "timer_start", {"duration": "an hour and a half"},
         "HassStartTimer", set(), {"hours": 1, "minutes": 30}),
        ("all lights in the house off", "iot_hue_lightoff", {"house_place": "house"},
         "HassTurnOff", {e.id for e in Home.open().within(domain="light")}, {}),
    ],
)  # fmt: skip
def test_readings_become_commands(
    text: str, intent: str, parts: dict[str, str], command: str, entities: set[str],
    values: dict[str, object],
) -> None:  # fmt: skip
    found = read(text, intent, **parts)
    assert found is not None
    assert found.intent == command
    assert set(found.entities) == entities
    assert values.items() <= {s.name: s.value for s in found.slots}.items()


def test_the_speakers_room_counts_unless_all_are_meant() -> None:
    here = read("lights off", "iot_hue_lightoff", area="Kitchen")
    everywhere = read("all lights off", "iot_hue_lightoff", area="Kitchen")
    assert here is not None
    assert everywhere is not None
    assert set(here.entities) == {"light.kitchen", "light.kitchen_counter"}
    assert len(everywhere.entities) == 12


def test_other_business_is_no_command() -> None:
    assert read("what is in the news", "news_query") is None


def test_a_room_that_is_not_there_moves_no_other() -> None:
    found = read("lights off in the ballroom", "iot_hue_lightoff", house_place="ballroom")
    assert found is not None
    assert found.entities == ()


def test_every_entry_names_fields_that_are_used() -> None:
    for name, entry in open_mapping().intents.items():
        assert entry.intent, name
        for case in entry.when:
            assert case.words or case.has or case.lacks, name
    assert set(ACTED_ON) >= {"HassGetWeather", "HassMediaPause"}


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("five minutes", {"minutes": 5}),
        ("an hour and a half", {"hours": 1, "minutes": 30}),
        ("half an hour", {"minutes": 30}),
        ("2 and a half minutes", {"minutes": 2, "seconds": 30}),
        ("a quarter of an hour", {"minutes": 15}),
        ("one hour twenty minutes and ten seconds", {"hours": 1, "minutes": 20, "seconds": 10}),
        ("a while", {}),
    ],
)
def test_lengths_of_time(words: str, wanted: dict[str, float]) -> None:
    assert durations(words) == wanted
