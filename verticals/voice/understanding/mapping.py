"""Turns what the learned model reads, an intent and tagged words, into a home's command."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from verticals.voice.command import Command, Slot
from verticals.voice.home.model import Home
from verticals.voice.understanding.linking import Linker, plain
from verticals.voice.understanding.normalise import grammatical, plain_words
from verticals.voice.understanding.targets import ACTED_ON, targets

_KINDS = frozenset({"light", "lamp", "lighting", "speaker", "player", "volume", "music", "vacuum",
                    "cleaner", "robot"})  # fmt: skip
_EVERYWHERE = re.compile(r"\b(all|every|whole|entire|house|everywhere|everything)\b", re.IGNORECASE)
_TIMERS = ("timer",)
_HALF = {"hour": "30 minutes", "minute": "30 seconds"}
_UNIT = r"(hour|minute|second)s?\b"
MAPPING = Path(__file__).with_name("mapping.yaml")


class When(BaseModel):
    """A case of an intent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    words: str = Field(default="", description="A regular expression that the sentence contains")
    has: str = Field(default="", description="A part that was found")
    lacks: tuple[str, ...] = Field(default=(), description="Parts of which none was found")
    intent: str = ""
    slots: dict[str, str | float] | None = Field(default=None, description="Instead of the others")
    take: dict[str, str] = Field(default={}, description="Beside the others")


class Entry(BaseModel):
    """What an intent of the model means."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    intent: str
    slots: dict[str, str | float] = {}
    take: dict[str, str] = Field(default={}, description="The part's tag, and the slot it fills")
    join: dict[str, tuple[str, ...]] = Field(
        default={}, description="A slot, and the parts that together fill it in their order"
    )
    extract: str = Field(default="", description="A regular expression with named groups")
    when: tuple[When, ...] = ()


class Table(BaseModel):
    """The whole table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    numbers: frozenset[str] = Field(description="Slots whose value is a number")
    intents: dict[str, Entry]


@lru_cache(maxsize=4)
def open_mapping(path: Path = MAPPING) -> Table:
    """Read the table.

    Raises:
        ValidationError: It is not as described.
    """
    import yaml

    return Table.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))


def command_of(
    home: Home, linker: Linker, text: str, intent: str, slots: Sequence[Slot], *,
    confidence: float = 1.0, area: str | None = None, table: Table | None = None,
) -> Command | None:  # fmt: skip
    """The command that an intent and its parts ask of a home; None if it is none of its business.

    Args:
        home: Whose devices are meant.
        linker: Of the same home.
        text: The sentence.
        intent: Of the learned model, or Home Assistant's own name.
        slots: Its parts, with the model's tags as names.
        confidence: Of the model.
        area: Name of the area that the speaker is in.
        table: What intents mean; the packaged one if None.
    """
    table = table or open_mapping()
    entry = table.intents.get(intent)
    if entry is None:
        if not intent.startswith("Hass"):
            return None
        entry = Entry(intent=intent, take={s.name: s.name for s in slots})
    name, fixed, found = _filled(entry, text, slots)
    said = {s.name: s for s in found}
    values: dict[str, Slot] = {k: Slot(name=k, value=v) for k, v in fixed.items()}
    domains = _domains(name, fixed)
    for key in [k for k in said if k in ("duration", "start_duration")]:
        long = said.pop(key)
        before = "" if key == "duration" else "start_"
        for unit, number in durations(str(long.value)).items():
            part = before + unit
            values[part] = Slot(name=part, value=number, start=long.start, end=long.end)
    for key, slot in said.items():
        value = _value(key, str(slot.value), linker, table.numbers, domains)
        if value is not None:
            values[key] = slot.model_copy(update={"value": value})
    _settle(values, text, area)
    plainly = {k: s.value for k, s in values.items()}
    return Command(
        intent=name, slots=tuple(values.values()), entities=targets(home, name, plainly), text=text,
        confidence=confidence, source="model",
    )  # fmt: skip


