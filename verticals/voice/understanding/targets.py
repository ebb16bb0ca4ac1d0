"""Which devices a command means: by name, by area, floor and kind."""

from __future__ import annotations

from collections.abc import Mapping

from verticals.voice.home.model import Entity, Home

ACTED_ON = {
    "HassLightSet": ("light",),
    "HassClimateSetTemperature": ("climate",), "HassClimateGetTemperature": ("climate",),
    "ClimateAdjust": ("climate",), "HassClimateSetFanMode": ("climate",),
    "HassFanSetSpeed": ("fan",),
    "HassSetVolume": ("media_player",), "HassSetVolumeRelative": ("media_player",),
    "HassMediaPlayerMute": ("media_player",), "HassMediaPlayerUnmute": ("media_player",),
    "HassMediaPause": ("media_player",), "HassMediaUnpause": ("media_player",),
    "HassMediaNext": ("media_player",), "HassMediaPrevious": ("media_player",),
    "HassMediaSearchAndPlay": ("media_player",), "MediaQuery": ("media_player",),
    "MediaRate": ("media_player",), "MediaMode": ("media_player",),
    "HassVacuumStart": ("vacuum",), "HassVacuumReturnToBase": ("vacuum",),
    "HassVacuumCleanArea": ("vacuum",), "HassGetWeather": ("weather",),
    "HassShoppingListAddItem": ("todo",), "HassShoppingListCompleteItem": ("todo",),
    "HassListAddItem": ("todo",), "HassListCompleteItem": ("todo",),
    "HassListRemoveItem": ("todo",), "ListQuery": ("todo",),
    "HassSetPosition": ("cover", "valve"), "CoverStop": ("cover",),
    "AlarmArm": ("alarm_control_panel",), "AlarmDisarm": ("alarm_control_panel",),
}  # fmt: skip
# Of several, these intents mean one device: the one that is on, or the first.
_ONE = frozenset({
    "HassGetWeather", "HassVacuumStart", "HassVacuumReturnToBase", "HassVacuumCleanArea",
    "HassClimateSetTemperature", "HassClimateGetTemperature", "ClimateAdjust", "HassSetVolume",
    "HassSetVolumeRelative", "HassMediaPlayerMute", "HassMediaPlayerUnmute", "HassMediaPause",
    "HassMediaUnpause", "HassMediaNext", "HassMediaPrevious", "HassMediaSearchAndPlay",
    "MediaQuery", "MediaRate", "MediaMode", "HassListAddItem", "HassListRemoveItem",
    "HassListCompleteItem",
})  # fmt: skip
_SWITCHED = ("light", "switch", "fan", "media_player", "climate")
_EVERYTHING = ("light", "switch", "fan", "media_player")
_BUSY = ("playing", "cleaning", "on", "heat", "cool", "paused", "idle")  # rather than the others


def targets(home: Home, intent: str, slots: Mapping[str, object]) -> tuple[str, ...]:
    """Ids of the devices that a command means; empty if it means none, or none is there.

    Args:
        home: Where to look.
        intent: Home Assistant's name of what to do.
        slots: name, area, floor (as people say them), domain, device_class.
    """
    if "Timer" in intent or intent in ("HassGetCurrentTime", "HassGetCurrentDate"):
        return ()
    if intent.startswith("HassShoppingList"):
        return tuple(e.id for e in home.entities if e.id == "todo.shopping_list")
    name = _text(slots, "name")
    domains = _domains(intent, slots)
    if name and name != "all":
        return _named(home, name, domains, slots)
    if name == "all" and not domains:
        domains = _EVERYTHING
    area, floor = _id(home, "areas", _text(slots, "area")), _id(home, "floors",
                                                                _text(slots, "floor"))  # fmt: skip
    if not (domains or area or floor):
        return ()
    found = [
        e for e in home.within(area=area, floor=floor,
                               device_class=_text(slots, "device_class") or None)
        if e.domain in (domains or _SWITCHED)
    ]  # fmt: skip
    if intent in _ONE and not found and area:  # the kitchen has none: the house's
        found = [e for e in home.entities if e.domain in (domains or ())]
    if intent in _ONE and len(found) > 1:
        return (_main(found).id,)
    return tuple(e.id for e in found)


def _main(found: list[Entity]) -> Entity:
    return min(found, key=lambda e: _BUSY.index(e.state) if e.state in _BUSY else len(_BUSY))


def _named(
    home: Home, name: str, domains: tuple[str, ...], slots: Mapping[str, object]
) -> tuple[str, ...]:
    """Those of that name; with that name, kind and place where several share it."""
    wanted = name.casefold()
    found = [e for e in home.entities if wanted in (n.casefold() for n in e.names)]
    narrower = [e for e in found if not domains or e.domain in domains] or found
    kind = _text(slots, "device_class")
    narrower = [e for e in narrower if e.device_class == kind] or narrower
    area = _id(home, "areas", _text(slots, "area"))
    narrower = [e for e in narrower if area and e.area == area] or narrower
    exact = [e for e in narrower if e.name.casefold() == wanted] or narrower
    return tuple(e.id for e in exact[:1])


def _domains(intent: str, slots: Mapping[str, object]) -> tuple[str, ...]:
    said = slots.get("domain")
    if isinstance(said, str) and said:
        return (said,)
    return ACTED_ON.get(intent, ())


def _text(slots: Mapping[str, object], name: str) -> str:
    value = slots.get(name)
    return value if isinstance(value, str) else ""


def _id(home: Home, part: str, name: str) -> str | None:
    """Id of an area or floor by name or alias; an id that is none matches nothing."""
    if not name:
        return None
    wanted = name.casefold()
    rows = home.areas if part == "areas" else home.floors
    for row in rows:
        if wanted in (row.id, *(n.casefold() for n in (row.name, *row.aliases))):
            return row.id
    return "?"
