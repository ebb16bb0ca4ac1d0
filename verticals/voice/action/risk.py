"""Which calls need a yes first: what opens the home, whoever understood the sentence."""

from __future__ import annotations

from collections.abc import Sequence

from verticals.voice.action.connector import ServiceCall
from verticals.voice.command import Command
from verticals.voice.home.model import Home

_SAFE = frozenset({"lock", "close_cover", "stop_cover", "alarm_arm_away", "alarm_arm_home"})
_OPENED = frozenset({"unlocked", "open", "disarmed"})


def needs_yes(command: Command, calls: Sequence[ServiceCall], home: Home) -> bool:
    """Whether to ask first: the command says so, or it opens, unlocks or disarms.

    A scene counts as what it sets. Devices marked `ask_first` always ask.
    """
    if command.risky:
        return True
    return any(_risky(call, home) for call in calls)


def _risky(call: ServiceCall, home: Home) -> bool:
    entity = home.by_id.get(call.entity_id)
    if entity is None:
        return False
    if entity.domain in {"scene", "script"}:
        sets = next((s.sets for s in home.scenes if s.id == entity.id), {})
        return entity.risky or any(
            name in home.by_id and home.by_id[name].risky and after.get("state") in _OPENED
            for name, after in sets.items()
        )
    closes = call.service in _SAFE or call.data.get("position") == 0
    return entity.risky and (entity.ask_first is True or not closes)
