from __future__ import annotations

import threading

import numpy as np

from apps.demos.voice_pages.rehearing import Rehearing, rehearings
from verticals.voice.recognition.streaming import Partial

from .conftest import Pretending

BLOCK = np.zeros(4_800, np.float32)  # 0.3 s


class Counting:
    """Hears how much it was given."""

    def __init__(self) -> None:
        self.given: list[int] = []

    def push(self, block: np.ndarray) -> Partial:
        self.given.append(len(block))
        return Partial(text=f"{sum(self.given)} samples")


def test_nothing_is_recognised_before_somebody_spoke_and_nothing_is_lost() -> None:
    stream = Counting()
    words = Rehearing(stream, threading.Lock())
    assert [words.push(BLOCK, spoken=False).text for _ in range(3)] == ["", "", ""]
    assert stream.given == []
    assert words.push(BLOCK, spoken=True).text == "19200 samples"
    words.push(BLOCK, spoken=True)
    assert stream.given == [4 * 4_800, 4_800]


def test_who_finds_another_listening_keeps_the_words_it_has_and_catches_up() -> None:
    entered, leave = threading.Event(), threading.Event()

    class Slow(Counting):
        def push(self, block: np.ndarray) -> Partial:
            entered.set()
            assert leave.wait(10)
            return super().push(block)

    turn, late = threading.Lock(), Counting()
    first, second = Rehearing(Slow(), turn), Rehearing(late, turn)
    other = threading.Thread(target=lambda: first.push(BLOCK, spoken=True))
    other.start()
    assert entered.wait(10)
    assert second.push(BLOCK, spoken=True).text == ""
    assert late.given == []
    leave.set()
    other.join()
    assert second.push(BLOCK, spoken=True).text == "9600 samples"


def test_a_recogniser_of_whole_recordings_gives_no_partial_words() -> None:
    assert rehearings(Pretending()) is None
