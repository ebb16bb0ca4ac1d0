"""What somebody likes stands for itself in what they say, and opens no doors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.errors import DataError
from verticals.voice.assistant import Assistant, Parts
from verticals.voice.command import Transcript
from verticals.voice.home.model import Home
from verticals.voice.people.people import People
from verticals.voice.people.preferences import checked, preferred
from verticals.voice.people.voices import Print
from verticals.voice.understanding.understand import Understander


class OneVoice:
    """Everybody sounds like Ana."""

    def hear(self, sound: np.ndarray) -> Print:
        return Print(np.full(512, 512**-0.5, np.float32), 3.0)


class Fixed:
    """Hears one sentence."""

    def __init__(self, text: str) -> None:
        self.text = text

    def transcribe(self, sound: np.ndarray) -> Transcript:
        return Transcript(text=self.text)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("set it to my usual temperature", "set it to 20.5 degrees"),
        ("Turn on the light in My Room", "Turn on the light in study"),
        ("dim the lamp to my brightness", "dim the lamp to 40 percent"),
        ("play my favourite music", "play jazz"),
        ("turn on the light in my roommate's office", None),
        ("what is the temperature", None),
        ("lock my door", None),
    ],
)
def test_mine_is_what_i_like(said: str, meant: str | None) -> None:
    likes = {
        "temperature": 20.5,
        "room": "study",
        "brightness": 40.0,
        "music": "jazz",
        "door": True,
    }
    assert preferred(said, {**likes, "door": True}) == (meant or said)


def test_what_would_answer_a_question_is_no_preference() -> None:
    for key, value in (("room", "yes"), ("yes", "study"), ("", "study"), ("room", "x" * 61)):
        with pytest.raises(DataError):
            checked(key, value)


def test_who_speaks_gets_their_own(tmp_path: Path) -> None:
    people = People.open(tmp_path / "people", voices=OneVoice())  # type: ignore[arg-type]
    people.enrol("Ana", 3 * [np.zeros(48_000, np.float32)])
    people.prefer("Ana", "temperature", 19.0)
    home = Home.open()
    hears = Fixed("set the thermostat to my usual temperature")
    parts = Parts(home, Understander.open(home), recogniser=hears, people=people)
    with Assistant(parts) as assistant:
        turn = assistant.hear(np.zeros(16_000, np.float32))
        assert turn.speaker == "Ana"
        thermostat = assistant.states()["climate.thermostat"]
        assert thermostat["attributes"]["temperature"] == 19
    people.prefer("Ana", "temperature", None)
    assert people.rewrite(hears.text, speaker="Ana") == hears.text
    assert people.rewrite(hears.text) == hears.text


def test_a_preference_opens_nothing_by_itself(tmp_path: Path) -> None:
    people = People.open(tmp_path / "people", voices=OneVoice())  # type: ignore[arg-type]
    people.enrol("Ana", 3 * [np.zeros(48_000, np.float32)])
    people.prefer("Ana", "wish", "unlock the front door")
    home = Home.open()
    parts = Parts(home, Understander.open(home), recogniser=Fixed("my wish"), people=people)
    with Assistant(parts) as assistant:
        assert assistant.hear(np.zeros(16_000, np.float32)).understood.status == "confirm"
        assert assistant.states()["lock.front_door"]["state"] == "locked"
