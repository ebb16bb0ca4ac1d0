"""What the ego sees, compiled: lines of sight, perception errors, and the observation table."""

# ruff: noqa: PLR0917 - compiled loops take plain arrays by position

from __future__ import annotations

import math

from verticals.driving.traffic.columns import (
    CYCLIST,
    GEAR,
    GOAL,
    HEADING,
    HELD,
    KIND,
    NOBODY,
    PATH,
    PEDESTRIAN,
    PHANTOM,
    SEEN,
    SEEN_HEADING,
    SEEN_V,
    SEEN_X,
    SEEN_Y,
    TIME,
    TRACKED,
    TRUCK,
    WIDTH,
    D,
    S,
    V,
    X,
    Y,
)  # fmt: skip
from verticals.driving.traffic.compiling import compiled
from verticals.driving.traffic.drivers import crossing_on, lamp
from verticals.driving.traffic.geometry import (  # fmt: skip
    crosses_box,
    crosses_line,
    normal,
    place,
    project,
    uniform,
)

FEATURES = ("present", "ahead", "left", "v_ahead", "v_left", "cos", "sin", "kind", "s", "d")
EGO_FEATURES = ("speed", "target_speed", "off_lane", "heading_off", "lane_on_left",
                "lane_on_right", "to_goal", "to_junction", "to_stop", "light")  # fmt: skip
NEARLY = 0.02  # visible share that still counts as hidden
MEMORY = 2.0  # seconds for which a tracker goes on with who is lost


@compiled
def perceive(roads, rules, errors, actors, random):  # type: ignore[no-untyped-def]
    """Update which actors are tracked and where they seem to be."""
    me = actors[0]
    for j in range(1, actors.shape[0]):
        it = actors[j]
        if it[KIND] == NOBODY:
            it[TRACKED] = it[HELD] = 0.0
            continue
        away = math.hypot(it[X] - me[X], it[Y] - me[Y])
        if errors.active == 0:
            it[SEEN], it[TRACKED] = 1.0, 1.0 if away < rules.sight else 0.0
            it[SEEN_X], it[SEEN_Y], it[SEEN_HEADING], it[SEEN_V] = it[X], it[Y], it[HEADING], it[V]
            continue
        it[SEEN] = _in_view(roads, actors, j) if away < rules.sight else 0.0
        _track(rules, errors, me, it, away, random)


@compiled
def _track(rules, errors, me, it, away, random):  # type: ignore[no-untyped-def]
    """Find or lose one actor, and blur it; the same draws are made whatever happens."""
    bins = errors.bins
    b = 0
    while b < bins and away > errors.edges[b]:
        b += 1
    small = 1 if it[KIND] == PEDESTRIAN or it[KIND] == CYCLIST else 0
    chance = 0.0
    if b < bins and it[SEEN] > NEARLY:
        chance = errors.found[small, rules.night, 1 if it[SEEN] < 0.67 else 0, b]
    b = min(b, bins - 1)
    found = min(1.0, rules.dt / max(errors.miss, rules.dt))
    lost = min(1.0, found * (1.0 - chance) / max(chance, 1e-9))
    draw = uniform(random)
    if it[TRACKED] == 1.0:
        it[TRACKED] = 0.0 if draw < lost else 1.0
    else:
        it[TRACKED] = 1.0 if chance > 0 and draw < found else 0.0
    c, n = (it[X] - me[X]) / max(away, 0.1), (it[Y] - me[Y]) / max(away, 0.1)
    far, side = normal(random) * errors.range_sigma[b], normal(random) * errors.side_sigma[b]
    turned, faster = normal(random) * errors.heading_sigma, normal(random) * errors.speed_sigma[b]
    if it[TRACKED] == 1.0:
        it[HELD] = MEMORY
        it[SEEN_X] = it[X] + far * c - side * n
        it[SEEN_Y] = it[Y] + far * n + side * c
        it[SEEN_HEADING] = it[HEADING] + turned
        it[SEEN_V] = max(it[V] + faster, 0.0)
    elif it[HELD] > 0.0:
        it[HELD] -= rules.dt
        it[SEEN_X] += it[SEEN_V] * math.cos(it[SEEN_HEADING]) * rules.dt
        it[SEEN_Y] += it[SEEN_V] * math.sin(it[SEEN_HEADING]) * rules.dt


