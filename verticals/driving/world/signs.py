"""Traffic signs as vector drawings; names follow the German Traffic Sign Recognition Benchmark."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from verticals.driving.world.textures import SIDE, Texture

_BIG = SIDE * 4
_RED, _BLUE, _WHITE, _BLACK = (190, 20, 30), (20, 70, 170), (248, 248, 245), (20, 20, 22)
_YELLOW, _GREEN = (250, 195, 20), (0, 95, 60)

Canvas = Any  # (_BIG, _BIG, 4) uint8
Points = list[tuple[float, float]]


def _shape(canvas: Canvas, points: Points, colour: tuple[int, int, int]) -> None:
    """A filled polygon in shares of the canvas."""
    pixels = (np.array(points) * _BIG).astype(np.int32)
    cv2.fillPoly(canvas, [pixels], (*colour, 255))


def _disc(canvas: Canvas, colour: tuple[int, int, int], radius: float = 0.48) -> None:
    cv2.circle(canvas, (_BIG // 2, _BIG // 2), int(radius * _BIG), (*colour, 255), -1)


def _regular(sides: int, radius: float, turn: float = 0.0, y: float = 0.5) -> Points:
    angles = np.arange(sides) * 2 * np.pi / sides + turn
    return [(0.5 + radius * np.cos(a), y + radius * np.sin(a)) for a in angles]


def _ring(canvas: Canvas) -> None:
    _disc(canvas, _RED)
    _disc(canvas, _WHITE, 0.37)


def _warning(canvas: Canvas) -> None:
    _shape(canvas, _regular(3, 0.54, -np.pi / 2, 0.58), _RED)
    _shape(canvas, _regular(3, 0.36, -np.pi / 2, 0.58), _WHITE)


def _text(canvas: Canvas, text: str, colour: Any, scale: float, y: float = 0.5) -> None:
    size, thick = scale * _BIG / 100, int(scale * _BIG / 26)
    (width, height), _ = cv2.getTextSize(text, 0, size, thick)
    place = ((_BIG - width) // 2, int(y * _BIG) + height // 2)
    cv2.putText(canvas, text, place, 0, size, (*colour, 255), thick, cv2.LINE_AA)


def _line(canvas: Canvas, points: Points, colour: Any, width: float) -> None:
    pixels = (np.array(points) * _BIG).astype(np.int32)
    cv2.polylines(canvas, [pixels], False, (*colour, 255), int(width * _BIG))


def _limit(number: int) -> Callable[[Canvas], None]:
    def paint(canvas: Canvas) -> None:
        _ring(canvas)
        _text(canvas, str(number), _BLACK, 1.5 if number < 100 else 1.1)

    return paint


def _stop(canvas: Canvas) -> None:
    _shape(canvas, _regular(8, 0.5, np.pi / 8), _WHITE)
    _shape(canvas, _regular(8, 0.46, np.pi / 8), _RED)
    _text(canvas, "STOP", _WHITE, 0.88)


def _yield(canvas: Canvas) -> None:
    _shape(canvas, _regular(3, 0.54, np.pi / 2, 0.42), _RED)
    _shape(canvas, _regular(3, 0.32, np.pi / 2, 0.42), _WHITE)


def _priority(canvas: Canvas) -> None:
    for radius, colour in ((0.49, _BLACK), (0.47, _WHITE), (0.33, _YELLOW)):
        _shape(canvas, _regular(4, radius), colour)


def _no_entry(canvas: Canvas) -> None:
    _disc(canvas, _RED)
    _shape(canvas, [(0.16, 0.42), (0.84, 0.42), (0.84, 0.58), (0.16, 0.58)], _WHITE)


def _end_of_limits(canvas: Canvas) -> None:
    _disc(canvas, _BLACK)
    _disc(canvas, _WHITE, 0.45)
    for k in (-0.1, 0, 0.1):
        _line(canvas, [(0.22 + k, 0.78 + k), (0.78 + k, 0.22 + k)], _BLACK, 0.03)


def _no_parking(canvas: Canvas) -> None:
    _disc(canvas, _RED)
    _disc(canvas, _BLUE, 0.39)
    _line(canvas, [(0.2, 0.2), (0.8, 0.8)], _RED, 0.09)


def _no_passing(canvas: Canvas) -> None:
    _ring(canvas)
    for x, colour in ((0.27, _RED), (0.53, _BLACK)):
        _shape(canvas, [(x, 0.47), (x + 0.2, 0.47), (x + 0.2, 0.6), (x, 0.6)], colour)
        _shape(canvas, [(x + 0.04, 0.4), (x + 0.16, 0.4), (x + 0.19, 0.5), (x, 0.5)], colour)


def _arrow(turn: float, *, bent: bool = False) -> Callable[[Canvas], None]:
    """A white arrow on blue: `turn` radians anti-clockwise from straight up."""

    def paint(canvas: Canvas) -> None:
        _disc(canvas, _WHITE)
        _disc(canvas, _BLUE, 0.46)
        cos, sin = np.cos(-turn), np.sin(-turn)

        def at(x: float, y: float) -> tuple[float, float]:
            return (0.5 + cos * x - sin * y, (0.55 if bent else 0.5) + sin * x + cos * y)

        if bent:
            _line(canvas, [(0.5, 0.82), (0.5, 0.55), at(0, -0.12)], _WHITE, 0.11)
        else:
            _line(canvas, [at(0, 0.3), at(0, -0.12)], _WHITE, 0.11)
        _shape(canvas, [at(-0.17, -0.1), at(0, -0.34), at(0.17, -0.1)], _WHITE)

    return paint


def _roundabout(canvas: Canvas) -> None:
    _disc(canvas, _BLUE)
    for k in range(3):
        start = k * 120 + 20
        centre, axes = (_BIG // 2, _BIG // 2), (int(0.24 * _BIG),) * 2
        cv2.ellipse(canvas, centre, axes, 0, start, start + 70, (*_WHITE, 255), int(0.08 * _BIG))
        tip = np.radians(start + 95)
        middle = (0.5 + 0.24 * np.cos(tip), 0.5 + 0.24 * np.sin(tip))
        points = _regular(3, 0.12, tip + np.pi / 2)
        moved = [(x - 0.5 + middle[0], y - 0.5 + middle[1]) for x, y in points]
        _shape(canvas, moved, _WHITE)


def _walker(canvas: Canvas, x: float, y: float, size: float) -> None:
    """A walking figure, its middle at x, y."""
    place = (int(x * _BIG), int((y - 0.34 * size) * _BIG))
    cv2.circle(canvas, place, int(0.09 * size * _BIG), (*_BLACK, 255), -1)
    for points in (
        [(0, -0.22), (0.02, 0.05), (0.16, 0.4)], [(0.02, 0.05), (-0.12, 0.4)],
        [(0.01, -0.18), (0.16, 0.02)], [(0.0, -0.18), (-0.14, 0.0)],
    ):  # fmt: skip
        _line(canvas, [(x + a * size, y + b * size) for a, b in points], _BLACK, 0.075 * size)


def _pedestrians(canvas: Canvas) -> None:
    _warning(canvas)
    _walker(canvas, 0.5, 0.56, 0.48)


def _children(canvas: Canvas) -> None:
    _warning(canvas)
    _walker(canvas, 0.43, 0.6, 0.36)
    _walker(canvas, 0.57, 0.58, 0.4)


def _bicycles(canvas: Canvas) -> None:
    _warning(canvas)
    for x in (0.4, 0.6):
        cv2.circle(canvas, (int(x * _BIG), int(0.67 * _BIG)), int(0.075 * _BIG), (*_BLACK, 255), 10)
    frame: Points = [(0.4, 0.67), (0.45, 0.55), (0.57, 0.55), (0.5, 0.67), (0.45, 0.55)]
    _line(canvas, frame, _BLACK, 0.022)
    _line(canvas, [(0.6, 0.67), (0.55, 0.48)], _BLACK, 0.022)


def _caution(canvas: Canvas) -> None:
    _warning(canvas)
    _line(canvas, [(0.5, 0.4), (0.5, 0.6)], _BLACK, 0.07)
    cv2.circle(canvas, (_BIG // 2, int(0.7 * _BIG)), int(0.04 * _BIG), (*_BLACK, 255), -1)


def _road_works(canvas: Canvas) -> None:
    _warning(canvas)
    _shape(canvas, [(0.52, 0.74), (0.62, 0.6), (0.74, 0.74)], _BLACK)
    _walker(canvas, 0.43, 0.6, 0.36)
    _line(canvas, [(0.4, 0.62), (0.58, 0.72)], _BLACK, 0.03)


def _traffic_signals(canvas: Canvas) -> None:
    _warning(canvas)
    for y, colour in ((0.46, _RED), (0.58, _YELLOW), (0.7, _GREEN)):
        cv2.circle(canvas, (_BIG // 2, int(y * _BIG)), int(0.055 * _BIG), (*colour, 255), -1)


def _curve(side: int) -> Callable[[Canvas], None]:
    def paint(canvas: Canvas) -> None:
        _warning(canvas)
        s = side * 0.1
        _line(canvas, [(0.5 - s, 0.74), (0.5 - s, 0.58), (0.5 + s, 0.46)], _BLACK, 0.07)
        _shape(canvas, [(0.5 + s * 1.7, 0.4), (0.5 + s * 1.5, 0.53), (0.5 + s * 0.3, 0.44)], _BLACK)

    return paint


def _board(colour: tuple[int, int, int]) -> Callable[[Canvas], None]:
    def paint(canvas: Canvas) -> None:
        canvas[:] = (*_WHITE, 255)
        _shape(canvas, [(0.04, 0.04), (0.96, 0.04), (0.96, 0.96), (0.04, 0.96)], colour)

    return paint


def _crossing(canvas: Canvas) -> None:
    _board(_BLUE)(canvas)
    _shape(canvas, _regular(3, 0.42, -np.pi / 2, 0.58), _WHITE)
    _walker(canvas, 0.5, 0.6, 0.44)


def _parking(canvas: Canvas) -> None:
    _board(_BLUE)(canvas)
    _text(canvas, "P", _WHITE, 2.6)


def _directions(canvas: Canvas) -> None:
    _board(_GREEN)(canvas)
    for y in (0.25, 0.5, 0.75):
        _text(canvas, "Centre" if y < 0.5 else "Station", _WHITE, 0.5, y)


def _name_plate(canvas: Canvas) -> None:
    _board(_WHITE)(canvas)
    _line(
        canvas, [(0.03, 0.03), (0.97, 0.03), (0.97, 0.97), (0.03, 0.97), (0.03, 0.03)], _BLACK, 0.03
    )
    for y in (0.33, 0.66):
        _text(canvas, "MILL RD", _BLACK, 0.75, y)


SIGNS: dict[str, Callable[[Canvas], None]] = {
    **{f"limit_{number}": _limit(number) for number in (20, 30, 40, 50, 60, 70, 80, 100)},
    "end_of_limits": _end_of_limits, "no_passing": _no_passing, "priority_road": _priority,
    "yield": _yield, "stop": _stop, "no_vehicles": _ring, "no_entry": _no_entry,
    "no_parking": _no_parking, "caution": _caution, "curve_left": _curve(-1),
    "curve_right": _curve(1), "road_works": _road_works, "traffic_signals": _traffic_signals,
    "pedestrians": _pedestrians, "children": _children, "bicycles": _bicycles,
    "turn_right_ahead": _arrow(-np.pi / 2, bent=True),
    "turn_left_ahead": _arrow(np.pi / 2, bent=True), "ahead_only": _arrow(0.0),
    "keep_right": _arrow(-2.36), "keep_left": _arrow(2.36), "roundabout": _roundabout,
    "crossing": _crossing, "parking": _parking, "directions": _directions,
    "name_plate": _name_plate,
}  # fmt: skip


def plates() -> dict[str, Texture]:
    """All signs as cutout textures, named "sign:" and their kind."""
    made = {}
    for kind, paint in SIGNS.items():
        canvas = np.zeros((_BIG, _BIG, 4), np.uint8)
        paint(canvas)
        # holes take the plate's mean colour, or its edge would darken in the smaller copies
        solid = canvas[..., 3] > 0
        canvas[~solid, :3] = canvas[solid, :3].mean(axis=0)
        made[f"sign:{kind}"] = cv2.resize(canvas, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return made
