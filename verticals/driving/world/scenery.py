"""What stands beside the road: trees, lamps, fences, signs and traffic lights."""

# ruff: noqa: PLR0917 - drawing takes coordinates by position

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from verticals.driving.frame import SURFACES, UNLABELLED
from verticals.driving.world.buildings import BRICKS
from verticals.driving.world.faces import (
    CUTOUT,
    DOUBLE,
    VEIL,
    Faces,
    Floats,
    box,
    faces,
    join,
    post,
    prisms,
)
from verticals.driving.world.foliage import LEAVES, TWIGS
from verticals.driving.world.people import bicycle
from verticals.driving.world.scene import KERB, LIGHTS, Fence, Prop, Sign, Signal

_SURFACE = {name: index for index, name in enumerate(SURFACES)}
_WOODS = np.array([(0.45, 0.34, 0.24), (0.32, 0.26, 0.22), (0.25, 0.33, 0.26), (0.55, 0.5, 0.44)])
_VARIANTS = 64  # of each kind of prop
_MADE = {"tree": 8.0, "pole": 4.5, "lamp": 7.5}  # metres at which props are built
_METALS = np.array(
    [(0.25, 0.27, 0.26), (0.55, 0.57, 0.58), (0.12, 0.13, 0.13), (0.3, 0.36, 0.3),
     (0.42, 0.44, 0.45), (0.08, 0.08, 0.09), (0.68, 0.69, 0.68), (0.16, 0.24, 0.2)]
)  # fmt: skip


def prop(thing: Prop) -> Faces:
    """Trees, bushes, lamps, poles, bollards, bins, hoardings, shelters, leaning bicycles."""
    x, y = (float(v) for v in thing.position)
    whole = _prop(thing.kind, thing.look % _VARIANTS)
    scale = thing.size / _MADE.get(thing.kind, 1.0)
    return whole.placed(x, y, thing.yaw, thing.base, scale=scale)


@lru_cache(maxsize=1024)
def _prop(kind: str, look: int) -> Faces:
    """One of the variants of a kind, in its usual size."""
    rng = np.random.default_rng([32, look])
    return _PROPS[kind](_MADE.get(kind, 1.0), rng)


def _cards(
    width: float,
    low: float,
    high: float,
    texture: str,
    tint: Floats,
    rng: np.random.Generator,
    count: int,
) -> Faces:
    """Upright cutouts that cross in the middle."""
    quads = []
    for k in range(count):
        angle = np.pi * k / count + rng.uniform(0, 0.3)
        x, y = np.cos(angle) * width / 2, np.sin(angle) * width / 2
        quads.append([[-x, -y, low], [x, y, low], [x, y, high], [-x, -y, high]])
    uv = [[0.02, 0.98], [0.98, 0.98], [0.98, 0.02], [0.02, 0.02]]
    flags = CUTOUT | DOUBLE | VEIL
    return faces(quads, _SURFACE["tree"], tint, texture=texture, uv=uv, flags=flags)


def _tree(size: float, rng: np.random.Generator) -> Faces:
    season = rng.random()
    bark = np.array([0.36, 0.31, 0.26]) * rng.uniform(0.5, 1.3)
    if season < 0.1:
        green = np.array([0.3, 0.42, 0.3]) * rng.uniform(0.6, 1.3)
        return _cards(size * rng.uniform(0.35, 0.6), 0.0, size, "conifer", green, rng, 3)
    trunk_top = size * rng.uniform(0.22, 0.4)
    radius = (0.014 + 0.014 * rng.random()) * size + 0.04
    trunk = faces(post(0, 0, 0, trunk_top * 1.3, radius), _SURFACE["tree"], bark, texture="bark")
    if season < 0.5:  # bare, in winter
        crown = _cards(size * rng.uniform(0.6, 1.0), trunk_top * rng.uniform(0.6, 0.9), size,
                       f"twigs{rng.integers(TWIGS)}", bark * rng.uniform(0.8, 1.5), rng,
                       int(rng.integers(2, 5)))  # fmt: skip
        return join([trunk, crown])
    green = np.array([0.5, 0.66, 0.34]) + rng.normal(0, [0.08, 0.05, 0.06])
    green = np.clip(green, 0.1, 1) * rng.uniform(0.6, 1.4)
    if rng.random() < 0.15:
        green = np.array([0.75, 0.5, 0.25]) * rng.uniform(0.7, 1.1)
    parts = [trunk]
    width = size * rng.uniform(0.4, 0.75)
    parts.append(
        _cards(width, trunk_top * 0.75, size, f"leaves{rng.integers(LEAVES)}", green, rng, 3)
    )
    for _ in range(int(rng.integers(2, 5))):
        low = rng.uniform(trunk_top, 0.6 * size)
        bulge = _cards(width * rng.uniform(0.35, 0.65), low, low + size * rng.uniform(0.25, 0.45),
                       f"leaves{rng.integers(LEAVES)}", green * rng.uniform(0.7, 1.25), rng,
                       2)  # fmt: skip
        angle, reach = rng.uniform(0, 2 * np.pi), width * rng.uniform(0.2, 0.45)
        parts.append(bulge.placed(reach * np.cos(angle), reach * np.sin(angle), angle))
    return join(parts)


