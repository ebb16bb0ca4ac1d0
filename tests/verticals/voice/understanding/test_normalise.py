"""Different writings of the same words become equal."""

import pytest

from verticals.voice.understanding.normalise import digits, grammatical, plain_words, request


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("What's the time?", "what is the time"),
        ("Set it to twenty-five %", "set it to 25 percent"),
        ("one hundred and five", "105"),
        ("2,500 people", "two thousand five hundred people"),
        ("Don't! I can't, I won't.", "do not i can not i will not"),
        ("at 5:30 p.m.", "at five thirty pm"),
        ("Turn the T.V. off", "turn the tv off"),
        ("never mind", "nevermind"),
        ("It\u2019s 20\u00b0", "it is twenty degrees"),
        ("the colour grey", "The color gray"),
    ],
)
def test_the_same_words_are_equal(first: str, second: str) -> None:
    assert plain_words(first) == plain_words(second)


@pytest.mark.parametrize("text", ["turn off the light", "play abba", "what is new"])
def test_plain_words_stay(text: str) -> None:
    assert plain_words(text) == text
    assert plain_words(plain_words(text)) == text


@pytest.mark.parametrize("number", [*range(21), 21, 45, 99, 100, 101, 110, 342, 999, 1000, 2026])
def test_every_number_is_read_back(number: int) -> None:
    from unicode_rbnf import RbnfEngine

    said = RbnfEngine.for_language("en").format_number(number).text
    assert plain_words(said) == str(number)


def test_numbers_side_by_side_stay_apart() -> None:
    assert digits(["five", "thirty"]) == ["5", "30"]
    assert digits(["one", "two", "three"]) == ["1", "2", "3"]


def test_the_request_alone() -> None:
    assert request("Hey Alexa, could you please turn on the fan, please?") == "turn on the fan"
    assert request("alexa") == "alexa"
    assert request("thank you") == "thank you"


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("dim it to half", "dim it to 50 percent"),
        ("open the blinds half way", "open the blinds to 50 percent"),
        ("set a timer for half an hour", "set a timer for half an hour"),
        ("turn this one off", "turn this one off"),
        ("set a timer for one hour", "set a timer for 1 hour"),
        ("twenty point five degrees", "20.5 degrees"),
        ("set it to twenty-five%", "set it to 25 percent"),
    ],
)
def test_numbers_as_the_grammar_expects_them(said: str, meant: str) -> None:
    assert grammatical(said) == meant
