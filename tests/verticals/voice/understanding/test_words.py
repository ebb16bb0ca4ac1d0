"""Sentences as words, and slots as characters."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import DataError
from verticals.voice.understanding.words import (
    BUCKETS,
    FEATURES,
    Example,
    bio,
    hashed,
    read_examples,
    spans_of,
    split_words,
)


def _words(text: str) -> list[str]:
    return [text[a:b] for a, b in split_words(text)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("turn on the light", ["turn", "on", "the", "light"]),
        ("what's today's date?", ["what", "'s", "today", "'s", "date", "?"]),
        ("don't wake me at 8 pm!", ["do", "n't", "wake", "me", "at", "8", "pm", "!"]),
        ("set it to 19.5 degrees", ["set", "it", "to", "19.5", "degrees"]),
        ("", []),
        ("   ", []),
    ],
)
def test_words_part_clitics_and_punctuation(text: str, words: list[str]) -> None:
    assert _words(text) == words


def test_slots_survive_the_way_to_tags_and_back() -> None:
    text = "wake me on friday morning at nine am"
    tokens = tuple(text.split())
    tags = ("O", "O", "O", "B-date", "B-timeofday", "O", "B-time", "I-time")
    spans = Example(text, "alarm_set", tokens, tags).spans()
    assert [(name, text[a:b]) for name, a, b in spans] == [
        ("date", "friday"), ("timeofday", "morning"), ("time", "nine am"),
    ]  # fmt: skip
    places = split_words(text)
    assert spans_of(bio(spans, places), places) == spans


def test_two_slots_of_one_name_side_by_side_stay_two() -> None:
    example = Example("a b", "x", ("a", "b"), ("B-name", "B-name"))
    assert example.spans() == [("name", 0, 1), ("name", 2, 3)]
    places = split_words("a b")
    assert spans_of(bio(example.spans(), places), places) == example.spans()


def test_tokens_that_are_not_in_the_text_are_named() -> None:
    with pytest.raises(DataError, match="'lamp' is not in the sentence"):
        Example("the light", "x", ("the", "lamp"), ("O", "O")).spans()
    with pytest.raises(DataError, match="2 tokens but 1 tags"):
        Example("the light", "x", ("the", "light"), ("O",)).spans()


def test_letter_features_depend_on_spelling_and_neighbours_only() -> None:
    one, two = hashed(["turn", "it", "on"]), hashed(["turn", "it", "on"])
    assert one.shape == (3, FEATURES)
    assert (one == two).all()
    assert one.min() > 0
    assert one.max() < BUCKETS
    assert (one[0] != hashed(["turn", "it", "off"])[0]).any()
    assert hashed([]).shape == (0, FEATURES)


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text('{"text": "hello", "intent": "greet"}\n{"text": "bye"}\n')
    with pytest.raises(DataError, match="line 2"):
        read_examples(file)
