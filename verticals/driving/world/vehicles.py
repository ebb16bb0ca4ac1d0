"""Bodies of cars, vans, trucks and buses: stations along the vehicle, joined by faces.

A body is a list of stations from front to back. Each says how far back it is, how high its
bonnet line ("belt") and its roof are, and how wide it is below and at the roof. Where the roof is
higher than the belt there are windows. Vehicles stand at the origin and look along x.
"""

# ruff: noqa: PLR0917 - drawing takes coordinates by position

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from verticals.driving.frame import SURFACES
from verticals.driving.world.faces import CUTOUT, FLAT, Faces, Floats, box, faces, join
from verticals.driving.world.scene import SIZES

_CAR = SURFACES.index("car")
_ROAD = SURFACES.index("road")
_GLASS = (0.07, 0.085, 0.09)
_TYRE = (0.09, 0.09, 0.09)
_PAINT = "paintwork"  # whatever has this texture gets the vehicle's colour when it is placed
_PAINTS = np.array(
    [
        (0.85, 0.85, 0.84), (0.62, 0.64, 0.66), (0.42, 0.44, 0.46), (0.12, 0.12, 0.13),
        (0.16, 0.19, 0.28), (0.20, 0.30, 0.55), (0.60, 0.10, 0.12), (0.42, 0.08, 0.10),
        (0.12, 0.28, 0.20), (0.75, 0.66, 0.48), (0.55, 0.68, 0.75), (0.78, 0.45, 0.12),
        (0.90, 0.78, 0.15), (0.30, 0.24, 0.20),
    ]
)  # fmt: skip
_PAINT_ODDS = np.array([14, 18, 12, 14, 10, 9, 8, 4, 3, 3, 3, 2, 1, 2.0])

# Stations: share of the length from the front, belt and roof as shares of the height, and
# half-widths below and at the roof as shares of the half width.
_BODIES = {
    "saloon": (
        (0.00, 0.40, 0.40, 0.80, 0.8), (0.05, 0.50, 0.50, 0.97, 0.9), (0.27, 0.62, 0.62, 1.0, 0.9),
        (0.43, 0.66, 0.97, 1.0, 0.72), (0.60, 0.67, 1.00, 1.0, 0.72), (0.69, 0.68, 0.96, 1.0, 0.7),
        (0.84, 0.69, 0.69, 1.0, 0.85), (0.97, 0.65, 0.65, 0.95, 0.85), (1.0, 0.5, 0.5, 0.86, 0.8),
    ),
    "hatch": (
        (0.00, 0.40, 0.40, 0.82, 0.8), (0.05, 0.50, 0.50, 0.97, 0.9), (0.23, 0.61, 0.61, 1.0, 0.9),
        (0.40, 0.65, 0.97, 1.0, 0.73), (0.62, 0.66, 1.00, 1.0, 0.73), (0.86, 0.67, 0.94, 1.0, 0.7),
        (0.97, 0.63, 0.63, 0.97, 0.85), (1.0, 0.45, 0.45, 0.9, 0.85),
    ),
    "estate": (
        (0.00, 0.42, 0.42, 0.82, 0.8), (0.05, 0.52, 0.52, 0.97, 0.9), (0.25, 0.63, 0.63, 1.0, 0.9),
        (0.40, 0.66, 0.97, 1.0, 0.76), (0.60, 0.67, 1.00, 1.0, 0.76), (0.93, 0.67, 0.97, 1.0, 0.74),
        (0.985, 0.62, 0.62, 0.97, 0.9), (1.0, 0.45, 0.45, 0.92, 0.9),
    ),
    "off_road": (
        (0.00, 0.45, 0.45, 0.92, 0.9), (0.03, 0.58, 0.58, 1.0, 0.94), (0.25, 0.64, 0.64, 1.0, 0.94),
        (0.36, 0.66, 0.97, 1.0, 0.86), (0.60, 0.66, 1.00, 1.0, 0.86), (0.96, 0.66, 0.98, 1.0, 0.84),
        (0.99, 0.62, 0.62, 1.0, 0.94), (1.0, 0.4, 0.4, 0.96, 0.94),
    ),
    "mini": (
        (0.00, 0.42, 0.42, 0.82, 0.8), (0.06, 0.52, 0.52, 0.97, 0.9), (0.20, 0.60, 0.60, 1.0, 0.9),
        (0.36, 0.63, 0.97, 1.0, 0.78), (0.66, 0.64, 1.00, 1.0, 0.78), (0.93, 0.64, 0.92, 1.0, 0.74),
        (0.98, 0.58, 0.58, 0.97, 0.85), (1.0, 0.42, 0.42, 0.9, 0.85),
    ),
    "van": (
        (0.00, 0.34, 0.34, 0.88, 0.8), (0.04, 0.44, 0.44, 0.98, 0.9), (0.14, 0.50, 0.50, 1.0, 0.92),
        (0.28, 0.52, 0.95, 1.0, 0.88), (0.42, 0.52, 1.00, 1.0, 0.90), (0.425, 0.99, 1.0, 1.0, 0.9),
        (0.99, 0.99, 1.00, 1.0, 0.90), (1.0, 0.99, 0.99, 0.98, 0.9),
    ),
    "bus": (
        (0.00, 0.36, 0.92, 0.96, 0.93), (0.015, 0.36, 1.00, 1.0, 0.97), (0.5, 0.4, 1.00, 1.0, 0.97),
        (0.98, 0.40, 1.00, 1.0, 0.97), (1.0, 0.44, 0.95, 0.98, 0.95),
    ),
    "cab": (
        (0.00, 0.42, 0.62, 0.95, 0.93), (0.02, 0.42, 0.72, 1.0, 0.95), (0.2, 0.44, 0.78, 1.0, 0.95),
        (0.24, 0.77, 0.78, 1.0, 0.95), (0.25, 0.74, 0.74, 0.98, 0.95),
    ),
}  # fmt: skip
_CAR_BODIES = ("saloon", "hatch", "estate", "off_road", "mini")


