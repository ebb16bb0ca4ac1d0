"""Who is on the road at the start, and who arrives later; compiled.

`highway` and `intersection` draw as highway-env does (Leurent, 2018).
"""

# ruff: noqa: PLR0917 - compiled loops take plain arrays by position

from __future__ import annotations

import math

import numpy as np

from verticals.driving.traffic.columns import (
    BOLD,
    CAR,
    CYCLIST,
    DELTA,
    DRIVER,
    GEAR,
    GOAL,
    KIND,
    LENGTH,
    MODE,
    NOBODY,
    OBSTACLE,
    PATH,
    PEDESTRIAN,
    PHANTOM,
    PHI,
    SCRIPTED,
    SIZES,
    STARTLED,
    TIMER,
    TRUCK,
    USUAL,
    WALKER,
    WIDTH,
    WISH,
    D,
    S,
    V,
    X,
    Y,
)  # fmt: skip
from verticals.driving.traffic.compiling import compiled
from verticals.driving.traffic.geometry import normal, settle, uniform
from verticals.driving.traffic.layouts import HIGHWAY, INTERSECTION, MERGE, MOTORWAY, STREET
from verticals.driving.traffic.motion import OFF, SLOW, tick
from verticals.driving.traffic.seeing import perceive

_SIZES = np.array(SIZES)


@compiled
def put(roads, actors, row, kind, path, s, d, v):  # type: ignore[no-untyped-def]
    """Place a new actor; a driver that keeps its speed, until told otherwise."""
    it = actors[row]
    it[:] = 0.0
    it[KIND], it[MODE], it[PATH], it[GOAL] = kind, DRIVER, path, path
    it[S], it[D], it[V], it[WISH], it[DELTA] = s, d, v, v, 4.0
    it[LENGTH], it[WIDTH] = _SIZES[kind, 0], _SIZES[kind, 1]
    settle(roads.table, it)


@compiled
def free_row(actors):  # type: ignore[no-untyped-def]
    """The first empty row, or -1."""
    for j in range(1, actors.shape[0]):
        if actors[j, KIND] == NOBODY:
            return j
    return -1


@compiled
def populate(roads, rules, speeds, duties, errors, actors, world, random):  # type: ignore[no-untyped-def]
    """Fill an empty environment at the start of an episode."""
    actors[:] = 0.0
    world[:] = 0.0
    draw = random[0]
    if rules.traffic == HIGHWAY:
        _highway(roads, rules, actors, draw)
    elif rules.traffic == MOTORWAY:
        _motorway(roads, rules, actors, draw)
    elif rules.traffic == MERGE:
        _merge(roads, rules, actors, draw)
    elif rules.traffic == STREET:
        world_time = uniform(draw) * (roads.green + roads.amber + roads.red)
        _street(roads, rules, actors, draw)
        world[0] = world_time
    elif rules.traffic == INTERSECTION:
        _intersection(roads, rules, speeds, duties, errors, actors, world, random)
    else:
        put(roads, actors, 0, CAR, rules.path, 20.0, 0.0, speeds[speeds.shape[0] - 1])
    actors[0, WISH] = speeds[speeds.shape[0] - 1]
    set_gear(speeds, actors, world)
    for _ in range(3):
        perceive(roads, rules, errors, actors, random[1])


@compiled
def set_gear(speeds, actors, world):  # type: ignore[no-untyped-def]
    """Take the target speed nearest to the ego's speed."""
    for i in range(speeds.shape[0]):
        if abs(speeds[i] - actors[0, V]) < abs(speeds[int(world[GEAR])] - actors[0, V]):
            world[GEAR] = i


@compiled
def _highway(roads, rules, actors, draw):  # type: ignore[no-untyped-def]
    """One after the other with a random gap, each in a random lane; the ego is the last."""
    lanes = roads.paths
    thin = math.exp(-5 / 40 * lanes)
    s = 3 * 1.5 * (12 + 25.0) * thin
    s += 1.5 * (12 + 25.0) * thin * (0.9 + 0.2 * uniform(draw))
    put(roads, actors, 0, CAR, int(uniform(draw) * lanes), s, 0.0, 25.0)
    for j in range(1, actors.shape[0]):
        v = 21.0 + 3.0 * uniform(draw)
        s += (12 + v) * thin * (0.9 + 0.2 * uniform(draw))
        put(roads, actors, j, CAR, int(uniform(draw) * lanes), s, 0.0, v)
        actors[j, DELTA] = 3.5 + uniform(draw)
        actors[j, TIMER] = uniform(draw)


