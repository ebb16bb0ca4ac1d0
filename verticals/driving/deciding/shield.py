"""The shield: in every simulation step, the most the ego may accelerate, and why.

Works on what the perception holds, not on the truth. Four duties of RSS (Shalev-Shwartz et al.,
2017): keep a safe distance in front, do not cut in recklessly, give way where others have the
right of way, and mind what cannot be seen. Being hit from behind is not the ego's to answer for.
"""

# ruff: noqa: PLR0911, PLR0912, PLR0917, SIM110 - compiled loops take plain arrays by position

from __future__ import annotations

import math
from dataclasses import dataclass

from verticals.driving.deciding.rss import braking_needed
from verticals.driving.traffic.columns import (
    CYCLIST,
    GOAL,
    HELD,
    KIND,
    LENGTH,
    NOBODY,
    OBSTACLE,
    PATH,
    PEDESTRIAN,
    SEEN_HEADING,
    SEEN_V,
    SEEN_X,
    SEEN_Y,
    TIME,
    TRACKED,
    WIDTH,
    D,
    S,
    V,
    X,
    Y,
)  # fmt: skip
from verticals.driving.traffic.compiling import compiled
from verticals.driving.traffic.drivers import AMBER, RED_LIGHT, crossing_on, lamp
from verticals.driving.traffic.geometry import crosses_box, crosses_line, place, project

(NONE, TOO_CLOSE, CUTTING_IN, ONCOMING, PERSON, LIGHT, RIGHT_OF_WAY, HIDDEN, LANE_ENDS,
 LANE_TAKEN) = range(10)  # fmt: skip
REASONS = (
    "none", "too close to the one in front", "one is cutting in", "one is coming head-on",
    "a person is on or beside the way", "the light is not green", "another has the right of way",
    "someone may come out of hiding", "the lane ends", "the lane beside is taken",
)  # fmt: skip
FREE = 99.0  # a cap that caps nothing, m/s^2


@dataclass(frozen=True)
class Override:
    """Why the shield stepped in."""

    reason: str
    actor: int  # row of the road user it did so for; 0 if for none
    cap: float  # the highest acceleration it allowed, m/s^2
    time_s: float


@compiled
def held(it):  # type: ignore[no-untyped-def]
    """Is a road user tracked, or was it a moment ago? A shield does not forget at once."""
    return it[KIND] != NOBODY and (it[TRACKED] == 1.0 or it[HELD] > 0.0)


@compiled
def limits(roads, rules, duties, actors, world):  # type: ignore[no-untyped-def]
    """The highest acceleration allowed to the ego now, the reason, and the actor it is for."""
    cap, reason, blamed = FREE, NONE, 0
    me = actors[0]
    path = int(me[PATH])
    nose = me[S] + 0.5 * me[LENGTH]
    for j in range(1, actors.shape[0]):
        if not held(actors[j]):
            continue
        allowed, why = _in_the_way(roads, duties, me, actors[j])
        if allowed < cap:
            cap, reason, blamed = allowed, why, j
        if rules.yields == 1 and actors[j, KIND] != PEDESTRIAN:
            allowed = _crossing_traffic(roads, duties, me, actors[j])
            if allowed < cap:
                cap, reason, blamed = allowed, RIGHT_OF_WAY, j
    light = lamp(roads, world[TIME])
    line = roads.stop[path] - nose
    if line > -0.5 and (light in (RED_LIGHT, AMBER)):
        needed = me[V] ** 2 / (2 * max(line, 0.1))
        if light == RED_LIGHT or needed < duties.their_brake:
            allowed = _stop_within(duties, me[V], line, 3.0)
            if allowed < cap:
                cap, reason, blamed = allowed, LIGHT, 0
    if roads.closes[path] < math.inf and int(me[GOAL]) == path:
        allowed = _stop_within(duties, me[V], roads.closes[path] - nose, 3.0)
        if allowed < cap:
            cap, reason, blamed = allowed, LANE_ENDS, 0
    allowed = _hidden(roads, rules, duties, actors)
    if allowed < cap:
        cap, reason, blamed = allowed, HIDDEN, 0
    return cap, reason, blamed