@compiled
def _in_view(roads, actors, j):  # type: ignore[no-untyped-def]
    """Share of an actor that no other body and no hedge hides: of its middle and its two sides."""
    me, it = actors[0], actors[j]
    away = max(math.hypot(it[X] - me[X], it[Y] - me[Y]), 0.1)
    half = 0.45 * it[WIDTH]
    nx, ny = -(it[Y] - me[Y]) / away * half, (it[X] - me[X]) / away * half
    seen = 0
    for k in range(-1, 2):
        x, y = it[X] + k * nx, it[Y] + k * ny
        free = True
        for other in range(1, actors.shape[0]):
            kind = actors[other, KIND]
            if other == j or kind in (NOBODY, PEDESTRIAN, CYCLIST, PHANTOM):
                continue
            if crosses_box(me[X], me[Y], x, y, actors[other]):
                free = False
                break
        if free:
            for h in range(roads.hedge_count):
                if crosses_line(me[X], me[Y], x, y, roads.hedges[h]):
                    free = False
                    break
        seen += free
    return seen / 3.0


@compiled
def observe(roads, rules, speeds, actors, world, out):  # type: ignore[no-untyped-def]
    """Fill the (rows, features) table: the ego first, then the nearest tracked road users.

    Places and velocities are in the ego's frame, scaled to about -1 to 1; `s` and `d` are the
    distance along the ego's path and to its side; `kind` is 1 for people and
    cyclists, -1 for lorries.
    """
    out[:] = 0.0
    me = actors[0]
    path = int(me[PATH])
    _ego_row(roads, rules, speeds, me, world, out[0])
    cos0, sin0 = math.cos(me[HEADING]), math.sin(me[HEADING])
    vx0, vy0 = me[V] * cos0, me[V] * sin0
    rows, count = out.shape[0], actors.shape[0]
    last = -1.0
    for row in range(1, rows):
        best, nearest = -1, math.inf
        for j in range(1, count):
            if actors[j, TRACKED] == 1.0:
                away = math.hypot(actors[j, SEEN_X] - me[X], actors[j, SEEN_Y] - me[Y])
                if last < away < nearest:
                    nearest, best = away, j
        if best < 0 or nearest > rules.sight:
            break
        last = nearest
        it, line = actors[best], out[row]
        dx, dy = it[SEEN_X] - me[X], it[SEEN_Y] - me[Y]
        vx = it[SEEN_V] * math.cos(it[SEEN_HEADING]) - vx0
        vy = it[SEEN_V] * math.sin(it[SEEN_HEADING]) - vy0
        turn = it[SEEN_HEADING] - me[HEADING]
        s, d = project(roads.table, roads.straight, path, it[SEEN_X], it[SEEN_Y])
        line[0] = 1.0
        line[1], line[2] = (dx * cos0 + dy * sin0) / 50.0, (dy * cos0 - dx * sin0) / 12.0
        line[3], line[4] = (vx * cos0 + vy * sin0) / 10.0, (vy * cos0 - vx * sin0) / 10.0
        line[5], line[6] = math.cos(turn), math.sin(turn)
        line[7] = 1.0 if it[KIND] == PEDESTRIAN or it[KIND] == CYCLIST else 0.0
        if it[KIND] == TRUCK:
            line[7] = -1.0
        line[8] = min(max((s - me[S]) / 50.0, -3.0), 3.0)
        line[9] = min(max(d / 12.0, -3.0), 3.0)


@compiled
def _ego_row(roads, rules, speeds, me, world, line):  # type: ignore[no-untyped-def]
    """The ego's own row."""
    path, goal = int(me[PATH]), int(me[GOAL])
    top = speeds[speeds.shape[0] - 1]
    line[0], line[1] = me[V] / top, speeds[int(world[GEAR])] / top
    line[2] = (me[D] + roads.offset[path] - roads.offset[goal]) / 4.0
    line[3] = math.sin(me[HEADING] - place(roads.table, path, me[S], 0.0)[2])
    line[4] = 1.0 if roads.left[goal] >= 0 else 0.0
    line[5] = 1.0 if roads.right[goal] >= 0 else 0.0
    if rules.goal < math.inf:
        line[6] = (rules.goal - me[S]) / 200.0
    ahead = 60.0
    if rules.yields == 1:
        ahead = 100.0 - me[S]
    for c in range(roads.crossing_count):
        s = crossing_on(roads, roads.crossings[c], path)
        if me[S] < s < me[S] + ahead:
            ahead = s - me[S]
    if roads.closes[path] < math.inf:
        ahead = roads.closes[path] - me[S]
    line[7] = min(max(ahead / 60.0, -1.0), 3.0)
    line[8] = 2.0
    if roads.stop[path] > me[S]:
        line[8] = min((roads.stop[path] - me[S]) / 60.0, 2.0)
        line[9] = 0.5 * lamp(roads, world[TIME])
