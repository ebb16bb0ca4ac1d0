"""Textures of things people built: one bay of a facade a tile, shop fronts, boards, wheels."""

# ruff: noqa: PLR0917 - drawing takes coordinates by position

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from verticals.driving.world.textures import (
    GLASS,
    SIDE,
    Texture,
    _ashlar,
    _bricks,
    _rubble,
    noise,
    painted,
)

_UNTINTED = GLASS + 15  # hardly takes the wall's colour
_PANE = 10
BAYS, SHOPS, _DRAWN = 30, 16, 8  # bays after the first few are put together at random
_WALLS = ("bricks", "render", "bricks", "ashlar", "rubble")


class _Wall:
    """A canvas: colour and how much of the wall's tint it takes."""

    def __init__(self, base: NDArray[np.float32]) -> None:
        self.colour = np.repeat(base[..., None], 3, axis=2).astype(np.float32)
        self.tint = np.full((SIDE, SIDE), 255, np.float32)

    def fill(self, x0: float, y0: float, x1: float, y1: float, colour: Any, tint: int) -> None:
        """A rectangle in shares of the tile, (0, 0) top left."""
        rows, columns = slice(int(y0 * SIDE), int(y1 * SIDE)), slice(int(x0 * SIDE), int(x1 * SIDE))
        self.colour[rows, columns] = colour
        self.tint[rows, columns] = tint

    def window(
        self, x0: float, y0: float, x1: float, y1: float, *, panes: tuple[int, int], frame: Any,
        rng: np.random.Generator, bar: float = 0.02,
    ) -> None:  # fmt: skip
        """A framed window of columns × rows of panes."""
        self.fill(x0 - bar, y0 - bar, x1 + bar, y1 + bar, frame, _UNTINTED)
        columns, rows = panes
        curtain = rng.random() < 0.4
        for i in range(columns):
            for j in range(rows):
                left, right = (x0 + (x1 - x0) * (i + k) / columns for k in (0, 1))
                top, low = (y0 + (y1 - y0) * (j + k) / rows for k in (0, 1))
                shade = rng.uniform(0.04, 0.3) + (0.35 if curtain and j == 0 else 0)
                tone = np.array([0.9, 1.0, 1.08]) * shade
                self.fill(
                    left + bar / 2, top + bar / 2, right - bar / 2, low - bar / 2, tone, _PANE
                )
        self.fill(x0 - 0.04, y1 + bar, x1 + 0.04, y1 + bar + 0.04, 0.75, 140)  # its sill

    def texture(self) -> Texture:
        """As it stands."""
        return painted(self.colour, tint=self.tint)


def facades(rng: np.random.Generator) -> dict[str, Texture]:
    """All of them, by name."""
    bays = {f"bay{i}": _bay(i, rng) if i < _DRAWN else _any_bay(i, rng) for i in range(BAYS)}
    shops = {f"shop{i}": _shop(rng) for i in range(SHOPS)}
    boards = {f"board{i}": _board(rng) for i in range(8)}
    made = {"wheel": _wheel(), "spokes": _spokes(), "railing": _railing(), "mesh": _mesh(),
            "pickets": _pickets(), "bars": _bars()}  # fmt: skip
    plates = {"plate_white": _plate((0.95, 0.95, 0.93)), "plate_yellow": _plate((0.98, 0.85, 0.2))}
    return bays | shops | boards | made | plates | {"grille": _grille(), "gate": _gate(rng)}