def _bush(size: float, rng: np.random.Generator) -> Faces:
    green = np.array([0.45, 0.58, 0.3]) * rng.uniform(0.6, 1.2)
    return _cards(1.6 * size, -0.1, 1.3 * size, f"leaves{rng.integers(LEAVES)}", green, rng, 3)


def _metal(rng: np.random.Generator) -> Floats:
    return _METALS[rng.integers(len(_METALS))] * rng.uniform(0.8, 1.2)


def _pole(size: float, rng: np.random.Generator) -> Faces:
    thick = (0.035 + 0.006 * size) * rng.uniform(0.8, 2.0)
    tint = np.array([0.42, 0.36, 0.3]) if rng.random() < 0.2 else _metal(rng)  # wood, for wires
    return faces(post(0, 0, 0, size, thick), _SURFACE["pole"], tint, texture="bark")


def _lamp(size: float, rng: np.random.Generator) -> Faces:
    """A street lamp; its arm reaches along x."""
    tint, reach = _metal(rng), rng.uniform(0.6, 2.0)
    arm = box((0, -0.04, size - 0.1), (reach, 0.04, size))
    head = box((reach - 0.1, -0.12, size - 0.12), (reach + 0.6, 0.12, size + 0.02))
    parts = [faces(post(0, 0, 0, size, 0.085), _SURFACE["pole"], tint),
             faces(np.concatenate([arm, head]), _SURFACE["pole"], tint)]  # fmt: skip
    glass = [[[reach - 0.1, 0.1, size - 0.13], [reach + 0.55, 0.1, size - 0.13],
              [reach + 0.55, -0.1, size - 0.13], [reach - 0.1, -0.1, size - 0.13]]]  # fmt: skip
    parts.append(faces(glass, _SURFACE["pole"], (1, 0.85, 0.6), glow=0.6))
    return join(parts)


def _bollard(size: float, rng: np.random.Generator) -> Faces:
    """A short post: dark, stone, painted, banded, or a lit box on a traffic island."""
    tints = [[0.12, 0.12, 0.13], [0.1, 0.1, 0.1], [0.75, 0.72, 0.66], [0.4, 0.4, 0.42],
             [0.55, 0.12, 0.1], [0.92, 0.92, 0.9]]  # fmt: skip
    tint = np.array(tints[rng.integers(len(tints))])
    if rng.random() < 0.15:
        yellow = box((-0.14, -0.14, 0), (0.14, 0.14, size))
        white = box((-0.145, -0.145, size * 0.45), (0.145, 0.145, size * 0.95))
        return join([faces(yellow, _SURFACE["pole"], (0.9, 0.72, 0.1), glow=0.1),
                     faces(white[:4], _SURFACE["pole"], (0.95, 0.95, 0.92), glow=0.1)])  # fmt: skip
    radius = rng.uniform(0.05, 0.12)
    body = [faces(post(0, 0, 0, size, radius), _SURFACE["pole"], tint)]
    square = 0.8 * radius * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    top = np.column_stack([square, np.full(4, size)])
    body.append(faces([top], _SURFACE["pole"], tint))
    if rng.random() < 0.4:
        ring = post(0, 0, size * 0.7, size * 0.85, radius + 0.006)
        body.append(faces(ring, _SURFACE["pole"], (0.95, 0.9, 0.85)))
    return join(body)


