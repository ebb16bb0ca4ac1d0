"""Reasons add up to what they explain, and survive the test of taking them away."""

from __future__ import annotations

import numpy as np
import pytest

from verticals.voice.assistant import Assistant, Parts
from verticals.voice.command import Command, Understood
from verticals.voice.home.model import Home
from verticals.voice.understanding.model import SHIPPED, IntentModel
from verticals.voice.understanding.understand import Understander
from verticals.voice.understanding.words import split_words
from verticals.voice.why import CERTIFICATE, agreement, explain_turn, meant
from verticals.voice.why_read import Reader

ON = Command(intent="HassTurnOn", entities=("light.a", "light.b"))


@pytest.fixture(scope="module")
def parts() -> Parts:
    home = Home.open()
    return Parts(home, Understander.open(home))


@pytest.mark.parametrize(("intent", "entities", "worth"), [
    ("HassTurnOn", ("light.b", "light.a"), 1.0), ("HassTurnOn", ("light.a",), 0.75),
    ("HassTurnOn", ("light.c",), 0.5), ("HassTurnOff", ("light.a", "light.b"), 0.0),
])  # fmt: skip
def test_a_command_is_understood_in_part(
    intent: str, entities: tuple[str, ...], worth: float
) -> None:
    found = Command(intent=intent, entities=entities)
    assert agreement(ON, Understood(status="understood", commands=(found,))) == worth
    assert agreement(ON, Understood(status="rejected")) == 0.0


def test_the_words_that_matter_carry_a_typed_request(parts: Parts) -> None:
    with Assistant(parts) as assistant:
        turn = assistant.hear("please turn off the hall light")
        before = assistant.states()
        why = explain_turn(assistant, turn)
        assert assistant.states() == before, "explaining does nothing"
    (words,) = why.words
    weights = {w.word: w.weight for w in words}
    assert sum(weights.values()) == pytest.approx(1.0)
    assert set(sorted(weights, key=weights.__getitem__)[-2:]) <= {"off", "hall", "light", "turn"}
    assert abs(weights["please"]) < 0.05
    assert list(why.certificate.columns) == list(CERTIFICATE)
    (row,) = why.certificate.to_dict("records")
    assert row["whole"] == 1.0
    assert row["without the heaviest"] <= row["without as many at random"]
    assert row["sum misses by"] < 1e-6
    assert why.regions is None
    assert len(why.times_s()) == len(why.bands_hz()) == 0


def test_where_it_asked_back_what_it_thought_of_first_is_meant() -> None:
    other = Command(intent="HassTurnOff")
    asked = Understood(status="unsure", question="Did you mean …?", alternatives=(ON, other))
    assert meant(asked) == (ON,)
    assert agreement(ON, asked) == 1.0
    assert agreement(other, asked) == 0.0


def test_every_command_of_a_sentence_has_its_own_words(parts: Parts) -> None:
    with Assistant(parts) as assistant:
        why = explain_turn(assistant, assistant.hear("turn off the hall light and start robby"))
    assert [" ".join(w.word for w in part) for part in why.words] == [
        "turn off the hall light", "start robby",
    ]  # fmt: skip
    assert [sum(w.weight for w in part) for part in why.words] == pytest.approx([1.0, 1.0])
    assert (why.certificate["without the heaviest"] < 1).all()


def test_nothing_heard_has_no_reasons(parts: Parts) -> None:
    with Assistant(parts) as assistant:
        why = explain_turn(assistant, assistant.hear("the train was late again"))
    assert why.words == ()
    assert not len(why.certificate)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CASEKIT_HOME", str(tmp_path_factory.mktemp("home")))
        return Reader()


@pytest.mark.slow
def test_what_the_model_reads_adds_up_and_beats_chance(reader: Reader) -> None:
    text = "would you bring the thermostat up to twenty two"
    read = reader.explain(text)
    assert [w.word for w in read.words] == text.split()
    assert sum(w.weight for w in read.words) == pytest.approx(read.score - read.blank, rel=0.02)
    assert read.gap < 0.02 * abs(read.score - read.blank)
    words, place = text.split(), reader.intents.index(read.intent)
    assert reader.logits(words)[place] == pytest.approx(read.score)
    heaviest = np.argsort([w.weight for w in read.words])[-2:]
    kept = np.ones(len(words), bool)
    kept[heaviest] = False
    lightest = np.ones(len(words), bool)
    lightest[np.argsort([w.weight for w in read.words])[:2]] = False
    assert reader.logits(words, kept)[place] < reader.logits(words, lightest)[place]


@pytest.mark.slow
def test_the_network_that_is_explained_is_the_one_that_runs(
    reader: Reader, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CASEKIT_HOME", str(tmp_path_factory.mktemp("home")))
    model = IntentModel.open(SHIPPED)
    for text in ("turn off the kitchen light", "set a timer for ten minutes", "play some jazz"):
        words = [text[a:b] for a, b in split_words(text)]
        running, _, _ = model.scores(text)
        explained = reader.logits(words)
        assert explained.argmax() == running.argmax()
        assert np.corrcoef(explained, running)[0, 1] > 0.99  # the running one is in int8
