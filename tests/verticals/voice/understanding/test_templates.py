"""Fewer templates for hassil, the same answers."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path

import pytest
import yaml
from hassil.expression import Sentence
from hassil.intents import Intents, SlotList, TextSlotList
from hassil.sample import sample_expression

from verticals.voice.home.model import Home
from verticals.voice.understanding.grammar import Grammar
from verticals.voice.understanding.templates import Templates, open_templates, read_intents

SAID = yaml.safe_load(Path(__file__).with_name("cases.yaml").read_text(encoding="utf-8"))
NAMES: dict[str, SlotList] = {
    "name": TextSlotList.from_strings(["reading lamp", "tv", "Lamp [2]"], name="name"),
    "area": TextSlotList.from_strings(["kitchen", "Ana's room"], name="area"),
    "floor": TextSlotList.from_strings(["first floor", "attic"], name="floor"),
}


class Whole(Templates):
    """Hides nothing from hassil."""

    def possible(self, text: str) -> Intents:
        return self.intents


@pytest.fixture(scope="module")
def whole() -> Whole:
    return Whole.of(read_intents())


def kept(templates: Templates, text: str) -> set[int]:
    intents = templates.possible(text).intents.values()
    return {id(s) for intent in intents for data in intent.data for s in data.sentences}


def drawn(sentence: Sentence, block: int, templates: Templates, *, whole: bool) -> str:
    """The first sentence that a template makes, with or without its optional words."""
    intents, (_, data) = templates.intents, templates.blocks[block]
    lists = {**intents.slot_lists, **NAMES, **data.slot_lists}
    rules = {**intents.expansion_rules, **data.expansion_rules}
    return next(
        iter(sample_expression(sentence.expression, lists, rules, "en", skip_optionals=not whole))
    )


def test_a_template_is_kept_for_every_sentence_that_it_makes() -> None:
    templates = open_templates().over(NAMES)
    chosen = random.Random(0).sample(templates.sentences, 300)
    lost = [
        sentence.text
        for _, block, sentence in chosen for whole in (True, False)
        if id(sentence) not in kept(templates, drawn(sentence, block, templates, whole=whole))
    ]  # fmt: skip
    assert not lost


def test_few_templates_are_left_for_a_sentence() -> None:
    templates = open_templates().over(NAMES)
    assert len(kept(templates, "turn on the reading lamp")) < len(templates.sentences) / 10
    assert len(kept(templates, "how high is the tallest mountain")) < len(templates.sentences) / 20


def test_what_cannot_be_held_to_letters_is_kept() -> None:
    digits = {**NAMES, "name": TextSlotList.from_strings(["7", "tv"], name="name")}
    templates = open_templates()
    spoken = "turn on seven"  # hassil also matches digits as words
    assert kept(templates.over(NAMES), spoken) < kept(templates.over(digits), spoken)


def test_the_same_is_understood_of_what_people_say(whole: Whole) -> None:
    home = Home.open()
    quick, slow = Grammar.open(home), Grammar(home, whole)
    texts = [e["say"] for case in SAID for e in case["exchanges"]]
    for text in texts:
        assert quick.parse(text, area="living_room") == slow.parse(text, area="living_room"), text


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ha_intents", "slurp_dev"])
def test_the_same_is_understood_of_the_public_sets(
    name: str, whole: Whole, shared_voice: Path
) -> None:
    home = Home.open(shared_voice / "nlu" / "ha_fixtures.yaml")
    quick, slow = Grammar.open(home), Grammar(home, whole)
    with gzip.open(shared_voice / "nlu" / f"{name}.jsonl.gz", "rt") as lines:
        texts = [json.loads(line)["text"] for line in lines][::3]
    for text in texts:
        assert quick.parse(text, area="kitchen") == slow.parse(text, area="kitchen"), text