def _filled(
    entry: Entry, text: str, slots: Sequence[Slot]
) -> tuple[str, Mapping[str, str | float], list[Slot]]:
    """Intent, fixed slots and parts, after the case that fits."""
    low = text.lower()
    parts = {s.name: s for s in reversed(slots)}  # the first of a name counts
    drawn = _drawn(entry.extract, low)
    name, fixed, take = entry.intent, dict(entry.slots), dict(entry.take)
    for case in entry.when:
        fits = (
            (not case.words or re.search(case.words, low))
            and (not case.has or case.has in parts or case.has in drawn)
            and not any(part in parts for part in case.lacks)
        )
        if fits:
            name = case.intent or name
            fixed = dict(case.slots) if case.slots is not None else fixed
            take |= case.take
            break
    found = [s.model_copy(update={"name": take[tag]}) for tag, s in parts.items() if tag in take]
    for key, tags in entry.join.items():
        joined = [s for s in sorted(slots, key=lambda s: s.start) if s.name in tags]
        if joined and name == entry.intent:
            words = " ".join(str(s.value) for s in joined)
            found.append(Slot(name=key, value=words, start=joined[0].start, end=joined[-1].end))
    return name, fixed, [*found, *drawn.values()]


def durations(words: str) -> dict[str, float]:
    """Hours, minutes and seconds of a length of time.

    Example:
        >>> durations("an hour and a half")
        {'hours': 1.0, 'minutes': 30.0}
    """
    low = grammatical(words.lower()).replace("-", " ")
    low = re.sub(r"\bhalf an? (hour|minute)", lambda m: f"{_HALF[m[1]]}", low)
    low = re.sub(r"\ban? quarter of an hour", "15 minutes", low)
    low = re.sub(r"\b(an?|one) (hour|minute|second)", r"1 \2", low)
    low = re.sub(r"(\d+) (hour|minute)s? and a half", lambda m: f"{m[1]} {m[2]} {_HALF[m[2]]}", low)
    low = re.sub(r"(\d+) and a half (hour|minute)s?", lambda m: f"{m[1]} {m[2]} {_HALF[m[2]]}", low)
    found: dict[str, float] = {}
    for number, unit in re.findall(rf"(\d+(?:\.\d+)?)\s*{_UNIT}", low):
        found[f"{unit}s"] = found.get(f"{unit}s", 0.0) + float(number)
    return found


def _drawn(pattern: str, low: str) -> dict[str, Slot]:
    """Parts that no tag marks, such as the item of a list, by the pattern's named groups."""
    match = re.search(pattern, low) if pattern else None
    if match is None:
        return {}
    return {
        key: Slot(name=key, value=value, start=match.start(key), end=match.end(key))
        for key, value in match.groupdict().items() if value
    }  # fmt: skip


def _value(
    key: str, words: str, linker: Linker, numbers: frozenset[str], domains: tuple[str, ...]
) -> str | float | None:
    """A slot's value: a number, a name of the home, or the words; None if it says nothing."""
    if key in numbers:
        digits = re.search(r"\d+(?:\.\d+)?", grammatical("to " + words))
        return float(digits.group()) if digits else None
    if key in ("area", "floor"):
        link = linker.link(words, key)
        return link.name if link else plain(words) or None
    if key == "name" and domains != _TIMERS:
        return _device(words, linker, domains)
    return plain(words) if key == "item" else plain_words(words).removesuffix(" timer")


def _device(words: str, linker: Linker, domains: tuple[str, ...]) -> str | None:
    """A device's name, the words if it is not here, None if they say any device of the kind.

    The lamp is any light; but nothing may be done to others because the dishwasher is unknown.
    """
    links = [linker.link(words, "name", domain=d) for d in domains or ("",)]
    best = max((x for x in links if x), key=lambda x: x.score, default=None)
    if best:
        return best.name
    any_of_kind = domains != ("todo",) and set(plain(words).split()) & _KINDS
    return None if any_of_kind else plain(words)


def _domains(intent: str, fixed: Mapping[str, str | float]) -> tuple[str, ...]:
    if "Timer" in intent:
        return _TIMERS
    kind = fixed.get("domain")
    if isinstance(kind, str):
        return (kind,)
    lists = ("ListCreate", "ListRemove", "ListQuery", "HassListAddItem", "HassListRemoveItem")
    return ("todo",) if intent in lists else ACTED_ON.get(intent, ())


def _settle(values: dict[str, Slot], text: str, area: str | None) -> None:
    """House and everywhere mean no place; nothing said means where the speaker is."""
    place = values.get("area")
    if place is not None and str(place.value) in ("house", "home", "apartment", "flat", "room",
                                                  "everywhere", "whole house"):  # fmt: skip
        if str(place.value) == "room" and area:
            values["area"] = place.model_copy(update={"value": area})
        else:
            del values["area"]
    elif (
        area
        and "domain" in values
        and not _EVERYWHERE.search(text)
        and not values.keys() & {"name", "area", "floor"}
    ):
        values["area"] = Slot(name="area", value=area)
