"""The sentence templates of a grammar, and which of them a sentence can match at all.

hassil asks every template, sentence after sentence, for the letters that it cannot match without
(`Sentence.get_required_clauses`). Here one table of bits answers that for all templates at once,
and for the names of a home, too; hassil gets those that remain, so that it finds the same.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from hassil.expression import Expression, Sentence
    from hassil.intents import Intent, IntentData, Intents, SlotList

SENTENCES = Path(__file__).with_name("sentences.yaml")


@dataclass(frozen=True)
class Templates:
    """Compiled sentences, indexed by the letters and the lists that they need."""

    intents: Intents
    """hassil's, complete."""
    blocks: tuple[tuple[Intent, IntentData], ...]
    """Templates that share slots and context."""
    sentences: tuple[tuple[int, int, Sentence], ...]
    """The bits of what a template needs, the number of its block, the template."""
    lists: Mapping[str, int]
    """The bit of a list of which a template needs a value."""
    letters: Mapping[str, int]
    """The bits that letters in a sentence fulfil."""
    fulfilled: int = 0
    """Bits of lists that may be matched by anything, such as a number."""

    @classmethod
    def of(cls, intents: Intents) -> Self:
        """Compile all templates now, rather than at the first sentence."""
        bits: dict[frozenset[str] | str, int] = {}
        blocks = tuple((intent, d) for intent in intents.intents.values() for d in intent.data)
        sentences = []
        for number, (_, data) in enumerate(blocks):
            rules = {**intents.expansion_rules, **data.expansion_rules}
            for sentence in data.sentences:
                things: set[frozenset[str] | str] = {*sentence.get_required_clauses(rules)}
                things |= _lists(sentence.expression, rules) - data.slot_lists.keys()
                need = 0
                for thing in things:
                    need |= bits.setdefault(thing, 1 << len(bits))
                sentences.append((need, number, sentence))
        letters: dict[str, int] = {}
        for clause, bit in bits.items():
            _mark(letters, clause if isinstance(clause, frozenset) else (), bit)
        lists = {name: bit for name, bit in bits.items() if isinstance(name, str)}
        _spell_numbers(intents)
        return cls(intents, blocks, tuple(sentences), lists, letters).over({})

    def over(self, lists: Mapping[str, SlotList]) -> Self:
        """The same templates over the names of a home.

        Args:
            lists: hassil's, beside those of the grammar.
        """
        known = {**self.intents.slot_lists, **lists}
        letters, fulfilled = dict(self.letters), 0
        for name, bit in self.lists.items():
            words = _words(known.get(name))
            _mark(letters, words or (), bit)
            fulfilled |= bit if words is None else 0
        return replace(self, letters=letters, fulfilled=fulfilled)

    def possible(self, text: str) -> Intents:
        """The grammar without the templates that a sentence cannot match.

        Args:
            text: As it is given to hassil.
        """
        from hassil.intents import Intent
        from hassil.util import normalize_for_matching

        low = normalize_for_matching(text).text.casefold()
        found = self.fulfilled
        for letters, bits in self.letters.items():
            if letters in low:
                found |= bits
        missing, kept = ~found, dict[int, list[Any]]()
        for need, number, sentence in self.sentences:
            if not need & missing:
                kept.setdefault(number, []).append(sentence)
        intents: dict[str, Intent] = {}
        for number, sentences in kept.items():
            intent, data = self.blocks[number]
            intents.setdefault(intent.name, Intent(intent.name)).data.append(_only(data, sentences))
        return replace(self.intents, intents=intents)


@lru_cache(maxsize=2)
def open_templates(*, extended: bool = True) -> Templates:
    """Home Assistant's English sentences, compiled once in a process.

    Args:
        extended: With our own sentences (sentences.yaml); without, Home Assistant's alone.
    """
    return Templates.of(read_intents(extended=extended))


def read_intents(*, extended: bool = True) -> Intents:
    """Home Assistant's English sentences, with ours or without."""
    import home_assistant_intents
    import yaml
    from hassil.intents import Intents

    content: dict[str, Any] = dict(home_assistant_intents.get_intents("en") or {})
    if extended:
        ours = yaml.safe_load(SENTENCES.read_text(encoding="utf-8"))
        content |= {
            "intents": _joined(content["intents"], ours["intents"]),
            "lists": {**content["lists"], **ours["lists"]},
            "expansion_rules": {**content["expansion_rules"], **ours["expansion_rules"]},
        }
    return Intents.from_dict(content)


def _lists(part: Expression, rules: Mapping[str, Sentence]) -> frozenset[str]:
    """The lists of which every sentence of a template has a value."""
    from hassil import expression as e

    if isinstance(part, e.ListReference):
        return frozenset({part.list_name})
    if isinstance(part, e.RuleReference):
        rule = rules.get(part.rule_name)
        return _lists(rule.expression, rules) if rule else frozenset()
    if not isinstance(part, e.Group) or not part.items:
        return frozenset()
    inside = [_lists(item, rules) for item in part.items]
    if isinstance(part, e.Alternative):
        return frozenset() if part.is_optional else frozenset.intersection(*inside)
    return frozenset().union(*inside)


def _words(known: SlotList | None) -> frozenset[str] | None:
    """Letters of which any value of a list has some; None if one may have none of them.

    Digits do not count: hassil also matches numbers as words.
    """
    from hassil.expression import Sentence
    from hassil.intents import TextSlotList

    if not isinstance(known, TextSlotList):
        return None
    found: set[str] = set()
    for value in known.values:
        clauses = Sentence(value.text_in).get_required_clauses({})
        sure = [c for c in clauses if all(map(str.isalpha, c))]
        if not sure:
            return None
        found |= max(sure, key=lambda c: (min(map(len, c)), sorted(c)))
    return frozenset(found)


def _spell_numbers(intents: Intents) -> None:
    """Have hassil spell the numbers of all lists, which takes a tenth of a second, but once."""
    from hassil.intents import RangeSlotList
    from hassil.parse_expression import parse_sentence
    from hassil.recognize import is_match

    for name, known in intents.slot_lists.items():
        if isinstance(known, RangeSlotList):
            is_match("one", parse_sentence(f"{{{name}}}"), {name: known}, language="en")


def _mark(letters: dict[str, int], some: Sequence[str] | frozenset[str], bit: int) -> None:
    for word in some:
        letters[word] = letters.get(word, 0) | bit


def _only(data: IntentData, sentences: Sequence[Sentence]) -> IntentData:
    """The same block with some of its templates (a cached property of hassil's)."""
    block = copy.copy(data)
    vars(block)["sentences"] = sentences
    return block


def _joined(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: {"data": list(intent["data"])} for name, intent in theirs.items()}
    for name, intent in ours.items():
        found.setdefault(name, {"data": []})["data"].extend(intent["data"])
    return found
