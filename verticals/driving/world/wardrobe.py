"""What people look like: builds, clothes, hair, bags; numbers that the posing loops can read."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from verticals.driving.world.faces import Floats
from verticals.driving.world.textures import layer

TROUSERS, SKIRT, SHORTS = 0, 1, 2  # what covers the legs
SHORT, LONG, TAIL, CAP, HOOD, HELMET, BALD, BEANIE = range(8)  # what covers the head
NO_BAG, BACKPACK, SHOULDER_BAG, HANDBAG, SHOPPING = range(5)
SWINGS, PHONES, READS, POCKETS, FOLDS, POINTS = range(6)  # what arms do

LOOK = np.dtype(
    [
        ("skin", np.float32, 3), ("hair", np.float32, 3), ("top", np.float32, 3),
        ("legs", np.float32, 3), ("shoes", np.float32, 3), ("bag_tint", np.float32, 3),
        ("paint", np.float32, 3),  # of the bicycle
        ("top_texture", np.int16), ("leg_texture", np.int16),
        ("legwear", np.int8), ("head", np.int8), ("bag", np.int8), ("arms", np.int8),
        ("stout", np.float32), ("hips", np.float32), ("shoulders", np.float32),
        ("coat", np.float32),  # how far the top reaches below the hip, in shares of the height
        ("sleeve", np.float32),  # 0 bare arms, 1 to the elbow, 2 to the wrist
        ("hem", np.float32),  # height of a skirt's hem
        ("flare", np.float32),  # of trousers at the foot
    ]
)  # fmt: skip

_SKINS = np.array(
    [(0.93, 0.78, 0.68), (0.9, 0.72, 0.6), (0.85, 0.68, 0.52), (0.70, 0.50, 0.37),
     (0.45, 0.30, 0.22)]
)  # fmt: skip
_HAIRS = np.array(
    [(0.08, 0.07, 0.06), (0.08, 0.07, 0.06), (0.22, 0.15, 0.10), (0.45, 0.33, 0.2),
     (0.7, 0.6, 0.42), (0.6, 0.6, 0.6)]
)  # fmt: skip
_CLOTHS = np.array(
    [
        (0.08, 0.08, 0.09), (0.10, 0.10, 0.11), (0.15, 0.17, 0.24), (0.25, 0.25, 0.27),
        (0.45, 0.45, 0.47), (0.92, 0.92, 0.90), (0.95, 0.94, 0.92), (0.60, 0.12, 0.14),
        (0.20, 0.32, 0.60), (0.58, 0.70, 0.85), (0.22, 0.38, 0.24), (0.72, 0.62, 0.45),
        (0.42, 0.30, 0.20), (0.85, 0.60, 0.65), (0.90, 0.80, 0.30), (0.55, 0.35, 0.60),
        (0.75, 0.95, 0.20),
    ]
)  # fmt: skip
_TROUSERS = np.array(
    [(0.10, 0.10, 0.12), (0.14, 0.16, 0.22), (0.16, 0.20, 0.32), (0.25, 0.33, 0.50),
     (0.38, 0.46, 0.60), (0.30, 0.28, 0.25), (0.62, 0.55, 0.42), (0.80, 0.76, 0.68),
     (0.24, 0.24, 0.26), (0.9, 0.89, 0.86)]
)  # fmt: skip
_TOPS = ("cloth", "folds0", "folds1", "folds2", "jacket", "shirt", "stripes", "checks", "print",
         "denim", "logo", "chaos")  # fmt: skip
_TOP_ODDS = np.array([2, 3, 3, 3, 2, 2, 1, 1, 1, 0.7, 1.5, 0.5])


def looks_of(seeds: NDArray[np.integer[Any]]) -> Any:
    """(n,) records of `LOOK`; the same seed gives the same person."""
    if not len(seeds):
        return np.zeros(0, LOOK)
    return np.concatenate([_look(int(seed)) for seed in seeds])


@lru_cache(maxsize=8192)
def _look(seed: int) -> Any:
    """(1,) record."""
    dice = np.random.default_rng([11, seed]).random(40)

    def pick(options: Any, at: int) -> Any:
        return options[int(dice[at] * len(options))]

    def colour(options: Floats, at: int) -> Floats:
        tone = pick(options, at) * (0.75 + 0.45 * dice[at + 1])
        return np.clip(tone + 0.06 * (dice[at + 2] - 0.5), 0.03, 0.97)

    def share(low: float, high: float, at: int) -> float:
        return float(low + (high - low) * dice[at])

    look = np.zeros(1, LOOK)
    one = look[0]
    slight = dice[0] < 0.5  # narrower shoulders, wider hips
    one["skin"] = np.clip(pick(_SKINS, 1) * share(0.85, 1.08, 2), 0, 0.97)
    one["hair"], one["top"] = colour(_HAIRS, 3), colour(_CLOTHS, 6)
    one["legwear"] = TROUSERS if dice[9] < 0.72 else SHORTS if dice[9] < 0.84 else SKIRT
    if one["legwear"] == SKIRT and not slight:
        one["legwear"] = TROUSERS
    one["legs"] = colour(_CLOTHS if one["legwear"] == SKIRT else _TROUSERS, 10)
    one["shoes"] = colour(_CLOTHS[[0, 1, 3, 5, 12]], 13)
    one["bag_tint"], one["paint"] = colour(_CLOTHS, 16), 0.05 + 0.65 * dice[19:22]
    odds = np.cumsum(_TOP_ODDS / _TOP_ODDS.sum())
    one["top_texture"] = layer(_TOPS[min(int(np.searchsorted(odds, dice[22])), len(_TOPS) - 1)])
    one["leg_texture"] = layer(pick(("denim", "denim", "folds0", "folds1", "folds2", "cloth"), 23))
    heads = (SHORT, LONG, LONG, TAIL, TAIL, HOOD, BEANIE) if slight else (
        SHORT, SHORT, SHORT, SHORT, SHORT, SHORT, SHORT, CAP, HOOD, BALD, BEANIE)  # fmt: skip
    one["head"] = pick(heads, 24)
    bags = (NO_BAG, NO_BAG, NO_BAG, BACKPACK, BACKPACK, SHOULDER_BAG, HANDBAG, SHOPPING)
    one["bag"] = pick(bags, 25)
    one["arms"] = pick((*(SWINGS,) * 7, PHONES, READS, POCKETS, POCKETS, FOLDS, POINTS), 26)
    one["stout"] = float(np.clip(0.88 + 0.3 * dice[27] ** 1.5, 0.85, 1.2))
    one["hips"] = share(1.0, 1.15, 28) if slight else share(0.92, 1.05, 28)
    one["shoulders"] = share(0.84, 0.95, 29) if slight else share(0.95, 1.08, 29)
    long = dice[30] < 0.28
    one["coat"] = share(0.1, 0.28, 31) if long else share(-0.01, 0.06, 31)
    one["sleeve"] = 2.0 if long or dice[32] < 0.55 else pick((0.0, 1.0, 1.0), 33)
    one["hem"] = share(0.12, 0.36, 34)
    one["flare"] = share(0.9, 1.5, 35)
    return look
