from __future__ import annotations

import threading

import numpy as np

from apps.demos.voice_pages.visits import Visits
from verticals.voice.assistant import Parts


def test_visitors_have_homes_of_their_own(parts: Parts) -> None:
    visits = Visits(parts)
    (ada, mine), (_, other) = visits.of(None), visits.of(None)
    done = mine.exchange("turn on the kitchen light", way="typed")
    assert [c.entity for c in done.changes] == ["light.kitchen"]
    assert mine.states["light.kitchen"]["state"] == "on"
    assert other.states["light.kitchen"]["state"] == "off"
    assert visits.of(ada)[1] is mine
    visits.close_all()


def test_only_so_many_are_open_and_the_one_that_was_silent_longest_gives_way(parts: Parts) -> None:
    threads = threading.active_count()
    visits = Visits(parts, most=3)
    first, _ = visits.of(None)
    second, _ = visits.of(None)
    visits.of(None)
    visits.of(first)
    visits.of(None)  # the second gives way
    assert len(visits) == 3
    again, _ = visits.of(second)
    assert again != second  # a key is never used twice, nor taken from outside
    visits.close_all()
    visits.close("nobody")
    assert len(visits) == 0
    assert threading.active_count() <= threads + 1


def test_another_room_keeps_the_devices_as_they_are(parts: Parts) -> None:
    visits = Visits(parts)
    _, visit = visits.of(None)
    visit.exchange("turn on the porch light", way="typed")
    visit.move("bedroom")
    assert visit.states["light.porch"]["state"] == "on"
    done = visit.exchange("turn on the lights in here", way="typed")
    assert {c.entity for c in done.changes} == {"light.bedroom", "light.bedside_lamp"}
    visits.close_all()


def test_history_keeps_words_and_only_the_last_sound(parts: Parts, tone: np.ndarray) -> None:
    visits = Visits(parts)
    _, visit = visits.of(None)
    for _ in range(60):
        visit.exchange(tone, way="spoken")
    assert len(visit.exchanges) == 50
    assert [e.number for e in visit.exchanges][-1] == 60
    assert all(e.sound is None for e in visit.exchanges[:-1])
    assert visit.exchanges[-1].sound is tone
    visit.reset()
    assert visit.last is None
    assert visit.states["light.porch"]["state"] == "off"
    visits.close_all()


def test_a_second_timer_is_a_change(parts: Parts) -> None:
    visits = Visits(parts)
    _, visit = visits.of(None)
    for _ in range(2):
        done = visit.exchange("set a timer for 5 minutes", way="typed")
        assert [c.entity for c in done.changes] == ["timer.assistant"]
    visits.close_all()
