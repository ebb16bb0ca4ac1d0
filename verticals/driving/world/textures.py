"""The atlas: every surface's texture, drawn by code, with the smaller copies that distance needs.

Red, green and blue are the texture's own colour. Alpha says, on cutouts, where there is
something; elsewhere how much of the face's tint colours the texel (below `GLASS`: a pane, which
takes none, mirrors the sky and may be lit at night).
"""

from __future__ import annotations

from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Texture = NDArray[Any]  # (SIDE, SIDE, 4) uint8; OpenCV's types say no more

SIDE = 128
LEVELS = 6
GLASS = 40
OFFSETS = np.concatenate([[0], np.cumsum([(SIDE >> level) ** 2 for level in range(LEVELS)])])


def noise(rng: np.random.Generator, *, smooth: int = 0, octaves: int = 4) -> NDArray[np.float32]:
    """(SIDE, SIDE) repeating noise of mean 0 and deviation 1; `smooth` leaves fine octaves out."""
    total = np.zeros((SIDE, SIDE), np.float32)
    for octave in range(smooth, smooth + octaves):
        size = max(2, SIDE >> octave)
        grain = rng.standard_normal((size, size)).astype(np.float32)
        grain = np.pad(grain, 1, mode="wrap")
        step = SIDE // size
        big = cv2.resize(grain, None, fx=step, fy=step, interpolation=cv2.INTER_LINEAR)
        total += big[step : step + SIDE, step : step + SIDE] * 1.2 ** (octave - smooth)
    return (total - total.mean()) / total.std()


def painted(value: Any, *, tint: Any = 255) -> Texture:
    """A texture from a brightness (SIDE, SIDE) or colour (SIDE, SIDE, 3) in 0 to 1."""
    value = np.asarray(value, np.float32)
    colour = value if value.ndim == 3 else np.repeat(value[..., None], 3, axis=2)
    alpha = np.broadcast_to(np.asarray(tint, np.float32), (SIDE, SIDE))
    full = np.concatenate([np.clip(colour, 0, 1) * 255, alpha[..., None]], axis=2)
    return np.ascontiguousarray(full.round().astype(np.uint8))


def _ground(rng: np.random.Generator) -> dict[str, Texture]:
    """Asphalt, concrete, slabs, setts, soil and grass."""
    grid = np.full((SIDE, SIDE), 1.0, np.float32)
    grid[::32] = grid[:, ::32] = 0.72
    stagger = np.full((SIDE, SIDE), 1.0, np.float32)
    for row in range(0, SIDE, 16):
        stagger[row] = 0.7
        stagger[row : row + 16, (row % 32) :: 32] = 0.75
    stones = cv2.resize(
        rng.uniform(0.8, 1.1, (8, 4)).astype(np.float32), (SIDE, SIDE), interpolation=0
    )
    cracks = np.ones((SIDE, SIDE), np.float32)
    for _ in range(5):
        walk = np.cumsum(rng.normal(0, 5, (14, 2)) + rng.normal(0, 4, 2), 0) + rng.uniform(
            0, SIDE, 2
        )
        cv2.polylines(cracks, [walk.astype(np.int32)], False, 0.7, 1)
    patch = np.ones((SIDE, SIDE), np.float32)
    cv2.rectangle(patch, (20, 30), (75, 62), 0.86, -1)
    cv2.rectangle(patch, (95, 90), (120, 125), 1.1, -1)
    tufts = 0.75 + 0.14 * noise(rng)[..., None] * [1.0, 0.9, 0.8] + 0.05 * noise(rng)[..., None]
    return {
        "asphalt": painted(0.8 + 0.05 * noise(rng, octaves=2) + 0.015 * noise(rng)),
        "worn": painted((0.8 + 0.05 * noise(rng, octaves=2) + 0.03 * noise(rng)) * cracks * patch),
        "concrete": painted(0.85 + 0.04 * noise(rng, smooth=1)),
        "slabs": painted((0.84 + 0.03 * noise(rng)) * grid),
        "setts": painted((0.8 + 0.04 * noise(rng)) * stagger * stones),
        "grass": painted(tufts),
        "paint": painted(0.9 + 0.1 * np.minimum(noise(rng) + 0.8, 0)),
    }


def _bricks(rng: np.random.Generator) -> NDArray[np.float32]:
    """(SIDE, SIDE) courses of bricks, each of its own shade."""
    shade = np.repeat(np.repeat(rng.normal(0.82, 0.1, (16, 8)), 8, 0), 16, 1).astype(np.float32)
    for course in range(1, 16, 2):
        shade[course * 8 : course * 8 + 8] = np.roll(shade[course * 8 : course * 8 + 8], 8, axis=1)
    for course in range(16):
        shade[course * 8] = 0.98
        shade[course * 8 : course * 8 + 8, (8 * (course % 2)) :: 16] = 0.95
    return shade + 0.04 * noise(rng)


