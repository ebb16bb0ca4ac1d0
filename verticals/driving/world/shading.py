"""The compiled loops that colour what the z-buffer found: texture, light, shadow, mirrors, fog.

Colours are squared on the way in and rooted on the way out, which is close to a screen's curve
and cheap.
"""

# ruff: noqa: D417, PLR0912, PLR0915, PLR0917 - compiled loops take the columns of `Faces` by position

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from verticals.driving.world.faces import CUTOUT, FLAT
from verticals.driving.world.raster import _texel
from verticals.driving.world.textures import GLASS, LEVELS, SIDE

_BYTE = 1 / 255
_STAIN = 0.043  # tiles per metre of the dirt on large surfaces
_GRAIN, _GRAIN_REACH = 0.9, 25.0  # ... of the grain of every material, and metres to which it shows
_BLACK, _WHITE = np.float32(0), np.float32(255 * 255)
_FAR_OUT = SIDE << 20  # added to texture coordinates, so that they are above zero
_HIDDEN = 0.25  # metres behind the nearest face to the sun before a point lies in its shadow


class Light(NamedTuple):
    """What lights a scene; colours are (3,) linear RGB."""

    to_sun: NDArray[np.float64]  # (3,) unit vector
    sun: NDArray[np.float64]
    ambient: NDArray[np.float64]
    zenith: NDArray[np.float64]
    horizon: NDArray[np.float64]
    fog: float  # per metre
    clouds: float  # 0 clear to 1 covered
    drift: NDArray[np.float64]  # (2,) of the clouds
    exposure: float
    lit: float  # share of the windows with a lamp on
    headlamp: float  # strength of the ego's own
    lamps: NDArray[np.float64]  # (n, 4) x y z and strength of street lamps nearby
    wet: float  # 0 dry to 1: dark, mirroring ground
    dirt: float  # depth of stains, 0 to 1