@compiled
def _motorway(roads, rules, actors, draw):  # type: ignore[no-untyped-def]
    """Three full lanes, the ego in the midst: 1 to 2.4 s apart, slower and heavier on the right."""
    lanes = roads.paths
    mine = int(uniform(draw) * lanes)
    put(roads, actors, 0, CAR, mine, 300.0, 0.0, 25.0)
    ends = np.zeros(lanes)
    for lane in range(lanes):
        ends[lane] = 215.0 + 40.0 * uniform(draw)
    for j in range(1, actors.shape[0]):
        lane = int(np.argmin(ends))
        truck = lane == lanes - 1 and uniform(draw) < 0.4
        v = 22.0 + 2.0 * uniform(draw) if truck else 28.0 - 2.0 * lane + 3.0 * uniform(draw)
        if lane == mine and abs(ends[lane] - 300.0) < 28.0:
            ends[lane] = 330.0 + 15.0 * uniform(draw)
        put(roads, actors, j, TRUCK if truck else CAR, lane, ends[lane], 0.0, v)
        ends[lane] += v * (1.0 + 1.4 * uniform(draw)) + (8.0 if truck else 0.0)
        bold = not truck and uniform(draw) < rules.bold
        actors[j, BOLD] = 0.5 + 0.5 * uniform(draw) if bold else 0.2 * uniform(draw)
        actors[j, WISH] = v + 1.0 + (4.0 if bold else 2.0) * uniform(draw)
        actors[j, DELTA], actors[j, TIMER] = 3.5 + uniform(draw), uniform(draw)


@compiled
def startle(rules, actors, draw):  # type: ignore[no-untyped-def]
    """Let some drivers brake hard for a second or two, and those who did go on."""
    passed = rules.dt * rules.substeps
    for j in range(1, actors.shape[0]):
        it = actors[j]
        go, depth, long = uniform(draw), uniform(draw), uniform(draw)
        if it[KIND] == NOBODY or it[MODE] != DRIVER:
            continue
        if it[STARTLED] > 0.0:
            it[STARTLED] -= passed
            if it[STARTLED] <= 0.0:
                it[WISH] = it[USUAL]
        elif go < rules.startling * passed:
            it[STARTLED], it[USUAL] = 1.0 + 1.5 * long, it[WISH]
            it[WISH] = it[V] * (0.2 + 0.5 * depth)


@compiled
def _merge(roads, rules, actors, draw):  # type: ignore[no-untyped-def]
    """The ego on the ramp or on the right lane; others on the two lanes, some trucks."""
    on_ramp = uniform(draw) < 0.7
    put(roads, actors, 0, CAR, 2 if on_ramp else 1, 60.0 + 10 * uniform(draw), 0.0, 20.0)
    ends = np.array([-20.0, -20.0, 90.0])
    for j in range(1, actors.shape[0]):
        lane = 1 if uniform(draw) < 0.55 else 0
        truck = lane == 1 and uniform(draw) < 0.25
        v = 20.0 + 3 * uniform(draw) if truck else 22.0 + 6 * uniform(draw)
        ends[lane] += 18.0 + (14.0 if truck else 0.0) + 40.0 * uniform(draw)
        if lane == actors[0, PATH] and abs(ends[lane] - actors[0, S]) < 25.0:
            ends[lane] = actors[0, S] + 30.0 + 10 * uniform(draw)
        put(roads, actors, j, TRUCK if truck else CAR, lane, ends[lane], 0.0, v)
        actors[j, WISH], actors[j, DELTA] = v + 3.0 * uniform(draw), 3.5 + uniform(draw)
        actors[j, TIMER] = uniform(draw)


@compiled
def _street(roads, rules, actors, draw):  # type: ignore[no-untyped-def]
    """Cars both ways, cyclists, parked vans that hide people, walkers at the crossings."""
    put(roads, actors, 0, CAR, 1, 15.0 + 10 * uniform(draw), 0.0, 8.0)
    row = 1
    ends = np.array([0.0, 40.0, 0.0, 0.0])
    for _ in range(9):
        path = int(uniform(draw) * 4)
        v = 7.0 + 4.0 * uniform(draw)
        ends[path] += 18.0 + 50.0 * uniform(draw)
        cycles = path in (1, 3) and uniform(draw) < 0.25
        put(roads, actors, row, CYCLIST if cycles else CAR, path, ends[path],
            -1.1 if cycles else 0.0, 4.5 if cycles else v)  # fmt: skip
        if cycles:
            actors[row, D] = 0.0
            actors[row, S] += 30.0
            settle(roads.table, actors[row])
        actors[row, WISH] = 4.0 + uniform(draw) if cycles else 9.0 + 4.0 * uniform(draw)
        actors[row, DELTA], actors[row, TIMER] = 3.5 + uniform(draw), uniform(draw)
        row += 1
    for c in range(roads.crossing_count):
        if uniform(draw) < 0.5:  # a parked van just before the crossing, beside the right lane
            put(roads, actors, row, OBSTACLE, 1, roads.crossings[c, 1] - 6.0 - 4.0 * uniform(draw),
                -3.2, 0.0)  # fmt: skip
            actors[row, MODE] = SCRIPTED
            row += 1
        if uniform(draw) < 0.8 and row < actors.shape[0] - 3:
            new_walker(roads, actors, row, c, 12.0 * uniform(draw), draw)
            row += 1


