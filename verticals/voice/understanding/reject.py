"""Decides whether a reading is sure enough: act, ask "did you mean …?", or turn it down."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from verticals.voice.command import Command, Understood
from verticals.voice.home.model import Home
from verticals.voice.understanding.confirm import answer, asks, described
from verticals.voice.understanding.linking import Link, Linker, plain
from verticals.voice.understanding.targets import ACTED_ON

_FIRST = re.compile(r"\b(first|former|one|1)\b")
_SECOND = re.compile(r"\b(second|latter|last|other|two|2)\b")
_CLOSE = 0.02  # two names whose scores lie nearer than this cannot be told apart
_PLACED = ("HassTurnOn", "HassTurnOff", "LightAdjust", "HassLightSet", "HassGetState")


@dataclass(frozen=True)
class Limits:
    """From which confidence on a reading of the learned model counts.

    Defaults, not tuned: the shipped model has seen the rows on which `bench.voice.language --tune`
    would choose.
    """

    act: float = 0.5
    """Do it."""
    ask: float = 0.25
    """Ask whether it was meant; below, turn it down."""


def judged(
    commands: Sequence[Command], alternatives: Sequence[Command], home: Home, linker: Linker,
    limits: Limits,
) -> Understood:  # fmt: skip
    """What becomes of readings: understood, a question back, or turned down.

    Args:
        commands: The best reading of every part of the sentence.
        alternatives: Other readings of a sentence of one command, best first.
        home: Whose devices are meant.
        linker: Of the same home.
        limits: Confidences.
    """
    if not commands:
        return rejected()
    weakest = min(c.confidence for c in commands)
    if weakest < limits.ask:
        return rejected()
    lost = next((c for c in commands if missing(c)), None)
    if lost is not None:
        return _unknown(lost, home, linker)
    near = _twins(commands, home, linker)
    if near:
        return _which(near, home)
    if weakest < limits.act:
        return _which(_different([*commands, *alternatives])[:3], home)
    return Understood(status="understood", commands=tuple(commands))


def rejected() -> Understood:
    """Turned down: not a request that a home can fulfil."""
    return Understood(status="rejected", question="Sorry, I cannot help with that.")


def missing(command: Command) -> bool:
    """Whether a command needs a device that the home does not have."""
    if command.entities:
        return False
    return command.intent in ACTED_ON or command.intent in _PLACED


def chosen(text: str, choices: Sequence[Command]) -> Command | None:
    """Which of the choices an answer means: yes, the first, the second, or its words.

    Args:
        text: The answer.
        choices: What was offered.
    """
    if not choices:
        return None
    low = text.lower()
    said = answer(text)
    if said is True:
        return choices[0]
    if said is False:
        return None
    words = set(plain(low).split())
    named = [c for c in choices if words and words <= set(plain(_words(c)).split())]
    if len(named) == 1:
        return named[0]
    if len(low.split()) <= 4 and _SECOND.search(low) and len(choices) > 1:
        return choices[1]
    return choices[0] if len(low.split()) <= 4 and _FIRST.search(low) else None


def _words(command: Command) -> str:
    parts = [str(s.value) for s in command.slots]
    return " ".join([*parts, *(e.replace(".", " ").replace("_", " ") for e in command.entities)])


def _unknown(command: Command, home: Home, linker: Linker) -> Understood:
    """There is no such device: say so, and what comes near."""
    words = str(command.slot("name") or command.slot("area") or "")
    options: list[Command] = []
    for link in linker.nearest(words, "name") if words else ():
        entity = next(e for e in home.entities if e.name == link.name)
        domains = ACTED_ON.get(command.intent, (entity.domain,))
        if entity.domain in domains:
            options.append(_aimed(command, link))
            options[-1] = options[-1].model_copy(update={"entities": (entity.id,)})
    sorry = f"I find no {words} here." if words else "I find no such device here."
    if not options:
        return Understood(status="unsure", question=sorry)
    asked = _which(options[:2], home)
    return asked.model_copy(update={"question": f"{sorry} {asked.question}"})


def _twins(commands: Sequence[Command], home: Home, linker: Linker) -> list[Command]:
    """The same command for two names that the words resemble alike."""
    if len(commands) != 1 or commands[0].source == "context":
        return []
    command = commands[0]
    slot = next((s for s in command.slots if s.name == "name" and s.start >= 0), None)
    if slot is None or not command.entities:
        return []
    said = command.text[slot.start : slot.end]
    near = linker.candidates(said, "name", domain=home.by_id[command.entities[0]].domain)
    if len(near) < 2 or near[0].score == 1 or near[0].score - near[1].score > _CLOSE:
        return []
    found = []
    for link in near[:2]:
        entity = next(e for e in home.entities if e.name == link.name)
        found.append(_aimed(command, link).model_copy(update={"entities": (entity.id,)}))
    return found


def _aimed(command: Command, link: Link) -> Command:
    from verticals.voice.command import Slot

    slots = [s for s in command.slots if s.name not in ("name", "area")]
    return command.model_copy(update={"slots": (*slots, Slot(name="name", value=link.name))})


def _which(commands: Sequence[Command], home: Home) -> Understood:
    """Did you mean this, or that? What opens the house is offered only where nothing else is."""
    commands = [c for c in commands if not asks(c, home)] or commands
    offered = [described(c, home) for c in commands]
    if not offered:
        return rejected()
    options = offered[0] if len(offered) == 1 else f"{', '.join(offered[:-1])} or {offered[-1]}"
    return Understood(
        status="unsure", question=f"Did you mean: {options}?", alternatives=tuple(commands)
    )


def _different(commands: Sequence[Command]) -> list[Command]:
    found: dict[tuple[str, tuple[str, ...]], Command] = {}
    for command in commands:
        if not missing(command):
            found.setdefault((command.intent, command.entities), command)
    return list(found.values())
