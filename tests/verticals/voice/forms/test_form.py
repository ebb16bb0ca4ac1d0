"""A form is filled in by what was meant, from what was heard; nothing else is an order."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from hassil.intents import Intents
from hassil.sample import sample_intents

from core.errors import DataError
from verticals.voice.forms.form import Form, FormEar
from verticals.voice.recognition.whisper import Recogniser
from verticals.voice.speech.kokoro import Kokoro

PIZZA = Path(__file__).with_name("orders.yaml")


@pytest.fixture(scope="module")
def form() -> Form:
    return Form.open(PIZZA)


def slots(form: Form, *texts: str) -> dict[str, str | float]:
    return {slot.name: slot.value for slot in form.read(texts).commands[0].slots}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("give me a small thin crust margherita pizza", "small, thin crust, margherita"),
        ("Give me a thin crust, small cheese pizza!", "thin crust, small, margherita"),
        ("I'd like a large pepper only pizza", "large, pepperoni"),
        ("live me a medium d pen Hawaii pizza", "medium, deep pan, hawaii"),
        ("how why pizza", "hawaii"),
        ("give me a hawaii pizza and 12 colas", "hawaii, 12.0"),
        ("a hawaii pizza and one cola", "hawaii, 1.0"),
        ("the bill please", "later"),
    ],
)
def test_what_was_heard_is_read_by_its_sound(form: Form, text: str, filled: str) -> None:
    assert ", ".join(str(value) for value in slots(form, text).values()) == filled


def test_every_sentence_of_the_grammar_is_its_own_nearest(form: Form) -> None:
    intents = Intents.from_yaml(PIZZA.open())
    lists = {k: v for k, v in intents.slot_lists.items() if k != "count"}
    sentences = [text for _, text in sample_intents(intents, expand_ranges=False)
                 if "{" not in text]  # fmt: skip
    assert len(lists) == 3
    assert len(sentences) > 300
    for text in sentences[:: len(sentences) // 40]:
        found = form.read([text])
        assert found.status == "understood"
        assert found.commands[0].confidence == 1
        assert found.commands[0].text.split() == text.split()


@pytest.mark.parametrize(
    "text", ["", "turn on the kitchen light", "the train was late this morning", "pay", "?!"]
)
def test_other_speech_is_no_order(form: Form, text: str) -> None:
    found = form.read([text])
    assert (found.status, found.commands) == ("rejected", ())


def test_a_slot_that_was_hardly_heard_is_asked_for(form: Form) -> None:
    found = form.read(["give me a small thin crust potato pizza"])
    assert found.status == "unsure"
    assert found.question == f"Did you mean: {found.commands[0].text}?"


def test_likelier_readings_count_more_and_near_ones_less(form: Form) -> None:
    texts = ["a small hawaii pizza", "a large hawaii pizza"]
    assert slots(form, *texts)["size"] == "small"
    assert form.read(texts, [-5.0, -1.0]).commands[0].slot("size") == "large"
    assert form.read(texts, [-5.0, -1.0]).alternatives[0].slot("size") == "small"
    garbled = ["a lodge ha wine pizza please now", "a large hawaii pizza"]
    assert form.read(garbled, [-1.0, -1.5]).commands[0].confidence == 1
    assert form.read([]).status == "rejected"


def test_slots_say_where_in_the_sentence_they_are(form: Form) -> None:
    command = form.read(["give me a large hawaii pizza and two colas"]).commands[0]
    said = {s.name: command.text[s.start : s.end] for s in command.slots}
    assert said == {"size": "large", "kind": "hawaii", "count": "two"}
    assert (command.intent, command.slot("count")) == ("Order", 2)


def test_the_hint_fits_and_holds_a_sentence_and_all_values(form: Form) -> None:
    sentence, _, phrases = form.hint.partition(". ")
    assert form.read([sentence]).commands[0].confidence == 1
    assert {"small", "thin crust", "pepperoni", "cheese"} <= set(phrases.split(", "))
    assert len(form.hint) <= 700


def written(sentence: str, lists: str = "{}") -> str:
    return (
        f"language: en\nintents: {{A: {{data: [{{sentences: ['{sentence}']}}]}}}}\nlists: {lists}"
    )


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("just text", "hassil"),
        (written("(a"), "hassil"),
        (written("buy {what}"), "what"),
        (written("buy <what>"), "what"),
        ("language: en\nintents: {A: {data: []}}", "no sentences"),
        (written("un{w}", "{w: {values: [do]}}"), "part of a word"),
        (written("buy {w}", "{w: {wildcard: true}}"), "any words"),
        (written("buy {w}", "{w: {range: {from: 1, to: 60000}}}"), "more than"),
    ],
)
def test_what_is_no_closed_set_is_refused(tmp_path: Path, content: str, says: str) -> None:
    path = tmp_path / "form.yaml"
    path.write_text(content)
    with pytest.raises(DataError, match=says):
        Form.open(path)


def test_a_missing_file_is_said() -> None:
    with pytest.raises(DataError, match="cannot be read"):
        Form.open("nowhere.yaml")


def test_without_pronunciations_letters_do() -> None:
    form = Form.open(PIZZA, lambda text: "".join(c for c in text.lower() if c.isalpha()))
    assert slots(form, "giv me a smal hawai pizza") == {"size": "small", "kind": "hawaii"}


def test_an_order_is_heard(form: Form, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASEKIT_HOME", str(tmp_path))
    said = Kokoro.open(threads=1).say("Give me a large deep pan pepperoni pizza.")
    ear = FormEar.open(form, Recogniser.open(threads=1))
    found = ear.hear(said)
    assert found.status == "understood"
    assert {s.name: s.value for s in found.commands[0].slots} == {
        "size": "large", "crust": "deep pan", "kind": "pepperoni"
    }  # fmt: skip
    hiss = np.random.default_rng(0).normal(0, 0.1, 32_000).astype("f4")
    for nothing in (np.zeros(16_000, "f4"), hiss, np.zeros(0, "f4")):
        assert ear.hear(nothing).status == "rejected"
    begun = time.process_time()
    form.read(["give me a large hawaii pizza"])
    assert time.process_time() - begun < 1
