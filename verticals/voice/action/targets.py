"""Which devices a command is about: those it names, else those its slots describe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from verticals.voice.action.connector import DeviceError
from verticals.voice.command import Command
from verticals.voice.home.model import Entity, Home
from verticals.voice.understanding.targets import targets as described

States = Mapping[str, Mapping[str, Any]]
"""{"state": …, "attributes": {…}} by entity id."""

_PLAYING = {"playing": 0, "paused": 1, "on": 2, "idle": 3}


def targets(command: Command, home: Home, states: States) -> tuple[Entity, ...]:
    """The entities of a command.

    Args:
        command: What was understood.
        home: Where to look.
        states: Present states, which tell the player that is meant when none is named.

    Raises:
        DeviceError: It names an entity that the home does not have.
    """
    if command.entities:
        unknown = [name for name in command.entities if name not in home.by_id]
        if unknown:
            raise DeviceError("The home has no such device", where=", ".join(unknown))
        return tuple(home.by_id[name] for name in command.entities)
    if command.intent == "HassBroadcast":
        return home.within(domain="notify")
    intent = {"ClimateAdjust": "HassClimateSetTemperature"}.get(command.intent, command.intent)
    slots = {slot.name: slot.value for slot in command.slots}
    if about_media(command.intent) and not {"name", "area", "floor"} & set(slots):
        return _player(home.within(domain="media_player"), states)
    return tuple(home.by_id[name] for name in described(home, intent, slots))


def about_media(intent: str) -> bool:
    """Whether an intent is about a player."""
    return intent.startswith(("HassMedia", "HassSetVolume", "Media"))


def _player(players: tuple[Entity, ...], states: States) -> tuple[Entity, ...]:
    """What plays, else what waits, else the first."""

    def rank(player: Entity) -> int:
        state = states.get(player.id, {}).get("state", player.state)
        return _PLAYING.get(str(state), 4)

    return tuple(sorted(players, key=rank)[:1])
