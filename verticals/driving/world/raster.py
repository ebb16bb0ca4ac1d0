"""The compiled loops that decide which face each pixel sees: a z-buffer over convex polygons.

Pixels are points at their centres, so depth and labels are exact there. Knows planes and
textures' holes, not colours.
"""

# ruff: noqa: D417, PLR0912, PLR0915, PLR0917 - compiled loops take the columns of `Faces` by position

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from verticals.driving.world.faces import CUTOUT, DOUBLE, FLAT, VEIL
from verticals.driving.world.textures import LEVELS, SIDE

_ORDER_STEP = 3e-4  # paint counts as this much nearer than what it lies on


@njit(cache=True, nogil=True, error_model="numpy")
def _clip(view: Any, near: float, out: Any) -> int:
    """Cut (4, 3) camera points at z = near into `out` (5, 3); returns how many remain."""
    m = 0
    for i in range(4):
        j = (i + 1) % 4
        a, b = view[i, 2], view[j, 2]
        if a >= near:
            for k in range(3):
                out[m, k] = view[i, k]
            m += 1
        if (a >= near) != (b >= near):
            t = (near - a) / (b - a)
            for k in range(3):
                out[m, k] = view[i, k] + t * (view[j, k] - view[i, k])
            m += 1
    return m


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _slopes(xs: Any, ys: Any, m: int, slopes: Any) -> None:
    """How far each edge goes to the right per row."""
    for i in range(m):
        j = i + 1 if i + 1 < m else 0
        slopes[i] = (xs[j] - xs[i]) / (ys[j] - ys[i])


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _span(xs: Any, ys: Any, slopes: Any, m: int, y: float) -> Any:
    """First and last+1 pixel of row y inside the polygon."""
    left, right = 1e18, -1e18
    for i in range(m):
        j = i + 1 if i + 1 < m else 0
        if (ys[i] <= y) != (ys[j] <= y):
            x = xs[i] + (y - ys[i]) * slopes[i]
            left, right = min(left, x), max(right, x)
    return left, right


