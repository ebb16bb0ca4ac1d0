"""The sentences of a grammar as a graph of phrases; what a path says is what it fills in.

Templates are hassil's. A word may be put together from pieces ("ice[d]"), a list may not be part
of a word. Knows no sound.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from typing import TYPE_CHECKING, Any

from core.errors import DataError

if TYPE_CHECKING:
    from hassil.expression import Expression
    from hassil.intents import IntentData, Intents, SlotList

Value = str | float
_MOST = 5_000  # phrases of a form: looking for the nearest of them takes half a second


@dataclass(frozen=True)
class Arc:
    """A phrase between two states."""

    source: int
    target: int
    """Always the larger number."""
    words: str = ""
    slot: str = ""
    value: Value = ""


@dataclass(frozen=True)
class Ending:
    """What a sentence that ends here asks for."""

    intent: str
    slots: Mapping[str, Value]
    """Those that are filled whatever was said."""


@dataclass(frozen=True)
class Graph:
    """All sentences of a form."""

    arcs: tuple[Arc, ...]
    """In the order of their sources, so that one pass meets every state after all before it."""
    endings: Mapping[int, Ending]

    @property
    def states(self) -> int:
        """How many there are; 0 is the first."""
        return max(arc.target for arc in self.arcs) + 1

    @property
    def example(self) -> str:
        """A sentence that fills in as much as one can."""
        best: dict[int, tuple[int, str]] = {0: (0, "")}
        for arc in self.arcs:
            if arc.source in best:
                slots, words = best[arc.source]
                found = (slots + bool(arc.slot), f"{words} {arc.words}".strip())
                best[arc.target] = max(best.get(arc.target, (-1, "")), found, key=lambda b: b[0])
        return max((best[end] for end in self.endings), key=lambda b: b[0])[1]

    @property
    def phrases(self) -> tuple[str, ...]:
        """Everything that may fill something in, each once, the lists by turns."""
        lists: dict[str, list[str]] = {}
        for arc in self.arcs:
            if arc.slot and arc.words not in lists.setdefault(arc.slot, []):
                lists[arc.slot].append(arc.words)
        longest = max(map(len, lists.values()), default=0)
        turns = (row[i] for i in range(longest) for row in lists.values() if i < len(row))
        return tuple(dict.fromkeys(turns))


def graph_of(intents: Intents) -> Graph:
    """The graph of all intents.

    Args:
        intents: As hassil reads them.

    Raises:
        DataError: A list or rule is missing, takes any words, or is part of a word; there are no
            sentences, or too many.
    """
    from hassil.errors import MissingListError, MissingRuleError

    builder, endings = _Builder(intents), {}
    for name, intent in intents.intents.items():
        for data in intent.data:
            for sentence in data.sentences:
                try:
                    end = builder.add(sentence.expression, 0, data)
                except (MissingListError, MissingRuleError) as error:
                    raise DataError(
                        str(error), where=f"intent {name}", remedy="Define it, or correct its name"
                    ) from None
                endings[builder.step(end, builder.state())] = Ending(name, dict(data.slots))
    if not endings:
        raise DataError("it has no sentences", where="intents", remedy="Write at least one")
    return Graph(tuple(sorted(builder.arcs, key=lambda arc: arc.source)), endings)


@dataclass
class _Builder:
    """States and arcs as they are found."""

    intents: Intents
    arcs: list[Arc] = field(default_factory=list)
    last: int = 0

    def state(self) -> int:
        self.last += 1
        return self.last

    def step(self, source: int, target: int, words: str = "", **filled: Any) -> int:
        if len(self.arcs) >= _MOST:
            raise DataError(
                f"it has more than {_MOST:,} phrases", where="intents",
                remedy="Use fewer permutations, shorter lists, or smaller ranges",
            )  # fmt: skip
        self.arcs.append(Arc(source, target, " ".join(words.split()), **filled))
        return target

    def add(self, expression: Expression, source: int, data: IntentData) -> int:
        """The state that is reached from a state by saying an expression."""
        from hassil.errors import MissingRuleError
        from hassil.expression import (
            Alternative,
            Group,
            ListReference,
            Permutation,
            RuleReference,
            Sequence,
            TextChunk,
        )

        if isinstance(expression, TextChunk):
            return self._sequence([expression], source, data)
        if isinstance(expression, RuleReference):
            rule = expression.rule_name
            body = data.expansion_rules.get(rule) or self.intents.expansion_rules.get(rule)
            if body is None:
                raise MissingRuleError(f"there is no rule <{rule}>")
            return self.add(body.expression, source, data)
        if isinstance(expression, ListReference):
            values = self._values(expression.list_name, data)
            name = expression.slot_name
            return self._joined(
                [self.step(source, self.state(), words, slot=name, value=value)
                 for words, value in values]
            )  # fmt: skip
        if isinstance(expression, Permutation):
            orders = [Sequence(items=_apart(order)) for order in permutations(expression.items)]
            return self._joined([self.add(order, source, data) for order in orders])
        if isinstance(expression, Alternative):
            return self._joined([self.add(item, source, data) for item in expression.items])
        if isinstance(expression, Group):
            return self._sequence(expression.items, source, data)
        raise DataError(
            f"{expression!r} is no part of a sentence", where="intents",
            remedy="Use words, [optional], (one|another), {list} and <rule>",
        )  # fmt: skip

    def _sequence(self, items: Iterable[Expression], source: int, data: IntentData) -> int:
        """Item after item; what no blank separates is one word, or one piece of text."""
        from hassil.expression import Sequence, TextChunk

        for run in _runs(items):
            if len(run) == 1 and not isinstance(run[0], TextChunk):
                source = self.add(run[0], source, data)
                continue
            said = sorted(set(self._sampled(Sequence(items=run), data)))
            source = self._joined([self.step(source, self.state(), words) for words in said])
        return source

    def _joined(self, ends: Sequence[int]) -> int:
        """One state behind several."""
        if len(ends) == 1:
            return ends[0]
        end = self.state()
        for before in ends:
            self.step(before, end)
        return end

    def _sampled(self, expression: Expression, data: IntentData) -> Iterator[str]:
        """All that an expression without lists can say."""
        from hassil.sample import sample_expression

        rules = {**self.intents.expansion_rules, **data.expansion_rules}
        for text in sample_expression(expression, {}, rules, expand_lists=False):
            if "{" in text:
                raise DataError(
                    "a list is part of a word", where=text,
                    remedy="Put a blank between the list and what is beside it",
                )  # fmt: skip
            yield text

    def _values(self, name: str, data: IntentData) -> Iterator[tuple[str, Value]]:
        """(words, value) of a list."""
        from hassil.errors import MissingListError
        from hassil.intents import RangeSlotList, TextSlotList

        from verticals.voice.speech.numbers import spelled_out

        given: SlotList | None = data.slot_lists.get(name) or self.intents.slot_lists.get(name)
        if given is None:
            raise MissingListError(f"there is no list {{{name}}}")
        if isinstance(given, TextSlotList):
            for value in given.values:
                for words in self._sampled(value.text_in, data):
                    plain = " ".join(words.split())
                    yield plain, plain if value.value_out is None else value.value_out
        elif isinstance(given, RangeSlotList):
            for number in given.get_numbers():
                yield spelled_out(str(number)), number * (given.multiplier or 1)
        else:
            raise DataError(
                "it takes any words, and a form knows all of its own", where=f"list {name}",
                remedy="Give its values",
            )  # fmt: skip


def _runs(items: Iterable[Expression]) -> Iterator[list[Expression]]:
    """Items between two blanks."""
    from hassil.expression import TextChunk

    run: list[Expression] = []
    for item in items:
        if not isinstance(item, TextChunk):
            run.append(item)
            continue
        for piece in re.split(r"(\s+)", item.original_text):
            if piece.isspace():
                if run:
                    yield run
                run = []
            elif piece:
                run.append(TextChunk(piece))
    if run:
        yield run


def _apart(items: Sequence[Expression]) -> list[Expression]:
    """Items with blanks between them."""
    from hassil.expression import TextChunk

    return [part for item in items for part in (item, TextChunk(" "))]
