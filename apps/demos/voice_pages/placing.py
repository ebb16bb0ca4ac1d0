"""Where rooms and devices lie on the plan: metres as the home's file gives them, else a grid."""

from __future__ import annotations

import math
from dataclasses import dataclass

from verticals.voice.home.model import Area, Entity, Home

_ROOM = (5.0, 4.0)  # metres, of rooms that the file gives no place
_NOT_ROOMS = ("weather", "todo", "person", "scene", "script", "button", "input_button")


@dataclass(frozen=True)
class Room:
    """A room with its place in metres and the devices in it."""

    id: str
    name: str
    left: float
    top: float
    width: float
    depth: float
    devices: tuple[Entity, ...]


@dataclass(frozen=True)
class Storey:
    """A floor: its rooms, and how far they reach."""

    id: str
    name: str
    width: float
    depth: float
    rooms: tuple[Room, ...]


def storeys(home: Home) -> tuple[Storey, ...]:
    """The floors of a home from the ground up; one without a name where it names none."""
    named = {floor.id: floor.name for floor in home.floors}
    by_floor: dict[str, list[Area]] = {floor: [] for floor in named}
    for area in home.areas:
        by_floor.setdefault(area.floor or "", []).append(area)
    return tuple(
        _storey(home, floor, named.get(floor, ""), areas)
        for floor, areas in by_floor.items()
        if areas
    )


def elsewhere(home: Home) -> tuple[Entity, ...]:
    """What stands in no room: weather, lists, people, scenes."""
    rooms = home.area_by_id
    return tuple(e for e in home.entities if e.area not in rooms)


def _storey(home: Home, floor: str, name: str, areas: list[Area]) -> Storey:
    placed = [a.plan for a in areas]
    if any(plan is None for plan in placed):
        placed = [_cell(number, len(areas)) for number in range(len(areas))]
    boxes = [plan for plan in placed if plan is not None]
    left, top = min(b[0] for b in boxes), min(b[1] for b in boxes)
    rooms = tuple(
        Room(
            area.id, area.name, box[0] - left, box[1] - top, box[2], box[3],
            tuple(e for e in home.within(area=area.id) if e.domain not in _NOT_ROOMS),
        )
        for area, box in zip(areas, boxes, strict=True)
    )  # fmt: skip
    width, depth = (max(r.left + r.width for r in rooms), max(r.top + r.depth for r in rooms))
    return Storey(floor, name, width, depth, rooms)


def _cell(number: int, rooms: int) -> tuple[float, float, float, float]:
    """A place in a grid about as wide as two rooms are deep."""
    across = max(1, min(4, math.ceil(math.sqrt(rooms))))
    width, depth = _ROOM
    return (number % across * width, number // across * depth, width, depth)
