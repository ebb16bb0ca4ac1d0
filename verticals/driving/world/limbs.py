"""The limbs of a body and the tubes of a bicycle, each a row: where it starts and ends, how thick.

A body stands at the origin, looks along x, and is one unit high. Every function appends rows to
`limbs` from row n on, and gives the number of rows then.
"""

# ruff: noqa: PLR0917 - compiled loops take columns by position

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from verticals.driving.world.wardrobe import (
    BACKPACK,
    BALD,
    BEANIE,
    CAP,
    FOLDS,
    HANDBAG,
    HELMET,
    HOOD,
    LONG,
    PHONES,
    POCKETS,
    POINTS,
    READS,
    SHOPPING,
    SHORTS,
    SHOULDER_BAG,
    SKIRT,
    TAIL,
    TROUSERS,
)

MOST = 44  # limbs of a body
COLUMNS = 13  # of a limb: start, end, two radii, depth over width, colour, texture


@njit(cache=True, nogil=True, inline="always")
def _limb(
    limbs: Any, n: int, ax: float, ay: float, az: float, bx: float, by: float, bz: float,
    r0: float, r1: float, flat: float, tint: Any, texture: int,
) -> int:  # fmt: skip
    """Append one limb; the new number of limbs."""
    limbs[n, 0], limbs[n, 1], limbs[n, 2] = ax, ay, az
    limbs[n, 3], limbs[n, 4], limbs[n, 5] = bx, by, bz
    limbs[n, 6], limbs[n, 7], limbs[n, 8] = r0, r1, flat
    limbs[n, 9], limbs[n, 10], limbs[n, 11] = tint[0], tint[1], tint[2]
    limbs[n, 12] = texture
    return n + 1


@njit(cache=True, nogil=True)
def legs(limbs: Any, n: int, look: Any, phase: float, stride: float, skin: int) -> int:
    """Two legs that walk, and what covers them."""
    hip, wide = 0.508, 0.05 * look.hips
    bare = look.legwear != TROUSERS
    thick = 0.9 + 0.25 * (look.stout - 0.88) / 0.3
    for leg in range(2):
        side, turned = (-1.0, phase) if leg == 0 else (1.0, phase + np.pi)
        thigh = stride * (0.5 * np.sin(turned) + 0.06)
        bend = stride * max(0.0, np.cos(turned)) * 1.1 + 0.05
        lower = thigh - bend
        jy = side * wide
        kx, kz = hip * 0.5 * np.sin(thigh), hip - hip * 0.5 * np.cos(thigh)
        ax, az = kx + hip * 0.425 * np.sin(lower), kz - hip * 0.425 * np.cos(lower)
        if look.legwear == SKIRT:
            n = _limb(limbs, n, 0, jy, hip, kx, jy, kz, 0.045 * thick, 0.036 * thick, 1.1,
                      look.skin, skin)  # fmt: skip
        else:
            n = _limb(limbs, n, 0, jy, hip + 0.02, kx, jy, kz, 0.058 * thick, 0.044 * thick, 1.1,
                      look.legs, look.leg_texture)  # fmt: skip
        if bare:  # a calf, thickest a third of the way down
            cx, cz = kx + (ax - kx) * 0.3, kz + (az - kz) * 0.3
            n = _limb(limbs, n, kx, jy, kz, cx, jy, cz, 0.031, 0.034, 1.1, look.skin, skin)
            n = _limb(limbs, n, cx, jy, cz, ax, jy, az, 0.034, 0.02, 1.1, look.skin, skin)
        else:
            n = _limb(limbs, n, kx, jy, kz, ax, jy, az - 0.012, 0.042 * thick, 0.03 * look.flare,
                      1.1, look.legs, look.leg_texture)  # fmt: skip
        heel_x, heel_z = ax - 0.03 * np.cos(lower), az - 0.012 - 0.03 * np.sin(lower)
        toe_x, toe_z = ax + 0.1 * np.cos(lower), az - 0.014 + 0.1 * np.sin(lower) * 0.6
        n = _limb(limbs, n, heel_x, jy, max(0.028, heel_z), toe_x, jy + side * 0.012,
                  max(0.022, toe_z), 0.028, 0.022, 1.0, look.shoes, 0)  # fmt: skip
    if look.legwear == SKIRT:
        swing = 0.5 * stride * abs(np.sin(phase))
        n = _limb(limbs, n, 0, 0, look.hem, 0, 0, hip + 0.05, 0.1 + 0.05 * swing, 0.085,
                  0.8 + 0.5 * swing, look.legs, look.leg_texture)  # fmt: skip
    return n


