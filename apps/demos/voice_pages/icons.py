"""How devices are drawn: one line icon on a 24 by 24 grid for every kind and state."""

from __future__ import annotations

from typing import Any

from verticals.voice.home.model import Entity

_CLOUD = '<path d="M7 18a4 4 0 0 1 .4-8 5.6 5.6 0 0 1 10.7 1.6A3.3 3.3 0 0 1 17.6 18Z"/>'
_THERMOMETER = '<path d="M10 14.4V5a2 2 0 1 1 4 0v9.4a4 4 0 1 1-4 0ZM12 9v8"/>'
_PLUG = '<path d="M9 3v5M15 3v5M6 8h12v3a6 6 0 0 1-12 0ZM12 17v4"/>'
_DOOR = '<path d="M6 21V3h12v18M3 21h18M14.5 12v1"/>'
_RAIL = '<path d="M3 4h18"/>'
_HOUSE = '<path d="M3 20V9l9-5 9 5v11"/>'
_LOCK = '<rect x="5" y="11" width="14" height="9" rx="2"/>'
_NOTE = (
    '<path d="M9 18V6l10-2v12"/><circle cx="6.5" cy="18" r="2.5"/>'
    '<circle cx="16.5" cy="16" r="2.5"/>'
)

_SHAPES = {
    "light": '<path d="M9 18h6M10 21h4M12 3a6 6 0 0 0-3.6 10.8c.7.6 1.1 1.3 1.1 2.2h5'
    'c0-.9.4-1.6 1.1-2.2A6 6 0 0 0 12 3Z"/>',
    "locked": _LOCK + '<path d="M8 11V8a4 4 0 0 1 8 0v3M12 14.5v2"/>',
    "unlocked": _LOCK + '<path d="M8 11V7a4 4 0 0 1 7.6-1.7M12 14.5v2"/>',
    "curtain open": _RAIL + '<path d="M5 4v16c3-1 4-7 4-16M19 4v16c-3-1-4-7-4-16"/>',
    "curtain closed": _RAIL + '<path d="M5 4v16h14V4M8.5 4v16M12 4v16M15.5 4v16"/>',
    "blind open": _RAIL + '<path d="M5 7.5h14M5 11h14M12 11v4"/>',
    "blind closed": _RAIL + '<path d="M5 7.5h14M5 11h14M5 14.5h14M5 18h14M12 18v3"/>',
    "garage open": _HOUSE + '<path d="M7 20v-8h10v8"/>',
    "garage closed": _HOUSE + '<path d="M7 20v-8h10v8M7 14.7h10M7 17.4h10"/>',
    "climate": _THERMOMETER,
    "fan": '<path d="M12 12C9 9 9 4 12 4s3 5 0 8Zm0 0c3-3 8-3 8 0s-5 3-8 0Zm0 0c3 3 3 8 0 8s-3-5 '
    '0-8Zm0 0c-3 3-8 3-8 0s5-3 8 0Z"/>',
    "switch": _PLUG,
    "vacuum": '<circle cx="12" cy="12" r="9"/><circle cx="12" cy="12" r="2.5"/><path d="M5 8h14"/>',
    "tv": '<rect x="3" y="5" width="18" height="12" rx="2"/><path d="M8 21h8"/>',
    "media_player": '<rect x="6" y="3" width="12" height="18" rx="2"/>'
    '<circle cx="12" cy="14.5" r="3.2"/><path d="M12 7v.2"/>',
    "alarm_control_panel": '<path d="M12 3 5 6v6c0 4.4 3 7.4 7 9 4-1.6 7-4.6 7-9V6Z"/>',
    "temperature": _THERMOMETER,
    "humidity": '<path d="M12 3c4 5 6 7.6 6 11a6 6 0 0 1-12 0c0-3.4 2-6 6-11Z"/>',
    "power": '<path d="M13 2 5 14h6l-1 8 8-12h-6Z"/>',
    "window": '<rect x="4" y="4" width="16" height="16" rx="1"/><path d="M12 4v16M4 12h16"/>',
    "door": _DOOR,
    "motion": '<path d="M4.5 14a7.5 7.5 0 0 1 15 0M8 14a4 4 0 0 1 8 0M12 14v6"/>',
    "sunny": '<circle cx="12" cy="12" r="4"/><path d="M12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6l'
    '1.4 1.4M17 17l1.4 1.4M5.6 18.4 7 17M17 7l1.4-1.4"/>',
    "partlycloudy": '<path d="M9 5.5V4M4.5 7 3.4 6M13.5 7l1-1M5.5 9.5a4 4 0 0 1 6-2.5"/>'
    + _CLOUD,
    "cloudy": _CLOUD,
    "rainy": '<g transform="translate(0 -3)">' + _CLOUD + "</g>"
    '<path d="M8.5 18l-1 3M12.5 18l-1 3M16.5 18l-1 3"/>',
    "snowy": '<g transform="translate(0 -3)">' + _CLOUD + "</g>"
    '<path d="M8 19v.2M12 19v.2M16 19v.2M10 21.5v.2M14 21.5v.2"/>',
    "fog": '<path d="M4 8h16M6 12h12M4 16h16M8 20h8"/>',
    "timer": '<circle cx="12" cy="13.5" r="7.5"/><path d="M12 9.5v4l2.5 1.5M9.5 2.5h5"/>',
    "alarm_clock": '<circle cx="12" cy="13" r="7"/><path d="M12 9v4l2.5 1.5M4.5 6 7 3.5M19.5 6'
    ' 17 3.5"/>',
    "todo": '<path d="M4 6l1.5 1.5L8 5M4 13l1.5 1.5L8 12M11 6.5h9M11 13.5h9M4 20h16"/>',
    "person": '<circle cx="12" cy="8" r="4"/><path d="M4 21a8 8 0 0 1 16 0"/>',
    "scene": '<path d="M12 3l2.2 6.3L21 12l-6.8 2.7L12 21l-2.2-6.3L3 12l6.8-2.7Z"/>',
    "note": _NOTE,
    "sensor": '<circle cx="12" cy="12" r="8"/><path d="M12 12l4-3M12 12v.2"/>',
    "other": '<circle cx="12" cy="12" r="8"/>',
    "microphone": '<rect x="9" y="3" width="6" height="11" rx="3"/>'
    '<path d="M5.5 11a6.5 6.5 0 0 0 13 0M12 17.5V21"/>',
    "yes": '<circle cx="12" cy="12" r="10.5"/><path d="M7 12.5l3.4 3.4L17 9"/>',
    "no": '<circle cx="12" cy="12" r="10.5"/><path d="M8.3 8.3l7.4 7.4M15.7 8.3l-7.4 7.4"/>',
    "ask": '<path d="M12 1.8 22.2 12 12 22.2 1.8 12Z"/><path d="M9.6 9.8a2.5 2.5 0 1 1 '
    '3.3 2.4c-.6.2-.9.6-.9 1.2v.4M12 16.4v.2"/>',
}  # fmt: skip


