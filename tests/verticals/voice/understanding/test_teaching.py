"""A home learns a request from ten sentences, and does it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from core.errors import DataError
from verticals.voice.home.model import Home
from verticals.voice.understanding.mapping import Entry
from verticals.voice.understanding.model import IntentModel, Parsed
from verticals.voice.understanding.teaching import Lesson, example, teach
from verticals.voice.understanding.understand import Understander

FILM = Lesson(
    "film_evening",
    (
        "time for a film", "let's watch a movie tonight", "it is movie time", "cinema mood now",
        "get the room ready for a film", "we are going to watch a picture", "movie mood please",
        "prepare the living room for movies", "make it like in the cinema", "film night begins",
    ),
    Entry(intent="HassTurnOn", slots={"name": "Movie night", "domain": "scene"}),
)  # fmt: skip
LAWN = Lesson(
    "garden_water",
    (
        "water the {plant:lawn}", "give the {plant:roses} some water", "the {plant:grass} is dry",
        "please water my {plant:tomatoes}", "the {plant:flowers} need water",
        "could you sprinkle the {plant:lawn}", "time to water the {plant:plants}",
        "let the {plant:beds} have water", "the {plant:grass} looks thirsty", "run the irrigation",
    ),
    Entry(intent="HassTurnOn", slots={"name": "Sprinkler", "domain": "switch"}),
)  # fmt: skip


class Letters:
    """Stands in for the encoder: nothing but TF-IDF decides."""

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        return np.zeros((len(texts), 1), np.float32)


class Unsure:
    """Stands in for the learned model."""

    intents = ("general_quirky", "iot_hue_lighton")

    def predict(self, texts: Sequence[str]) -> list[Parsed]:
        return [Parsed("general_quirky", 0.3, known=False) for _ in texts]


@pytest.fixture(scope="module")
def taught() -> Understander:
    plain = Understander.open(Home.open(), model=Unsure())
    return teach(plain, [FILM, LAWN], encoder=Letters())


def test_what_was_taught_is_done(taught: Understander) -> None:
    film = taught.understand("is it movie time already")
    lawn = taught.understand("please water the roses")
    assert [c.entities for c in film.commands] == [("scene.movie_night",)]
    assert [c.entities for c in lawn.commands] == [("switch.sprinkler",)]
    assert film.commands[0].source == "model"


def test_everything_else_stays_as_it_was(taught: Understander) -> None:
    assert taught.understand("turn on the kitchen light").commands[0].entities == ("light.kitchen",)
    assert taught.understand("who won the election").status == "rejected"


def test_a_home_can_be_taught_again(taught: Understander) -> None:
    nap = Lesson(
        "nap", tuple(f"i will take a nap {w}" for w in ("now", "here", "soon", "today", "again")),
        Entry(intent="HassTurnOn", slots={"name": "Good night", "domain": "scene"}),
    )  # fmt: skip
    again = teach(taught, [nap], encoder=Letters())
    assert again.understand("i take a nap now").commands[0].entities == ("scene.good_night",)
    assert again.understand("it is movie time").commands[0].entities == ("scene.movie_night",)
    with pytest.raises(DataError, match="known already"):
        teach(again, [nap], encoder=Letters())


def test_what_cannot_be_taught_is_said() -> None:
    grammar_alone = Understander.open(Home.open())
    with pytest.raises(DataError, match="no learned model"):
        teach(grammar_alone, [FILM], encoder=Letters())
    few = Lesson("few", ("one sentence",) * 10, FILM.does)
    with pytest.raises(DataError, match="1 different sentences"):
        teach(Understander.open(Home.open(), model=Unsure()), [few], encoder=Letters())


def test_parts_in_braces_are_tagged() -> None:
    found = example("water the {plant:red roses} now", "garden_water")
    assert found.text == "water the red roses now"
    assert found.tags == ("O", "O", "B-plant", "I-plant", "O")


@pytest.mark.slow
def test_other_words_for_it_are_understood_too() -> None:
    home = teach(Understander.open(Home.open(), model=IntentModel.open()), [FILM, LAWN])
    said = {
        "i fancy watching a film now": "scene.movie_night",
        "get ready for the movie": "scene.movie_night",
        "the lawn needs watering": "switch.sprinkler",
        "water the flowers in the garden": "switch.sprinkler",
    }
    found = {text: home.understand(text).commands for text in said}
    assert {text: c[0].entities[0] for text, c in found.items() if c} == said
    for text in ("what movies are playing near me", "will it rain on my roses tomorrow"):
        assert home.model.predict([text])[0].intent not in ("film_evening", "garden_water")
