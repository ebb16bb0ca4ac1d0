"""How actors move, compiled: steering, walking, and one decision of the ego played out.

The bicycle model and its controllers follow highway-env (Leurent, 2018), written in the
coordinates of a path.
"""

# ruff: noqa: PLR0912, PLR0917 - compiled loops take plain arrays by position

from __future__ import annotations

import math

from verticals.driving.deciding.shield import FREE, LANE_TAKEN, lane_free, limits
from verticals.driving.traffic.columns import (
    BLAMED,
    CAP,
    CRASHED,
    CULPRIT,
    DRIVER,
    FASTER,
    GEAR,
    GOAL,
    HARD,
    HEADING,
    JERK,
    KIND,
    LANE_LEFT,
    LANE_RIGHT,
    LENGTH,
    MODE,
    NEAREST,
    NOBODY,
    PATH,
    PEDESTRIAN,
    PHANTOM,
    PHI,
    REASON,
    RED,
    SLOWER,
    STEPS,
    STRAIGHT,
    TIME,
    TIMER,
    UNSAFE,
    WALKER,
    WIDTH,
    WISH,
    A,
    D,
    S,
    V,
    X,
    Y,
)  # fmt: skip
from verticals.driving.traffic.compiling import compiled
from verticals.driving.traffic.drivers import (
    RED_LIGHT,
    choose_lane,
    crossing_on,
    give_way,
    lamp,
    urge,
)  # fmt: skip
from verticals.driving.traffic.geometry import boxes_touch, place, settle, touch, uniform
from verticals.driving.traffic.seeing import perceive

RULE = 5  # in place of an action: the ego drives by IDM and MOBIL
BRAKE = 6  # ... or brakes as hard as it can
SLOW = 7  # ... or brakes comfortably in its lane
SETTLED = 1e-3  # metres and radians off the lane that are rounded to none
OFF, WATCHING, ON = range(3)  # the shield: absent, noting what is unsafe, overruling


@compiled
def steer(table, offset, actor, dt):  # type: ignore[no-untyped-def]
    """Move a vehicle for dt with its acceleration A, steering to the middle of its goal."""
    path, goal = int(actor[PATH]), int(actor[GOAL])
    v = actor[V]
    i = min(max(int(actor[S]), 0), table.shape[1] - 2)
    bend = table[path, i + 1, 2] - table[path, i, 2]  # per metre
    beta = 0.0
    off = actor[D] + offset[path] - offset[goal]
    if bend == 0.0 and abs(off) < SETTLED and abs(actor[PHI]) < SETTLED:  # most, most of the time
        actor[S] += v * dt
        actor[D], actor[PHI], actor[PATH] = 0.0, 0.0, goal
        actor[V] = max(v + actor[A] * dt, 0.0)
        settle(table, actor)
        return
    if actor[MODE] != STRAIGHT and v > 0.01:
        wanted = math.asin(min(max(-off / 0.6 / v, -1.0), 1.0))
        most = math.pi / 4 if v > 5.0 else 0.25  # at a walking pace the tail would sweep aside
        wanted = min(max(wanted, -most), most)
        soon = place(table, path, actor[S] + v * 0.1, 0.0)[2] - place(table, path, actor[S], 0.0)[2]
        rate = (wanted + soon - actor[PHI]) / 0.2
        slip = math.asin(min(max(2.5 / v * rate, -1.0), 1.0))
        wheel = min(max(math.atan(2 * math.tan(slip)), -math.pi / 3), math.pi / 3)
        beta = math.atan(0.5 * math.tan(wheel))
    along = v * math.cos(actor[PHI] + beta) / max(1.0 - bend * actor[D], 0.2) * dt
    actor[S] += along
    actor[D] += v * math.sin(actor[PHI] + beta) * dt
    actor[PHI] += v * math.sin(beta) / 2.5 * dt - bend * along
    actor[V] = max(v + actor[A] * dt, 0.0)
    if path != goal:
        off = actor[D] + offset[path] - offset[goal]
        if abs(off) < 2.0:
            actor[PATH], actor[D] = goal, off
    settle(table, actor)