@compiled
def _stop_within(duties, v, room, usual):  # type: ignore[no-untyped-def]
    """Cap of a vehicle that has to stop within a distance, braking no sooner than it must."""
    if v < 0.3 and room < 1.5:
        return 0.0 if room > duties.margin else -1.0
    needed = braking_needed(v, room - duties.margin, 0.0, duties.response, 1.0)
    if needed > usual:
        return -min(needed, duties.strongest)
    faster = v + duties.accelerate * duties.response
    if braking_needed(faster, room - duties.margin, 0.0, duties.response, 1.0) > usual:
        return 0.0
    return FREE


@compiled
def _in_the_way(roads, duties, me, it):  # type: ignore[no-untyped-def]
    """Cap for one road user on the ego's way, or about to be, and the reason."""
    path = int(me[PATH])
    s, d = project(roads.table, roads.straight, path, it[SEEN_X], it[SEEN_Y])
    _, _, along = place(roads.table, path, s, 0.0)
    turn = it[SEEN_HEADING] - along
    ahead, sideways = it[SEEN_V] * math.cos(turn), it[SEEN_V] * math.sin(turn)
    long = 0.5 * (it[LENGTH] * abs(math.cos(turn)) + it[WIDTH] * abs(math.sin(turn)))
    wide = 0.5 * (it[LENGTH] * abs(math.sin(turn)) + it[WIDTH] * abs(math.cos(turn)))
    gap = s - me[S] - long - 0.5 * me[LENGTH]
    if gap < -long - 0.5 * me[LENGTH] or gap > 150.0:
        return FREE, NONE
    goal = me[D]
    if int(me[GOAL]) != path:
        goal = roads.offset[int(me[GOAL])] - roads.offset[path]
    half = 0.5 * me[WIDTH] + wide + duties.aside
    low, high = min(me[D], goal) - half, max(me[D], goal) + half
    off = max(low - d, d - high)  # metres beside the corridor; negative inside
    person = it[KIND] == PEDESTRIAN or it[KIND] == CYCLIST
    v = me[V]
    if off > 0:
        towards = sideways if d < low else -sideways
        if it[KIND] == PEDESTRIAN and _at_crossing(roads, path, s) and off < 1.5:
            towards = max(towards, 0.5 * duties.walk)
        if towards < 0.15:
            return FREE, NONE
        enters = off / towards
        if person:
            leaves = (off + high - low) / towards
            arrives = max(gap, 0.0) / max(v, 0.5)
            cleared = (gap + 2 * long + me[LENGTH]) / max(v, 0.5)
            if cleared < enters - 0.3 or arrives > leaves + 0.5:
                return FREE, NONE
        elif enters > duties.their_response:
            return FREE, NONE
    if gap <= 0:
        if off > 0 and not person:
            return -2.0 if s > me[S] else FREE, CUTTING_IN
        return -duties.strongest if s > me[S] else FREE, TOO_CLOSE
    why = PERSON if person else (CUTTING_IN if off > 0 else TOO_CLOSE)
    if it[KIND] == PEDESTRIAN:
        return _stop_within(duties, v, gap, 3.5), why
    if ahead < -0.5:  # both must stop: the ego in its share of the gap
        share = gap + ahead * duties.their_response - ahead**2 / (2 * duties.their_brake)
        needed = braking_needed(v, share, 0.0, duties.response, 1.0)
        return (-min(needed, duties.strongest) if needed > 3.0 else FREE), ONCOMING
    front = max(ahead, 0.0)
    needed = braking_needed(v, gap - duties.margin, front, duties.response, duties.front_brake)
    if needed > duties.brake:
        return -min(needed, duties.strongest), why
    faster = v + duties.accelerate * duties.response
    if braking_needed(faster, gap - duties.margin, front, duties.response,
                      duties.front_brake) > duties.brake:  # fmt: skip
        return 0.0, why
    return FREE, NONE