@dataclass(frozen=True)
class _Style:
    """How one vehicle looks."""

    body: str
    trimmed: bool  # its bumpers are painted
    rear_plate: str


def _style(kind: str, look: int) -> _Style:
    rng = np.random.default_rng([7, look])
    body = str(rng.choice(_CAR_BODIES)) if kind == "car" else {"truck": "cab"}.get(kind, kind)
    plate = "plate_yellow" if rng.random() < 0.6 else "plate_white"
    return _Style(body, bool(rng.random() < 0.6), plate)


@lru_cache(maxsize=4096)
def paint(kind: str, look: int) -> tuple[float, float, float]:
    """The colour of one vehicle."""
    rng = np.random.default_rng([10, look])
    tone = _PAINTS[rng.choice(len(_PAINTS), p=_PAINT_ODDS / _PAINT_ODDS.sum())]
    if kind in ("van", "truck") and rng.random() < 0.6:
        tone = _PAINTS[0]
    if kind == "bus":
        tone = rng.uniform(0.15, 0.9, 3)
    red, green, blue = np.clip(tone * rng.uniform(0.75, 1.1) + rng.normal(0, 0.03, 3), 0.03, 0.95)
    return float(red), float(green), float(blue)


@lru_cache(maxsize=2048)
def vehicle(kind: str, look: int, *, braking: bool, lights: bool, turning: int) -> Faces:
    """A vehicle of the usual size at the origin, still white; see `paint`.

    Args:
        kind: "car", "van", "truck" or "bus".
        look: Seed of its style.
        braking: Brake lights on.
        lights: Head and tail lights on.
        turning: 1 when the left indicator is bright, -1 for the right, 0 for neither.
    """
    style = _style(kind, look)
    length, width, height = SIZES[kind]
    sill = 0.18 if kind in ("car", "van") else 0.35
    stations = np.array(_BODIES[style.body])
    stations = stations * [-length, height, height, width / 2, width / 2] + [length / 2, 0, 0, 0, 0]
    parts = [_shell(stations, sill, style)]
    if kind == "truck":
        parts.append(_load(length, width, height, look))
    parts += [_wheels(length, width, kind), _shade(length, width)]
    parts += [_lights(stations, sill, kind, braking=braking, lights=lights, turning=turning)]
    parts += [_details(stations, sill, style, kind, look)]
    return join(parts)


