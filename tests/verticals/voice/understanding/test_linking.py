"""Names are found again in what was typed or misheard, and nothing else is."""

import pytest

from verticals.voice.home.model import Home
from verticals.voice.understanding.linking import Linker, plain


@pytest.fixture(scope="module")
def linker() -> Linker:
    return Linker(Home.open())


@pytest.mark.parametrize(
    ("words", "kind", "name"),
    [
        ("the kitchen light", "name", "Kitchen light"),
        ("kitchen lights", "name", "Kitchen light"),
        ("kichen lite", "name", "Kitchen light"),
        ("bedroom fan", "name", "Ceiling fan"),
        ("light kitchen", "name", "Kitchen light"),
        ("my living rooms", "area", "Living room"),
        ("bed room", "area", "Bedroom"),
        ("leos room", "area", "Nursery"),
        ("upstairs", "floor", "Upper floor"),
    ],
)
def test_near_words_name_the_thing(linker: Linker, words: str, kind: str, name: str) -> None:
    found = linker.link(words, kind)
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize("words", ["dishwasher", "swimming pool", "", "the", "it", "neighbour"])
def test_other_words_name_nothing(linker: Linker, words: str) -> None:
    assert linker.link(words, "name") is None
    assert linker.link(words, "area") is None


def test_sounds_help_where_letters_do_not() -> None:
    sounds = {"kwire lite": "kwaIrlaIt", "choir light": "kwaIrlaIt"}
    home = Home.model_validate({"entities": [{"id": "light.choir", "name": "Choir light"}]})
    deaf = Linker(home, lambda _: "").link("kwire lite", "name")
    found = Linker(home, lambda words: sounds.get(words, words)).link("kwire lite", "name")
    assert deaf is None
    assert found is not None
    assert found.name == "Choir light"


def test_the_domain_narrows(linker: Linker) -> None:
    found = linker.link("curtains", "name", domain="cover")
    assert found is not None
    assert found.name == "Living room curtains"
    assert linker.link("curtains", "name", domain="light") is None


def test_plain_words() -> None:
    assert plain("All of the Kitchen's lights, please") == "kitchen light"
    assert plain("glass bus this") == "glass bus"