@compiled
def _at_crossing(roads, path, s):  # type: ignore[no-untyped-def]
    """Is this s of a path on a crossing, or within a step of it?"""
    for c in range(roads.crossing_count):
        there = crossing_on(roads, roads.crossings[c], path)
        if abs(s - there) < roads.crossings[c, 2] + 1.0:
            return True
    return False


@compiled
def _crossing_traffic(roads, duties, me, it):  # type: ignore[no-untyped-def]
    """Cap for a vehicle on any path that meets the ego's, where it has the right of way."""
    path, cap = int(me[PATH]), FREE
    rank = roads.table[path, min(max(int(me[S]), 0), roads.table.shape[1] - 1), 3]
    for other in range(roads.paths):
        zone = roads.zones[path, other]
        if math.isnan(zone[0]):
            continue
        s, d = project(roads.table, roads.straight, other, it[SEEN_X], it[SEEN_Y])
        _, _, along = place(roads.table, other, s, 0.0)
        if abs(d) > 1.8 or math.cos(it[SEEN_HEADING] - along) < 0.8:
            continue
        i = min(max(int(s), 0), roads.table.shape[1] - 1)
        first = rank > roads.table[other, i, 3]
        cap = min(
            cap, _meet(duties, me, zone, s, it[SEEN_V], it[LENGTH], first, roads.limit[other])
        )
    return cap


@compiled
def _meet(duties, me, zone, s, v, length, first, limit):  # type: ignore[no-untyped-def]
    """Cap before a zone that a vehicle at s with speed v on the other path will use.

    Args:
        duties: Of RSS.
        me: The ego.
        zone: From and to, on the ego's path and on the other.
        s: The other's place on its path.
        v: Its speed.
        length: Of the other.
        first: The ego has the right of way.
        limit: Speed limit of the other.
    """
    room = zone[0] - me[S] - 0.5 * me[LENGTH]
    far = zone[2] - s - 0.5 * length
    if s - 0.5 * length > zone[3] or room < -1.5 or far > 90.0:
        return FREE
    if first and v * duties.their_response + v**2 / (2 * duties.their_brake) < far:
        return FREE  # it can and must stop
    quick = max(v, min(v + duties.their_accelerate * 2.0, limit))
    earliest = max(far, 0.0) / max(quick, 0.5)
    latest = (zone[3] - s + 0.5 * length) / max(v, 0.5)
    mine = max(me[V], 3.0)  # from a standstill it gets going
    enter = max(room, 0.0) / mine
    leave = (zone[1] - me[S] + 0.5 * me[LENGTH]) / mine + (1.0 if me[V] < 3.0 else 0.0)
    if leave + 0.5 < earliest or enter > latest + 0.5:
        return FREE
    if me[V] > 1.0 and room < me[V] * 0.1 + me[V] ** 2 / (2 * duties.strongest):
        return FREE  # too late to stop before it: best to be through
    return _stop_within(duties, me[V], room, 4.0)