def _ashlar(rng: np.random.Generator) -> NDArray[np.float32]:
    """(SIDE, SIDE) large cut stones."""
    joints = np.ones((SIDE, SIDE), np.float32)
    for row in range(0, SIDE, 32):
        joints[row : row + 2] = 0.75
        joints[row : row + 32, 32 * (row // 32 % 2) :: 64] = 0.75
    return np.asarray((0.86 + 0.08 * noise(rng)) * joints, np.float32)


def _rubble(rng: np.random.Generator) -> NDArray[np.float32]:
    """(SIDE, SIDE) stones of any shape in mortar: cells around random points."""
    seeds = rng.uniform(0, SIDE, (90, 2))
    tones = rng.normal(0.75, 0.13, 90)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    apart = np.abs(seeds[:, None, None] - np.stack([rows, columns], -1))
    far = np.hypot(*np.moveaxis(np.minimum(apart, SIDE - apart), -1, 0))
    first, second = np.partition(far, 1, axis=0)[:2]
    stones = tones[far.argmin(axis=0)] + 0.05 * noise(rng)
    return np.asarray(np.where(second - first < 2.0, 0.92, stones), np.float32)


def _walls(rng: np.random.Generator) -> dict[str, Texture]:
    """Plain walls and roofs."""
    tiles = np.tile(np.linspace(0.7, 1.0, 8, dtype=np.float32)[:, None], (16, SIDE))
    tiles[:, ::11] *= 0.85
    planks = np.tile(np.linspace(0.75, 1.0, 16, dtype=np.float32)[None], (SIDE, 8))
    return {
        "bricks": painted(_bricks(rng)),
        "render": painted(0.93 + 0.03 * noise(rng, smooth=2)),
        "ashlar": painted(_ashlar(rng)),
        "rubble": painted(_rubble(rng)),
        "tiles": painted(tiles * (1 + 0.06 * noise(rng))),
        "planks": painted(planks + 0.04 * noise(rng)),
    }


def _cloth(rng: np.random.Generator) -> dict[str, Texture]:
    """What people wear."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    return {
        "cloth": painted(0.88 + 0.05 * noise(rng, smooth=1)),
        "stripes": painted(np.where(rows // 12 % 2, 1.0, 0.55) + 0.03 * noise(rng)),
        "checks": painted(0.6 + 0.2 * (rows // 16 % 2) + 0.2 * (columns // 16 % 2)),
        "denim": painted(0.8 + 0.12 * noise(rng, octaves=6)),
        "print": painted(np.where(noise(rng, smooth=3) > 0.7, 0.5, 0.95)),
        "hair": painted(0.8 + 0.15 * noise(rng)),
        "skin": painted(0.95 + 0.03 * noise(rng, smooth=2)),
        "face": _face(),
        "jacket": _jacket(rng, 0.3, 0.75),
        "shirt": _jacket(rng, 0.85, 0.5),
        "logo": _logo(rng),
        **{f"folds{i}": painted(_folds(rng)) for i in range(3)},
    }


def _folds(rng: np.random.Generator) -> NDArray[np.float32]:
    """(SIDE, SIDE) cloth that hangs: soft creases, longer than wide, some across."""
    grain = noise(rng, smooth=1, octaves=3)
    tall = cv2.resize(grain, (SIDE, SIDE * 3), interpolation=cv2.INTER_LINEAR)[:SIDE]
    across = cv2.resize(noise(rng, smooth=2, octaves=2), (SIDE * 2, SIDE))[:, :SIDE]
    return np.clip(0.84 + 0.08 * tall + 0.045 * across + 0.015 * noise(rng), 0.3, 1.0)


def _jacket(rng: np.random.Generator, inside: float, seam: float) -> Texture:
    """A garment with an opening in front (u = 0) that shows what is worn below."""
    value, tint = _folds(rng), np.full((SIDE, SIDE), 255, np.float32)
    columns = np.minimum(np.arange(SIDE), SIDE - 1 - np.arange(SIDE))[None]
    opening = columns < 3 + 5 * (1 - np.arange(SIDE)[:, None] / SIDE)
    value, tint = np.where(opening, inside, value), np.where(opening, 0.0, tint)
    value = np.where((columns > 8) & (columns < 11), value * seam, value)
    return painted(value, tint=tint)


def _logo(rng: np.random.Generator) -> Texture:
    """Cloth with a print on the chest and another on the back."""
    value, tint = _folds(rng), np.full((SIDE, SIDE), 255, np.float32)
    for middle in (0, SIDE // 2):
        mark = np.zeros((SIDE, SIDE), np.uint8)
        cv2.putText(mark, "UNION", (34, 52), 0, 0.55, 1, 3)
        cv2.ellipse(mark, (SIDE // 2, 78), (20, 12), 0, 0, 360, 1, 4)
        mark = np.roll(mark, middle - SIDE // 2, axis=1)
        value, tint = np.where(mark, 0.9 - 0.8 * (middle > 0), value), np.where(mark, 0, tint)
    return painted(value, tint=tint)


def _face() -> Texture:
    """A face that looks along u = 0, where the tile repeats, with ears and hair behind it."""
    image = np.full((SIDE, SIDE), 0.97, np.float32)
    for x in (54, 74):
        cv2.ellipse(image, (x, 40), (5, 7), 0, 0, 360, 0.3, -1)
        cv2.line(image, (x - 6, 26), (x + 6, 26), 0.45, 5)
        cv2.ellipse(image, (64 + (x - 64) * 4, 55), (4, 16), 0, 0, 360, 0.75, -1)
    cv2.line(image, (64, 45), (64, 80), 0.8, 4)
    cv2.ellipse(image, (64, 105), (9, 6), 0, 0, 360, 0.5, -1)
    return painted(np.roll(cv2.GaussianBlur(image, (0, 0), 2), SIDE // 2, axis=1))


def _stain(rng: np.random.Generator) -> Texture:
    """Red: dirt in large spots; green: the grain of a material."""
    spots = 0.62 + 0.2 * noise(rng, smooth=1)
    return painted(np.stack([spots, 0.5 + 0.16 * noise(rng, octaves=3), spots], axis=2))


def _chaos(rng: np.random.Generator) -> dict[str, Texture]:
    """Coloured noise of several grains: what no designer would choose, so that shape must do."""
    made = {}
    for i, smooth in enumerate((0, 1, 2, 3)):
        tone = np.stack([noise(rng, smooth=smooth) for _ in range(3)], axis=2)
        grey = noise(rng, smooth=smooth)[..., None]
        made[f"chaos{i}" if i else "chaos"] = painted(0.7 + 0.11 * grey + 0.07 * tone)
    return made


@cache
def _atlas() -> tuple[tuple[str, ...], NDArray[np.uint8]]:
    """Names and texels of all textures, drawn once per process."""
    from verticals.driving.world.facades import facades
    from verticals.driving.world.foliage import foliage
    from verticals.driving.world.signs import plates

    rng = np.random.default_rng(20)  # the same surfaces on every machine
    plain = painted(np.ones((SIDE, SIDE)))
    sheen = 0.94 + 0.03 * noise(rng, smooth=2) + 0.015 * noise(rng)
    textures = {
        "plain": plain,
        "paintwork": painted(sheen),
        **_chaos(rng),
        "cloud": painted(0.5 + 0.2 * noise(rng, smooth=1, octaves=6)),
        "stain": _stain(rng),
    }
    for more in (_ground(rng), _walls(rng), _cloth(rng), facades(rng), foliage(rng), plates()):
        textures |= more
    stacked = np.stack([_pyramid(texture) for texture in textures.values()])
    return tuple(textures), stacked


def _pyramid(texture: Texture) -> NDArray[np.uint8]:
    """(OFFSETS[-1], 4) the texture and its halves, quarters, ..., end to end."""
    levels = [texture]
    while len(levels) < LEVELS:
        size = len(levels[-1]) // 2
        levels.append(cv2.resize(levels[-1], (size, size), interpolation=cv2.INTER_AREA))
    return np.concatenate([level.reshape(-1, 4) for level in levels])


def texels() -> NDArray[np.uint8]:
    """(textures, OFFSETS[-1], 4) the atlas."""
    return _atlas()[1]


@cache
def alphas() -> NDArray[np.uint8]:
    """(textures, OFFSETS[-1]) the atlas' alpha alone."""
    return np.ascontiguousarray(texels()[..., 3])


def packed() -> NDArray[np.uint32]:
    """(textures, OFFSETS[-1]) the atlas, a texel a word, red in its lowest byte."""
    return texels().view("<u4")[..., 0]


@cache
def layer(name: str) -> int:
    """The number of a texture.

    Raises:
        ValueError: There is none of that name.
    """
    return _atlas()[0].index(name)