@compiled
def walk(roads, rules, actors, who, time, random):  # type: ignore[no-untyped-def]
    """Move a walker: it waits, steps out when the cars can stop or have red, and crosses."""
    me = actors[who]
    draw = uniform(random)
    if _faces_car(actors, who):
        me[V] = 0.0
    elif me[V] < 0.3:
        me[TIMER] -= rules.dt
        inside = -5.5 < me[D] < 9.5  # on the road already
        if (
            me[TIMER] <= 0
            and draw < 0.5
            and (inside or _may_cross(roads, rules, actors, who, time))
        ):
            me[V] = me[WISH]
    path = int(me[PATH])
    me[S] += me[V] * math.cos(me[PHI]) * rules.dt
    me[D] += me[V] * math.sin(me[PHI]) * rules.dt
    if (me[D] > 14.0 and me[PHI] > 0) or (me[D] < -14.0 and me[PHI] < 0):
        me[KIND] = NOBODY
    settle(roads.table, me)
    me[PATH] = path


@compiled
def _faces_car(actors, who):  # type: ignore[no-untyped-def]
    """Would the next step lead into a vehicle?"""
    me = actors[who]
    x, y = me[X] + 0.9 * math.cos(me[HEADING]), me[Y] + 0.9 * math.sin(me[HEADING])
    for j in range(actors.shape[0]):
        it = actors[j]
        if (
            j != who
            and it[KIND] not in (NOBODY, PEDESTRIAN, PHANTOM)
            and boxes_touch(x, y, 0.0, 0.6, 0.6, it[X], it[Y], it[HEADING], it[LENGTH], it[WIDTH])
        ):
            return True
    return False


@compiled
def _may_cross(roads, rules, actors, who, time):  # type: ignore[no-untyped-def]
    """Would a sensible person step out now?"""
    me = actors[who]
    for c in range(roads.crossing_count):
        cross = roads.crossings[c]
        if cross[3] == 1.0 and abs(crossing_on(roads, cross, int(me[PATH])) - me[S]) < 3.0:
            cycle = roads.green + roads.amber + roads.red
            left = cycle - time % cycle  # of the cars' red
            return lamp(roads, time) == RED_LIGHT and left > roads.red - 3.0
    for j in range(actors.shape[0]):
        it = actors[j]
        if j == who or it[KIND] in (NOBODY, PEDESTRIAN, PHANTOM) or it[V] < 0.5:
            continue
        dx, dy = me[X] - it[X], me[Y] - it[Y]
        ahead = dx * math.cos(it[HEADING]) + dy * math.sin(it[HEADING]) - 0.5 * it[LENGTH]
        if -1.0 < ahead < 1.0 + it[V] * 1.2 + it[V] ** 2 / (2 * 3.0):
            return False
    return True


@compiled
def choose(roads, rules, speeds, duties, shielded, actors, world, action):  # type: ignore[no-untyped-def]
    """Take up the ego's action: a new lane or a new target speed."""
    me = actors[0]
    top = speeds.shape[0] - 1
    step = (speeds[top] - speeds[0]) / max(top, 1)
    nearest = 0
    for i in range(top + 1):
        if abs(speeds[i] - me[V]) < abs(speeds[nearest] - me[V]):
            nearest = i
    if step > 0 and action == FASTER:
        world[GEAR] = min(nearest + 1, top)
    elif action == SLOWER:
        world[GEAR] = max(nearest - 1, 0)
    elif action in (LANE_LEFT, LANE_RIGHT):
        goal = int(me[GOAL])
        lane = roads.left[goal] if action == LANE_LEFT else roads.right[goal]
        if lane >= 0 and not me[S] > roads.closes[lane] - 30.0:
            taken = lane_free(roads, duties, actors, lane) if shielded == ON else 0
            if taken > 0:
                world[REASON], world[BLAMED] = LANE_TAKEN, taken
            else:
                me[GOAL] = lane


@compiled
def drive(roads, rules, speeds, duties, shielded, actors, world, action):  # type: ignore[no-untyped-def]
    """Set the ego's acceleration for one simulation step; the shield has the last word."""
    me = actors[0]
    if action == RULE:
        choose_lane(roads, rules, actors, 0)
        wanted = urge(roads, rules, actors, 0, world[TIME])
    elif action == BRAKE:
        wanted = rules.lowest
    elif action == SLOW:
        wanted = -3.0
    else:
        wanted = (speeds[int(world[GEAR])] - me[V]) / 0.6
    wanted = min(max(wanted, rules.lowest), rules.highest)
    if shielded == OFF:
        me[A] = wanted
        return
    cap, reason, blamed = limits(roads, rules, duties, actors, world)
    if cap < 0 and me[V] > 0.5:
        world[UNSAFE] += rules.dt
    if shielded == ON:
        own, goal = int(me[PATH]), int(me[GOAL])
        if own != goal and lane_free(roads, duties, actors, goal) > 0:
            me[GOAL] = own
            world[REASON] = LANE_TAKEN
        if wanted > cap:
            wanted = max(cap, rules.lowest)
            if cap < world[CAP]:
                world[REASON], world[BLAMED], world[CAP] = reason, blamed, cap
    me[A] = wanted