@njit(cache=True, nogil=True)
def _arm(
    limbs: Any, n: int, look: Any, side: float, shoulder: Any, elbow: Any, wrist: Any, skin: int
) -> int:
    """Upper arm, forearm and hand between three joints (3,)."""
    bare = look.sleeve < 0.5
    upper, weave = (look.skin, skin) if bare else (look.top, look.top_texture)
    plump = 0.75 + 0.25 * look.stout
    n = _limb(limbs, n, shoulder[0], shoulder[1], shoulder[2], elbow[0], elbow[1], elbow[2],
              0.041 * plump, 0.031 * plump, 1.0, upper, weave)  # fmt: skip
    covered = look.sleeve > 1.5
    lower, weave = (look.top, look.top_texture) if covered else (look.skin, skin)
    thick = (0.03, 0.024) if covered else (0.026, 0.019)
    n = _limb(limbs, n, elbow[0], elbow[1], elbow[2], wrist[0], wrist[1], wrist[2], thick[0],
              thick[1], 1.0, lower, weave)  # fmt: skip
    far = 0.33
    hx, hz = wrist[0] + far * (wrist[0] - elbow[0]), wrist[2] + far * (wrist[2] - elbow[2])
    return _limb(limbs, n, wrist[0], wrist[1], wrist[2], hx, wrist[1] - side * 0.004, hz, 0.02,
                 0.015, 1.0, look.skin, skin)  # fmt: skip


@njit(cache=True, nogil=True)
def arms(limbs: Any, n: int, look: Any, phase: float, stride: float, skin: int) -> int:
    """Two arms that swing, telephone, read, rest or point."""
    shoulder, elbow, wrist = np.zeros(3), np.zeros(3), np.zeros(3)
    for arm in range(2):
        side, turned = (-1.0, phase + np.pi) if arm == 0 else (1.0, phase)
        swing, bend = stride * 0.55 * np.sin(turned), 0.22 + stride * 0.4
        out, inwards = 0.02, 0.0
        if look.arms == PHONES and arm == 0:
            swing, bend = 0.35, 2.3
        elif look.arms == READS:
            swing, bend, inwards = 0.0, 1.4, 0.05
        elif look.arms == POCKETS:
            swing, bend, out, inwards = -0.3, 0.75, 0.035, 0.03
        elif look.arms == FOLDS:
            swing, bend, inwards = 0.0, 1.4, 0.14
        elif look.arms == POINTS and arm == 1:
            swing, bend = 0.4, 0.4
        shoulder[0], shoulder[1], shoulder[2] = 0.012, side * 0.1 * look.shoulders, 0.797
        elbow[0] = shoulder[0] + 0.17 * np.sin(swing)
        elbow[1] = shoulder[1] + side * out
        elbow[2] = shoulder[2] - 0.17 * np.cos(swing)
        wrist[0] = elbow[0] + 0.15 * np.sin(swing + bend)
        wrist[1] = elbow[1] - side * inwards
        wrist[2] = elbow[2] - 0.15 * np.cos(swing + bend)
        n = _arm(limbs, n, look, side, shoulder, elbow, wrist, skin)
    return n


