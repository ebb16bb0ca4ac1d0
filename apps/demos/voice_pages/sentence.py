"""A sentence with what was hard to hear underlined, or with its slots marked."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apps.demos.words import Words
    from verticals.voice.command import Command, Slot, Transcript

_CLEAR, _HARD = 0.75, 0.45  # probabilities from which a word counts as heard
_SHADES = {
    "name": 1, "area": 2, "floor": 2, "brightness": 3, "temperature": 3, "position": 3,
    "percentage": 3, "volume_level": 3, "volume_step": 3, "color": 4, "hours": 3, "minutes": 3,
    "seconds": 3, "date": 5, "time": 5, "item": 4, "search_query": 4, "message": 4,
}  # fmt: skip


def percent(probability: float) -> str:
    """A probability in whole percent; never 0% or 100%, which nobody knows."""
    if probability < 0.01:
        return "< 1%"
    return "> 99%" if probability > 0.99 else f"{100 * probability:.0f}%"


def heard_html(transcript: Transcript) -> str:
    """What was heard, every word shaded by how sure the recogniser is."""
    if not transcript.words:
        return f"<q>{escape(transcript.text)}</q>"
    parts = []
    for word in transcript.words:
        sure = word.probability
        look = "" if sure >= _CLEAR else "ck-soft-word" if sure >= _HARD else "ck-hard-word"
        parts.append(f'<span class="{look}" title="{percent(sure)}">{escape(word.text)}</span>')
    return f"<q>{' '.join(parts)}</q>"


def hard_to_hear(transcript: Transcript) -> bool:
    """Whether any word was."""
    return any(word.probability < _CLEAR for word in transcript.words)


def slots_html(command: Command, words: Words, language: str) -> str:
    """A command's part of the sentence with its slots marked and named."""
    text, at, parts = command.text, 0, []
    for slot in _placed(command.slots, len(text)):
        name = slot_name(slot.name, words, language)
        meaning = _meaning(slot, text[slot.start : slot.end])
        parts.append(escape(text[at : slot.start]))
        parts.append(
            f'<mark class="ck-slot ck-shade-{_SHADES.get(slot.name, 5)}">'
            f"{escape(text[slot.start : slot.end])}<small>{escape(name + meaning)}</small></mark>"
        )
        at = slot.end
    return f'<p class="ck-slots">{"".join(parts)}{escape(text[at:])}</p>'


def unsaid_html(command: Command, words: Words, language: str) -> str:
    """Slots that no word of the sentence says: inferred from the device, the room or before."""
    placed = _placed(command.slots, len(command.text))
    items = "".join(
        f"<li>{escape(slot_name(s.name, words, language))}: <b>{escape(_plain(s.value))}</b></li>"
        for s in command.slots
        if s not in placed
    )
    return f'<ul class="ck-chips ck-unsaid">{items}</ul>' if items else ""


def slot_name(name: str, words: Words, language: str) -> str:
    """What a slot is called."""
    key = f"slots.{name}"
    return words(key, language) if words.has(key) else name.replace("_", " ")


def intent_name(command: Command, words: Words, language: str) -> str:
    """What an intent is called; turning on a lock is locking it."""
    domains = {entity.partition(".")[0] for entity in command.entities}
    special = f"intents.{command.intent}_{'_'.join(domains)}"
    key = special if words.has(special) else f"intents.{command.intent}"
    return words(key, language) if words.has(key) else command.intent


def _placed(slots: Sequence[Slot], length: int) -> list[Slot]:
    """The slots that stand in the sentence, in order, none inside another."""
    found: list[Slot] = []
    for slot in sorted(slots, key=lambda s: (s.start, -s.end)):
        inside = 0 <= slot.start < slot.end <= length
        if inside and (not found or slot.start >= found[-1].end):
            found.append(slot)
    return found


def _meaning(slot: Slot, said: str) -> str:
    """What a slot means, where that is not what was said."""
    value = _plain(slot.value)
    return "" if value.casefold() == said.strip().casefold() else f" = {value}"


def _plain(value: str | float) -> str:
    return f"{value:g}" if isinstance(value, int | float) else value
