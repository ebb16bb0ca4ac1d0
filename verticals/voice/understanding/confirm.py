"""Asks before risky actions, says back what was understood, and reads yes and no."""

from __future__ import annotations

import re
from collections.abc import Sequence

from verticals.voice.command import Command
from verticals.voice.home.model import Home

_YES = re.compile(
    r"(yes|yeah|yep|yup|sure|ok|okay|correct|right|exactly|affirmative|absolutely|definitely|"
    r"of course|certainly|do it|do that|go ahead|please do|confirm|confirmed|that s right|"
    r"that is right|i am sure|i m sure|sounds good)( (please|do it|do that|go ahead|i am sure|"
    r"i m sure|that s right|that is right|thanks|thank you))*"
)
_NO = re.compile(
    r"(no|nope|nah|negative|cancel|stop|don t|do not|wrong|never mind|nevermind|forget it|"
    r"leave it|not now|wait)( (thanks|thank you|please|don t|do not|cancel|stop|do it|do that|"
    r"that|it|never mind|nevermind))*"
)
_ACTIONS = {
    "HassTurnOn": "turn on", "HassTurnOff": "turn off", "HassLightSet": "set",
    "LightAdjust": "change", "ClimateAdjust": "change", "HassSetPosition": "move",
    "HassClimateSetTemperature": "set", "HassVacuumStart": "start", "AlarmArm": "arm",
    "AlarmDisarm": "disarm", "HassGetState": "check", "HassMediaPause": "pause",
    "HassMediaUnpause": "resume", "HassSetVolume": "set the volume of",
    "HassSetVolumeRelative": "change the volume of", "HassMediaPlayerMute": "mute",
    "HassMediaPlayerUnmute": "unmute", "HassVacuumReturnToBase": "send home",
    "HassFanSetSpeed": "set",
}  # fmt: skip
_WHOLE = {
    "HassMediaSearchAndPlay": "play something", "HassMediaNext": "play the next one",
    "HassMediaPrevious": "play the one before", "HassGetWeather": "tell the weather",
    "HassGetCurrentTime": "tell the time", "HassGetCurrentDate": "tell the date",
    "HassStartTimer": "start a timer", "HassCancelTimer": "cancel the timer",
    "HassTimerStatus": "tell how long is left", "HassShoppingListAddItem":
    "add it to the shopping list", "HassListAddItem": "add it to the list",
    "HassListRemoveItem": "take it off the list", "ListQuery": "read the list",
    "ListCreate": "make a list", "ListRemove": "delete the list", "AlarmSet": "set an alarm",
    "AlarmQuery": "tell your alarms", "AlarmCancel": "cancel the alarm",
    "MediaQuery": "tell what is playing", "MediaRate": "remember that you like it",
    "MediaMode": "change how it plays", "TimeConvert": "tell the time elsewhere",
}  # fmt: skip
_UNITS = {
    "brightness": " percent", "temperature": " degrees", "position": " percent",
    "volume_level": " percent", "color": "",
}  # fmt: skip
_CHANGES = ("HassTurnOn", "HassTurnOff", "HassToggle", "HassSetPosition", "AlarmDisarm")


def asks(command: Command, home: Home) -> bool:
    """Whether a command needs a yes: it opens or unlocks the house, or its owner wants to be asked.

    Locking and closing leave the house safer and are done at once.
    """
    if command.intent not in (*_CHANGES, "AlarmArm") and command.intent.startswith("HassGet"):
        return False
    return any(_opens(command, home, name) for name in command.entities)


def _opens(command: Command, home: Home, name: str) -> bool:
    entity = home.by_id.get(name)
    if entity is None or not entity.risky:
        return False
    if entity.ask_first:
        return True
    if entity.domain == "lock":  # Home Assistant turns a lock on to lock it
        return command.intent == "HassTurnOff"
    if entity.domain == "alarm_control_panel":
        return command.intent in ("AlarmDisarm", "HassTurnOff")
    return command.intent in ("HassTurnOn", "HassToggle") or (
        command.intent == "HassSetPosition" and command.slot("position") != 0
    )


def answer(text: str) -> bool | None:
    """True for a yes, False for a no, None for anything else."""
    plain = " ".join(re.findall(r"[a-z]+", text.lower()))
    if _NO.fullmatch(plain):
        return False
    return True if _YES.fullmatch(plain) else None


def question(commands: Sequence[Command], home: Home) -> str:
    """What to ask before risky commands."""
    return f"Shall I {_series([described(c, home) for c in commands])}?"


def described(command: Command, home: Home) -> str:
    """A command in words, such as "unlock the front door"."""
    if command.intent in _WHOLE:
        return _WHOLE[command.intent]
    names = [home.by_id[e].name for e in command.entities if e in home.by_id]
    place = command.slot("area") or command.slot("floor")
    kind = command.slot("domain")
    if len(names) > 2 and isinstance(kind, str):
        what = f"all {kind.replace('_', ' ')}s" + (f" in the {place}" if place else "")
    elif names:
        what = "the " + _series([n if n.isupper() else n[0].lower() + n[1:] for n in names])
    else:
        what = str(command.slot("name") or command.text or "it")
    return f"{_verb(command, home)} {what}{_how(command)}"


def _verb(command: Command, home: Home) -> str:
    on = command.intent == "HassTurnOn"
    domains = {home.by_id[e].domain for e in command.entities if e in home.by_id}
    if command.intent in ("HassTurnOn", "HassTurnOff"):
        if domains == {"lock"}:
            return "lock" if on else "unlock"
        if domains == {"cover"}:
            return "open" if on else "close"
        if domains == {"scene"}:
            return "start"
    return _ACTIONS.get(command.intent, "act on")


def _how(command: Command) -> str:
    for name, unit in _UNITS.items():
        value = command.slot(name)
        if value is not None:
            return f" to {value:g}{unit}" if isinstance(value, float) else f" to {value}{unit}"
    return ""


def _series(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]