def _bin(size: float, rng: np.random.Generator) -> Faces:
    tint = rng.choice([[0.1, 0.1, 0.11], [0.12, 0.28, 0.16], [0.55, 0.1, 0.1], [0.25, 0.3, 0.36]])
    return faces(box((-0.3, -0.3, 0), (0.3, 0.3, size)), UNLABELLED, tint)


def _hoarding(size: float, rng: np.random.Generator) -> Faces:
    """A poster or a direction board on two legs, its face towards x."""
    wide, base = size * rng.uniform(0.8, 1.6), rng.uniform(0.4, 1.8)
    quad = [[0.03, -wide / 2, base], [0.03, wide / 2, base],
            [0.03, wide / 2, base + size], [0.03, -wide / 2, base + size]]  # fmt: skip
    legs = [post(0, y, 0, base + size, 0.04) for y in (-wide * 0.4, wide * 0.4)]
    return join([
        faces([quad], _SURFACE["sign"], texture=f"board{rng.integers(8)}"),
        faces([quad[::-1]], _SURFACE["sign"], (0.5, 0.5, 0.5)),
        faces(np.concatenate(legs), _SURFACE["pole"], _metal(rng)),
    ])  # fmt: skip


def _shelter(size: float, rng: np.random.Generator) -> Faces:
    """A bus shelter, open towards x."""
    tint, wide = _metal(rng), 3.5 * size
    roof = faces(box((-0.7, -wide / 2, 2.3), (0.7, wide / 2, 2.4)), _SURFACE["building"], tint)
    legs = [post(x, y, 0, 2.3, 0.04) for x in (-0.6, 0.6) for y in (-wide / 2, wide / 2)]
    back = [
        [-0.6, -wide / 2, 0.3],
        [-0.6, wide / 2, 0.3],
        [-0.6, wide / 2, 2.2],
        [-0.6, -wide / 2, 2.2],
    ]
    poster = [
        [-0.6, -wide / 2, 0.3],
        [0.6, -wide / 2, 0.3],
        [0.6, -wide / 2, 2.1],
        [-0.6, -wide / 2, 2.1],
    ]
    return join([
        roof,
        faces(np.concatenate(legs), _SURFACE["pole"], tint),
        faces([back], _SURFACE["building"], (0.3, 0.33, 0.35), flags=DOUBLE, shine=0.5),
        faces([poster], _SURFACE["building"], texture=f"board{rng.integers(8)}", flags=DOUBLE),
    ])  # fmt: skip


def _cycle(size: float, rng: np.random.Generator) -> Faces:
    """A parked bicycle; CamVid labels those with riders only."""
    whole = bicycle(int(rng.integers(1 << 20)), 1.75 * size)
    return replace(whole, surface=np.full(len(whole), UNLABELLED, np.uint8))


_PROPS = {
    "tree": _tree, "bush": _bush, "pole": _pole, "lamp": _lamp, "bollard": _bollard, "bin": _bin,
    "hoarding": _hoarding, "shelter": _shelter, "cycle": _cycle,
}  # fmt: skip


def fence(line: Fence) -> Faces:
    """A railing, a wall or a hedge along a line."""
    rng = np.random.default_rng([33, line.look])
    a, b = line.points[:-1], line.points[1:]
    high = line.height + KERB
    length = np.hypot(*(b - a).T)
    if line.kind == "railing":
        quads = [
            [[*p, KERB], [*q, KERB], [*q, high], [*p, high]] for p, q in zip(a, b, strict=True)
        ]
        uv = [[[0, 1], [n, 1], [n, 0], [0, 0]] for n in np.maximum(1, np.round(length / 1.4))]
        texture = str(rng.choice(["railing", "railing", "pickets", "bars", "mesh"]))
        flags = CUTOUT | DOUBLE | VEIL
        return faces(quads, _SURFACE["fence"], _metal(rng), texture=texture, uv=uv, flags=flags)
    brick, wood = BRICKS[rng.integers(len(BRICKS))], _WOODS[rng.integers(len(_WOODS))]
    brick, wood = brick * rng.uniform(0.7, 1.1), wood * rng.uniform(0.7, 1.2)
    bond = str(rng.choice(["bricks", "bricks", "rubble", "render", "ashlar"]))
    thick = {"wall": 0.15, "panel": 0.04}.get(line.kind, 0.45)
    parts = []
    for p, q, n in zip(a, b, length, strict=True):
        across = np.array([-(q - p)[1], (q - p)[0]]) / n * thick
        ring = np.array([p - across, q - across, q + across, p + across])
        low, top = (np.column_stack([ring, np.full(4, z)])[None] for z in (0.0, high))
        corners = np.concatenate([prisms(low, top), top])
        tiles = [n / 2, 0.3, n / 2, 0.3, n / 2]
        uv = [[[0, high / 1.5], [u, high / 1.5], [u, 0], [0, 0]] for u in tiles]
        if line.kind == "wall":  # CamVid counts walls with buildings
            parts.append(faces(corners, _SURFACE["building"], brick, texture=bond, uv=uv))
        elif line.kind == "panel":
            parts.append(faces(corners, _SURFACE["fence"], wood, texture="planks", uv=uv))
        else:
            tint = np.array([0.45, 0.55, 0.3]) * rng.uniform(0.6, 1.1)
            parts.append(faces(corners, _SURFACE["tree"], tint, texture="hedge", uv=uv))
    return join(parts)