@njit(cache=True, nogil=True)
def trunk(
    limbs: Any, n: int, look: Any, head: int, hip: float, shoulder: float, lean: float,
    back: float, cover: float, textures: Any,
) -> int:  # fmt: skip
    """Hips, chest, neck, head, hair and what is carried; the hips `back` behind the middle."""
    plain, skin, hair, face = textures[0], textures[1], textures[2], textures[3]
    waist, stout, coat = (hip + shoulder) / 2, look.stout, cover
    hips, wide = 0.088 * stout * look.hips, 0.112 * look.shoulders * (0.7 + 0.3 * stout)
    x0, x1, x2 = -back, lean * 0.5 - back, lean - back
    chest = shoulder - 0.03
    belly = 0.084 * stout
    n = _limb(limbs, n, x0, 0, hip - 0.05, x0, 0, hip + 0.06, hips * 0.93, hips, 0.72, look.legs,
              look.leg_texture)  # fmt: skip
    n = _limb(limbs, n, x0, 0, hip + 0.02 - coat, x1, 0, waist, hips * 1.04 + 0.1 * max(0.0, coat),
              belly, 0.74, look.top, look.top_texture)  # fmt: skip
    n = _limb(limbs, n, x1, 0, waist, x2, 0, chest, belly, wide, 0.64, look.top, look.top_texture)
    n = _limb(limbs, n, x2, 0, chest, x2, 0, shoulder - 0.002, wide, wide * 0.88, 0.62, look.top,
              plain)  # fmt: skip
    n = _limb(limbs, n, x2, 0, shoulder - 0.002, x2, 0, shoulder + 0.04, wide * 0.88, 0.034, 0.62,
              look.top, plain)  # fmt: skip
    x, chin = lean * 1.2 + 0.01 - back, shoulder + 0.05
    n = _limb(limbs, n, x2, 0, shoulder + 0.01, x, 0, shoulder + 0.075, 0.031, 0.03, 1.0, look.skin,
              skin)  # fmt: skip
    n = _limb(limbs, n, x + 0.006, 0, chin, x, 0, chin + 0.04, 0.026, 0.041, 1.2, look.skin, skin)
    n = _limb(limbs, n, x, 0, chin + 0.035, x, 0, chin + 0.105, 0.041, 0.043, 1.2, look.skin, face)
    tint, weave = look.hair, hair
    if head in (CAP, HOOD, BEANIE):
        tint, weave = look.top, plain
    elif head == HELMET:
        tint, weave = look.paint, plain
    elif head == BALD:
        tint, weave = look.skin, skin
    wider = 0.006 if head in (HOOD, HELMET, BEANIE) else 0.002
    n = _limb(limbs, n, x - 0.006, 0, chin + 0.088, x - 0.006, 0, chin + 0.118, 0.044 + wider,
              0.04 + wider, 1.18, tint, weave)  # fmt: skip
    n = _limb(limbs, n, x - 0.006, 0, chin + 0.118, x - 0.006, 0, chin + 0.132, 0.04 + wider, 0.018,
              1.18, tint, weave)  # fmt: skip
    if head != BALD:
        low, thick = (chin - 0.05, 0.04) if head in (LONG, HOOD) else (chin + 0.03, 0.034)
        n = _limb(limbs, n, x - 0.03, 0, low, x - 0.018, 0, chin + 0.1, thick, 0.046, 0.75, tint,
                  weave)  # fmt: skip
    if head == LONG:
        n = _limb(limbs, n, x - 0.04, 0, chin - 0.13, x - 0.032, 0, chin - 0.04, 0.03, 0.042, 0.6,
                  tint, weave)  # fmt: skip
    elif head == TAIL:
        n = _limb(limbs, n, x - 0.075, 0, chin - 0.03, x - 0.055, 0, chin + 0.07, 0.014, 0.02, 1.0,
                  tint, weave)  # fmt: skip
    elif head == CAP:
        n = _limb(limbs, n, x + 0.03, 0, chin + 0.093, x + 0.085, 0, chin + 0.086, 0.034, 0.03, 0.2,
                  tint, plain)  # fmt: skip
    if look.bag == BACKPACK:
        n = _limb(limbs, n, x0 - 0.105, 0, waist - 0.06, x2 - 0.1, 0, shoulder - 0.03, 0.076, 0.07,
                  0.72, look.bag_tint, look.leg_texture)  # fmt: skip
        for side in (-0.062, 0.062):
            n = _limb(limbs, n, x1 + 0.062, side, waist, x2 + 0.052, side, shoulder + 0.012, 0.011,
                      0.011, 0.6, look.bag_tint, plain)  # fmt: skip
    elif look.bag == SHOULDER_BAG:
        n = _limb(limbs, n, x0 - 0.01, 0.135, hip - 0.06, x0 - 0.01, 0.132, hip + 0.06, 0.034,
                  0.032, 2.4, look.bag_tint, plain)  # fmt: skip
        n = _limb(limbs, n, x1 + 0.066, 0.1, hip + 0.06, x2 + 0.06, -0.07, shoulder + 0.01, 0.01,
                  0.01, 0.6, look.bag_tint, plain)  # fmt: skip
    elif look.bag == HANDBAG:
        n = _limb(limbs, n, x0 + 0.02, -0.142, hip - 0.14, x0 + 0.02, -0.14, hip - 0.03, 0.03,
                  0.026, 2.6, look.bag_tint, plain)  # fmt: skip
    elif look.bag == SHOPPING:
        n = _limb(limbs, n, x0 + 0.02, 0.14, hip - 0.27, x0 + 0.02, 0.14, hip - 0.07, 0.034, 0.02,
                  2.6, look.bag_tint, look.leg_texture)  # fmt: skip
    return n


