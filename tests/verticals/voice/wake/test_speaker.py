"""Who may wake it: everybody at first, then the enrolled, whose voice is asked at every wake."""

from __future__ import annotations

from typing import Any

import numpy as np

from verticals.voice.wake.speaker import THRESHOLD, enrolled_only


class Household:
    """People whose likeness to any sound is given."""

    def __init__(self) -> None:
        self.cosines: dict[str, float] = {}
        self.asked: list[int] = []

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.cosines)

    def score(self, sound: np.ndarray) -> dict[str, float]:
        self.asked.append(len(sound))
        return self.cosines if sound.any() else {}


def test_everybody_may_until_somebody_is_enrolled() -> None:
    home: Any = Household()
    may, sound = enrolled_only(home), np.ones(16_000, np.float32)
    assert may(sound)
    assert home.asked == []
    home.cosines = {"ana": THRESHOLD - 0.01, "ben": 0.1}
    assert not may(sound)
    home.cosines["ben"] = THRESHOLD
    assert may(sound)
    assert not enrolled_only(home, threshold=0.9)(sound)


def test_where_no_voice_is_heard_nobody_wakes_it() -> None:
    home: Any = Household()
    home.cosines = {"ana": 1.0}
    assert not enrolled_only(home)(np.zeros(16_000, np.float32))


def test_only_the_latest_seconds_are_asked() -> None:
    home: Any = Household()
    home.cosines = {"ana": 1.0}
    assert enrolled_only(home)(np.ones(600_000, np.float32))
    assert max(home.asked) <= 4 * 16_000
