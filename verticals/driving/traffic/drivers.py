"""Rule drivers, compiled: IDM (Treiber et al., 2000), MOBIL (Kesting et al., 2007), rules.

Gaps are between the middles of two 5 m cars, as in highway-env; longer and shorter bodies are
corrected for. Nothing here draws a random number.
"""

# ruff: noqa: PLR0917 - compiled loops take plain arrays by position

from __future__ import annotations

import math

import numpy as np

from verticals.driving.traffic.columns import (
    BOLD,
    CRASHED,
    CYCLIST,
    DELTA,
    GOAL,
    HEADING,
    KIND,
    LENGTH,
    NOBODY,
    PATH,
    PEDESTRIAN,
    PHANTOM,
    TIMER,
    WIDTH,
    WISH,
    YIELDING,
    D,
    S,
    V,
    X,
    Y,
)  # fmt: skip
from verticals.driving.traffic.compiling import compiled
from verticals.driving.traffic.geometry import boxes_touch, onto, place

GREEN, AMBER, RED_LIGHT = range(3)
_AHEAD = 11  # quarters of a second that giving way looks ahead
POLITENESS = 0.0
GAIN_WANTED = 0.2  # m/s^2, of a lane change
BRAKING_IMPOSED = 2.0  # m/s^2, at most, on the new follower
CUTTING_OFF = 2.5  # m/s^2 more that the boldest impose
WHEN_FORCED = 4.0  # ... by one whose lane ends
ALONE = 1000  # groups from here on are single paths
BESIDE = 3.0  # an actor this far off a lane's middle still counts as on it, m


@compiled
def idm(rules, v, wish, delta, gap, closing, headway):  # type: ignore[no-untyped-def]
    """Acceleration of the intelligent driver model, m/s^2.

    Args:
        rules: Its parameters.
        v: Own speed.
        wish: Speed on a free road.
        delta: Exponent of the free-road term.
        gap: To the one in front, between middles; inf if there is none.
        closing: Own speed minus that of the one in front.
        headway: Time gap, s.
    """
    free = rules.eager * (1.0 - (max(v, 0.0) / max(abs(wish), 0.01)) ** delta)
    if gap == math.inf:
        return free
    room = 2 * math.sqrt(rules.eager * rules.gentle)
    wanted = rules.gap + v * headway + v * closing / room
    return free - rules.eager * (wanted / (gap if abs(gap) > 0.01 else 0.01)) ** 2


@compiled
def neighbours(group, offset, shared, table, actors, who, path):  # type: ignore[no-untyped-def]
    """Who is nearest on a path, in front of an actor and behind it.

    Takes single arrays of `Roads`: handing over all of them would cost more than the search.

    Returns:
        Rows in front and behind, -1 if none, and the gaps between middles.
    """
    own, parallel = int(actors[who, PATH]), group[path] < ALONE
    s = actors[who, S]
    if group[own] != group[path] and not parallel:
        i = min(max(int(s), 0), shared.shape[2] - 1)
        s += shared[path, own, i] - i
    front, rear, ahead, behind = -1, -1, math.inf, math.inf
    for j in range(actors.shape[0]):
        kind = actors[j, KIND]
        if j == who or kind in (NOBODY, PHANTOM):
            continue
        its = int(actors[j, PATH])
        if group[its] == group[path]:
            sj, dj = actors[j, S], actors[j, D] + offset[its] - offset[path]
        elif parallel:
            c, n = math.cos(table[path, 0, 2]), math.sin(table[path, 0, 2])
            dx, dy = actors[j, X] - table[path, 0, 0], actors[j, Y] - table[path, 0, 1]
            sj, dj = dx * c + dy * n, dy * c - dx * n
        else:
            i = min(max(int(actors[j, S]), 0), shared.shape[2] - 1)
            sj, dj = shared[path, its, i] + actors[j, S] - i, actors[j, D]
        if not abs(dj) <= (1.6 if kind in (PEDESTRIAN, CYCLIST) else BESIDE):
            continue
        apart = sj - s
        if 0 <= apart <= ahead:
            ahead, front = apart, j
        elif 0 < -apart < behind:
            behind, rear = -apart, j
    return front, rear, ahead, behind