def _shell(stations: Floats, sill: float, style: _Style) -> Faces:
    """Sides, windows, bonnet, roof, front and back."""
    x, belt, roof, wide, narrow = stations.T
    k = len(x)
    corner = np.empty((k, 6, 3))  # right: sill, belt, roof; left: roof, belt, sill
    corner[..., 0] = x[:, None]
    shoulder = wide * 0.98
    corner[..., 1] = np.stack([-wide * 0.95, -shoulder, -narrow, narrow, shoulder, wide * 0.95], 1)
    corner[..., 2] = np.stack([np.full(k, sill), belt, roof, roof, belt, np.full(k, sill)], 1)
    flat = roof - belt < 1e-6  # no windows here: the roof edge meets the shoulder
    corner[flat, 2] = corner[flat, 1] * [1, 0.92, 1]
    corner[flat, 3] = corner[flat, 4] * [1, 0.92, 1]
    paint: list[Any] = []
    glass: list[Any] = []
    for i in range(k - 1):
        a, b = corner[i], corner[i + 1]
        for strip in range(5):
            quad = [b[strip], a[strip], a[strip + 1], b[strip + 1]]
            side = strip in (1, 3)
            middle = strip == 2
            sloped = abs(roof[i + 1] - roof[i]) > 0.12 * max(roof)
            window = (side and not flat[i + 1] and not flat[i]) or (middle and sloped)
            (glass if window else paint).append(quad)
            if side and flat[i] != flat[i + 1]:  # quarter windows beside sloped screens
                glass.append(paint.pop())
    front = [corner[0][j] for j in (0, 5, 4, 1)]
    back = [corner[-1][j] for j in (5, 0, 1, 4)]
    paint += [front, back]
    if not flat[0]:
        glass.append([corner[0][j] for j in (1, 4, 3, 2)])
    if not flat[-1]:
        glass.append([corner[-1][j] for j in (4, 1, 2, 3)])
    return join(
        [
            faces(paint, _CAR, texture=_PAINT, shine=0.25),
            faces(glass, _CAR, _GLASS, shine=0.2),
        ]
    ).flat()


def _load(length: float, width: float, height: float, look: int) -> Faces:
    """The box or flatbed of a truck."""
    rng = np.random.default_rng([8, look])
    low, high = (-length / 2, -width / 2, 0.9), (length * 0.24, width / 2, height)
    colour = rng.uniform(0.2, 0.95, 3) if rng.random() < 0.5 else np.full(3, 0.88)
    sides = faces(box(low, high), _CAR, colour, texture="planks", shine=0.1)
    board = box(
        (low[0] + 0.6, -width / 2 - 0.01, 1.4), (high[0] - 0.6, width / 2 + 0.01, height - 0.4)
    )
    posters = faces(board[[0, 2]], _CAR, texture=f"board{rng.integers(8)}")
    frame = faces(box((-length / 2, -0.4, 0.5), (length * 0.3, 0.4, 0.9)), _CAR, _TYRE)
    return join([sides, posters, frame] if rng.random() < 0.5 else [sides, frame])


def _wheels(length: float, width: float, kind: str) -> Faces:
    """Discs in dark arches on both sides, and tyres as seen from the ends."""
    radius = {"car": 0.33, "van": 0.35}.get(kind, 0.5)
    axles = [0.31 * length, -0.29 * length]
    discs, tyres = [], []
    for x in axles:
        for side in (-1, 1):
            y = side * (width / 2 + 0.005)
            ends = [(x - radius * side * -1, y), (x + radius * side * -1, y)]
            (xa, ya), (xb, yb) = ends
            top = 2 * radius * 1.04
            discs.append([[xa, ya, 0], [xb, yb, 0], [xb, yb, top], [xa, ya, top]])
            inner = y - side * 0.2
            low, high = min(y, inner), max(y, inner)
            low, high = low + 0.02 * (side > 0), high - 0.02 * (side < 0)
            tyres.append(box((x - radius * 0.8, low, 0), (x + radius * 0.8, high, radius * 1.3)))
    return join(
        [
            faces(np.concatenate(tyres), _CAR, _TYRE),
            faces(discs, _CAR, texture="wheel", flags=CUTOUT),
        ]
    )


def _shade(length: float, width: float) -> Faces:
    """The dark below."""
    x, y = length / 2 * 0.96, width / 2 * 0.98
    return faces(
        [[[-x, -y, 0], [x, -y, 0], [x, y, 0], [-x, y, 0]]], _ROAD, (0.1, 0.1, 0.11),
        texture="asphalt", flags=FLAT, order=4,
    )  # fmt: skip


def _patch(
    x: float, y: float, z: float, width: float, height: float, out: float
) -> list[list[float]]:
    """A small upright quad at x that looks forward (out > 0) or back."""
    s = 1 if out > 0 else -1
    a, b = y - s * width / 2, y + s * width / 2
    x += out
    low, high = z - height / 2, z + height / 2
    return [[x, a, low], [x, b, low], [x, b, high], [x, a, high]]


