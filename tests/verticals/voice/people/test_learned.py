"""What people teach: names and sentences, and never a way round a question."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import DataError
from verticals.voice.command import Command
from verticals.voice.home.model import Home
from verticals.voice.people.learned import Lesson, lesson, rewritten
from verticals.voice.people.permissions import ROLES, Permissions, Role
from verticals.voice.understanding.understand import Understander


@pytest.mark.parametrize(
    ("heard", "meant", "kind", "name"),
    [
        ("Turn on the big lamp", "turn on the floor lamp", "name", "big"),
        ("dim the bed side lab", "dim the bedside lamp", "name", "bed side lab"),
        ("big lamp", "floor lamp", "name", "big"),
        ("turn on the light", "turn off the light", "sentence", None),
        ("set it to twenty", "set it to thirty", "sentence", None),
        ("turn on the light", "turn on the lamp", "sentence", None),
        ("good night", "turn off all lights", "sentence", None),
    ],
)
def test_the_smallest_thing_is_learned(heard: str, meant: str, kind: str, name: str | None) -> None:
    learned = lesson(heard, meant)
    assert learned.kind == kind
    if name is not None:
        assert learned.heard == name
    assert rewritten(heard, [learned]).lower() == meant


def test_a_name_helps_in_other_sentences_and_nowhere_else() -> None:
    lessons = [lesson("turn on the bay light", "turn on the pantry light")]
    assert (
        rewritten("Turn off the Bay light, please", lessons) == "Turn off the pantry light, please"
    )
    assert rewritten("turn off the bayou light", lessons) == "turn off the bayou light"


def test_own_lessons_go_before_everybodys_and_are_nobody_elses() -> None:
    lessons = [
        Lesson(kind="sentence", heard="good night", meant="turn off all lights", speaker="Ana"),
        Lesson(kind="sentence", heard="good night", meant="close the blinds"),
    ]
    assert rewritten("Good night!", lessons, speaker="Ana") == "turn off all lights"
    assert rewritten("Good night!", lessons, speaker="Ben") == "close the blinds"
    assert rewritten("Good night!", lessons) == "close the blinds"


def test_names_do_not_chain_or_loop() -> None:
    lessons = [
        Lesson(kind="name", heard="red one", meant="blue one"),
        Lesson(kind="name", heard="blue one", meant="red one"),
    ]
    assert rewritten("dim the red one", lessons) == "dim the blue one"
    assert rewritten("dim the blue one", lessons) == "dim the red one"


@pytest.mark.parametrize(
    ("heard", "meant"),
    [("good night", "yes"), ("no", "turn on the light"), ("oh my", "go ahead"), ("", "x"),
     ("same", "Same!"), ("a", "b" * 201)],
)  # fmt: skip
def test_what_may_not_be_learned(heard: str, meant: str) -> None:
    with pytest.raises(DataError) as caught:
        lesson(heard, meant)
    assert caught.value.remedy


@given(text=st.text(max_size=60))
def test_without_lessons_nothing_changes(text: str) -> None:
    assert rewritten(text, []) == text


def test_a_risky_meaning_is_still_asked_about() -> None:
    understander = Understander.open(Home.open())
    lessons = [
        lesson("open sesame", "unlock the front door"),
        lesson("unlock the pantry gate", "unlock the front door"),
    ]
    for said in ("Open sesame!", "unlock the pantry gate"):
        understood = understander.understand(rewritten(said, lessons))
        assert understood.status == "confirm"
        assert all(command.risky for command in understood.commands)


@pytest.mark.parametrize(
    ("intent", "entity", "may"),
    [
        ("HassTurnOn", "light.hall", {"resident", "child", "guest", "unknown"}),
        ("HassLightSet", None, {"resident", "child", "guest", "unknown"}),
        ("HassGetWeather", None, {"resident", "child", "guest", "unknown"}),
        ("HassClimateSetTemperature", "climate.hall", {"resident", "child", "unknown"}),
        ("HassTurnOn", "lock.front_door", {"resident", "child", "unknown"}),  # locks it
        ("HassTurnOff", "lock.front_door", {"resident"}),
        ("AlarmDisarm", "alarm_control_panel.home", {"resident"}),
        ("HassShoppingListAddItem", None, {"resident", "child", "unknown"}),
    ],
)
def test_roles(intent: str, entity: str | None, may: set[Role]) -> None:
    command = Command(intent=intent, entities=(entity,) if entity else ())
    assert {role for role, permissions in ROLES.items() if permissions.allow(command)} == may
    assert not Permissions(risky=False).allow(command.model_copy(update={"risky": True}))
