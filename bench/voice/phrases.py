"""Sentences of a home, drawn from templates and filled with made-up names, with their slots."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from verticals.voice.understanding.words import Example

_TEMPLATES = Path(__file__).with_name("phrases.yaml")
_MARK = re.compile(r"\{(\w+)(?::(\w+))?\}")
_TOKEN = re.compile(r"\S+")
# Which of Home Assistant's intents are about something that the public sets lack.
_HOME_ASSISTANT = {
    "HassClimateSetTemperature": "climate_set", "HassClimateGetTemperature": "climate_query",
    "HassFanSetSpeed": "fan_set", "HassSetPosition": "cover_set", "HassMediaNext": "media_next",
    "HassMediaPrevious": "media_previous", "HassMediaPause": "media_pause",
    "HassMediaUnpause": "media_resume", "HassPauseTimer": "timer_pause",
    "HassUnpauseTimer": "timer_resume", "HassCancelTimer": "timer_cancel",
    "HassTimerStatus": "timer_query", "HassGetState": "home_state",
    "HassVacuumReturnToBase": "vacuum_dock", "HassNevermind": "nevermind",
}  # fmt: skip
_TAG = {
    "area": "house_place", "floor": "house_place", "name": "device_type", "zone": "house_place",
    "cover_classes": "device_type", "temperature": "temperature", "position": "position",
    "fan_speed": "fan_speed", "timer_name": "timer_name",
}  # fmt: skip
_FILL = {
    "area": "house_place", "floor": "house_place", "name": "thing", "zone": "house_place",
    "cover_classes": "cover", "temperature": "temperature", "position": "position",
    "fan_speed": "fan_speed", "timer_name": "timer_name",
}  # fmt: skip


def made_sentences(each: int = 60, *, seed: int = 0) -> list[Example]:
    """Sentences of the intents that the public sets lack.

    Args:
        each: Of an intent from casekit's templates; a third as many from Home Assistant's.
        seed: Of the drawing.
    """
    chance = random.Random(seed)
    told: dict[str, Any] = yaml.safe_load(_TEMPLATES.read_text(encoding="utf-8"))
    out: dict[str, Example] = {}
    for intent, templates in told["intents"].items():
        for _ in range(each):
            template = chance.choice(templates)
            example = _filled(_walk(template, told["rules"], chance), intent, told["fill"], chance)
            out.setdefault(example.text, example)
    for example in _home_assistant(max(1, each // 3), told["fill"], chance):
        out.setdefault(example.text, example)
    return list(out.values())


def _home_assistant(
    each: int, fill: Mapping[str, Sequence[str]], chance: random.Random
) -> list[Example]:
    """From the templates of Home Assistant's intents (CC BY 4.0)."""
    import home_assistant_intents

    content: dict[str, Any] = dict(home_assistant_intents.get_intents("en") or {})
    rules = content["expansion_rules"]
    lists = {
        name: [str(v["in"] if isinstance(v, dict) else v) for v in entry["values"]]
        for name, entry in content["lists"].items() if "values" in entry
    }  # fmt: skip
    found = []
    for name, intent in _HOME_ASSISTANT.items():
        templates = [s for data in content["intents"][name]["data"] for s in data["sentences"]]
        for _ in range(each):
            drawn = _walk(chance.choice(templates), rules, chance)
            marks = {match[1] for match in _MARK.finditer(drawn)}
            if marks <= _TAG.keys() | lists.keys():
                found.append(_filled(_named(drawn, lists, rules, chance),
                                     intent, fill, chance))  # fmt: skip
    return found


def _named(
    drawn: str, lists: Mapping[str, list[str]], rules: Mapping[str, str], chance: random.Random
) -> str:
    """Home Assistant's list names as the tags and fillings of the kit."""

    def one(match: re.Match[str]) -> str:
        name = match[1]
        if name in _TAG:
            return f"{{{_TAG[name]}:{_FILL[name]}}}"
        return _walk(chance.choice(lists[name]), rules, chance)

    return _MARK.sub(one, drawn)


def _walk(template: str, rules: Mapping[str, str], chance: random.Random) -> str:
    """One sentence of a template, slots still in braces."""
    from hassil.parse_expression import parse_sentence

    return " ".join(_drawn(parse_sentence(template).expression, rules, chance).split())


def _drawn(part: Any, rules: Mapping[str, str], chance: random.Random) -> str:
    from hassil import expression as e
    from hassil.parse_expression import parse_sentence

    if isinstance(part, e.TextChunk):
        return str(part.text)
    if isinstance(part, e.RuleReference):
        return _drawn(parse_sentence(rules[part.rule_name]).expression, rules, chance)
    if isinstance(part, e.ListReference):
        named = part.slot_name if part.slot_name != part.list_name else ""
        # hassil writes {list:slot}; in casekit's own templates it is {tag:filling}
        return f"{{{part.list_name}:{named}}}" if named else f"{{{part.list_name}}}"
    if isinstance(part, e.Alternative):
        return _drawn(chance.choice(part.items), rules, chance)
    items = list(part.items)
    if isinstance(part, e.Permutation):
        chance.shuffle(items)
        return " ".join(_drawn(item, rules, chance) for item in items)
    return "".join(_drawn(item, rules, chance) for item in items)


def _filled(
    sentence: str, intent: str, fill: Mapping[str, Sequence[str]], chance: random.Random
) -> Example:
    """Slots filled with made-up names, and tagged."""
    tokens: list[str] = []
    tags: list[str] = []
    at = 0
    for mark in [*_MARK.finditer(sentence), None]:
        plain = _TOKEN.findall(sentence[at : mark.start() if mark else len(sentence)])
        tokens += plain
        tags += ["O"] * len(plain)
        if mark is not None:
            words = chance.choice(fill[mark[2] or mark[1]]).split()
            tokens += words
            tags += [f"{'I' if i else 'B'}-{mark[1]}" for i in range(len(words))]
            at = mark.end()
    return Example(" ".join(tokens), intent, tuple(tokens), tuple(tags))