def _bay(style: int, rng: np.random.Generator) -> Texture:
    bricks, smooth = _bricks(rng), 0.93 + 0.03 * noise(rng, smooth=2)
    white, dark = (0.92, 0.92, 0.9), (0.2, 0.22, 0.24)
    if style == 0:  # sash window in brick
        wall = _Wall(bricks)
        wall.fill(0.26, 0.12, 0.74, 0.2, 0.85, 120)
        wall.window(0.3, 0.2, 0.7, 0.78, panes=(2, 4), frame=white, rng=rng)
    elif style == 1:  # sash window in render
        wall = _Wall(smooth)
        wall.window(0.32, 0.2, 0.68, 0.76, panes=(2, 2), frame=white, rng=rng)
    elif style == 2:  # office ribbon
        wall = _Wall(smooth)
        wall.window(0.02, 0.3, 0.98, 0.82, panes=(3, 1), frame=dark, rng=rng)
    elif style == 3:  # curtain wall
        wall = _Wall(smooth)
        wall.window(0.01, 0.02, 0.99, 0.98, panes=(3, 3), frame=(0.6, 0.62, 0.64), rng=rng)
    elif style == 4:  # stone with an arched window
        wall = _Wall(0.9 + 0.06 * noise(rng))
        wall.window(0.34, 0.32, 0.66, 0.85, panes=(2, 3), frame=(0.7, 0.66, 0.58), rng=rng)
        disc = np.zeros((SIDE, SIDE), np.uint8)
        cv2.circle(disc, (64, 42), 21, 1, -1)
        wall.colour[disc > 0], wall.tint[disc > 0] = (0.2, 0.22, 0.25), _PANE
    elif style == 5:  # two windows in brick
        wall = _Wall(bricks)
        for x in (0.12, 0.6):
            wall.window(x, 0.22, x + 0.28, 0.74, panes=(1, 2), frame=white, rng=rng)
    elif style == 6:  # dark bay with a balcony
        wall = _Wall(smooth)
        wall.window(0.15, 0.12, 0.85, 0.95, panes=(4, 1), frame=dark, rng=rng)
        for k in range(12):
            wall.fill(0.1 + 0.07 * k, 0.6, 0.115 + 0.07 * k, 0.97, 0.25, _UNTINTED)
        wall.fill(0.08, 0.58, 0.92, 0.61, 0.25, _UNTINTED)
    else:  # blind brick with a drain pipe
        wall = _Wall(bricks)
        wall.fill(0.48, 0.0, 0.52, 1.0, 0.3, 120)
    return wall.texture()


def bay_wall(style: int) -> str:
    """The texture of the wall of a bay where it has no window."""
    if style < _DRAWN:
        return "bricks" if style in (0, 5, 7) else "ashlar" if style == 4 else "render"
    return _WALLS[style % len(_WALLS)]


def _any_bay(style: int, rng: np.random.Generator) -> Texture:
    """A bay with windows of any size, ledges, lintels, shutters or pilasters."""
    base = {
        "bricks": _bricks(rng), "render": 0.93 + 0.03 * noise(rng, smooth=2),
        "ashlar": _ashlar(rng), "rubble": _rubble(rng),
    }[bay_wall(style)]  # fmt: skip
    wall = _Wall(base)
    count = int(rng.choice([1, 1, 1, 2]))
    width = rng.uniform(0.28, 0.6) if count == 1 else rng.uniform(0.2, 0.36)
    top, low = rng.uniform(0.12, 0.3), rng.uniform(0.62, 0.9)
    frame = ((0.93, 0.93, 0.9), (0.9, 0.9, 0.88), (0.2, 0.2, 0.22), (0.45, 0.32, 0.22),
             (0.3, 0.36, 0.34))[rng.integers(5)]  # fmt: skip
    stone = rng.uniform(0.6, 1.0)
    if rng.random() < 0.4:
        wall.fill(0, 0.0, 1, rng.uniform(0.02, 0.06), stone, 150)  # a ledge
        wall.fill(0, 0.06, 1, 0.075, 0.35, 200)
    if rng.random() < 0.25:
        wall.fill(0.0, 0, 0.07, 1, stone, 190)  # a pilaster
    for i in range(count):
        middle = (i + 0.5) / count + rng.uniform(-0.04, 0.04) * (count == 1)
        x0, x1 = max(0.06, middle - width / 2), min(0.94, middle + width / 2)
        if rng.random() < 0.5:
            wall.fill(x0 - 0.05, top - 0.1, x1 + 0.05, top - 0.02, stone, 110)
        if rng.random() < 0.2:
            tone = rng.uniform(0.2, 0.7, 3)
            wall.fill(x0 - 0.13, top, x0 - 0.02, low, tone, _UNTINTED)
            wall.fill(x1 + 0.02, top, x1 + 0.13, low, tone, _UNTINTED)
        panes = (int(rng.integers(1, 4)), int(rng.integers(1, 5)))
        wall.window(x0, top, x1, low, panes=panes, frame=frame, rng=rng,
                    bar=float(rng.choice([0.012, 0.02, 0.03])))  # fmt: skip
    return wall.texture()


