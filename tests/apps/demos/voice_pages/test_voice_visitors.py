"""Ten visitors at once: each has a home of their own, and none waits for long."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from apps.demos.voice_pages.acts import Acts
from apps.demos.voice_pages.desk import Desk

from .test_voice_ear import block

LAMPS = ("kitchen light", "porch light", "garage light", "bedroom light", "desk lamp")
IDS = ("light.kitchen", "light.porch", "light.garage", "light.bedroom", "light.desk_lamp")


def test_ten_visitors_speak_and_type_at_once(desk: Desk, tone: np.ndarray) -> None:
    acts, together = Acts(desk), threading.Barrier(10)

    def visit(number: int) -> tuple[str, float]:
        together.wait(30)
        lamp, begun = LAMPS[number % 5], time.monotonic()
        key = acts.typed(None, "en", "", f"turn on the {lamp}")[0]
        for part in np.split(tone, 4):
            desk.ear.push(block(part, name=f"visitor-{number}"))
        acts.heard(key, "en", "", {"recording": f"visitor-{number}"})
        acts.said(key, "en", "", f"set a timer for {number + 1} minutes")
        return key, time.monotonic() - begun

    with ThreadPoolExecutor(10) as pool:
        came = list(pool.map(visit, range(10)))
    assert len({key for key, _ in came}) == 10
    for number, (key, _) in enumerate(came):
        _, theirs = desk.visits.of(key)
        lit = {name for name in IDS if theirs.states[name]["state"] == "on"}
        assert lit == {IDS[number % 5], "light.porch"}  # the recording asked for the porch
        timers = theirs.states["timer.assistant"]["attributes"]["timers"]
        assert [round(t["total_s"]) for t in timers] == [60 * (number + 1)]
        assert [e.number for e in theirs.exchanges] == [1, 2, 3]
    assert max(seconds for _, seconds in came) < 20
