"""Yes and no as people say them, and what a question says."""

import pytest

from verticals.voice.command import Command
from verticals.voice.home.model import Entity, Home
from verticals.voice.understanding.confirm import answer, asks, described, question


@pytest.mark.parametrize(
    "text", ["Yes.", "yeah do it", "sure", "OK", "go ahead please", "yes please"]
)
def test_yes(text: str) -> None:
    assert answer(text) is True


@pytest.mark.parametrize("text", ["No", "nope", "don't do it", "No thanks", "never mind", "stop"])
def test_no(text: str) -> None:
    assert answer(text) is False


@pytest.mark.parametrize("text", ["", "turn on the light", "yes and no", "no light in the hall"])
def test_neither(text: str) -> None:
    assert answer(text) is None


def test_a_question_names_what_will_be_done() -> None:
    home = Home.open()
    unlock = Command(intent="HassTurnOff", entities=("lock.front_door",))
    garage = Command(intent="HassTurnOn", entities=("cover.garage_door",))
    assert question([unlock], home) == "Shall I unlock the front door?"
    assert question([unlock, garage], home) == (
        "Shall I unlock the front door and open the garage door?"
    )


def test_who_wants_to_be_asked_always_is() -> None:
    home = Home(entities=(Entity(id="switch.saw", name="Saw", ask_first=True),))
    assert asks(Command(intent="HassTurnOn", entities=("switch.saw",)), home)
    assert not asks(Command(intent="HassGetState", entities=("switch.saw",)), home)


def test_closing_in_part_is_opening() -> None:
    from verticals.voice.command import Slot

    home = Home.open()
    ajar = Command(intent="HassSetPosition", entities=("cover.garage_door",),
                   slots=(Slot(name="position", value=10.0),))  # fmt: skip
    shut = ajar.model_copy(update={"slots": (Slot(name="position", value=0.0),)})
    assert asks(ajar, home)
    assert not asks(shut, home)
    assert described(shut, home) == "move the garage door to 0 percent"
