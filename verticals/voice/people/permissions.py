"""What a person may have done, as plain settings."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from verticals.voice.command import Command

Role = Literal["resident", "child", "guest", "unknown"]

# They tell something or concern only the one who asks; nothing in the house changes.
HARMLESS = frozenset({
    "HassGetWeather", "HassGetCurrentTime", "HassGetCurrentDate", "HassTimerStatus",
    "HassNevermind", "HassRespond", "TimeConvert", "MediaQuery",
    "HassStartTimer", "HassCancelTimer", "HassPauseTimer", "HassUnpauseTimer",
    "HassIncreaseTimer", "HassDecreaseTimer",
})  # fmt: skip
_LIGHT_INTENTS = frozenset({"HassLightSet", "LightAdjust"})
_OPENING = frozenset({"HassTurnOff", "HassToggle", "AlarmDisarm"})
_GUARDED = frozenset({"lock", "alarm_control_panel"})


class Permissions(BaseModel):
    """What one person may do."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Role = "resident"
    kinds: tuple[str, ...] | None = Field(
        default=None, description="Kinds of devices, such as light and climate; None for all"
    )
    risky: bool = Field(default=True, description="May unlock, open and disarm, after a yes")
    never: tuple[str, ...] = Field(default=(), description="Ids of devices that stay out of reach")

    def allow(self, command: Command) -> bool:
        """Whether a command is among what this person may do."""
        if any(entity in self.never for entity in command.entities):
            return False
        if not self.risky and is_risky(command):
            return False
        if self.kinds is None or command.intent in HARMLESS:
            return True
        kinds = {entity.partition(".")[0] for entity in command.entities}
        if not kinds:
            named = "light" if command.intent in _LIGHT_INTENTS else command.slot("domain")
            kinds = {str(named)}
        return kinds <= set(self.kinds)


ROLES: dict[Role, Permissions] = {
    "resident": Permissions(),
    "child": Permissions(role="child", risky=False),
    "guest": Permissions(role="guest", kinds=("light",), risky=False),
    "unknown": Permissions(role="unknown", risky=False),
}


def is_risky(command: Command) -> bool:
    """Whether a command opens the house: it says so, or unlocks or disarms."""
    if command.risky:
        return True
    kinds = {entity.partition(".")[0] for entity in command.entities}
    return bool(kinds & _GUARDED) and command.intent in _OPENING