@compiled
def _hidden(roads, rules, duties, actors):  # type: ignore[no-untyped-def]
    """Cap for people behind a vehicle at a crossing, and for cars behind a hedge at a junction."""
    me, cap = actors[0], FREE
    path = int(me[PATH])
    for c in range(roads.crossing_count):
        cross = roads.crossings[c]
        if cross[3] == 1.0:
            continue
        s = crossing_on(roads, cross, path)
        gap = s - cross[2] - me[S] - 0.5 * me[LENGTH]
        if gap < 0 or gap > 60.0:
            continue
        for side in (-1.0, 1.0):
            for off in (0.4, 1.4):
                x, y, _ = place(roads.table, path, s, me[D] + side * (2.0 + off))
                if not _blocked(roads, actors, x, y):
                    continue
                enters = (off + 0.6) / duties.walk
                if (gap + 2 * cross[2] + me[LENGTH]) / max(me[V], 0.5) > enters:
                    cap = min(cap, _stop_within(duties, me[V], gap, 4.0))
    for k in range(1, 15 if roads.hedge_count > 0 else 1):  # a car may stand where the view ends
        x, y, _ = place(roads.table, path, me[S] + 0.5 * me[LENGTH] + 5.0 * k, 0.0)
        if _behind_hedge(roads, actors[0, X], actors[0, Y], x, y):
            cap = min(cap, _stop_within(duties, me[V], 5.0 * k - 2.5, duties.brake))
            break
    if rules.yields == 1 and roads.hedge_count > 0:
        for other in range(roads.paths):
            zone = roads.zones[path, other]
            if math.isnan(zone[0]) or roads.table[path, 0, 3] > roads.table[other, 0, 3]:
                continue
            for k in range(14):
                s = zone[2] - 3.0 - 5.0 * k
                x, y, _ = place(roads.table, other, s, 0.0)
                if _blocked(roads, actors, x, y):
                    limit = roads.limit[other]
                    cap = min(cap, _meet(duties, me, zone, s, limit, 5.0, False, limit))
                    break
    return cap


@compiled
def _behind_hedge(roads, x1, y1, x2, y2):  # type: ignore[no-untyped-def]
    """Does a hedge stand between two points?"""
    for k in range(roads.hedge_count):
        if crosses_line(x1, y1, x2, y2, roads.hedges[k]):
            return True
    return False


@compiled
def _blocked(roads, actors, x, y):  # type: ignore[no-untyped-def]
    """Is a point out of the ego's sight?"""
    if _behind_hedge(roads, actors[0, X], actors[0, Y], x, y):
        return True
    for j in range(1, actors.shape[0]):
        tall = actors[j, KIND] != NOBODY and actors[j, KIND] != PEDESTRIAN
        if (
            tall
            and actors[j, KIND] != CYCLIST
            and (held(actors[j]) or actors[j, KIND] == OBSTACLE)
            and crosses_box(actors[0, X], actors[0, Y], x, y, actors[j])
        ):
            return True
    return False


@compiled
def lane_free(roads, duties, actors, lane):  # type: ignore[no-untyped-def]
    """May the ego change to a lane? Returns the row of the actor that forbids it, or 0.

    Both the one in front and the one behind must have their safe distance, and nobody may be
    about to enter the same lane from its other side.
    """
    me = actors[0]
    own = int(me[PATH])
    s0 = me[S]
    for j in range(1, actors.shape[0]):
        it = actors[j]
        if not held(it):
            continue
        s, d = project(roads.table, roads.straight, lane, it[SEEN_X], it[SEEN_Y])
        _, _, along = place(roads.table, lane, s, 0.0)
        sideways = it[SEEN_V] * math.sin(it[SEEN_HEADING] - along)
        soon = d + sideways * 1.2
        low, high = min(d, soon), max(d, soon)
        reach = 0.5 * (me[WIDTH] + it[WIDTH]) + duties.aside
        if low > reach or high < -reach:
            continue
        if abs(d) > 3.0 and abs(d - roads.offset[own] + roads.offset[lane]) < 1.0:
            continue  # it is in the ego's own lane, where the other duty holds
        gap = abs(s - s0) - 0.5 * (me[LENGTH] + it[LENGTH])
        ahead = it[SEEN_V] * math.cos(it[SEEN_HEADING] - along)
        if gap <= duties.margin:
            return j
        if s > s0:
            needed = braking_needed(me[V], gap - duties.margin, max(ahead, 0.0), duties.response,
                                    duties.front_brake)  # fmt: skip
            if needed > duties.brake:
                return j
        elif braking_needed(max(ahead, 0.0), gap - duties.margin, me[V], duties.their_response,
                            duties.front_brake) > duties.their_brake:  # fmt: skip
            return j
    return 0
