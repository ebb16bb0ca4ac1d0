"""Roads, pavements, kerbs and the paint on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from verticals.driving.frame import SURFACES
from verticals.driving.world.faces import DRIVABLE, FLAT, Faces, Floats, faces, join
from verticals.driving.world.scene import KERB, Area, Crossing, Marking, StreetMap

_ROAD, _PAVEMENT, _TREE = (SURFACES.index(name) for name in ("road", "pavement", "tree"))
_YELLOW = np.array([0.82, 0.68, 0.25])
_WORLD = 400.0  # metres to the edge of the ground


def ground(street: StreetMap) -> Faces:
    """Everything that lies flat, and kerbs."""
    rng = np.random.default_rng([21, street.look])
    grey = rng.uniform(0.36, 0.58)
    road = np.full(3, grey) * rng.normal(1, 0.015, 3)
    stone = np.full(3, rng.uniform(0.5, 0.72)) * rng.normal(1, 0.03, 3)
    worn = "worn" if rng.random() < 0.5 else "asphalt"
    paving = str(rng.choice(["slabs", "concrete", "setts", "asphalt"]))
    parts = [_everywhere(rng)]
    grass = np.array([0.42, 0.5, 0.26])
    looks = {
        "road": _Look(_ROAD, road, worn, 6.0, 0.0, FLAT | DRIVABLE),
        "pavement": _Look(_PAVEMENT, stone, paving, 2.4, KERB),
        "verge": _Look(_TREE, grass, "grass", 2.5, KERB),
    }
    for kind, look in looks.items():
        areas = [area for area in street.areas if area.kind == kind]
        parts.append(_areas(areas, look, order=int(kind == "road")))
    parts += _kerbs([area for area in street.areas if area.kind != "road"], stone * 0.95)
    white = np.full(3, rng.uniform(0.8, 0.98))
    paints: dict[tuple[bool, int], list[Floats]] = {}
    for marking in street.markings:
        paints.setdefault((marking.yellow, marking.layer), []).append(marking_quads(marking))
    for crossing in street.crossings:
        paints.setdefault((False, 2), []).append(crossing_quads(crossing))
    for (yellow, above), quads in paints.items():
        parts.append(_paint(np.concatenate(quads), _YELLOW if yellow else white, above))
    parts.append(_covers(street, rng))
    return join(parts)


def _flat_uv(corners: Floats, tile: float) -> Floats:
    return corners[..., :2] / tile


def _everywhere(rng: np.random.Generator) -> Faces:
    """The ground beyond what the map says."""
    r = _WORLD
    quad = np.array([[[-r, -r, -0.05], [r, -r, -0.05], [r, r, -0.05], [-r, r, -0.05]]])
    if rng.random() < 0.5:
        return faces(
            quad, _TREE, (0.4, 0.47, 0.26), texture="grass", uv=_flat_uv(quad, 4.0), flags=FLAT
        )
    grey = np.full(3, 0.55)
    return faces(quad, _PAVEMENT, grey, texture="concrete", uv=_flat_uv(quad, 4.0), flags=FLAT)


@dataclass(frozen=True, eq=False)
class _Look:
    """How one kind of ground looks."""

    surface: int
    tint: Floats
    texture: str
    tile: float  # metres
    z: float
    flags: int = FLAT


def _areas(areas: list[Area], look: _Look, *, order: int) -> Faces:
    """Fans of quads over convex outlines."""
    quads = []
    for area in areas:
        last = len(area.outline) - 1
        fan = [[0, i, min(i + 1, last), min(i + 2, last)] for i in range(1, last, 2)]
        quads.append(area.outline[fan])
    flat = np.concatenate([np.zeros((0, 4, 2)), *quads])
    corners = np.concatenate([flat, np.full((len(flat), 4, 1), look.z)], axis=2)
    return faces(
        corners, look.surface, look.tint, texture=look.texture, uv=_flat_uv(corners, look.tile),
        flags=look.flags, order=order,
    )  # fmt: skip


def _kerbs(areas: list[Area], tint: Floats) -> list[Faces]:
    """The upright edges of raised areas, and the stones along them; none where two areas meet."""
    a = np.concatenate([np.zeros((0, 2)), *(area.outline for area in areas)])
    b = np.concatenate([np.zeros((0, 2)), *(_next(area.outline) for area in areas)])
    inner = np.concatenate([np.zeros((0, 2)), *(_inset(area.outline, 0.14) for area in areas)])
    after = np.concatenate([np.zeros((0, 2)), *(_next(_inset(x.outline, 0.14)) for x in areas)])
    ends = np.round(np.stack([a, b], axis=1), 2).reshape(-1, 4).tolist()
    known = {tuple(end) for end in ends}
    outer = np.array([(*end[2:], *end[:2]) not in known for end in ends], bool)
    made = []
    for quads, order in ((np.stack([a, b, b, a], 1), 0), (np.stack([a, b, after, inner], 1), 1)):
        flat = quads[outer]
        corners = np.concatenate([flat, np.full((len(flat), 4, 1), KERB)], axis=2)
        if order == 0:
            corners[:, :2, 2] = -0.05
        made.append(faces(corners, _PAVEMENT, tint, texture="concrete", flags=FLAT, order=order))
    return made


def _next(outline: Floats) -> Floats:
    """The corner after each."""
    return np.concatenate([outline[1:], outline[:1]])


def _inset(outline: Floats, by: float) -> Floats:
    """A convex outline moved inwards."""
    step = _next(outline) - outline
    normal = np.stack([-step[:, 1], step[:, 0]], 1)
    normal /= np.maximum(np.hypot(step[:, 0], step[:, 1]), 1e-9)[:, None]
    before = np.concatenate([normal[-1:], normal[:-1]])
    scale = 1 + (normal * before).sum(1, keepdims=True)
    return outline + by * (normal + before) / np.maximum(scale, 0.3)


def ribbon(points: Floats, width: float) -> Floats:
    """(k - 1, 4, 2) quads along a line; joints are mitred."""
    step = np.diff(points, axis=0)
    along = step / np.maximum(np.hypot(step[:, 0], step[:, 1])[:, None], 1e-9)
    normal = np.stack([-along[:, 1], along[:, 0]], axis=1)
    at = np.concatenate([normal[:1], normal[:-1] + normal[1:], normal[-1:]])
    at /= np.hypot(at[:, 0], at[:, 1])[:, None]
    left, right = points + at * width / 2, points - at * width / 2
    return np.stack([right[:-1], right[1:], left[1:], left[:-1]], axis=1)


def _reach(points: Floats) -> Floats:
    """(k,) distance from the first point of a line to each."""
    steps = np.hypot(*np.diff(points, axis=0).T)
    return np.concatenate([[0.0], np.cumsum(steps)])


def _at(points: Floats, reach: Floats, travelled: Floats) -> Floats:
    """(n, 2) points of a line at distances from its start."""
    return np.stack([np.interp(travelled, reach, points[:, k]) for k in range(2)], axis=1)


def resample(points: Floats, spacing: float) -> Floats:
    """Points about `spacing` metres apart along a line, its ends included."""
    reach = _reach(points)
    at = np.linspace(0, reach[-1], max(2, round(reach[-1] / spacing) + 1))
    return _at(points, reach, at)


def marking_quads(marking: Marking) -> Floats:
    """(n, 4, 2) painted quads of one marking."""
    painted, gap = marking.dash
    if painted <= 0:
        return ribbon(marking.points, marking.width)
    reach = _reach(marking.points)
    starts = np.arange(0, reach[-1] - 0.2, painted + gap)
    ends = np.minimum(starts + painted, reach[-1])
    p, q = (_at(marking.points, reach, s) for s in (starts, ends))
    along = (q - p) / np.maximum(np.hypot(*(q - p).T), 1e-9)[:, None]
    across = np.stack([-along[:, 1], along[:, 0]], axis=1) * marking.width / 2
    return np.stack([p - across, q - across, q + across, p + across], axis=1)


def crossing_quads(crossing: Crossing) -> Floats:
    """(n, 4, 2) the stripes of a zebra, or the dots that guide people over at a light."""
    a, b, c, d = crossing.corners
    width = float(np.hypot(*(b - a)))
    if crossing.zebra:
        n = max(3, round(width / 1.2))
        edges = [(i / n, (i + 0.5) / n) for i in range(n)]
        return np.array(
            [[a + s * (b - a), a + e * (b - a), d + e * (c - d), d + s * (c - d)] for s, e in edges]
        )
    dots = [marking_quads(Marking(np.array(line), 0.18, (0.4, 0.5))) for line in ((a, b), (d, c))]
    return np.concatenate(dots)


def _paint(quads: Floats, tint: Floats | tuple[float, float, float], above: int) -> Faces:
    corners = np.concatenate([quads, np.zeros((*quads.shape[:2], 1))], axis=2)
    flags = FLAT | DRIVABLE
    return faces(
        corners,
        _ROAD,
        tint,
        texture="paint",
        uv=_flat_uv(corners, 1.7),
        flags=flags,
        order=2 + above,
    )


def _covers(street: StreetMap, rng: np.random.Generator) -> Faces:
    """Manhole covers, drains and patches of newer asphalt."""
    made = []
    for lane in street.lanes:
        if lane.kind != "drive":
            continue
        for _ in range(rng.integers(2, 9)):
            x, y, yaw = lane.at(rng.uniform(0, lane.lengths[-1]), rng.uniform(-1.3, 1.3))[0]
            patch = rng.random() < 0.5
            half = rng.uniform(0.4, 2.2, 2) if patch else np.array([0.28, 0.28])
            shade = rng.uniform(0.25, 0.6) if patch else 0.2
            turn = np.array([[np.cos(yaw), -np.sin(yaw)], [np.sin(yaw), np.cos(yaw)]])
            square = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half @ turn.T + [x, y]
            corners = np.column_stack([square, np.zeros(4)])[None]
            made.append(
                faces(corners, _ROAD, np.full(3, shade), texture="asphalt", flags=FLAT | DRIVABLE,
                      uv=_flat_uv(corners, 3.0), order=2)
            )  # fmt: skip
    return join(made)