@njit(cache=True, nogil=True, error_model="numpy")
def draw(
    corners: Any, plane: Any, mapping: Any, density: Any, texture: Any, flags: Any, order: Any,
    instance: Any, alphas: Any, rotation: Any, position: Any, lens: Any, near: float, far: float,
    nearness: Any, seen: Any, label_nearness: Any, labels: Any, stamp: Any, area: Any,
) -> None:  # fmt: skip
    """Draw all faces into the buffers.

    Args:
        corners: (f, 4, 3) world, with the columns of `Faces` and `Planes` beside it.
        alphas: (textures, texels) of the atlas.
        rotation: (3, 3) camera from world.
        position: (3,) of the camera in the world.
        lens: (4,) fx, fy, cx, cy in pixels.
        near: Nearest depth in metres.
        far: Farther faces are left out.
        nearness: (h, w) float32 inverse depth, zero to begin with; written.
        seen: (h, w) int32 face that gives the colour, -1 to begin with; written.
        label_nearness: (h, w) float32 zeros; scratch.
        labels: (h, w) int32 face that gives the label, -1 to begin with; written.
        stamp: (h, w) int32 zeros; scratch.
        area: (objects + 1,) int64 pixels of each object were nothing before it; written. Exact
            as long as the faces of an object follow each other.
    """
    height, width = seen.shape
    view, cut = np.empty((4, 3)), np.empty((5, 3))
    xs, ys, slopes = np.empty(5), np.empty(5), np.empty(5)
    fx, fy, cx, cy = lens
    for f in range(len(corners)):
        cutout = flags[f] & CUTOUT != 0
        n0, n1, n2 = plane[f, 0], plane[f, 1], plane[f, 2]
        away = plane[f, 3] - n0 * position[0] - n1 * position[1] - n2 * position[2]
        if away >= 0 and flags[f] & DOUBLE == 0:
            continue  # its back (or edge) is turned to us
        if abs(away) < 1e-6:
            continue
        deepest = -1e18
        for i in range(4):
            p0 = corners[f, i, 0] - position[0]
            p1 = corners[f, i, 1] - position[1]
            p2 = corners[f, i, 2] - position[2]
            for k in range(3):
                view[i, k] = rotation[k, 0] * p0 + rotation[k, 1] * p1 + rotation[k, 2] * p2
            deepest = max(deepest, view[i, 2])
        if deepest < near:
            continue
        m = _clip(view, near, cut)
        top, bottom, shallow = 1e18, -1e18, 1e18
        leftmost, rightmost = 1e18, -1e18
        for i in range(m):
            xs[i] = fx * cut[i, 0] / cut[i, 2] + cx
            ys[i] = fy * cut[i, 1] / cut[i, 2] + cy
            top, bottom = min(top, ys[i]), max(bottom, ys[i])
            leftmost, rightmost = min(leftmost, xs[i]), max(rightmost, xs[i])
            shallow = min(shallow, cut[i, 2])
        if shallow > far or rightmost <= 0 or leftmost > width - 1:
            continue
        first, last = max(0, int(np.ceil(top))), min(height, int(np.ceil(bottom)))
        if first >= last:
            continue
        # inverse depth is linear on the image: w = wa x + wb y + wc
        v0 = (rotation[0, 0] * n0 + rotation[0, 1] * n1 + rotation[0, 2] * n2) / away
        v1 = (rotation[1, 0] * n0 + rotation[1, 1] * n1 + rotation[1, 2] * n2) / away
        v2 = (rotation[2, 0] * n0 + rotation[2, 1] * n1 + rotation[2, 2] * n2) / away
        bias = 1.0 + _ORDER_STEP * order[f]
        wa, wb = bias * v0 / fx, bias * v1 / fy
        wc = bias * v2 - wa * cx - wb * cy
        who = instance[f]
        # texture coordinates over depth are linear on the image too
        g0, g1, g2 = mapping[f, 0], mapping[f, 1], mapping[f, 2]
        h0, h1, h2 = mapping[f, 4], mapping[f, 5], mapping[f, 6]
        u0 = g0 * position[0] + g1 * position[1] + g2 * position[2] + mapping[f, 3]
        v0 = h0 * position[0] + h1 * position[1] + h2 * position[2] + mapping[f, 7]
        u1 = g0 * rotation[0, 0] + g1 * rotation[0, 1] + g2 * rotation[0, 2]
        u3 = g0 * rotation[1, 0] + g1 * rotation[1, 1] + g2 * rotation[1, 2]
        u4 = g0 * rotation[2, 0] + g1 * rotation[2, 1] + g2 * rotation[2, 2]
        v1 = h0 * rotation[0, 0] + h1 * rotation[0, 1] + h2 * rotation[0, 2]
        v3 = h0 * rotation[1, 0] + h1 * rotation[1, 1] + h2 * rotation[1, 2]
        v4 = h0 * rotation[2, 0] + h1 * rotation[2, 1] + h2 * rotation[2, 2]
        _slopes(xs, ys, m, slopes)
        for y in range(first, last):
            left, right = _span(xs, ys, slopes, m, float(y))
            if right < left:
                continue
            x0, x1 = max(0, int(np.ceil(left))), min(width, int(np.ceil(right)))
            row = wb * y + wc
            if not cutout:
                for x in range(x0, x1):
                    w = wa * x + row
                    if w > nearness[y, x]:
                        nearness[y, x] = w
                        seen[y, x] = f
                if who > 0:
                    for x in range(x0, x1):
                        if stamp[y, x] != who:
                            stamp[y, x] = who
                            area[who] += 1
                continue
            r1 = (y - cy) / fy
            u2, v2 = u3 * r1 + u4, v3 * r1 + v4
            for x in range(x0, x1):
                w = wa * x + row
                if w <= nearness[y, x] and who == 0:
                    continue
                z = bias / w
                r0 = (x - cx) / fx
                u, v = u0 + z * (u1 * r0 + u2), v0 + z * (v1 * r0 + v2)
                foot = z / fx * density[f]
                level = 0
                while foot > 1.4 and level < LEVELS - 1:
                    foot *= 0.5
                    level += 1
                alpha = alphas[texture[f], _texel(u, v, level)]
                mark = alpha
                if flags[f] & VEIL:
                    coarse = min(max(level + 1, 2), LEVELS - 1)
                    mark = 255 if alphas[texture[f], _texel(u, v, coarse)] > 30 else 0
                # far away a texel is part hole: keep that share of the pixels
                dither = 127
                if level > 0 and 0 < alpha < 255:
                    dither = (x * 101 + y * 59 + (x * y) % 37 * 7) % 256
                if alpha > dither and w > nearness[y, x]:
                    nearness[y, x] = w
                    seen[y, x] = f
                if mark > 127 or (alpha > dither and flags[f] & VEIL):
                    if w > label_nearness[y, x]:
                        label_nearness[y, x] = w
                        labels[y, x] = f
                    if who > 0 and stamp[y, x] != who:
                        stamp[y, x] = who
                        area[who] += 1
    for y in range(height):
        for x in range(width):
            if nearness[y, x] >= label_nearness[y, x]:  # no veil lies before what is seen
                labels[y, x] = seen[y, x]


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _texel(u: float, v: float, level: int) -> Any:
    """Position in the atlas of the texel at u, v."""
    size = SIDE >> level
    far = float(size << 20)  # keeps the numbers above zero
    x = int(u * size + far) & (size - 1)
    y = int(v * size + far) & (size - 1)
    # where the level begins: the sum of the areas of all larger ones
    return np.uint64((4 * SIDE * SIDE - 4 * size * size) // 3 + y * size + x)


@njit(cache=True, nogil=True, error_model="numpy")
def cast_shadows(
    corners: Any, plane: Any, mapping: Any, texture: Any, flags: Any, alphas: Any,
    basis: Any, centre: Any, scale: float, height: Any,
) -> None:  # fmt: skip
    """Draw the scene as the sun sees it.

    Args:
        corners: (f, 4, 3) and the other columns.
        basis: (3, 3) rows: two axes across the light, and the direction towards it.
        centre: (3,) point in the middle of the map.
        scale: Texels of the map per metre.
        height: (s, s) float32, metres towards the sun of the nearest face; -inf to begin with.
    """
    side = len(height)
    xs, ys, slopes = np.empty(4), np.empty(4), np.empty(4)
    for f in range(len(corners)):
        if flags[f] & FLAT:
            continue
        n0, n1, n2 = plane[f, 0], plane[f, 1], plane[f, 2]
        facing = n0 * basis[2, 0] + n1 * basis[2, 1] + n2 * basis[2, 2]
        if abs(facing) < 1e-3:
            continue
        top, bottom, leftmost, rightmost = 1e18, -1e18, 1e18, -1e18
        for i in range(4):
            p0 = corners[f, i, 0] - centre[0]
            p1 = corners[f, i, 1] - centre[1]
            p2 = corners[f, i, 2] - centre[2]
            xs[i] = (basis[0, 0] * p0 + basis[0, 1] * p1 + basis[0, 2] * p2) * scale + side / 2
            ys[i] = (basis[1, 0] * p0 + basis[1, 1] * p1 + basis[1, 2] * p2) * scale + side / 2
            top, bottom = min(top, ys[i]), max(bottom, ys[i])
            leftmost, rightmost = min(leftmost, xs[i]), max(rightmost, xs[i])
        if rightmost < 0 or leftmost > side:
            continue
        away = plane[f, 3] - n0 * centre[0] - n1 * centre[1] - n2 * centre[2]
        ta = -(n0 * basis[0, 0] + n1 * basis[0, 1] + n2 * basis[0, 2]) / facing / scale
        tb = -(n0 * basis[1, 0] + n1 * basis[1, 1] + n2 * basis[1, 2]) / facing / scale
        tc = away / facing - (ta + tb) * side / 2
        _slopes(xs, ys, 4, slopes)
        for y in range(max(0, int(np.ceil(top))), min(side, int(np.ceil(bottom)))):
            left, right = _span(xs, ys, slopes, 4, float(y))
            if right < left:
                continue
            for x in range(max(0, int(np.ceil(left))), min(side, int(np.ceil(right)))):
                t = ta * x + tb * y + tc
                if t <= height[y, x]:
                    continue
                if flags[f] & CUTOUT:
                    a, b = (x - side / 2) / scale, (y - side / 2) / scale
                    p0 = centre[0] + a * basis[0, 0] + b * basis[1, 0] + t * basis[2, 0]
                    p1 = centre[1] + a * basis[0, 1] + b * basis[1, 1] + t * basis[2, 1]
                    p2 = centre[2] + a * basis[0, 2] + b * basis[1, 2] + t * basis[2, 2]
                    u = mapping[f, 0] * p0 + mapping[f, 1] * p1 + mapping[f, 2] * p2 + mapping[f, 3]
                    v = mapping[f, 4] * p0 + mapping[f, 5] * p1 + mapping[f, 6] * p2 + mapping[f, 7]
                    if alphas[texture[f], _texel(u, v, 2)] < 100:
                        continue
                height[y, x] = t
