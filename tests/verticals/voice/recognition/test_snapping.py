"""Misheard names are put right; everything else stays as it was heard."""

from __future__ import annotations

import pytest

from verticals.voice.home.model import Home
from verticals.voice.recognition.snapping import Snapper
from verticals.voice.recognition.sounding import sounds_of, spoken_words


@pytest.fixture(scope="module")
def snapper() -> Snapper:
    return Snapper.open(Home.open())


@pytest.mark.parametrize(
    ("heard", "meant"),
    [
        ("turn off the readin lamp", "turn off the Reading lamp"),
        ("Turn on the living rom light, please.", "Turn on the Living room light, please."),
        ("turn off the bad side lamp", "turn off the Bedside lamp"),
        ("open the garbage door", "open the Garage door"),
        ("start Robbie", "start Robby"),
        ("switch on the seiling fan", "switch on the Ceiling fan"),
    ],
)
def test_near_names_are_put_right(snapper: Snapper, heard: str, meant: str) -> None:
    assert snapper.snap(heard) == meant


@pytest.mark.parametrize(
    "heard",
    [
        "", "?!", "turn on the kitchen light", "turn on the table light", "set a timer",
        "the train was late again this morning", "who won the football match last night",
        "turn on the light in the kitchen", "play some jazz", "zzzzzzzzz",
    ],
)  # fmt: skip
def test_what_is_no_misheard_name_stays(snapper: Snapper, heard: str) -> None:
    assert snapper.snap(heard) == heard


def test_aliases_count_and_names_stay_names(snapper: Snapper) -> None:
    assert snapper.snap("turn on the shandelier") == "turn on the chandelier"
    for entity in Home.open().entities:
        for name in entity.names:
            assert snapper.snap(f"turn on the {name}") == f"turn on the {name}"


def test_a_name_that_is_spelled_otherwise_is_found_by_its_sound() -> None:
    snapper = Snapper.of(["Phoebe's lamp", "Night light"])
    assert snapper.snap("turn off feebees lamp") == "turn off Phoebe's lamp"
    assert snapper.snap("turn off knight lite") == "turn off Night light"
    without = Snapper.of(["Phoebe's lamp"], lambda text: "".join(spoken_words(text)))
    assert without.snap("turn off feebees lamp") == "turn off feebees lamp"


def test_a_home_without_names_changes_nothing() -> None:
    assert Snapper.of([]).snap("turn on the lamp") == "turn on the lamp"


def test_the_same_sounds_are_the_same() -> None:
    sounds = sounds_of()
    assert sounds("Knight") == sounds("night")
    assert sounds("16-ounce") == sounds("sixteen ounce")
    assert sounds("…") == ""