@compiled
def follow(rules, limit, actors, who, leader, gap):  # type: ignore[no-untyped-def]
    """IDM acceleration of an actor behind another; a row of -1 stands for nobody.

    Args:
        rules: Parameters of the IDM.
        limit: Speed limit of the lane.
        actors: All of them.
        who: The row that follows.
        leader: The row in front.
        gap: Between their middles.
    """
    if who < 0:
        return 0.0
    v = actors[who, V]
    wish, delta = min(max(actors[who, WISH], 0.0), limit), actors[who, DELTA]
    headway = rules.headway * (1.0 - 0.5 * actors[who, BOLD])
    if leader < 0:
        return idm(rules, v, wish, delta, math.inf, 0.0, headway)
    gap += 5.0 - 0.5 * (actors[who, LENGTH] + actors[leader, LENGTH])
    turned = actors[leader, HEADING] - actors[who, HEADING]
    closing = v - actors[leader, V] * (math.cos(turned) if turned != 0.0 else 1.0)
    return idm(rules, v, wish, delta, gap, closing, headway)


@compiled
def mobil(roads, rules, actors, who, lane):  # type: ignore[no-untyped-def]
    """Should this driver change to a lane: safe for the one behind, and worth it?"""
    own = int(actors[who, PATH])
    limit, limit_own = roads.limit[lane], roads.limit[own]
    front, rear, ahead, behind = neighbours(
        roads.group, roads.offset, roads.shared, roads.table, actors, who, lane
    )
    imposed = follow(rules, limit, actors, rear, who, behind)
    forced = roads.closes[own] < math.inf
    most = BRAKING_IMPOSED + CUTTING_OFF * actors[who, BOLD]
    if rear >= 0 and imposed < -(WHEN_FORCED if forced else most):
        return False
    then = follow(rules, limit, actors, who, front, ahead)
    if forced:  # has to, as soon as it may
        return then >= -WHEN_FORCED
    if roads.closes[lane] < math.inf:
        return False
    front_own, rear_own, ahead_own, behind_own = neighbours(
        roads.group, roads.offset, roads.shared, roads.table, actors, who, own
    )
    now = follow(rules, limit_own, actors, who, front_own, ahead_own)
    others = (
        imposed - follow(rules, limit, actors, rear, front, ahead + behind)
        + follow(rules, limit_own, actors, rear_own, front_own, ahead_own + behind_own)
        - follow(rules, limit_own, actors, rear_own, who, behind_own)
    )  # fmt: skip
    return then - now + POLITENESS * others >= GAIN_WANTED


@compiled
def choose_lane(roads, rules, actors, who):  # type: ignore[no-untyped-def]
    """Begin, keep or give up a lane change, by MOBIL once a second."""
    me = actors[who]
    own, goal = int(me[PATH]), int(me[GOAL])
    if own != goal:
        for j in range(actors.shape[0]):
            other = actors[j]
            if j == who or other[KIND] == NOBODY or int(other[GOAL]) != goal or other[PATH] == goal:
                continue
            ahead = other[S] - me[S]
            wanted = (
                rules.gap
                + me[V] * rules.headway
                + me[V] * (me[V] - other[V]) / (2 * math.sqrt(rules.eager * rules.gentle))
            )
            if roads.group[int(other[PATH])] == roads.group[own] and 0 < ahead < wanted:
                me[GOAL] = me[PATH]
                return
        return
    if me[TIMER] <= 1.0 or me[KIND] == CYCLIST:  # who cycles keeps to the lane
        return
    me[TIMER] = 0.0
    if me[V] < 2.5:  # at a walking pace cars turn across the lane
        return
    for lane in (roads.left[own], roads.right[own]):
        if lane >= 0 and mobil(roads, rules, actors, who, lane):
            me[GOAL] = lane


@compiled
def lamp(roads, time):  # type: ignore[no-untyped-def]
    """The light of the cars: green, amber or red."""
    at = time % (roads.green + roads.amber + roads.red)
    if at < roads.green:
        return GREEN
    return AMBER if at < roads.green + roads.amber else RED_LIGHT


@compiled
def barrier(roads, rules, actors, who, time):  # type: ignore[no-untyped-def]
    """Metres to where an actor's front must stop: a closed lane, a red light, a walker; inf."""
    me = actors[who]
    path, nose = int(me[PATH]), me[S] + 0.5 * me[LENGTH]
    nearest = math.inf
    if roads.closes[path] < math.inf:
        nearest = roads.closes[path] - nose
    line = roads.stop[path] - nose
    if 0 <= line < nearest:
        light = lamp(roads, time)
        if light == RED_LIGHT or (light == AMBER and line > me[V] ** 2 / (2 * rules.gentle)):
            nearest = line
    for c in range(roads.crossing_count):
        cross = roads.crossings[c]
        there = crossing_on(roads, cross, path)
        room = there - cross[2] - 1.0 - nose
        if not -0.5 < room < min(nearest, 60.0) or room < me[V] ** 2 / (2 * rules.hardest):
            continue
        for j in range(actors.shape[0]):
            walker = actors[j]
            if walker[KIND] != PEDESTRIAN or walker[V] < 0.3:
                continue
            s, d = onto(roads, walker, path)
            coming = -d * math.sin(walker[HEADING] - me[HEADING])
            if abs(s - there) < cross[2] + 1.5 and (abs(d) < 2.2 or (coming > 0 and abs(d) < 5.0)):
                nearest = room
                break
    return nearest


