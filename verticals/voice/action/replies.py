"""What the assistant says once a command is carried out, refused or lost: short sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from verticals.voice.action.connector import ServiceCall
from verticals.voice.home.model import Entity

_IS = {
    "turn_on": "on", "turn_off": "off", "open_cover": "open", "close_cover": "closed",
    "stop_cover": "stopped", "open_valve": "open", "close_valve": "closed", "lock": "locked",
    "unlock": "unlocked", "open": "open", "alarm_arm_away": "armed", "alarm_arm_home": "armed",
    "alarm_disarm": "disarmed", "start": "cleaning", "clean_area": "cleaning",
    "return_to_base": "on the way back", "start_mowing": "mowing", "dock": "on the way back",
    "pause": "paused", "stop": "stopped", "media_pause": "paused", "media_play": "playing",
    "media_stop": "stopped",
}  # fmt: skip
_OUGHT = {
    "turn_on": "turn on", "turn_off": "turn off", "open_cover": "open", "close_cover": "close",
    "open_valve": "open", "close_valve": "close", "set_cover_position": "move",
    "lock": "lock", "unlock": "unlock", "open": "open", "alarm_disarm": "disarm",
    "alarm_arm_away": "arm", "alarm_arm_home": "arm",
}  # fmt: skip
_SAID = {
    "play_media": "playing {media_content_id} on {who}",
    "media_next_track": "next track on {who}", "media_previous_track": "previous track on {who}",
    "add_item": "added {item} to {who}", "remove_item": "removed {item} from {who}",
    "complete_item": "ticked {item} off {who}", "shuffle_set": "shuffle is on",
    "repeat_set": "repeat is on", "send_message": "done", "press": "done",
}  # fmt: skip
_LEVELS = {
    "color_name": "{}", "color_temp_kelvin": "at {} kelvin", "brightness_pct": "at {} percent",
    "percentage": "at {} percent", "position": "at {} percent", "temperature": "set to {} degrees",
    "hvac_mode": "set to {}", "fan_mode": "set to {}",
}  # fmt: skip
_PROPER = frozenset({"person", "scene", "script", "vacuum", "lawn_mower"})


def spoken(entity: Entity) -> str:
    """A device as it is named within a sentence: "the kitchen light", "Robby"."""
    if entity.domain in _PROPER:
        return entity.name
    words = entity.name.split()
    titled = all(word[:1].isupper() for word in words)  # as Home Assistant writes names
    plain = [w if w.isupper() else w.lower() for w in (words if titled else words[:1])]
    return " ".join(["the", *plain, *words[len(plain) :]])


def is_or_are(entity: Entity) -> str:
    """The verb that a device's name takes: "the curtains are", "the light is"."""
    last = entity.name.lower().rpartition(" ")[2]
    plural = last.endswith("s") and not last.endswith(("ss", "us", "is", "as"))
    return "are" if plural and entity.domain not in _PROPER else "is"


def listed(parts: Sequence[str]) -> str:
    """Parts as a person lists them: "a, b and c"."""
    *most, last = parts
    return f"{', '.join(most)} and {last}" if most else last


def sentence(text: str) -> str:
    """With a capital at the start and a full stop at the end."""
    text = text.strip()
    ended = text.endswith((".", "?", "!"))
    return (text[:1].upper() + text[1:] + ("" if ended else ".")) if text else ""


def done(calls: Sequence[ServiceCall], entities: Sequence[Entity], *, already: bool = False) -> str:
    """What is so now.

    Args:
        calls: What was done, one kind of service, a device each.
        entities: The devices, in the same order; empty for timers.
        already: It was so before.
    """
    call = calls[0]
    if not entities:
        return sentence(_timer(call))
    if len(entities) > 4:
        who = f"{len(entities)} {_kind(entities)}"
    else:
        who = listed(list(dict.fromkeys(spoken(entity) for entity in entities)))
    verb = "are" if len(entities) > 1 else is_or_are(entities[0])
    return sentence(_told(call, who, f"{verb} already" if already else verb))


def must_confirm(calls: Sequence[ServiceCall], entities: Sequence[Entity]) -> str:
    """The question before something risky."""
    who = listed(list(dict.fromkeys(spoken(entity) for entity in entities))) or "that"
    return f"Do you really want to {_OUGHT.get(calls[0].service, 'change')} {who}?"


def lost(entities: Sequence[Entity]) -> str:
    """Nothing answered in time."""
    who = listed([spoken(entity) for entity in entities]) if entities else "your home"
    return sentence(f"Sorry, {who} did not answer")


def length(seconds: float) -> str:
    """A duration in words: "1 hour and 5 minutes"."""
    left = round(seconds)
    parts = []
    for size, name in ((3600, "hour"), (60, "minute"), (1, "second")):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {name}{'s' if count > 1 else ''}")
    return listed(parts) if parts else "0 seconds"


def _kind(entities: Sequence[Entity]) -> str:
    domains = {entity.domain for entity in entities}
    plain = {"light": "lights", "cover": "covers", "switch": "switches", "lock": "locks",
             "fan": "fans", "media_player": "players", "climate": "thermostats"}  # fmt: skip
    return plain.get(domains.pop(), "devices") if len(domains) == 1 else "devices"


def _told(call: ServiceCall, who: str, verb: str) -> str:
    data, service = call.data, call.service
    if service in _SAID:
        return _SAID[service].format(who=who, **data)
    if service == "volume_set":
        return f"the volume of {who} is at {100 * data['volume_level']:g} percent"
    if service == "volume_mute":
        return f"{who} {verb} {'muted' if data['is_volume_muted'] else 'no longer muted'}"
    return f"{who} {verb} {_so(service, data)}"


def _so(service: str, data: Mapping[str, Any]) -> str:
    """What comes after "is"."""
    for name, form in _LEVELS.items():
        if name in data:
            value = data[name]
            return form.format(value if isinstance(value, str) else f"{value:g}")
    return _IS.get(service, "set")


def _timer(call: ServiceCall) -> str:
    name = str(call.data.get("name") or "")
    timer = f"the {name} timer" if name else "the timer"
    if call.domain == "alarm_clock":
        time = call.data.get("time")
        on = f"the alarm is set for {time}" if time else "the alarm is set"
        return on if call.service == "set" else "the alarm is off"
    if call.service in ("start", "increase", "decrease"):
        span = length(float(call.data["seconds"]))
        return {
            "start": f"{timer} for {span} has started",
            "increase": f"added {span} to {timer}",
            "decrease": f"took {span} off {timer}",
        }[call.service]
    return {
        "cancel": f"{timer} is cancelled",
        "cancel_all": "all timers are cancelled",
        "pause": f"{timer} is paused",
        "unpause": f"{timer} goes on",
    }.get(call.service, "done")
