"""New intents from a few sentences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from core.errors import DataError
from verticals.voice.understanding.fewshot import add_intents, fit_few
from verticals.voice.understanding.model import Parsed
from verticals.voice.understanding.words import Example


class Hashed:
    """Stands in for the encoder: words on a circle of random directions."""

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        rows = []
        for text in texts:
            total = np.zeros(32)
            for word in text.split():
                total += np.random.default_rng(sum(map(ord, word))).normal(size=32)
            rows.append(total / (np.linalg.norm(total) + 1e-9))
        return np.array(rows, np.float32).reshape(len(texts), 32)


PLANTS = [
    Example(f"water the {plant} {when}", "plants_water",
            ("water", "the", plant, when), ("O", "O", "B-plant", "O"))
    for plant in ("roses", "basil", "cactus", "fern", "ivy") for when in ("now", "tomorrow")
]  # fmt: skip
PETS = [
    Example(f"feed the {pet} {when}", "pets_feed", ("feed", "the", pet, when), ("O",) * 4)
    for pet in ("cat", "dog", "fish", "bird", "hamster") for when in ("now", "tomorrow")
]  # fmt: skip


class Lights:
    """Stands in for the big model: everything is about lights."""

    intents = ("lights_on",)

    def __init__(self, confidence: float = 0.8, *, known: bool = True) -> None:
        self.read = Parsed("lights_on", confidence, known=known)

    def predict(self, texts: Sequence[str]) -> list[Parsed]:
        return [self.read for _ in texts]


def test_ten_sentences_teach_an_intent_and_its_values() -> None:
    model = fit_few([*PLANTS, *PETS], encoder=Hashed())
    read = model.predict(["please water the basil today", "feed the parrot now"])
    assert [p.intent for p in read] == ["plants_water", "pets_feed"]
    assert [(s.name, s.value) for s in read[0].slots] == [("plant", "basil")]
    assert "please water the basil today"[read[0].slots[0].start :].startswith("basil")
    assert read[0].confidence + read[0].alternatives[0][1] == pytest.approx(1.0)
    assert model.predict([]) == []


@pytest.mark.parametrize(
    ("intent", "said"),
    [("plants_water", "water the plants"), ("PlantsWater", "plants and water"), ("x_9", "x 9")],
)
def test_an_intents_name_is_a_sentence_of_it(intent: str, said: str) -> None:
    some = [Example(f"zzz {word}", intent) for word in ("uno", "due", "tre")]
    others = [Example(f"yyy {word}", "other") for word in ("uno", "due", "tre")]
    (read,) = fit_few([*some, *others], encoder=Hashed()).predict([said])
    assert read.intent == intent


def test_new_intents_leave_the_known_ones_alone() -> None:
    lamps = [Example(f"switch the {x} lamp on", "lights_on") for x in "abcdefghij"]
    grown = add_intents(Lights(), PLANTS, others=lamps, encoder=Hashed())
    read = grown.predict(["water the tulips tomorrow", "switch the hall lamp on"])
    assert [p.intent for p in read] == ["plants_water", "lights_on"]


def test_a_new_intent_must_be_surer_than_a_model_that_is_sure() -> None:
    lamps = [Example(f"switch the {x} lamp on", "lights_on") for x in "abcdefghij"]
    for model, intent in (
        (Lights(0.999), "lights_on"), (Lights(0.999, known=False), "plants_water"),
    ):  # fmt: skip
        grown = add_intents(model, PLANTS, others=lamps, encoder=Hashed())
        assert grown.predict(["water the tulips tomorrow"])[0].intent == intent
        assert grown.intents == ("lights_on", "plants_water")


def test_what_cannot_be_learned_is_said() -> None:
    with pytest.raises(DataError, match="only one intent"):
        fit_few(PLANTS, encoder=Hashed())
    with pytest.raises(DataError, match="no sentences of the intents known"):
        add_intents(Lights(), PLANTS, others=[], encoder=Hashed())