@compiled
def new_walker(roads, actors, row, crossing, wait, draw):  # type: ignore[no-untyped-def]
    """Someone at the kerb, on either side of the street."""
    s = roads.crossings[crossing, 1] + (uniform(draw) - 0.5) * 2.0
    side = -1.0 if uniform(draw) < 0.5 else 1.0
    put(roads, actors, row, PEDESTRIAN, 0, s, -7.0 if side < 0 else 11.0, 0.0)
    it = actors[row]
    it[MODE], it[PHI] = WALKER, math.pi / 2 if side < 0 else -math.pi / 2
    it[WISH], it[TIMER] = 1.1 + 0.6 * uniform(draw), wait
    settle(roads.table, it)


@compiled
def _intersection(roads, rules, speeds, duties, errors, actors, world, random):  # type: ignore[no-untyped-def]
    """Cars on all arms, three seconds of driving, one that comes straight on, then the ego."""
    draw = random[0]
    put(roads, actors, 0, NOBODY, rules.path, -500.0, 0.0, 0.0)
    for k in range(9):
        arrive(roads, actors, k * 80.0 / 9.0, 1.0, 0.6, False, draw)
    for _ in range(3 * rules.substeps):
        tick(roads, rules, speeds, duties, OFF, errors, actors, world, random, SLOW)
    world[:] = 0.0
    arrive(roads, actors, 60.0, 0.1, 1.0, True, draw)
    put(roads, actors, 0, CAR, rules.path, 65.0 + 5.0 * normal(draw), 0.0, 10.0)
    for j in range(1, actors.shape[0]):
        near = math.hypot(actors[j, X] - actors[0, X], actors[j, Y] - actors[0, Y]) < 20.0
        if near:
            actors[j, KIND] = NOBODY


@compiled
def arrive(roads, actors, s, spread, chance, straight, draw):  # type: ignore[no-untyped-def]
    """Perhaps a new car on a random arm, unless another is near."""
    go = uniform(draw) <= chance
    arm, turn = int(uniform(draw) * 4), int(uniform(draw) * 3)
    place_s, v = (
        s + 5.0 + normal(draw) * spread,
        8.0 + normal(draw) * (1.0 if spread > 0.5 else 0.0),
    )
    delta = 3.5 + uniform(draw)
    row = free_row(actors)
    if not go or row < 0:
        return
    put(roads, actors, row, CAR, 3 * arm + (1 if straight else turn), place_s, 0.0, v)
    actors[row, DELTA] = delta
    for j in range(actors.shape[0]):
        if (
            j != row
            and actors[j, KIND] != NOBODY
            and (math.hypot(actors[j, X] - actors[row, X], actors[j, Y] - actors[row, Y]) < 15.0)
        ):
            actors[row, KIND] = NOBODY
            return


@compiled
def imagine(roads, rules, errors, actors, draw):  # type: ignore[no-untyped-def]
    """Forget the phantoms of the last decision and perhaps believe in a new one."""
    for j in range(1, actors.shape[0]):
        if actors[j, KIND] == PHANTOM:
            actors[j, KIND] = NOBODY
    go = uniform(draw) < errors.phantoms * rules.dt * rules.substeps
    ahead, row = 10.0 + 50.0 * uniform(draw), free_row(actors)
    if go and row > 0:
        me = actors[0]
        put(roads, actors, row, PHANTOM, int(me[PATH]), me[S] + ahead, 0.0, 0.0)
        actors[row, MODE] = SCRIPTED


@compiled
def come_and_go(roads, rules, actors, draw):  # type: ignore[no-untyped-def]
    """Take away who has left, and perhaps let somebody arrive; after every decision."""
    if rules.startling > 0.0:
        startle(rules, actors, draw)
    for j in range(1, actors.shape[0]):
        it = actors[j]
        if it[KIND] == NOBODY:
            continue
        gone = it[S] > roads.length[int(it[PATH])] - 20.0
        if rules.traffic in (STREET, INTERSECTION) and gone:
            it[KIND] = NOBODY
    if rules.arriving == 0.0:
        return
    if rules.traffic == INTERSECTION:
        arrive(roads, actors, 0.0, 1.0, rules.arriving, False, draw)
    elif rules.traffic == STREET:
        go, which = uniform(draw) < rules.arriving, int(uniform(draw) * roads.crossing_count)
        row = free_row(actors)
        if go and row > 0 and abs(roads.crossings[which, 1] - actors[0, S]) > 12.0:
            new_walker(roads, actors, row, which, 2.0 * uniform(draw), draw)