def sign(post_: Sign) -> tuple[Faces, Faces]:
    """The plate (an object) and its pole, placed."""
    s = post_.size
    low, high = post_.height - s / 2, post_.height + s / 2
    quad = np.array(
        [[0.05, -s / 2, low], [0.05, s / 2, low], [0.05, s / 2, high], [0.05, -s / 2, high]]
    )
    texture = f"sign:{post_.kind}"
    front = faces([quad], _SURFACE["sign"], texture=texture, flags=CUTOUT, glow=0.05)
    # from behind the same outline in grey: dark tint over the plate's colours
    back = faces([quad[::-1]], _SURFACE["sign"], (0.35, 0.36, 0.37), texture=texture, flags=CUTOUT,
                 uv=[[0, 0], [1, 0], [1, 1], [0, 1]])  # fmt: skip
    pole = faces(post(0, 0, 0, high, 0.035), _SURFACE["pole"], (0.5, 0.51, 0.52))
    x, y = (float(v) for v in post_.position)
    return join([front, back]).placed(x, y, post_.yaw), pole.placed(x, y, post_.yaw)


def signal_pole(light: Signal) -> Faces:
    """The pole of a traffic light, placed."""
    pole = faces(post(-0.12, 0, 0, light.height + 0.7, 0.055), _SURFACE["pole"], (0.12, 0.12, 0.13))
    return pole.placed(float(light.position[0]), float(light.position[1]), light.yaw)


@lru_cache(maxsize=256)
def signal_head(light: Signal, state: str) -> Faces:
    """The lamps of a traffic light as they are now (an object), placed."""
    if state not in LIGHTS:
        raise ValueError(f"a traffic light shows one of {', '.join(LIGHTS)}, not {state!r}")
    z = light.height
    surface = _SURFACE["sign"]
    parts = [faces(box((-0.1, -0.17, z - 0.5), (0.1, 0.17, z + 0.5)), surface, (0.07, 0.07, 0.08))]
    lamps = (
        (0.31, (0.95, 0.08, 0.06), state in ("red", "red_amber")),
        (0.0, (1.0, 0.6, 0.05), state in ("amber", "red_amber")),
        (-0.31, (0.1, 0.95, 0.55), state == "green"),
    )
    angles = np.arange(8) * np.pi / 4 + np.pi / 8
    ring = np.column_stack([np.full(8, 0.11), 0.11 * np.cos(angles), 0.11 * np.sin(angles)])
    for shift, colour, on in lamps:
        points = ring + np.array([0, 0, z + shift])
        fan = [points[[0, i, i + 1, min(i + 2, 7)]] for i in (1, 3, 5)]
        tint = np.array(colour) if on else np.array(colour) * 0.18
        parts.append(faces(fan, surface, tint, glow=3.0 if on else 0.0))
        hood = [[0.1, -0.13, z + shift + 0.12], [0.28, -0.11, z + shift + 0.1],
                [0.28, 0.11, z + shift + 0.1], [0.1, 0.13, z + shift + 0.12]]  # fmt: skip
        parts.append(faces([hood], surface, (0.06, 0.06, 0.07), flags=DOUBLE))
    return join(parts).placed(float(light.position[0]), float(light.position[1]), light.yaw)