@compiled
def _watch(roads, rules, actors, world, before):  # type: ignore[no-untyped-def]
    """Note collisions, red lights, comfort and the time to collision of the step just made."""
    me = actors[0]
    path = int(me[PATH])
    line = roads.stop[path]
    nose = me[S] + 0.5 * me[LENGTH]
    if nose - me[V] * rules.dt < line <= nose and lamp(roads, world[TIME]) == RED_LIGHT:
        world[RED] = 1.0
    world[JERK] += ((me[A] - before) / rules.dt) ** 2
    world[HARD] = max(world[HARD], -me[A])
    c, n = math.cos(me[HEADING]), math.sin(me[HEADING])
    for j in range(1, actors.shape[0]):
        it = actors[j]
        if it[KIND] == NOBODY or it[KIND] == PHANTOM:
            continue
        if touch(me, it) and me[CRASHED] == 0.0:
            me[CRASHED], it[CRASHED], world[CULPRIT] = 1.0, 1.0, j
        dx, dy = it[X] - me[X], it[Y] - me[Y]
        gap = dx * c + dy * n - 0.5 * (me[LENGTH] + it[LENGTH])
        if gap > 0 and abs(dy * c - dx * n) < 0.5 * (me[WIDTH] + it[WIDTH]):
            closing = me[V] - it[V] * math.cos(it[HEADING] - me[HEADING])
            if closing > 0.1:
                world[NEAREST] = min(world[NEAREST], gap / closing)


@compiled
def tick(roads, rules, speeds, duties, shielded, errors, actors, world, random, action):  # type: ignore[no-untyped-def]
    """One simulation step of everything. `random` is a (2, 1) pair: of traffic, of perception."""
    count = actors.shape[0]
    dt = rules.dt
    before = actors[0, A]
    drive(roads, rules, speeds, duties, shielded, actors, world, action)
    half = max(int(0.5 / dt), 1)
    if rules.yields == 1 and int(world[STEPS]) % half == half - 1:
        give_way(roads, actors, 0 if action == RULE else 1)
    for j in range(1, count):
        it = actors[j]
        if it[KIND] == NOBODY or it[MODE] == WALKER:
            continue
        if it[CRASHED] == 1.0:
            it[A] = -it[V]
        elif it[MODE] == DRIVER:
            choose_lane(roads, rules, actors, j)
            it[A] = urge(roads, rules, actors, j, world[TIME])
        else:
            it[A] = min(max((it[WISH] - it[V]) / 0.6, -8.0), 6.0)
    for j in range(count):
        it = actors[j]
        if it[KIND] == NOBODY:
            continue
        if it[MODE] == WALKER and j > 0:
            walk(roads, rules, actors, j, world[TIME], random[0])
        else:
            it[TIMER] += dt
            steer(roads.table, roads.offset, it, dt)
    if rules.solid == 1:
        for i in range(1, count - 1):
            if actors[i, KIND] == NOBODY:
                continue
            for j in range(i + 1, count):
                if actors[j, KIND] != NOBODY and touch(actors[i], actors[j]):
                    actors[i, CRASHED], actors[j, CRASHED] = 1.0, 1.0
    world[TIME] += dt
    world[STEPS] += 1.0
    _watch(roads, rules, actors, world, before)
    if errors.active == 1 or shielded != OFF:
        perceive(roads, rules, errors, actors, random[1])


@compiled
def advance(roads, rules, speeds, duties, shielded, errors, actors, world, random, action):  # type: ignore[no-untyped-def]
    """Play out one decision: `rules.substeps` simulation steps, fewer if the ego collides."""
    world[REASON], world[BLAMED], world[CAP] = 0.0, 0.0, FREE
    world[RED], world[JERK], world[HARD], world[UNSAFE] = 0.0, 0.0, 0.0, 0.0
    world[NEAREST] = math.inf
    if action < RULE:
        choose(roads, rules, speeds, duties, shielded, actors, world, action)
    done = 0
    for _ in range(rules.substeps):
        tick(roads, rules, speeds, duties, shielded, errors, actors, world, random, action)
        done += 1
        if actors[0, CRASHED] == 1.0:
            break
    if errors.active == 0 and shielded == OFF:  # perfect sight is needed at the end only
        perceive(roads, rules, errors, actors, random[1])
    world[JERK] = math.sqrt(world[JERK] / done)
