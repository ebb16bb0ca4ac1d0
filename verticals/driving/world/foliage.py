"""Textures of leaves and twigs, grown at random; cutouts."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from verticals.driving.world.textures import SIDE, Texture, noise, painted

LEAVES, TWIGS = 6, 8


def foliage(rng: np.random.Generator) -> dict[str, Texture]:
    """All of them, by name."""
    crowns = {f"leaves{i}": _crown(rng) for i in range(LEAVES)}
    bare = {f"twigs{i}": _twigs(rng) for i in range(TWIGS)}
    hedge = _leafy(rng)
    return crowns | bare | {"conifer": _conifer(rng), "hedge": painted(hedge), "bark": _bark(rng)}


def _leafy(rng: np.random.Generator) -> NDArray[np.float32]:
    """(SIDE, SIDE, 3) leaves over the dark inside of a crown."""
    image = np.full((SIDE, SIDE, 3), (0.25, 0.27, 0.2), np.float32)
    for _ in range(1100):
        x, y = (int(v) for v in rng.integers(0, SIDE, 2))
        shade = rng.uniform(0.4, 1.0)
        tone = (shade * rng.uniform(0.85, 1.1), shade, shade * rng.uniform(0.6, 0.95))
        axes = (int(rng.integers(2, 5)), int(rng.integers(1, 3)))
        cv2.ellipse(image, (x, y), axes, float(rng.uniform(0, 180)), 0, 360, tone, -1)
    return image


def _crown(rng: np.random.Generator) -> Texture:
    """A crown with ragged edges and holes, lit from above, its clumps dark below."""
    rows, columns = np.mgrid[:SIDE, :SIDE] / SIDE * 2 - 1
    clumps = noise(rng, smooth=2, octaves=2)
    radius = np.hypot(rows, columns * rng.uniform(0.95, 1.2)) + 0.13 * clumps + 0.07 * noise(rng)
    edge = rng.uniform(0.78, 0.88)
    holes = noise(rng, smooth=0, octaves=4) * 0.5 + radius * rng.uniform(1.1, 1.5) > 1.75
    mask = ((radius < edge) & ~holes).astype(np.uint8) * 255
    light = 0.8 - 0.25 * rows - 0.16 * clumps
    return painted(_leafy(rng) * light[..., None], tint=mask)


def _twigs(rng: np.random.Generator) -> Texture:
    """A crown in winter: branches that fork upwards from the bottom middle."""
    big, spread = SIDE * 4, rng.uniform(0.35, 0.6)
    mask = np.zeros((big, big), np.uint8)

    def grow(x: float, y: float, angle: float, length: float, width: float) -> None:
        tip_x, tip_y = x + length * np.cos(angle), y - length * np.sin(angle)
        cv2.line(mask, (int(x), int(y)), (int(tip_x), int(tip_y)), 255, max(1, int(width)))
        if length < 14:
            return
        for _ in range(rng.integers(2, 4)):
            bend, shrink = rng.normal(0, spread), rng.uniform(0.68, 0.86)
            grow(tip_x, tip_y, angle + bend, length * shrink, width * 0.68)

    grow(big / 2, big, np.pi / 2, big * 0.19, 20.0)
    for lean in (-0.5, 0.5):
        grow(big / 2, big * 0.9, np.pi / 2 + lean, big * 0.17, 14.0)
    small = cv2.resize(mask, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    mask = np.where(small > 60, np.minimum(255, small * 1.5), 0).astype(np.uint8)
    return painted(0.8 + 0.1 * noise(rng), tint=mask)


def _conifer(rng: np.random.Generator) -> Texture:
    rows, columns = np.mgrid[:SIDE, :SIDE] / SIDE
    edge = 0.05 + 0.4 * rows + 0.03 * noise(rng)
    ragged = np.abs(columns - 0.5) < edge * (0.75 + 0.25 * (rows * 9 % 1))
    return painted(_leafy(rng) * (0.5 + 0.5 * (rows * 9 % 1))[..., None], tint=ragged * 255)


def _bark(rng: np.random.Generator) -> Texture:
    grain = cv2.resize(noise(rng), (SIDE, SIDE * 4))[:SIDE]
    return painted(0.75 + 0.15 * grain)
