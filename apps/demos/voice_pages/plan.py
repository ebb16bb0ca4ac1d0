"""The home from above: rooms, lit as their lamps are, and every device in its present state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from apps.demos.voice_pages.icons import active, drawn, shape_of
from apps.demos.voice_pages.placing import Room, Storey, storeys
from apps.demos.voice_pages.states import State, short_text
from apps.demos.voice_pages.strip import strip_html
from apps.demos.voice_pages.view import View
from verticals.voice.home.model import Entity

_NAMED = 4  # changed devices whose names are written on the plan
_WARM = "#ffc84a"
_COLOURS = {
    "red": "#ff5a4f",
    "green": "#4fc96b",
    "blue": "#4c8dff",
    "yellow": "#ffe14a",
    "orange": "#ff9a3d",
    "purple": "#a86bf0",
    "pink": "#ff8fc7",
    "white": "#fff3dc",
    "cyan": "#45d6e0",
    "turquoise": "#40d9c5",
    "teal": "#2fb3a8",
    "magenta": "#f25ad0",
    "violet": "#b57bff",
    "gold": "#ffcf3f",
    "lime": "#a8e04a",
    "brown": "#b98050",
    "lavender": "#cdbcff",
    "coral": "#ff8a70",
    "indigo": "#6a6cf0",
    "beige": "#f1e2c0",
}
_KELVIN = ((3000.0, "#ffb45e"), (4500.0, "#ffdf9e"), (99_999.0, "#cfe4ff"))


@dataclass(frozen=True)
class _Size:
    """How large things are drawn, in units of which `wide` make the widest floor."""

    name: str
    wide: float
    cell: float  # a device with the space around it
    dot: float  # its radius
    text: float
    below: float  # room for a number below it


_SIZES = (_Size("wide", 640, 43, 16, 13, 11), _Size("narrow", 350, 24.5, 10.5, 10.5, 0))


@dataclass(frozen=True)
class _Paper:
    """What a view is drawn on."""

    view: View
    size: _Size
    scale: float  # units a metre


def plan_html(view: View) -> str:
    """The floors, drawn for a laptop and for a phone, and a strip of what is in no room."""
    floors = storeys(view.home)
    widest = max(floor.width for floor in floors) if floors else 1.0
    drawings = "".join(
        f'<div class="ck-floors ck-{size.name}">'
        + "".join(_floor(_Paper(view, size, size.wide / widest), floor) for floor in floors)
        + "</div>"
        for size in _SIZES
    )
    return f'{strip_html(view)}<div data-testid="plan">{drawings}</div>'


def _floor(paper: _Paper, floor: Storey) -> str:
    rooms = "".join(_room(paper, room) for room in floor.rooms)
    name = escape(floor.name)
    heading = f"<figcaption>{name}</figcaption>" if name else ""
    box = f"-2 -2 {paper.size.wide + 4:g} {floor.depth * paper.scale + 4:g}"
    return (
        f'<figure class="ck-floor">{heading}<svg viewBox="{box}" role="group" '
        f'aria-label="{name}">{rooms}</svg></figure>'
    )


def _room(paper: _Paper, room: Room) -> str:
    view, size = paper.view, paper.size
    box = (x, y, w, h) = tuple(
        round(paper.scale * v, 1) for v in (room.left, room.top, room.width, room.depth)
    )
    lit, colour = _light(view, room)
    here = room.id == view.room
    clip = escape(f"ck-{size.name}-{room.id}")
    glows: list[str] = []
    devices: list[str] = []
    for device, at in zip(room.devices, _places(box, len(room.devices), size), strict=True):
        glows.append(_glow(device, view.states[device.id], at, size))
        # Changed ones last and their names by turns above and below, so that they can be read.
        place = len(devices) if device.id in view.changed else 0
        above = sum(d.id in view.changed for d in room.devices[: len(devices)]) % 2 == 1
        devices.insert(place, _device(paper, device, at, above=above))
    rect = f'x="{x:g}" y="{y:g}" width="{w:g}" height="{h:g}"'
    return (
        f'<g role="group" aria-label="{escape(room.name)}" class="ck-room{" ck-here" * here}" '
        f'data-room="{escape(room.id)}" style="--lit:{100 * lit:.0f}%;--glow:{colour}">'
        f'<clipPath id="{clip}"><rect {rect}/></clipPath><rect class="ck-ground" {rect}/>'
        f'<g clip-path="url(#{clip})">{"".join(glows)}</g><rect class="ck-wall" {rect}/>'
        f'<text x="{x + 8:g}" y="{y + size.text + 5:g}" font-size="{size.text:g}">'
        f"{escape(room.name)}</text>"
        f"{_here(x + w, y, size, view.say('home.here')) if here else ''}{''.join(devices)}</g>"
    )


def _places(box: tuple[float, ...], count: int, size: _Size) -> list[tuple[float, float]]:
    """Centres of the devices of a room, in rows below its name."""
    x, y, w, h = box
    head = size.text + 9
    across = max(1, int((w - 6) / size.cell))
    rows = -(-count // across) if count else 1
    across = -(-count // rows) if count else 1  # rows alike
    step = min(size.cell + size.below, (h - head - 2) / rows)
    start = y + head + max(0.0, (h - head - rows * step) / 2) + (step - size.below) / 2
    wide = (w - 6) / across
    return [(x + 3 + wide * (n % across + 0.5), start + step * (n // across)) for n in range(count)]


def _device(paper: _Paper, device: Entity, at: tuple[float, float], *, above: bool) -> str:
    view, size, (x, y) = paper.view, paper.size, at
    state = view.states[device.id]
    on, text = active(device, dict(state)), f"{device.name}: {view.text(device)}"
    changed = device.id in view.changed
    look = " ".join([
        "ck-device", f"ck-is-{device.domain}", *(["ck-on"] if on else []),
        *(["ck-changed"] if changed else []),
    ])  # fmt: skip
    number = short_text(device, state) if size.below else ""
    if changed and size.below and len(view.changed) <= _NAMED:
        number = text  # few changed: say which, and how they stand now
    named = " ck-said-now" if number == text else ""
    half = 3.3 * len(number)  # of the text, about; it stays on the sheet
    at_x = min(max(x, half), size.wide - half)
    at_y = y - size.dot - 8 if named and above else y + size.dot + 13
    below = (
        f'<text class="ck-value{named}" x="{at_x:g}" y="{at_y:g}">{escape(number)}</text>'
        if number else ""
    )  # fmt: skip
    ring = f'<circle class="ck-ring" cx="{x:g}" cy="{y:g}" r="{size.dot + 4:g}"/>'
    side = size.dot * 1.22
    return (
        f'<g class="{look}" role="img" aria-label="{escape(text)}" data-entity="{device.id}" '
        f'data-state="{escape(str(state["state"]))}" style="--lamp:{_colour_of(state)}">'
        f"<title>{escape(text)}</title>{ring if changed else ''}"
        f'<circle class="ck-disc" cx="{x:g}" cy="{y:g}" r="{size.dot:g}"/>'
        f'<svg x="{x - side / 2:g}" y="{y - side / 2:g}" width="{side:g}" height="{side:g}" '
        f'viewBox="0 0 24 24">{drawn(shape_of(device, str(state["state"])))}</svg>{below}</g>'
    )


def _glow(device: Entity, state: State, at: tuple[float, float], size: _Size) -> str:
    """The light that a lamp throws on the floor."""
    strength, (x, y) = _strength(device, state), at
    if not strength:
        return ""
    return (
        f'<circle class="ck-glow" cx="{x:g}" cy="{y:g}" r="{size.cell * (0.9 + strength):g}" '
        f'style="fill:{_colour_of(state)};--strength:{0.25 + 0.6 * strength:.2f}"/>'
    )


def _strength(device: Entity, state: State) -> float:
    """How bright a lamp is, 0 to 1."""
    if device.domain != "light" or state["state"] != "on":
        return 0.0
    brightness = state["attributes"].get("brightness", 100)
    return float(brightness) / 100 if isinstance(brightness, int | float) else 1.0


def _light(view: View, room: Room) -> tuple[float, str]:
    """How light a room is, and in which colour: that of its brightest lamp."""
    lamps = [(_strength(d, view.states[d.id]), d.id) for d in room.devices]
    strongest, name = max(lamps, default=(0.0, ""))
    return (strongest, _colour_of(view.states[name])) if strongest else (0.0, _WARM)


def _colour_of(state: Mapping[str, Any]) -> str:
    """A CSS colour of a lamp; names that CSS does not know are left to be warm."""
    # CSS knows Home Assistant's colour names; what it does not know stays warm, not black.
    colour, kelvin = (state["attributes"].get(name) for name in ("color", "color_temp_kelvin"))
    plain = colour.replace(" ", "").lower() if isinstance(colour, str) else ""
    if plain in _COLOURS:
        return _COLOURS[plain]
    if isinstance(kelvin, int | float):
        return next(css for limit, css in _KELVIN if kelvin <= limit)
    return _WARM


def _here(right: float, top: float, size: _Size, text: str) -> str:
    """A microphone in the corner of the room that it is in."""
    side = size.text + 4
    return (
        f'<g class="ck-mic-here" role="img" aria-label="{escape(text)}">'
        f"<title>{escape(text)}</title>"
        f'<svg x="{right - side - 5:g}" y="{top + 4:g}" width="{side:g}" height="{side:g}" '
        f'viewBox="0 0 24 24">{drawn("microphone")}</svg></g>'
    )