def _lights(
    stations: Floats, sill: float, kind: str, *, braking: bool, lights: bool, turning: int
) -> Faces:
    front, back = stations[0, 0], stations[-1, 0]
    wide = stations[0, 3] * 0.74
    z_front = sill + (stations[0, 1] - sill) * 0.72
    z_back = sill + (stations[-1, 1] - sill) * (0.8 if kind != "bus" else 0.4)
    high = 0.15 if kind == "car" else 0.2
    parts = []
    for side in (-1, 1):
        lamp = [_patch(front, side * wide, z_front, 0.3, high * 0.9, 0.012)]
        parts.append(faces(lamp, _CAR, (0.92, 0.93, 0.9), glow=2.5 if lights else 0.25, shine=0.3))
        rear = [_patch(back, side * stations[-1, 3] * 0.82, z_back, 0.17, high * 1.5, -0.012)]
        glow = 4.0 if braking else 0.9 if lights else 0.08
        parts.append(faces(rear, _CAR, (0.75, 0.06, 0.06), glow=glow, shine=0.15))
        if turning == side:
            quads = [
                _patch(front, side * wide * 1.12, z_front - 0.02, 0.12, high, 0.02),
                _patch(back, side * stations[-1, 3] * 0.84, z_back - high, 0.15, high * 0.7, -0.02),
            ]
            parts.append(faces(quads, _CAR, (1.0, 0.55, 0.05), glow=4.0))
    return join(parts)


def _details(stations: Floats, sill: float, style: _Style, kind: str, look: int) -> Faces:
    """Plates, grille, bumpers, mirrors; a bus's destination."""
    front, back = stations[0, 0], stations[-1, 0]
    z = sill + 0.12
    wide = stations[0, 3]
    part = [[0, 0.75], [1, 0.75], [1, 0.4], [0, 0.4]]  # of the texture, where the number is
    parts = [
        faces([_patch(front, 0, z, 0.5, 0.11, 0.02)], _CAR, texture="plate_white", uv=part),
        faces([_patch(back, 0, z + 0.24, 0.5, 0.11, -0.02)], _CAR, texture=style.rear_plate,
              uv=part),
        faces([_patch(front, 0, z + 0.2, wide * 0.9, 0.14, 0.01)], _CAR, texture="grille"),
        faces(
            [_patch(front, 0, sill + 0.08, wide * 1.9, 0.16, 0.008),
             _patch(back, 0, sill + 0.08, stations[-1, 3] * 1.9, 0.18, -0.008)],
            _CAR, (1, 1, 1) if style.trimmed else (0.13, 0.13, 0.13), shine=0.2,
            texture=_PAINT if style.trimmed else "plain",
        ),
    ]  # fmt: skip
    if kind != "bus":
        glazed = int(np.argmax(stations[:, 2] > stations[:, 1] + 0.05))
        x, belt, y = (
            min(stations[glazed, 0] + 0.25, front - 0.2),
            stations[glazed, 1],
            stations[glazed, 3],
        )
        for side in (-1, 1):
            inner, outer = sorted((side * y, side * (y + 0.16)))
            mirror = box((x - 0.05, inner, belt), (x + 0.08, outer, belt + 0.14))
            parts.append(faces(mirror, _CAR, texture=_PAINT, shine=0.3))
        return join(parts)
    rng = np.random.default_rng([9, look])
    band = rng.uniform(0.1, 0.95, 3)
    length, half, top = front - back, stations[1, 3] + 0.006, stations[1, 2]
    strip = box((back + 0.1, -half, sill + 0.1), (front - 0.1, half, sill + 0.45))
    parts.append(faces(strip[[0, 2]], _CAR, band, shine=0.2))
    pillars = np.linspace(back + 0.4, front - 0.5, max(2, int(length / 1.6)))
    rows = [
        box((x - 0.06, -half, 0.36 * top), (x + 0.06, half, 0.97 * top))[[0, 2]] for x in pillars
    ]
    parts.append(faces(np.concatenate(rows), _CAR, texture=_PAINT))
    above = box((back, -half, 0.88 * top), (front - 0.15, half, top))[[0, 2]]
    parts.append(faces(above, _CAR, texture=_PAINT, shine=0.2))
    destination = [_patch(front, 0, 0.9 * top, half * 1.3, 0.28, 0.08)]
    parts.append(faces(destination, _CAR, (0.9, 0.7, 0.15), texture="board7", glow=0.4))
    return join(parts)
