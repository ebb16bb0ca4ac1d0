"""Roads as paths: centre lines sampled every metre, and how they meet.

Knows nothing of who drives on them. x points east, y north; traffic keeps right; a path's
coordinates are s along it and d to its left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.errors import ParameterError

Floats = NDArray[np.floating[Any]]

LANE = 4.0  # width of a lane, m
MEETING = 3.8  # two centre lines nearer than this let two cars touch, m
SHARED = 2.0  # paths nearer than this, with like headings, are one lane: who stops, blocks both


METRES = 256  # of a path that are sampled; a straight one goes on without
SHAPES = {
    "table": (12, METRES, 4), "length": (12,), "limit": (12,), "straight": (12,), "group": (12,),
    "offset": (12,), "left": (12,), "right": (12,), "closes": (12,), "shared": (12, 12, METRES),
    "zones": (12, 12, 4), "stop": (12,), "crossings": (6, 4), "hedges": (8, 4),
}  # fmt: skip


class Roads(NamedTuple):
    """A road network as the compiled loops read it: p paths of at most n metres."""

    paths: int  # how many there are of each
    crossing_count: int
    hedge_count: int
    table: Floats  # (p, n, 4) x, y, heading (continuous), rank of the right of way
    length: Floats  # (p,)
    limit: Floats  # (p,) m/s
    straight: Floats  # (p,) 1 for a straight path
    group: NDArray[np.int64]  # (p,) parallel lanes of one road share a number
    offset: Floats  # (p,) metres to the left within the group
    left: NDArray[np.int64]  # (p,) the lane on the left, or -1
    right: NDArray[np.int64]
    closes: Floats  # (p,) where a lane ends and must be left, inf if it goes on
    shared: Floats  # (p, p, n) s on the first path at each metre of the second, NaN if apart
    zones: Floats  # (p, p, 4) where two paths cross or merge: from, to on the first, on the second
    stop: Floats  # (p,) the stop line of a light, inf if none
    crossings: Floats  # (c, 4) path, s of its middle, half length, 1 with a light
    hedges: Floats  # (k, 4) what blocks the view: x, y of its two ends
    green: float  # seconds of green, amber and red for cars; the cycle is their sum
    amber: float
    red: float


@dataclass(frozen=True)
class Path:
    """One lane as it is written down."""

    start: tuple[float, float, float]  # x, y, heading
    pieces: tuple[tuple[float, float], ...]  # (length, curvature to the left)
    ranks: tuple[float, ...] = (0.0,)  # right of way of each piece; the last one holds on
    limit: float = 30.0
    group: int = -1  # -1: on its own
    offset: float = 0.0
    closes: float = np.inf
    stop: float = np.inf


@dataclass(frozen=True)
class Plan:
    """A road network as it is written down."""

    paths: tuple[Path, ...]
    crossings: tuple[tuple[int, float, float, float], ...] = ()
    hedges: tuple[tuple[float, float, float, float], ...] = ()
    lights: tuple[float, float, float] = (20.0, 3.0, 12.0)  # green, amber, red
    names: tuple[str, ...] = field(default=())


def lay(plan: Plan) -> Roads:
    """Sample the paths and find where they run together, cross and merge."""
    paths = plan.paths
    lines = [_trace(path) for path in paths]
    longest = METRES
    table = np.stack([_extended(line, longest) for line in lines])
    groups = np.array([p.group if p.group >= 0 else 1000 + i for i, p in enumerate(paths)])
    offsets = np.array([p.offset for p in paths])
    count = len(paths)
    shared = np.full((count, count, longest), np.nan)
    zones = np.full((count, count, 4), np.nan)
    for p in range(count):
        for q in range(count):
            if p != q and groups[p] != groups[q]:
                shared[p, q, : len(lines[q])] = _shared(lines[p], lines[q])
    for p in range(count):
        for q in range(count):
            if p != q and groups[p] != groups[q]:
                zones[p, q] = _zone(lines[p], lines[q], shared[q, p], shared[p, q])
    return Roads(
        paths=count,
        crossing_count=len(plan.crossings),
        hedge_count=len(plan.hedges),
        table=table,
        length=np.array([sum(length for length, _ in p.pieces) for p in paths]),
        limit=np.array([p.limit for p in paths]),
        straight=np.array([float(all(c == 0 for _, c in p.pieces)) for p in paths]),
        group=groups.astype(np.int64),
        offset=offsets,
        left=_beside(groups, offsets, LANE),
        right=_beside(groups, offsets, -LANE),
        closes=np.array([p.closes for p in paths]),
        shared=shared,
        zones=zones,
        stop=np.array([p.stop for p in paths]),
        crossings=np.array(plan.crossings, float).reshape(-1, 4),
        hedges=np.array(plan.hedges, float).reshape(-1, 4),
        green=plan.lights[0],
        amber=plan.lights[1],
        red=plan.lights[2],
    )


def _trace(path: Path) -> Floats:
    """(n, 4) x, y, heading and rank at every metre of a path."""
    x, y, heading = path.start
    rows: list[tuple[float, float, float, float]] = []
    done = 0.0
    for i, (length, curvature) in enumerate(path.pieces):
        rank = path.ranks[min(i, len(path.ranks) - 1)]
        metres = range(int(np.ceil(done)), int(np.ceil(done + length)))
        rows += [(*_along(x, y, heading, metre - done, curvature), rank) for metre in metres]
        x, y, heading = _along(x, y, heading, length, curvature)
        done += length
    if any(curvature for _, curvature in path.pieces) and len(rows) > METRES:
        raise ParameterError(f"a bent path of {len(rows)} m", where="pieces",
                             remedy=f"Bend it within {METRES} m")  # fmt: skip
    return np.array(rows[:METRES])


def _along(
    x: float, y: float, heading: float, s: float, curvature: float
) -> tuple[float, float, float]:
    """The pose after s metres of a straight line or an arc."""
    if curvature == 0:
        return x + s * np.cos(heading), y + s * np.sin(heading), heading
    turned = heading + s * curvature
    return (
        x + (np.sin(turned) - np.sin(heading)) / curvature,
        y - (np.cos(turned) - np.cos(heading)) / curvature,
        turned,
    )


def _extended(line: Floats, size: int) -> Floats:
    """A line continued straight on to `size` rows."""
    more = np.arange(1, size - len(line) + 1)[:, None]
    x, y, heading, rank = line[-1]
    step = np.array([np.cos(heading), np.sin(heading), 0.0, 0.0])
    return np.vstack([line, np.array([x, y, heading, rank]) + more * step])


def _beside(groups: Floats, offsets: Floats, shift: float) -> NDArray[np.int64]:
    """For every path the number of the one `shift` metres to its left, or -1."""
    found = np.full(len(groups), -1, np.int64)
    for i in range(len(groups)):
        same = (groups == groups[i]) & np.isclose(offsets, offsets[i] + shift)
        if same.any():
            found[i] = int(np.flatnonzero(same)[0])
    return found


def _shared(first: Floats, second: Floats) -> Floats:
    """(n,) s on the first line at every metre of the second; NaN where they are apart."""
    apart = second[:, None, :2] - first[None, :, :2]
    distance = np.hypot(apart[..., 0], apart[..., 1])
    nearest = distance.argmin(axis=1)
    rows = np.arange(len(second))
    turn = np.cos(second[:, 2] - first[nearest, 2])
    heading = first[nearest, 2]
    ahead = apart[rows, nearest, 0] * np.cos(heading) + apart[rows, nearest, 1] * np.sin(heading)
    aside = apart[rows, nearest, 1] * np.cos(heading) - apart[rows, nearest, 0] * np.sin(heading)
    same = (np.abs(aside) < SHARED) & (np.abs(ahead) <= 1) & (turn > 0.8)
    return np.where(same, nearest + ahead, np.nan)


def _zone(
    first: Floats, second: Floats, shared_first: Floats, shared_second: Floats
) -> Sequence[float]:
    """From and to, on both lines, where vehicles of two paths that come from apart can touch."""
    apart_first = np.isnan(shared_first[: len(first)])
    apart_second = np.isnan(shared_second[: len(second)])
    if not apart_first[0]:  # they part here, they do not meet
        return [np.nan] * 4
    distance = np.hypot(*(first[:, None, :2] - second[None, :, :2]).transpose(2, 0, 1))
    near = (distance < MEETING) & apart_first[:, None] & apart_second[None, :]
    on_first, on_second = np.flatnonzero(near.any(axis=1)), np.flatnonzero(near.any(axis=0))
    if not len(on_first):
        return [np.nan] * 4
    return [on_first[0], on_first[-1], on_second[0], on_second[-1]]
