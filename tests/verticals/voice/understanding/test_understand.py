"""The behaviour cases of cases.yaml, and what the learned model and an endpoint add."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from verticals.voice.command import Command, Slot, Understood
from verticals.voice.home.model import Home
from verticals.voice.understanding.context import Dialogue
from verticals.voice.understanding.understand import Understander

CASES = yaml.safe_load(Path(__file__).with_name("cases.yaml").read_text(encoding="utf-8"))
PLACES = ("name", "area", "floor", "domain", "device_class")


@dataclass(frozen=True)
class Read:
    """What a learned model would say."""

    intent: str
    confidence: float = 0.95
    slots: tuple[Slot, ...] = ()
    alternatives: tuple[tuple[str, float], ...] = ()
    known: bool = True


class Told:
    """A model that reads what it was told to."""

    def __init__(self, **readings: Read) -> None:
        self.readings = readings

    def predict(self, texts: Sequence[str]) -> list[Read]:
        return [self.readings.get(text.replace(" ", "_"), Read("qa_factoid")) for text in texts]


@pytest.fixture(scope="module")
def home() -> Home:
    return Home.open()


@pytest.fixture(scope="module")
def understander(home: Home) -> Understander:
    return Understander.open(home)


def part(text: str, name: str, words: str) -> Slot:
    start = text.index(words)
    return Slot(name=name, value=words, start=start, end=start + len(words))


def shown(command: Command) -> tuple[str, tuple[str, ...], dict[str, Any]]:
    named = "Timer" in command.intent  # a timer's name is a value, not a device
    values = {
        s.name: s.value
        for s in command.slots
        if s.name not in PLACES or (named and s.name == "name")
    }
    return command.intent, tuple(sorted(command.entities)), values


@pytest.mark.parametrize("case", CASES, ids=[c["about"] for c in CASES])
def test_people_are_understood(case: dict[str, Any], understander: Understander) -> None:
    dialogue = Dialogue(area="living_room")
    for exchange in case["exchanges"]:
        found = understander.understand(exchange["say"], context=dialogue)
        dialogue = dialogue.after(found)
        wanted = [
            (c["intent"], tuple(sorted(c["devices"])), c.get("values", {}))
            for c in exchange.get("do", ())
        ]
        assert found.status == exchange.get("status", "understood"), exchange["say"]
        got = [shown(c) for c in found.commands]
        assert [g[:2] for g in got] == [w[:2] for w in wanted], exchange["say"]
        for (_, _, values), (_, _, expected) in zip(got, wanted, strict=True):
            assert expected.items() <= values.items(), exchange["say"]


def test_the_model_reads_what_the_grammar_does_not_cover(home: Home) -> None:
    text = "it is way too dark in the kichen"
    model = Told(it_is_way_too_dark_in_the_kichen=Read(
        "iot_hue_lighton", slots=(part(text, "house_place", "kichen"),)))  # fmt: skip
    found = Understander.open(home, model=model).understand(text)
    assert found.status == "understood"
    assert found.commands[0].entities == ("light.kitchen", "light.kitchen_counter")
    assert found.commands[0].source == "model"


def test_doubt_asks_and_an_answer_settles_it(home: Home) -> None:
    text = "brighter or something"
    model = Told(brighter_or_something=Read(
        "iot_hue_lightup", 0.3, alternatives=(("audio_volume_up", 0.28),)))  # fmt: skip
    reader = Understander.open(home, model=model)
    dialogue = Dialogue(area="living_room")
    asked = reader.understand(text, context=dialogue)
    assert asked.status == "unsure"
    assert asked.question.startswith("Did you mean")
    assert [c.intent for c in asked.alternatives] == ["LightAdjust", "HassSetVolumeRelative"]
    for answer, intent in (("the second one", "HassSetVolumeRelative"), ("yes", "LightAdjust")):
        found = reader.understand(answer, context=dialogue.after(asked))
        assert found.status == "understood"
        assert found.commands[0].intent == intent
    assert reader.understand("no", context=dialogue.after(asked)).status == "rejected"


def test_a_guess_opens_the_house_only_where_nothing_else_is_offered(home: Home) -> None:
    text = "shut the front door"
    slot = (part(text, "device_type", "front door"),)
    model = Told(shut_the_front_door=Read(
        "iot_wemo_off", 0.4, slots=slot, alternatives=(("iot_wemo_on", 0.3),)))  # fmt: skip
    found = Understander.open(home, model=model).understand(text)
    assert found.status == "unsure"
    assert [c.intent for c in found.alternatives] == ["HassTurnOn"]  # a lock is locked so
    assert "unlock" not in found.question


def test_what_is_like_nothing_learned_is_asked_about_before_it_is_done(home: Home) -> None:
    model = Told(lumen_me_up=Read("iot_hue_lighton", 0.9, known=False))
    found = Understander.open(home, model=model).understand("lumen me up")
    assert found.status == "unsure"
    assert found.alternatives[0].intent == "HassTurnOn"
    assert not found.commands


def test_what_no_home_does_is_turned_down_however_sure_the_model_is(home: Home) -> None:
    assert Understander.open(home, model=Told()).understand("how high is everest").status == (
        "rejected"
    )


def test_a_sure_model_overrules_a_part_that_takes_any_words(home: Home) -> None:
    model = Told(play_chess_with_me=Read("play_game", 0.97))
    assert Understander.open(home, model=model).understand("play chess with me").status == (
        "rejected"
    )


def test_an_unknown_device_is_never_replaced_by_another(home: Home) -> None:
    text = "i would love the dishwasher to go off"
    model = Told(i_would_love_the_dishwasher_to_go_off=Read(
        "iot_wemo_off", slots=(part(text, "device_type", "dishwasher"),)))  # fmt: skip
    found = Understander.open(home, model=model).understand(text)
    assert found.status == "unsure"
    assert not found.commands
    assert "dishwasher" in found.question


def test_of_two_requests_none_is_dropped_silently(home: Home) -> None:
    text = "turn on the kitchen light and brighten my day"
    model = Told(turn_on_the_kitchen_light_and_brighten_my_day=Read(
        "iot_hue_lighton", 0.99, slots=(part(text, "house_place", "kitchen"),)))  # fmt: skip
    found = Understander.open(home, model=model).understand(text)
    assert found.status == "unsure"
    assert not found.commands
    assert found.alternatives[0].entities == ("light.kitchen", "light.kitchen_counter")


def test_a_risky_reading_of_the_model_asks_too(home: Home) -> None:
    text = "let my friends in through the front door"
    model = Told(let_my_friends_in_through_the_front_door=Read(
        "lock_unlock", slots=(part(text, "device_type", "front door"),)))  # fmt: skip
    found = Understander.open(home, model=model).understand(text)
    assert found.status == "confirm"
    assert found.commands[0].risky


def test_a_failing_endpoint_leaves_the_question(home: Home) -> None:
    from verticals.voice.understanding.tools import Endpoint

    endpoint = Endpoint(url="http://127.0.0.1:9/v1", model="none", timeout_s=0.2)
    found = Understander.open(home, endpoint=endpoint).understand("make it cosy")
    assert found == Understood(status="rejected", question="Sorry, I cannot help with that.")
