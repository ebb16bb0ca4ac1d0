"""Pronunciations: the dictionary's, those of inflections, and the network's for the rest."""

from __future__ import annotations

import pytest
from rapidfuzz.distance.Levenshtein import distance

from verticals.voice.speech.numbers import number_words, spelled_out
from verticals.voice.speech.pronounce import Pronouncer, bare


@pytest.fixture(scope="module")
def pronouncer() -> Pronouncer:
    return Pronouncer.open()


@pytest.mark.parametrize(
    ("word", "sounds"),
    [
        ("cats", "kˈæts"), ("dogs", "dˈɔɡz"), ("buses", "bˈʌsᵻz"), ("stopped", "stˈɑpt"),
        ("needed", "nˈidᵻd"), ("turned", "tˈɜɹnd"), ("making", "mˈAkɪŋ"),
    ],
)  # fmt: skip
def test_inflections_follow_the_rules_of_english(
    pronouncer: Pronouncer, word: str, sounds: str
) -> None:
    assert bare(pronouncer.word(word)) == bare(sounds)


def test_the_network_agrees_with_the_dictionary_on_most_sounds(pronouncer: Pronouncer) -> None:
    words = sorted(w for w in pronouncer.words if w.isalpha() and 4 <= len(w) <= 9)[::600]
    networked = Pronouncer({}, pronouncer.network)
    apart = [
        distance(bare(networked.word(word)), bare(pronouncer.words[word])) / len(word)
        for word in words
    ]
    assert len(words) > 100
    assert sum(apart) / len(apart) < 0.25


def test_a_sentence_keeps_its_pauses(pronouncer: Pronouncer) -> None:
    sounds = pronouncer.text("Wait, it is 7:30!")
    assert "," in sounds
    assert sounds.endswith("!")
    assert pronouncer.word("thirty") in sounds
    assert pronouncer.text("") == ""
    assert pronouncer.text("?!…") in ("?!", "")


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("21.5°C", "twenty one point five degrees celsius"),
        ("50%", "fifty percent"),
        ("at 7:05", "at seven oh five"),
        ("the 3rd", "the third"),
        ("1,250 km", "one thousand two hundred fifty kilometres"),
        ("-3", "minus three"),
        ("Dr. Weber", "doctor Weber"),
    ],
)
def test_what_is_not_a_word_is_written_out(written: str, spoken: str) -> None:
    assert spelled_out(written) == spoken


def test_numbers_in_words() -> None:
    assert number_words(0) == "zero"
    assert number_words(100) == "one hundred"
    assert number_words(-2.25) == "minus two point two five"