class Shadows(NamedTuple):
    """What the sun sees; see `raster.cast_shadows`."""

    height: NDArray[np.float32]
    basis: NDArray[np.float64]
    centre: NDArray[np.float64]
    scale: float
    soft: int  # texels by which its edges are blurred


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def shade(
    seen: Any, plane: Any, mapping: Any, density: Any, texture: Any, tint: Any, flags: Any,
    glow: Any, shine: Any, texels: Any, cloud: int, stain: int, rotation: Any, position: Any,
    lens: Any, light: Light, shadows: Shadows, image: Any, depth: Any,
) -> None:  # fmt: skip
    """Colour and depth of every pixel.

    One long loop on purpose: a call that passes arrays costs more here than what it would do.

    Args:
        seen: (h, w) face, -1 for sky.
        plane: (f, 4) and the other columns of `Faces` and `Planes`.
        texels: (textures, texels) uint32, red in the lowest byte.
        cloud: Layer of the atlas with clouds.
        stain: ... with the dirt that breaks up large surfaces.
        rotation: (3, 3) camera from world.
        position: (3,) of the camera in the world.
        lens: (4,) fx, fy, cx, cy.
        light: What lights the scene.
        shadows: What the sun sees.
        image: (h, w, 3) uint8; written.
        depth: (h, w) float32 metres along the optical axis, inf for sky; written.
    """
    height, width = seen.shape
    per_x, per_y, cx, cy = 1 / lens[0], 1 / lens[1], lens[2], lens[3]
    r00, r01, r02 = rotation[0, 0], rotation[0, 1], rotation[0, 2]
    r10, r11, r12 = rotation[1, 0], rotation[1, 1], rotation[1, 2]
    r20, r21, r22 = rotation[2, 0], rotation[2, 1], rotation[2, 2]
    o0, o1, o2 = position[0], position[1], position[2]
    sun0, sun1, sun2 = light.sun[0], light.sun[1], light.sun[2]
    zenith0, zenith1, zenith2 = light.zenith[0], light.zenith[1], light.zenith[2]
    horizon0, horizon1, horizon2 = light.horizon[0], light.horizon[1], light.horizon[2]
    ambient0, ambient1, ambient2 = light.ambient[0], light.ambient[1], light.ambient[2]
    lamps, heights = light.lamps, shadows.height
    clouds, drift0, drift1 = light.clouds, light.drift[0], light.drift[1]
    fog, wetness = light.fog, light.wet
    gain = np.float32(255.0 * 255.0 * light.exposure)
    lit, headlamp, soiled = light.lit, light.headlamp, light.dirt
    s0, s1, s2 = light.to_sun[0], light.to_sun[1], light.to_sun[2]
    basis, centre, scale, soft = shadows.basis, shadows.centre, shadows.scale, shadows.soft
    b00, b01, b02 = basis[0, 0] * scale, basis[0, 1] * scale, basis[0, 2] * scale
    b10, b11, b12 = basis[1, 0] * scale, basis[1, 1] * scale, basis[1, 2] * scale
    side = len(heights)
    shift0 = side / 2 - (b00 * centre[0] + b01 * centre[1] + b02 * centre[2])
    shift1 = side / 2 - (b10 * centre[0] + b11 * centre[1] + b12 * centre[2])
    shift2 = _HIDDEN - (s0 * centre[0] + s1 * centre[1] + s2 * centre[2])
    # what simple arithmetic gives comes first, a run at a time, so that it can be vectorised
    row_s, row_z, row_f = np.zeros(width), np.zeros(width), np.zeros(width)
    row_u, row_v = np.zeros(width), np.zeros(width)
    row = np.zeros(3 * width, np.float32)
    flat = image.reshape(height, 3 * width)
    for y in range(height):
        q1 = (y - cy) * per_y
        a0, a1, a2 = r10 * q1 + r20, r11 * q1 + r21, r12 * q1 + r22
        start = 0
        while start < width:
            f = seen[y, start]
            end = start + 1
            while end < width and seen[y, end] == f:
                end += 1
            # what all pixels of this run share: its face, as numbers along the row
            n0 = n1 = n2 = k0 = k1 = away = u0 = u1 = u2 = v0 = v1 = v2 = texel_size = 0.0
            tint0 = tint1 = tint2 = burn = polish = towards = around = 0.0
            layer, cutout, grounded = 0, False, False
            if f >= 0:
                n0, n1, n2 = plane[f, 0], plane[f, 1], plane[f, 2]
                away = plane[f, 3] - n0 * o0 - n1 * o1 - n2 * o2
                if away > 0:  # the back of a face with two sides
                    n0, n1, n2, away = -n0, -n1, -n2, -away
                g0, g1, g2 = mapping[f, 0], mapping[f, 1], mapping[f, 2]
                h0, h1, h2 = mapping[f, 4], mapping[f, 5], mapping[f, 6]
                u0 = g0 * o0 + g1 * o1 + g2 * o2 + mapping[f, 3]
                v0 = h0 * o0 + h1 * o1 + h2 * o2 + mapping[f, 7]
                u1, u2 = g0 * r00 + g1 * r01 + g2 * r02, g0 * a0 + g1 * a1 + g2 * a2
                v1, v2 = h0 * r00 + h1 * r01 + h2 * r02, h0 * a0 + h1 * a1 + h2 * a2
                texel_size = per_x * density[f]
                tint0, tint1, tint2 = tint[f, 0], tint[f, 1], tint[f, 2]
                burn, polish, layer = glow[f], shine[f], texture[f]
                cutout, grounded = flags[f] & CUTOUT != 0, flags[f] & FLAT != 0
                towards = n0 * s0 + n1 * s1 + n2 * s2
                around = 0.62 + 0.38 * n2
                k1, k0 = n0 * r00 + n1 * r01 + n2 * r02, n0 * a0 + n1 * a1 + n2 * a2
            for x in range(start, end):
                q0 = (x - cx) * per_x
                d0, d1, d2 = r00 * q0 + a0, r01 * q0 + a1, r02 * q0 + a2
                row_s[x] = 1.0 / np.sqrt(d0 * d0 + d1 * d1 + d2 * d2)
            if f >= 0:
                for x in range(start, end):
                    q0 = (x - cx) * per_x
                    slope = k1 * q0 + k0
                    z = away / slope
                    row_z[x] = z
                    row_f[x] = -slope * row_s[x]
                    row_u[x], row_v[x] = u0 + z * (u1 * q0 + u2), v0 + z * (v1 * q0 + v2)
            for x in range(start, end):
                q0 = (x - cx) * per_x
                d0, d1, d2 = r00 * q0 + a0, r01 * q0 + a1, r02 * q0 + a2
                shrink = row_s[x]
                # 1: what the surface is, and towards which piece of sky it mirrors
                m0, m1, m2 = d0 * shrink, d1 * shrink, d2 * shrink
                mirror, facing = 1.0, 0.0
                z = p0 = p1 = p2 = u = v = keep = dirt = 0.0
                c0 = c1 = c2 = sky0 = sky1 = sky2 = 0.0
                glass = False
                if f >= 0:
                    z, facing, u, v = row_z[x], row_f[x], row_u[x], row_v[x]
                    p0, p1, p2 = o0 + z * d0, o1 + z * d1, o2 + z * d2
                    foot2 = z * texel_size
                    foot2 *= foot2 / max(facing, 0.04)  # squared: pixels in texels
                    level = 0
                    while foot2 > 1.96 and level < LEVELS - 1:
                        foot2 *= 0.25
                        level += 1
                    word = texels[layer, _texel(u, v, level)]
                    alpha = float(word >> 24)
                    if foot2 < 0.5 and level == 0:
                        s, t = u * SIDE + _FAR_OUT - 0.5, v * SIDE + _FAR_OUT - 0.5
                        i, j = int(s), int(t)
                        a, b = s - i, t - j
                        x0, x1 = i & (SIDE - 1), (i + 1) & (SIDE - 1)
                        y0, y1 = (j & (SIDE - 1)) * SIDE, ((j + 1) & (SIDE - 1)) * SIDE
                        w00, w10, w01, w11 = (1 - a) * (1 - b), a * (1 - b), (1 - a) * b, a * b
                        t00 = texels[layer, np.uint64(y0 + x0)]
                        t10 = texels[layer, np.uint64(y0 + x1)]
                        t01 = texels[layer, np.uint64(y1 + x0)]
                        t11 = texels[layer, np.uint64(y1 + x1)]
                        c0 = (t00 & 255) * w00 + (t10 & 255) * w10 + (t01 & 255) * w01
                        c0 += (t11 & 255) * w11
                        c1 = (t00 >> 8 & 255) * w00 + (t10 >> 8 & 255) * w10
                        c1 += (t01 >> 8 & 255) * w01 + (t11 >> 8 & 255) * w11
                        c2 = (t00 >> 16 & 255) * w00 + (t10 >> 16 & 255) * w10
                        c2 += (t01 >> 16 & 255) * w01 + (t11 >> 16 & 255) * w11
                    else:
                        c0, c1 = float(word & 255), float(word >> 8 & 255)
                        c2 = float(word >> 16 & 255)
                    glass = alpha < GLASS and not cutout
                    keep = 0.0 if cutout else 1.0 - alpha * _BYTE
                    mirror = 0.4 if glass else polish
                    dirt = 1.0
                    if mirror < 0.05 and z < 90.0:
                        spot = _texel(_STAIN * (p0 + 0.7 * p2), _STAIN * (p1 - 0.9 * p2), 0)
                        dirt = 1.0 - soiled + (texels[stain, spot] & 255) * (1.2 * soiled * _BYTE)
                        if z < _GRAIN_REACH:
                            spot = _texel(_GRAIN * (p0 + 0.6 * p2), _GRAIN * (p1 + 0.8 * p2), 0)
                            grit = (texels[stain, spot] >> 8 & 255) * _BYTE - 0.5
                            dirt *= 1.0 + (1.0 - z / _GRAIN_REACH) * grit * (0.3 + soiled)
                    if mirror > 0:
                        m0, m1, m2 = (
                            m0 + 2 * facing * n0,
                            m1 + 2 * facing * n1,
                            m2 + 2 * facing * n2,
                        )
                        mirror *= 0.12 + 0.88 * (1 - facing) ** 3
                # 2: the sky in that direction
                if mirror > 0 and m2 > 0.03:
                    share = np.sqrt(m2)
                    veil = 0.0
                    if clouds > 0:
                        reach = 0.22 / (m2 + 0.08)
                        w0, w1 = m0 * reach + drift0, m1 * reach + drift1
                        grain = float(texels[cloud, _texel(w0, w1, 0)] & 255)
                        grain += texels[cloud, _texel(3.1 * w0, 3.1 * w1, 1)] & 255
                        veil = min(1.0, max(0.0, (grain / 300.0 - 1.0 + clouds) * 3.0)) * clouds
                    ahead = m0 * s0 + m1 * s1 + m2 * s2
                    near = max(0.0, ahead - 0.9) * 10.0
                    halo = 0.4 * near * near + (8.0 if ahead > 0.9994 else 0.0)
                    dim = 1.0
                    if f >= 0:
                        dim = min(1.0, 0.35 + 1.85 * m2)  # houses opposite hide the low sky
                    veil *= 0.8 + 0.2 * share
                    base0 = horizon0 + share * (zenith0 - horizon0)
                    base1 = horizon1 + share * (zenith1 - horizon1)
                    base2 = horizon2 + share * (zenith2 - horizon2)
                    sky0 = (base0 + veil * (0.9 * horizon0 - base0) + halo * sun0) * dim
                    sky1 = (base1 + veil * (0.9 * horizon1 - base1) + halo * sun1) * dim
                    sky2 = (base2 + veil * (0.9 * horizon2 - base2) + halo * sun2) * dim
                elif mirror > 0:
                    sky0, sky1, sky2 = horizon0, horizon1, horizon2
                    if f >= 0:
                        sky0 = 0.12 * (ambient0 + sun0)
                        sky1 = 0.12 * (ambient1 + sun1)
                        sky2 = 0.12 * (ambient2 + sun2)
                if f < 0:
                    depth[y, x] = np.inf
                    row[3 * x], row[3 * x + 1], row[3 * x + 2] = sky0, sky1, sky2
                    continue
                # 3: what shines on it
                depth[y, x] = z
                sunny = 0.0
                if towards > 0:
                    t0, t1, t2 = p0 + 0.05 * n0, p1 + 0.05 * n1, p2 + 0.05 * n2
                    i = int(b00 * t0 + b01 * t1 + b02 * t2 + shift0)
                    j = int(b10 * t0 + b11 * t1 + b12 * t2 + shift1)
                    sunny = towards
                    if soft <= i < side - soft and soft <= j < side - soft:
                        t = s0 * t0 + s1 * t1 + s2 * t2 + shift2
                        open_ = 0.0
                        for dy in (-soft, soft):
                            for dx in (-soft, soft):
                                if heights[np.uint64(j + dy), np.uint64(i + dx)] <= t:
                                    open_ += 0.25
                        sunny *= open_
                lamp = 0.0
                if headlamp > 0 or len(lamps) > 0:
                    ahead = (shrink * (d0 * r20 + d1 * r21 + d2 * r22) - 0.86) * 7.0
                    beam = min(1.0, max(0.0, ahead)) * (1.0 if p2 < 1.1 else 0.25)
                    lamp += headlamp * beam * (0.3 + facing) / (4.0 + 0.045 * z * z)
                    for j in range(len(lamps)):
                        l0, l1, l2 = lamps[j, 0] - p0, lamps[j, 1] - p1, lamps[j, 2] - p2
                        far2 = l0 * l0 + l1 * l1 + l2 * l2
                        if far2 < 900.0:
                            falling = (n0 * l0 + n1 * l1 + n2 * l2) / np.sqrt(far2)
                            lamp += lamps[j, 3] * max(0.0, falling + 0.1) / (6.0 + far2)
                burning = burn
                if glass and lit > 0:
                    cell = int(np.floor(u * 3)) * 73 + int(np.floor(v * 2)) * 151 + f * 37
                    if (cell * 7919 % 1009 + 1009) % 1009 < lit * 1009:
                        burning += 0.5
                thick = fog * z / shrink
                haze = 1.0 / (1.0 + thick + 0.5 * thick * thick)  # close to exp(-thick)
                damp, open_sky = dirt, around
                if grounded:
                    damp *= 1 - 0.45 * wetness
                else:
                    open_sky *= 0.5 + 0.5 * min(1.0, p2 * 0.7)
                inner, outer = keep * _BYTE, (1 - keep) * _BYTE
                c0 *= inner + outer * tint0
                c1 *= inner + outer * tint1
                c2 *= inner + outer * tint2
                c0, c1, c2 = c0 * c0 * damp, c1 * c1 * damp, c2 * c2 * damp
                shown0 = c0 * (ambient0 * open_sky + sun0 * sunny + lamp)
                shown1 = c1 * (ambient1 * open_sky + sun1 * sunny + lamp * 0.8)
                shown2 = c2 * (ambient2 * open_sky + sun2 * sunny + lamp * 0.6)
                if burning > 0:
                    shown0 += burning * (0.4 if glass else c0)
                    shown1 += burning * (0.28 if glass else c1)
                    shown2 += burning * (0.16 if glass else c2)
                if mirror > 0:
                    shown0 += mirror * (sky0 - shown0)
                    shown1 += mirror * (sky1 - shown1)
                    shown2 += mirror * (sky2 - shown2)
                row[3 * x] = shown0 * haze + (1 - haze) * horizon0
                row[3 * x + 1] = shown1 * haze + (1 - haze) * horizon1
                row[3 * x + 2] = shown2 * haze + (1 - haze) * horizon2
            start = end
        for i in range(3 * width):
            value = min(_WHITE, max(_BLACK, gain * row[i]))
            flat[y, i] = np.uint8(np.sqrt(value))


@njit(cache=True, nogil=True, error_model="numpy")
def mirror_ground(image: Any, seen: Any, flags: Any, strength: float, source: Any) -> None:
    """Wet ground shows what stands behind it, upside down.

    Args:
        image: (h, w, 3) uint8; changed.
        seen: (h, w) face of each pixel.
        flags: (f,) of the faces.
        strength: 0 to 1 at grazing sight.
        source: (h, w, 3) uint8 copy of the image, blurred along columns.
    """
    height, width = seen.shape
    for x in range(width):
        foot = -1
        for y in range(height):
            if seen[y, x] < 0 or flags[seen[y, x]] & FLAT == 0:
                foot = y
                continue
            if foot < 0:
                continue
            up = 2 * foot - y
            up = max(up, 0)
            share = strength * (0.35 + 0.65 / (1 + 0.02 * (y - foot)))
            patchy = 0.6 + 0.4 * (((x // 9) * 37 + (y // 4) * 57) % 16) / 16
            for k in range(3):
                old = float(image[y, x, k])
                mixed = old + share * patchy * 0.6 * (float(source[up, x, k]) - old)
                image[y, x, k] = int(min(255.0, max(0.0, mixed)))
