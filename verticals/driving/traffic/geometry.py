"""Compiled geometry: poses on paths and back, bodies that touch, lines of sight, random numbers."""

# ruff: noqa: PLR0917 - compiled loops take plain arrays by position

from __future__ import annotations

import math

import numpy as np

from verticals.driving.traffic.columns import HEADING, LENGTH, PATH, PHI, WIDTH, D, S, X, Y
from verticals.driving.traffic.compiling import compiled

_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX1, _MIX2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)


@compiled
def uniform(random):  # type: ignore[no-untyped-def]
    """A number from 0 up to 1 of a (1,) uint64 stream, by SplitMix64 (Steele et al., 2014)."""
    random[0] += _STEP
    z = random[0]
    z = (z ^ (z >> _S30)) * _MIX1
    z = (z ^ (z >> _S27)) * _MIX2
    z ^= z >> _S31
    return (z >> _S11) * (1.0 / 9007199254740992.0)


@compiled
def normal(random):  # type: ignore[no-untyped-def]
    """A standard normal number (Box and Muller, 1958)."""
    radius = math.sqrt(-2.0 * math.log(1.0 - uniform(random)))
    return radius * math.cos(2.0 * math.pi * uniform(random))


@compiled
def place(table, path, s, d):  # type: ignore[no-untyped-def]
    """World x, y and heading of a point of a path; straight on beyond its ends."""
    last = table.shape[1] - 2
    i = min(max(int(s), 0), last)
    t = s - i
    x = table[path, i, 0] + t * (table[path, i + 1, 0] - table[path, i, 0])
    y = table[path, i, 1] + t * (table[path, i + 1, 1] - table[path, i, 1])
    u = min(max(t, 0.0), 1.0)
    heading = table[path, i, 2] + u * (table[path, i + 1, 2] - table[path, i, 2])
    return x - d * math.sin(heading), y + d * math.cos(heading), heading


@compiled
def project(table, straight, path, x, y):  # type: ignore[no-untyped-def]
    """S and d of a world point on a path, from its nearest metre."""
    best = 0
    if straight[path] == 0.0:
        nearest = math.inf
        for stride, low, high in ((8, 0, table.shape[1]), (1, -8, 9)):
            first = low if stride == 8 else max(best + low, 0)
            end = high if stride == 8 else min(best + high, table.shape[1])
            for i in range(first, end, stride):
                away = (table[path, i, 0] - x) ** 2 + (table[path, i, 1] - y) ** 2
                if away < nearest:
                    nearest, best = away, i
    heading = table[path, best, 2]
    c, n = math.cos(heading), math.sin(heading)
    dx, dy = x - table[path, best, 0], y - table[path, best, 1]
    return best + dx * c + dy * n, dy * c - dx * n


@compiled
def settle(table, actor):  # type: ignore[no-untyped-def]
    """Write an actor's world pose from its place on the path."""
    x, y, heading = place(table, int(actor[PATH]), actor[S], actor[D])
    actor[X], actor[Y], actor[HEADING] = x, y, heading + actor[PHI]


@compiled
def onto(roads, actor, path):  # type: ignore[no-untyped-def]
    """S and d of an actor on another path; s is NaN where it is not on it."""
    own = int(actor[PATH])
    if own == path:
        return actor[S], actor[D]
    if roads.group[own] == roads.group[path]:
        return actor[S], actor[D] + roads.offset[own] - roads.offset[path]
    if roads.group[path] < 1000:  # one of the parallel lanes of a straight road
        return project(roads.table, roads.straight, path, actor[X], actor[Y])
    i = min(max(int(actor[S]), 0), roads.table.shape[1] - 1)
    return roads.shared[path, own, i] + actor[S] - i, actor[D]


@compiled
def boxes_touch(x1, y1, h1, length1, width1, x2, y2, h2, length2, width2):  # type: ignore[no-untyped-def]
    """Do two turned rectangles overlap? By separating axes (Gottschalk et al., 1996)."""
    dx, dy = x2 - x1, y2 - y1
    reach = 0.5 * (length1 + width1 + length2 + width2)  # no less than both half diagonals
    if dx * dx + dy * dy > reach * reach:
        return False
    c = abs(math.cos(h2 - h1))
    n = abs(math.sin(h2 - h1))
    c1, n1, c2, n2 = math.cos(h1), math.sin(h1), math.cos(h2), math.sin(h2)
    along1, aside1 = abs(dx * c1 + dy * n1), abs(dy * c1 - dx * n1)
    along2, aside2 = abs(dx * c2 + dy * n2), abs(dy * c2 - dx * n2)
    return (
        2 * along1 < length1 + length2 * c + width2 * n
        and 2 * aside1 < width1 + length2 * n + width2 * c
        and 2 * along2 < length2 + length1 * c + width1 * n
        and 2 * aside2 < width2 + length1 * n + width1 * c
    )


@compiled
def touch(a, b):  # type: ignore[no-untyped-def]
    """Do the bodies of two actors overlap?"""
    return boxes_touch(a[X], a[Y], a[HEADING], a[LENGTH], a[WIDTH],
                       b[X], b[Y], b[HEADING], b[LENGTH], b[WIDTH])  # fmt: skip


@compiled
def crosses_box(x1, y1, x2, y2, box):  # type: ignore[no-untyped-def]
    """Does the line between two points run through a body? By slabs (Kay and Kajiya, 1986)."""
    c, n = math.cos(box[HEADING]), math.sin(box[HEADING])
    ax, ay = x1 - box[X], y1 - box[Y]
    start = (ax * c + ay * n, ay * c - ax * n)
    bx, by = x2 - x1, y2 - y1
    way = (bx * c + by * n, by * c - bx * n)
    enter, leave = 0.0, 1.0
    for axis in range(2):
        half = 0.5 * (box[LENGTH] if axis == 0 else box[WIDTH])
        if abs(way[axis]) < 1e-9:
            if abs(start[axis]) > half:
                return False
            continue
        t1, t2 = (-half - start[axis]) / way[axis], (half - start[axis]) / way[axis]
        enter, leave = max(enter, min(t1, t2)), min(leave, max(t1, t2))
    return enter < leave


@compiled
def crosses_line(x1, y1, x2, y2, wall):  # type: ignore[no-untyped-def]
    """Does the line between two points cross a wall given by its ends?"""
    ex, ey = wall[2] - wall[0], wall[3] - wall[1]
    side1 = ex * (y1 - wall[1]) - ey * (x1 - wall[0])
    side2 = ex * (y2 - wall[1]) - ey * (x2 - wall[0])
    fx, fy = x2 - x1, y2 - y1
    side3 = fx * (wall[1] - y1) - fy * (wall[0] - x1)
    side4 = fx * (wall[3] - y1) - fy * (wall[2] - x1)
    return side1 * side2 < 0 and side3 * side4 < 0
