"""Home Assistant's sentences over a home's names; its own test sentences where they are here."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from verticals.voice.home.model import Area, Entity, Home
from verticals.voice.understanding.grammar import Grammar


@pytest.fixture(scope="module")
def grammar() -> Grammar:
    return Grammar.open(Home.open())


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("TURN ON THE KITCHEN LIGHT", "HassTurnOn"),
        ("turn on the kitchen light.", "HassTurnOn"),
        ("please would you turn on the kitchen light for me", "HassTurnOn"),
        ("are any windows open", "HassGetState"),
        ("set the temperature to 20.5 degrees", "HassClimateSetTemperature"),
        ("turn everything off", "HassTurnOff"),
        ("is it going to rain tomorrow", "HassGetWeather"),
    ],
)
def test_case_politeness_and_points_do_not_matter(grammar: Grammar, text: str, intent: str) -> None:
    assert [c.intent for c in grammar.parse(text)] == [intent]


def test_places_of_slots_are_those_of_the_sentence(grammar: Grammar) -> None:
    text = "set the Reading Lamp to 40 percent"
    (command,) = grammar.parse(text)
    name = next(s for s in command.slots if s.name == "name")
    assert text[name.start : name.end] == "Reading Lamp"
    assert name.value == "Reading lamp"


def test_the_room_of_the_speaker_counts_only_where_no_other_is_said(grammar: Grammar) -> None:
    here = grammar.parse("turn on the lights", area="bedroom")[0].entities
    there = grammar.parse("turn on the lights in the kitchen", area="bedroom")[0].entities
    assert here == ("light.bedroom", "light.bedside_lamp")
    assert there == ("light.kitchen", "light.kitchen_counter")


def test_names_with_brackets_and_braces_are_names() -> None:
    odd = Entity(id="light.odd", name="Lamp [2] {area} (left|right)")
    grammar = Grammar.open(Home(entities=(odd,), areas=(Area(id="a", name="A <b>"),)))
    assert grammar.parse("turn on lamp 2 area left right")[0].entities == ("light.odd",)


def test_who_is_somebody_of_the_world_is_no_question_about_the_home(grammar: Grammar) -> None:
    assert not grammar.parse("who is the president of poland")
    assert grammar.parse("is ana home")


@pytest.mark.slow
def test_home_assistants_own_sentences(shared_voice: Path) -> None:
    home = Home.open(shared_voice / "nlu" / "ha_fixtures.yaml")
    grammar = Grammar.open(home)
    areas = {a.name: a.id for a in home.areas}
    with gzip.open(shared_voice / "nlu" / "ha_intents.jsonl.gz", "rt") as lines:
        rows = [json.loads(line) for line in lines][::4]
    right = 0
    for row in rows:
        found = grammar.parse(row["text"], area=areas.get(str((row["context"] or {}).get("area"))))
        right += bool(found) and found[0].intent == row["intent"]
    assert right / len(rows) > 0.95