def shape_of(entity: Entity, state: str) -> str:
    """The name of the icon of a device in a state."""
    kind, domain = entity.device_class, entity.domain
    name = domain
    if domain == "lock":
        name = "locked" if state == "locked" else "unlocked"
    elif domain == "cover":
        made = "garage" if kind in ("garage", "gate", "door") else "blind"
        made = "curtain" if kind == "curtain" else made
        name = f"{made} {'closed' if state == 'closed' else 'open'}"
    elif domain in ("sensor", "binary_sensor"):
        name = kind if kind in _SHAPES else "sensor"
    elif domain == "media_player" and "tv" in entity.id.rpartition(".")[2].split("_"):
        name = "tv"
    elif domain == "weather":
        name = {"pouring": "rainy"}.get(state, state if state in _SHAPES else "cloudy")
    elif domain in ("script", "button"):
        name = "scene"
    return name if name in _SHAPES else "other"


def icon(shape: str, extra: str = "") -> str:
    """An icon as an inline SVG element that takes the colour of the text around it."""
    return (
        f'<svg class="ck-icon {extra}" viewBox="0 0 24 24" aria-hidden="true">{drawn(shape)}</svg>'
    )


def drawn(shape: str) -> str:
    """The inside of an icon, to be placed in a drawing."""
    return _SHAPES.get(shape, _SHAPES["other"])


def active(entity: Entity, state: dict[str, Any]) -> bool:
    """Whether a device does something that one sees from afar."""
    value = str(state["state"])
    if entity.domain == "cover":
        return value != "closed"
    if entity.domain == "lock":
        return value == "unlocked"
    return value in ("on", "playing", "cleaning", "mowing", "heat", "cool", "active", "idle") or (
        value.startswith("armed")
    )
