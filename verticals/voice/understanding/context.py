"""What was said before: "turn it off", "and the kitchen too", "no, the bedroom"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from verticals.voice.command import Command, Understood
from verticals.voice.home.model import Home
from verticals.voice.understanding.linking import Linker
from verticals.voice.understanding.targets import targets

_PRONOUN = re.compile(
    r"\b(it|them both|both of them|them|that one|this one|those|these)\b(?! (?:is|was)\b)",
    re.IGNORECASE,
)
_CARRIES = re.compile(
    r"^(?:and|also|then|now)\s+(?:(?:do|the same) )?(?:(?:in|for|on) )?(?P<a>.+?)"
    r"(?:\s+(?:too|also|as well|please))?$"
    r"|^(?:the same|do the same|same|same thing)\s+(?:in|for|with|on)\s+(?P<b>.+?)$"
    r"|^(?:what|how) about\s+(?:in\s+)?(?P<c>.+?)$"
    r"|^(?P<d>.+?)\s+(?:too|as well|also)$"
    r"|^(?:no|sorry|i mean|i meant|no i meant|no not that one)[, ]+(?:(?:i (?:mean|meant)|in)\s+)?"
    r"(?P<e>.+?)$",
    re.IGNORECASE,
)
_TRAILING = re.compile(r"\s+(?:too|also|as well|please|instead)$", re.IGNORECASE)
_PLACES = ("name", "area", "floor")
_WEATHER_IS_WARM = ("warmer", "hotter", "cooler", "colder")


@dataclass(frozen=True)
class Dialogue:
    """What an exchange leaves for the next: where, what was done, what was asked."""

    area: str | None = None
    """Id of the area that the speaker is in."""
    last: tuple[Command, ...] = ()
    """What was understood last."""
    pending: tuple[Command, ...] = ()
    """Waits for a yes."""
    choices: tuple[Command, ...] = ()
    """Of which one may have been meant."""

    def after(self, understood: Understood) -> Dialogue:
        """The dialogue after an exchange."""
        if understood.status == "understood":
            return replace(self, last=self._extended(understood.commands), pending=(), choices=())
        if understood.status == "confirm":
            return replace(self, last=understood.commands, pending=understood.commands, choices=())
        if understood.status == "unsure":
            return replace(self, pending=(), choices=understood.alternatives)
        return replace(self, pending=(), choices=())

    def _extended(self, commands: tuple[Command, ...]) -> tuple[Command, ...]:
        """Of "and the kitchen too", they are this one and those before."""
        again = self.last and all(
            c.source == "context" and c.intent == self.last[-1].intent for c in commands
        )
        return (*self.last, *commands) if again else commands or self.last


def spelled_out(text: str, dialogue: Dialogue, home: Home) -> str:
    """The sentence with its pronoun replaced by what was last acted on.

    Example:
        After "turn on the reading lamp", "dim it" becomes "dim the Reading lamp".
    """
    found = _PRONOUN.search(text)
    if found is None or not dialogue.last:
        return text
    command = dialogue.last[-1]
    if command.intent.startswith("HassGetCurrent") or command.intent == "HassGetWeather":
        return text
    before, after = text[: found.start()], text[found.end() :]
    if after.strip().split(" ")[:1] and after.strip().split(" ")[0] in _WEATHER_IS_WARM:
        return text
    noun = _noun(command, home, plural=_plural(found.group()))
    return f"{before}the {noun}{after}" if noun else text


def aimed(
    commands: Sequence[Command], dialogue: Dialogue, home: Home, text: str
) -> tuple[Command, ...]:
    """Commands read from a sentence whose pronoun was replaced, aimed at all that it stood for.

    It and them stand for every device of the last command, not for the one that gave the noun.
    """
    meant = dialogue.last if _plural(text) else dialogue.last[-1:]
    devices = tuple(dict.fromkeys(e for c in meant for e in c.entities if e in home.by_id))
    kinds = {home.by_id[e].domain for e in devices}
    return tuple(
        c.model_copy(update={"entities": devices, "source": "context"})
        if len(devices) > 1 and {home.by_id[e].domain for e in c.entities if e in home.by_id}
        <= kinds else c
        for c in commands
    )  # fmt: skip


def _plural(text: str) -> bool:
    return bool(re.search(r"\b(them|those|these)\b", text, re.IGNORECASE))


def carried(text: str, dialogue: Dialogue, home: Home, linker: Linker) -> tuple[Command, ...]:
    """The last command again, for another place or device; empty if it is not meant so.

    Example:
        After "turn off the kitchen light", "and the office too" turns off the office's lights.
    """
    match = _CARRIES.match(text.strip(" .,!?"))
    if match is None or not dialogue.last:
        return ()
    words = next(group for group in match.groups() if group)
    words = _TRAILING.sub("", words)
    last = dialogue.last[-1]
    area = linker.link(words, "area")
    if area and area.score > 0.9:
        return _elsewhere(last, "area", area.name, home, text)
    domains = {home.by_id[e].domain for e in last.entities if e in home.by_id}
    name = linker.link(words, "name")
    if name is None:
        floor = linker.link(words, "floor")
        if floor:
            return _elsewhere(last, "floor", floor.name, home, text)
        return _elsewhere(last, "area", area.name, home, text) if area else ()
    entity = next(e for e in home.entities if e.name == name.name)
    fits = entity.domain in domains or last.intent in ("HassTurnOn", "HassTurnOff", "HassGetState")
    return _elsewhere(last, "name", name.name, home, text) if fits else ()


def _elsewhere(last: Command, kind: str, name: str, home: Home, text: str) -> tuple[Command, ...]:
    """The last command with another target."""
    kept = [s for s in last.slots if s.name not in (*_PLACES, "domain", "device_class")]
    values = {s.name: s for s in last.slots}
    slots = {s.name: s.value for s in kept} | {kind: name}
    if kind != "name":
        kinds = {home.by_id[e].domain for e in last.entities if e in home.by_id}
        if "domain" in values:
            slots["domain"] = values["domain"].value
        elif len(kinds) == 1 and kinds != {"weather"}:
            slots["domain"] = kinds.pop()
        if "device_class" in values:
            slots["device_class"] = values["device_class"].value
    entities = targets(home, last.intent, slots)
    if not entities:
        return ()
    from verticals.voice.command import Slot

    return (
        Command(
            intent=last.intent, slots=tuple(Slot(name=k, value=v) for k, v in slots.items()),
            entities=entities, text=text, source="context",
        ),
    )  # fmt: skip


def _noun(command: Command, home: Home, *, plural: bool) -> str:
    """How the last target is called in a sentence."""
    names: Sequence[str] = [home.by_id[e].name for e in command.entities if e in home.by_id]
    if len(names) == 1:
        return names[0]
    place, kind = command.slot("area"), command.slot("domain")
    if place and isinstance(kind, str):
        return f"{place} {kind}" + ("s" if plural else "")
    return str(kind) + "s" if isinstance(kind, str) else (names[0] if names else "")