def _write(
    canvas: NDArray[np.float32],
    text: str,
    place: tuple[int, int],
    scale: float,
    thick: int,
    colour: Any,
) -> None:
    """Put text on a colour canvas (SIDE, SIDE, 3) in 0 to 1; OpenCV writes on bytes only."""
    mask = np.zeros(canvas.shape[:2], np.uint8)
    cv2.putText(mask, text, place, 0, scale, 255, thick, cv2.LINE_AA)
    share = mask[..., None] / np.float32(255)
    canvas += share * (np.asarray(colour, np.float32) - canvas)


def _lettering(canvas: Any, x0: int, y0: int, x1: int, y1: int, rng: Any, colour: Any) -> None:
    """Something that looks like words from afar."""
    text = "".join(rng.choice(list("ABCDEFGHIKLMNOPRSTUVW & "), rng.integers(4, 10)))
    scale = (y1 - y0) / 30
    (width, high), _ = cv2.getTextSize(text, 0, scale, 2)
    scale = min(scale, scale * (x1 - x0) / max(1, width))
    _write(canvas, text, (x0, (y0 + y1 + high) // 2), scale, 2, colour)


def _bright(rng: np.random.Generator) -> NDArray[np.float32]:
    hue = rng.integers([0, 90, 60], [180, 256, 230]).astype(np.uint8).reshape(1, 1, 3)
    return np.asarray(cv2.cvtColor(hue, cv2.COLOR_HSV2RGB)[0, 0] / 255, np.float32)


def _shop(rng: np.random.Generator) -> Texture:
    wall = _Wall(0.9 + 0.04 * noise(rng, smooth=1))
    paint = _bright(rng) * rng.uniform(0.3, 1.0)
    wall.fill(0, 0, 1, 1, paint * 0.8, _UNTINTED)
    wall.fill(0, 0.02, 1, 0.2, paint, _UNTINTED)
    letters = (0.95, 0.93, 0.85) if paint.mean() < 0.55 else (0.1, 0.1, 0.12)
    _lettering(wall.colour, 12, 4, 112, 24, rng, letters)
    door = rng.choice([0.04, 0.4, 0.76])
    for x0, x1 in ((0.03, 0.34), (0.37, 0.64), (0.67, 0.97)):
        if x0 <= door + 0.1 <= x1:
            wall.window(x0 + 0.04, 0.28, x1 - 0.04, 0.98, panes=(1, 1), frame=paint * 0.6, rng=rng)
            continue
        wall.window(x0, 0.26, x1, 0.86, panes=(int(rng.integers(1, 3)), 1), frame=paint, rng=rng)
        for _ in range(rng.integers(2, 6)):  # what is for sale
            x, y = rng.uniform(x0, x1 - 0.1), rng.uniform(0.3, 0.7)
            wall.fill(
                x, y, x + rng.uniform(0.04, 0.1), y + rng.uniform(0.05, 0.15), _bright(rng), _PANE
            )
    return wall.texture()


def _board(rng: np.random.Generator) -> Texture:
    """A hanging sign, a poster or a direction board."""
    ground, ink = _bright(rng), _bright(rng)
    canvas = np.full((SIDE, SIDE, 3), ground, np.float32)
    cv2.rectangle(canvas, (3, 3), (SIDE - 4, SIDE - 4), ink.tolist(), 4)
    for row in range(3):
        if rng.random() < 0.7:
            _lettering(canvas, 12, 14 + 36 * row, 116, 44 + 36 * row, rng, (0.97, 0.97, 0.95))
        else:
            centre = (int(rng.integers(30, 98)), 30 + 36 * row)
            cv2.circle(canvas, centre, int(rng.integers(8, 18)), _bright(rng).tolist(), -1)
    return painted(canvas)


def _wheel() -> Texture:
    """A wheel in the dark of its arch; cutout."""
    colour, mask = np.zeros((SIDE, SIDE), np.float32), np.zeros((SIDE, SIDE), np.float32)
    cv2.circle(mask, (64, 64), 62, 255, -1)
    cv2.circle(colour, (64, 66), 56, 0.13, -1)
    cv2.circle(colour, (64, 66), 38, 0.66, -1)
    for spoke in range(5):
        angle = spoke * 2 * np.pi / 5 + 0.3
        tip = (int(64 + 30 * np.cos(angle)), int(66 + 30 * np.sin(angle)))
        cv2.circle(colour, tip, 8, 0.25, -1)
    cv2.circle(colour, (64, 66), 7, 0.4, -1)
    return painted(colour, tint=mask)


def _spokes() -> Texture:
    """A bicycle's wheel; cutout."""
    colour, mask = np.full((SIDE, SIDE), 0.55, np.float32), np.zeros((SIDE, SIDE), np.uint8)
    for spoke in range(12):
        angle = spoke * np.pi / 6
        tip = (int(64 + 56 * np.cos(angle)), int(64 + 56 * np.sin(angle)))
        cv2.line(mask, (64, 64), tip, 255, 1)
    cv2.circle(mask, (64, 64), 57, 255, 8)
    cv2.circle(colour, (64, 64), 57, 0.1, 8)
    return painted(colour, tint=mask)


def _railing() -> Texture:
    colour, mask = np.full((SIDE, SIDE), 0.9, np.float32), np.zeros((SIDE, SIDE), np.float32)
    for x in range(5, SIDE, 11):
        mask[:, x : x + 3] = 255
    mask[4:11] = mask[112:119] = mask[:, :6] = 255
    return painted(colour, tint=mask)


def _pickets() -> Texture:
    """Wide upright boards with narrow gaps."""
    colour, mask = np.full((SIDE, SIDE), 0.9, np.float32), np.zeros((SIDE, SIDE), np.float32)
    for x in range(0, SIDE, 16):
        mask[:, x : x + 11] = 255
        colour[:, x] = 0.6
    mask[20:30] = mask[95:105] = 255
    return painted(colour, tint=mask)


def _bars() -> Texture:
    """A guard rail of two beams between posts."""
    colour, mask = np.full((SIDE, SIDE), 0.9, np.float32), np.zeros((SIDE, SIDE), np.float32)
    mask[4:20] = mask[60:74] = mask[:, :10] = 255
    colour[16:20] = colour[70:74] = 0.6
    return painted(colour, tint=mask)


def _mesh() -> Texture:
    colour, mask = np.full((SIDE, SIDE), 0.85, np.float32), np.zeros((SIDE, SIDE), np.float32)
    for k in range(0, SIDE, 16):
        mask[k : k + 2] = mask[:, k : k + 2] = 255
    mask[:5] = mask[:, :5] = 255
    return painted(colour, tint=mask)


def _plate(ground: Any) -> Texture:
    canvas = np.full((SIDE, SIDE, 3), ground, np.float32)
    _write(canvas, "KX51 LBD", (6, 76), 0.75, 2, (0.08, 0.08, 0.1))
    return painted(canvas, tint=_UNTINTED)


def _grille() -> Texture:
    bars = np.where(np.arange(SIDE)[:, None] // 10 % 2, 0.1, 0.3) * np.ones((1, SIDE))
    return painted(bars, tint=_UNTINTED)


def _gate(rng: np.random.Generator) -> Texture:
    """A garage door or a shutter."""
    slats = np.where(np.arange(SIDE)[:, None] % 12 < 2, 0.6, 0.92) * np.ones((1, SIDE))
    return painted(slats + 0.02 * noise(rng), tint=255)