@njit(cache=True, nogil=True)
def rider(limbs: Any, n: int, look: Any, phase: float, textures: Any) -> int:
    """Somebody on a saddle: legs on the pedals, hands on the bar."""
    skin = textures[1]
    hip, shoulder, back = 0.53, 0.80, 0.1
    bare = look.legwear == SHORTS
    joint, elbow, wrist = np.zeros(3), np.zeros(3), np.zeros(3)
    for k in range(2):
        side, turned = (-1.0, phase) if k == 0 else (1.0, phase + np.pi)
        px, pz = 0.09 * np.cos(turned), 0.16 + 0.09 * np.sin(turned)
        dx, dz = px + back, pz - hip
        span = np.sqrt(dx * dx + dz * dz)
        out = np.sqrt(max(0.0, 0.225 * 0.225 - span * span / 4)) / span
        kx, kz = -back + dx / 2 - dz * out, hip + dz / 2 + dx * out
        n = _limb(limbs, n, -back, side * 0.05, hip, kx, side * 0.055, kz, 0.055, 0.04, 1.0,
                  look.legs, look.leg_texture)  # fmt: skip
        if bare:
            n = _limb(limbs, n, kx, side * 0.055, kz, px, side * 0.06, pz, 0.034, 0.022, 1.0,
                      look.skin, skin)  # fmt: skip
        else:
            n = _limb(limbs, n, kx, side * 0.055, kz, px, side * 0.06, pz, 0.038, 0.026, 1.0,
                      look.legs, look.leg_texture)  # fmt: skip
        n = _limb(limbs, n, px - 0.03, side * 0.06, pz, px + 0.07, side * 0.06, pz, 0.026, 0.02,
                  1.0, look.shoes, textures[0])  # fmt: skip
        joint[0], joint[1], joint[2] = 0.13, side * 0.1, shoulder - 0.015
        elbow[0], elbow[1], elbow[2] = 0.19, side * 0.13, 0.645
        wrist[0], wrist[1], wrist[2] = 0.25, side * 0.12, 0.57
        n = _arm(limbs, n, look, side, joint, elbow, wrist, skin)
    return n


@njit(cache=True, nogil=True)
def tubes(limbs: Any, n: int, look: Any, plain: int) -> int:
    """A bicycle's frame and handlebar."""
    points = ((-0.3, 0.19), (0.3, 0.19), (0.0, 0.16), (-0.12, 0.48), (0.23, 0.47), (0.25, 0.57))
    for a, b in ((0, 3), (0, 2), (2, 3), (2, 4), (3, 4), (4, 1), (4, 5)):
        p, q = points[a], points[b]
        n = _limb(limbs, n, p[0], 0, p[1], q[0], 0, q[1], 0.012, 0.012, 1.0, look.paint, plain)
    dark = np.full(3, 0.08)
    n = _limb(limbs, n, 0.25, 0.14, 0.56, 0.25, -0.14, 0.56, 0.01, 0.01, 1.0, dark, plain)
    return _limb(limbs, n, -0.18, 0, 0.495, -0.06, 0, 0.49, 0.03, 0.018, 1.0, dark, plain)