@compiled
def crossing_on(roads, cross, path):  # type: ignore[no-untyped-def]
    """S of a crossing's middle on any straight path, and 0."""
    x, y, _ = place(roads.table, int(cross[0]), cross[1], 0.0)
    heading = roads.table[path, 0, 2]
    dx, dy = x - roads.table[path, 0, 0], y - roads.table[path, 0, 1]
    return dx * math.cos(heading) + dy * math.sin(heading)


@compiled
def urge(roads, rules, actors, who, time):  # type: ignore[no-untyped-def]
    """The acceleration a rule driver wants now, m/s^2."""
    me = actors[who]
    own, goal = int(me[PATH]), int(me[GOAL])
    front, _, ahead, _ = neighbours(
        roads.group, roads.offset, roads.shared, roads.table, actors, who, own
    )
    wanted = follow(rules, roads.limit[own], actors, who, front, ahead)
    if goal != own:
        front, _, ahead, _ = neighbours(
            roads.group, roads.offset, roads.shared, roads.table, actors, who, goal
        )
        wanted = min(wanted, follow(rules, roads.limit[goal], actors, who, front, ahead))
    room = barrier(roads, rules, actors, who, time)
    if room < math.inf:
        wish = min(max(me[WISH], 0.0), roads.limit[own])
        gap = max(room, 0.0) + rules.gap - 1.0
        wanted = min(wanted, idm(rules, me[V], wish, me[DELTA], gap, me[V], rules.headway))
    return min(max(wanted, -rules.hardest), rules.hardest)


@compiled
def give_way(roads, actors, first):  # type: ignore[no-untyped-def]
    """Where two would meet within 3 s, who has lower rank, or is behind, stops (Leurent, 2018).

    Binds the rows from `first` on: the ego answers for itself unless it is a rule driver, too.
    """
    count = actors.shape[0]
    for i in range(first, count):
        if actors[i, YIELDING] == 1.0:
            actors[i, YIELDING] = 0.0
            actors[i, WISH] = roads.limit[int(actors[i, PATH])]
    soon = np.zeros((count, _AHEAD, 3))
    for i in range(count):
        if actors[i, KIND] != NOBODY:
            for k in range(_AHEAD):
                s = actors[i, S] + actors[i, V] * 0.25 * (k + 1)
                soon[i, k] = place(roads.table, int(actors[i, PATH]), s, 0.0)
    for i in range(count - 1):
        for j in range(i + 1, count):
            if actors[i, KIND] == NOBODY or actors[j, KIND] == NOBODY:
                continue
            if not _will_meet(actors[i], actors[j], soon[i], soon[j]):
                continue
            rank_i, rank_j = _rank(roads, actors[i]), _rank(roads, actors[j])
            if rank_i != rank_j:
                late = j if rank_i > rank_j else i
            else:
                dx, dy = actors[j, X] - actors[i, X], actors[j, Y] - actors[i, Y]
                i_sees = dx * math.cos(actors[i, HEADING]) + dy * math.sin(actors[i, HEADING])
                j_sees = -dx * math.cos(actors[j, HEADING]) - dy * math.sin(actors[j, HEADING])
                late = i if i_sees > j_sees else j
            if late >= first:
                actors[late, YIELDING] = 1.0
                actors[late, WISH] = 0.0


@compiled
def _rank(roads, actor):  # type: ignore[no-untyped-def]
    """The right of way of the piece of road an actor is on."""
    i = min(max(int(actor[S]), 0), roads.table.shape[1] - 1)
    return roads.table[int(actor[PATH]), i, 3]


@compiled
def _will_meet(a, b, soon_a, soon_b):  # type: ignore[no-untyped-def]
    """Do two actors touch on their way, given their poses at the coming quarters of a second?"""
    if a[CRASHED] == 1.0 and b[CRASHED] == 1.0:
        return False
    for k in range(_AHEAD):
        dx, dy = soon_a[k, 0] - soon_b[k, 0], soon_a[k, 1] - soon_b[k, 1]
        if dx * dx + dy * dy > 25.0:
            continue
        if boxes_touch(
            soon_a[k, 0], soon_a[k, 1], soon_a[k, 2], 1.5 * a[LENGTH], 0.9 * a[WIDTH],
            soon_b[k, 0], soon_b[k, 1], soon_b[k, 2], 1.5 * b[LENGTH], 0.9 * b[WIDTH],
        ):  # fmt: skip
            return True
    return False
