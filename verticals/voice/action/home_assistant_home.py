"""Home Assistant's registries and states in the kit's terms; speaks to nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from verticals.voice.home.model import Area, Entity, Floor, Home, Plain

Rows = Sequence[Mapping[str, Any]]

_BRIGHTNESS = 255
# Home Assistant's name of an attribute → the kit's.
_NAMES = {"current_position": "position", "hs_color": "", "rgb_color": "", "xy_color": ""}
_HIDDEN = frozenset({"entity_picture", "access_token", "icon", "supported_features"})


def translated(state: Mapping[str, Any]) -> dict[str, Any]:
    """A state of Home Assistant in the kit's units: brightness, volume and position in percent."""
    attributes: dict[str, Any] = {}
    for name, value in dict(state.get("attributes") or {}).items():
        own = _NAMES.get(str(name), str(name))
        if name not in _HIDDEN and own:
            attributes[own] = _in_percent(name, value)
    return {"state": str(state.get("state", "unknown")), "attributes": attributes}


def _in_percent(name: str, value: Any) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool):
        if name == "brightness":
            return round(100 * value / _BRIGHTNESS, 1)
        if name == "volume_level":
            return round(100 * value, 1)
    return value


def home_of(registries: Mapping[str, Rows], states: Rows) -> Home:
    """The home that Home Assistant describes.

    Args:
        registries: The lists of `config/floor_registry/list` and so on, under floor, area,
            device and entity.
        states: The list of `get_states`.

    Disabled and hidden entities are left out; an entity without an area has its device's.
    """
    rooms = {str(d.get("id")): d.get("area_id") for d in registries.get("device", ())}
    entries = {str(e.get("entity_id")): e for e in registries.get("entity", ())}
    entities = []
    for state in states:
        entity_id = str(state.get("entity_id", ""))
        entry = entries.get(entity_id, {})
        if entry.get("disabled_by") or entry.get("hidden_by") or not _usable(entity_id):
            continue
        entities.append(_entity(entity_id, entry, state, rooms))
    known = {str(a.get("area_id")) for a in registries.get("area", ())}
    return Home(
        floors=tuple(
            Floor(id=str(f["floor_id"]), name=str(f["name"]), aliases=_aliases(f))
            for f in registries.get("floor", ())
        ),
        areas=tuple(
            Area(id=str(a["area_id"]), name=str(a["name"]), aliases=_aliases(a),
                 floor=a.get("floor_id"))
            for a in registries.get("area", ())
        ),
        entities=tuple(
            e if e.area in known else e.model_copy(update={"area": None}) for e in entities
        ),
    )  # fmt: skip


def _usable(entity_id: str) -> bool:
    domain, dot, name = entity_id.partition(".")
    plain = (domain + name).replace("_", "")
    return bool(dot and domain and name) and plain.isascii() and plain.isalnum()


def _entity(
    entity_id: str, entry: Mapping[str, Any], state: Mapping[str, Any],
    rooms: Mapping[str, Any],
) -> Entity:  # fmt: skip
    told = translated(state)
    attributes = told["attributes"]
    name = entry.get("name") or attributes.pop("friendly_name", None) or entry.get("original_name")
    plain: dict[str, Plain] = {
        k: v for k, v in attributes.items() if isinstance(v, str | int | float | bool)
    }
    features = []
    modes = attributes.get("supported_color_modes") or ()
    if any(mode not in ("onoff", "unknown") for mode in modes):
        features.append("brightness")
    if any(mode in ("hs", "rgb", "rgbw", "rgbww", "xy") for mode in modes):
        features.append("colour")
    if "color_temp" in modes:
        features.append("colour_temperature")
    area = entry.get("area_id") or rooms.get(str(entry.get("device_id")))
    return Entity(
        id=entity_id, name=str(name or entity_id.partition(".")[2].replace("_", " ")),
        area=str(area) if area else None, aliases=_aliases(entry),
        device_class=str(plain.pop("device_class", "") or ""), features=tuple(features),
        state=told["state"], attributes=plain,
    )  # fmt: skip


def _aliases(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(alias) for alias in row.get("aliases") or () if alias)
