"""All but some: "turn off all the lights except the kitchen"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from verticals.voice.command import Command
from verticals.voice.home.model import Home
from verticals.voice.understanding.linking import Linker

_BUT = re.compile(
    r"^(.+?),?\s+(?:except(?:ing)?(?: for)?|but(?: for| not)?|apart from|other than)\s+"
    r"(?:(?:the ones?|those)\s+)?(?:in\s+)?(.+)$",
    re.IGNORECASE,
)


def parted(text: str) -> tuple[str, str] | None:
    """A request and the words of its exception; None if it makes none."""
    found = _BUT.match(text)
    return (found[1], found[2]) if found else None


def spared(words: str, home: Home, linker: Linker) -> frozenset[str]:
    """Ids of the devices that an exception names; none if a part of it names nothing of the home.

    Args:
        words: Such as "the kitchen and the desk lamp".
        home: Whose devices are meant.
        linker: Of the same home.
    """
    found: set[str] = set()
    for part in re.split(r"\s*,\s*(?:and\s+)?|\s+(?:and|or)\s+", words):
        devices = _named(part, home, linker)
        if not devices:
            return frozenset()
        found |= devices
    return frozenset(found)


def without(commands: Sequence[Command], devices: frozenset[str]) -> tuple[Command, ...]:
    """Commands that leave some devices as they are; none that would act on nothing."""
    left = [
        c.model_copy(update={"entities": tuple(e for e in c.entities if e not in devices)})
        for c in commands
    ]
    return tuple(c for c in left if c.entities)


def _named(words: str, home: Home, linker: Linker) -> set[str]:
    """The device of that name, or all of a place."""
    name, area = linker.link(words, "name"), linker.link(words, "area")
    floor = linker.link(words, "floor")
    if name is not None and (area is None or name.score > area.score):
        return {e.id for e in home.entities if e.name == name.name}
    rooms = {a.id for a in home.areas if area is not None and a.name == area.name}
    if not rooms and floor is not None:
        level = next(f.id for f in home.floors if f.name == floor.name)
        rooms = {a.id for a in home.areas if a.floor == level}
    return {e.id for e in home.entities if e.area in rooms}
