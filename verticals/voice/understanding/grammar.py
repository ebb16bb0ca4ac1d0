"""Sentences that a grammar covers: hassil with Home Assistant's intents, over one home's names.

Answers are kept, because a home says the same few sentences every day.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from verticals.voice.command import Command, Slot
from verticals.voice.home.model import Entity, Home
from verticals.voice.understanding.linking import spoken_names
from verticals.voice.understanding.normalise import grammatical
from verticals.voice.understanding.targets import targets
from verticals.voice.understanding.templates import Templates, open_templates

if TYPE_CHECKING:
    from hassil.intents import SlotList, TextSlotList
    from hassil.recognize import RecognizeResult

_KEPT = 512
_ZONES = frozenset(
    {"home", "at home", "away", "not home", "work", "at work", "school", "at school"}
)


class Grammar:
    """Home Assistant's sentences, and our few, over the names of one home."""

    def __init__(self, home: Home, templates: Templates) -> None:
        """Put the parts together; `open` makes them.

        Args:
            home: Whose names and kinds of devices count.
            templates: Of the sentences.
        """
        self._home = home
        self._lists: dict[str, SlotList] = {
            "name": _values("name", ((n, e.name, _context(e)) for e in home.entities
                                     for n in spoken_names(home, e))),
            "area": _values("area", ((n, a.name, {}) for a in home.areas
                                     for n in (a.name, *a.aliases))),
            "floor": _values("floor", ((n, f.name, {}) for f in home.floors
                                       for n in (f.name, *f.aliases))),
        }  # fmt: skip
        self._templates = templates.over(self._lists)
        # Safe where several conversations read at once.
        self._remembered = lru_cache(maxsize=_KEPT)(self._parse)

    @classmethod
    def open(cls, home: Home, *, extended: bool = True) -> Grammar:
        """The sentences for a home.

        Args:
            home: Whose names and kinds of devices count.
            extended: With our own sentences (sentences.yaml); without, Home Assistant's alone.
        """
        return cls(home, open_templates(extended=extended))

    def parse(self, text: str, *, area: str | None = None) -> tuple[Command, ...]:
        """The readings of a request, best first; none if the grammar does not cover it.

        Args:
            text: One request, as typed or as recognised.
            area: Id of the area that the speaker is in, for "turn on the lights".
        """
        return self._remembered(text, area)

    def _parse(self, text: str, area: str | None) -> tuple[Command, ...]:
        from hassil.recognize import recognize_best

        spoken = grammatical(text)
        if not spoken:
            return ()
        place = self._home.area_by_id.get(area or "")
        context = {"area": {"value": place.name, "text": place.name}} if place else None
        result = recognize_best(
            spoken, self._templates.possible(spoken), slot_lists=self._lists,
            intent_context=context, best_slot_name="name", language="en",
        )  # fmt: skip
        if result is None or _elsewhere(result):
            return ()
        return (self._command(result, text),)

    def _command(self, result: RecognizeResult, text: str) -> Command:
        slots = tuple(
            _slot(name, entity.value, entity.text, text) for name, entity in result.entities.items()
        )
        slots = _plain_query(slots)
        entities = targets(self._home, result.intent.name, {s.name: s.value for s in slots})
        return Command(
            intent=result.intent.name, slots=slots, entities=entities, text=text,
            risky=any(self._home.by_id[e].risky for e in entities), source="grammar",
        )  # fmt: skip


def _elsewhere(result: RecognizeResult) -> bool:
    """Whether it asks who is somewhere that is no place: "who is the president of Poland"."""
    state = result.entities.get("state")
    if result.intent.name != "HassGetState" or state is None or not state.is_wildcard:
        return False
    return str(state.value).strip().lower() not in _ZONES


def _context(entity: Entity) -> dict[str, Any]:
    found: dict[str, Any] = {"domain": entity.domain}
    if entity.device_class:
        found["device_class"] = entity.device_class
    return found


def _values(kind: str, rows: Iterable[tuple[str, str, Mapping[str, Any]]]) -> TextSlotList:
    """Names as a list of the grammar; hassil indexes them by their letters."""
    from hassil.expression import TextChunk
    from hassil.intents import TextSlotList, TextSlotValue

    return TextSlotList(
        name=kind,
        values=[
            TextSlotValue(
                text_in=TextChunk(_spoken(text), original_text=text), value_out=value,
                context=dict(context),
            )
            for text, value, context in rows
        ],
    )  # fmt: skip


def _spoken(name: str) -> str:
    return " ".join(re.sub(r"[^\w\s'.-]", " ", name).split())


def _plain_query(slots: tuple[Slot, ...]) -> tuple[Slot, ...]:
    """The Queen album is Queen: the article belongs to the kind that was said."""
    if not any(s.name == "media_class" for s in slots):
        return slots
    return tuple(
        s.model_copy(update={"value": re.sub(r"(?i)^the ", "", str(s.value))})
        if s.name == "search_query" else s
        for s in slots
    )  # fmt: skip


def _slot(name: str, value: Any, said: str, text: str) -> Slot:
    said = said.strip()
    start = text.casefold().find(said.casefold()) if said else -1
    if not isinstance(value, str | float | int):
        value = str(value)
    value = value.strip() if isinstance(value, str) else float(value)
    return Slot(name=name, value=value, start=start, end=start + len(said) if start >= 0 else -1)
