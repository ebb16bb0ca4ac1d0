"""The stream between ears and recogniser: when it looks, when it wakes, and what it keeps.

Stand-ins hear tones: 440 Hz is the phrase to the recogniser, and the head hears it too; any sound
is speech.
"""

from __future__ import annotations

import tracemalloc
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from verticals.voice.listening.vad import WINDOW
from verticals.voice.wake.detector import About, Detection, WakeWord

RATE = 16_000
ABOUT = About(
    phrase="hey juniper", spellings=("hey juniper",), seconds=0.8, head_threshold=0.0,
    alone_threshold=2.0, check_threshold=-10.0,
)  # fmt: skip


def tone(hertz: float, seconds: float) -> np.ndarray:
    time = np.arange(int(seconds * RATE)) / RATE
    return (0.3 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


def quiet(seconds: float) -> np.ndarray:
    return np.zeros(int(seconds * RATE), np.float32)


def share(sound: np.ndarray, hertz: float = 440.0) -> float:
    """Seconds of a tone in a sound."""
    wave = np.exp(-2j * np.pi * hertz * np.arange(len(sound)) / RATE)
    pieces = [sound[i : i + 800] @ wave[i : i + 800] for i in range(0, len(sound), 800)]
    return 0.05 * sum(abs(p) > 80 for p in pieces)


class Ears:
    """Hears speech in any sound."""

    def stream(self) -> Ears:
        return self

    def push(self, window: np.ndarray) -> list[float]:
        return [float(np.abs(window).max() > 0.01)]


@dataclass
class Check:
    """A recogniser that hears the phrase where half a second of the tone is."""

    asked: list[int] = field(default_factory=list)

    def score(self, sound: np.ndarray) -> float:
        self.asked.append(len(sound))
        return -5.0 if share(sound) >= 0.45 else -40.0


class Frames:
    """The sound itself in the place of its embedding."""

    def windows(self, sound: np.ndarray) -> np.ndarray:
        return sound[None]


class Likes:
    """A head that likes the tone."""

    def scores(self, windows: np.ndarray) -> np.ndarray:
        return np.array([10 * share(w) - 4 for w in windows])


def word(check: Check | None = None, **changes: Any) -> WakeWord:
    parts: Any = (ABOUT, Frames(), Likes(), Ears(), check)
    return replace(WakeWord(*parts), **changes)


def heard(detector: WakeWord, sound: np.ndarray, block: int) -> list[Detection]:
    stream = detector.stream()
    return [d for i in range(0, len(sound), block) for d in stream.push(sound[i : i + block])]


@pytest.mark.parametrize("with_recogniser", [True, False])
def test_the_phrase_wakes_once_soon_after_it_was_said(with_recogniser: bool) -> None:
    detector = word(Check() if with_recogniser else None)
    (found,) = detector.heard(np.concatenate([quiet(2), tone(440, 0.8), quiet(2)]))
    assert 2.5 < found.time_s < 3.8
    assert found.score > 0


def test_the_phrase_wakes_in_the_middle_of_talk() -> None:
    talk = np.concatenate([quiet(1), tone(900, 3), tone(440, 0.8), tone(900, 2), quiet(1)])
    (found,) = word(Check()).heard(talk)
    assert 4.3 < found.time_s < 5.8


def test_other_sounds_do_not_wake_and_silence_asks_nobody() -> None:
    check = Check()
    detector = word(check)
    assert detector.heard(np.concatenate([quiet(1), tone(900, 3), quiet(1)])) == []
    asked = len(check.asked)
    assert 0 < asked <= 2
    assert detector.heard(quiet(20)) == []
    assert len(check.asked) == asked


@pytest.mark.parametrize("block", [1, 160, 333, 1_280, 100_000])
def test_however_the_sound_arrives_it_wakes_at_the_same_moments(block: int) -> None:
    part = np.concatenate([quiet(1), tone(440, 0.8), quiet(1), tone(900, 1.5), tone(440, 0.7)])
    sound = np.concatenate([part, quiet(1.5)])[: RATE * (1 if block == 1 else 99)]
    detector = word(Check())
    whole = heard(detector, sound, WINDOW)
    assert heard(detector, sound, block) == whole
    assert len(whole) == (0 if block == 1 else 2)


def test_what_is_said_twice_wakes_twice_but_one_saying_never_does() -> None:
    once = np.concatenate([tone(440, 0.8), quiet(1.5)])
    assert len(word(Check()).heard(np.concatenate([quiet(1), once]))) == 1
    assert len(word(Check()).heard(np.concatenate([quiet(1), once, once]))) == 2


def test_somebody_who_may_not_wake_it_does_not() -> None:
    said = np.concatenate([quiet(1), tone(440, 0.8), quiet(1)])
    lengths: list[int] = []

    def stranger(stretch: np.ndarray) -> bool:
        lengths.append(len(stretch))
        return False

    assert word(Check(), speaker=stranger).heard(said) == []
    assert lengths
    assert min(lengths) > 0.8 * RATE  # it hears the whole phrase
    assert len(word(Check(), speaker=lambda _: True).heard(said)) == 1


def test_memory_does_not_grow_with_the_stream() -> None:
    stream = word(Check()).stream()
    minute = np.concatenate([quiet(20), tone(440, 0.8), quiet(19.2), tone(900, 20)])
    stream.push(minute)
    tracemalloc.start()
    for _ in range(2):
        for i in range(0, len(minute), RATE):
            stream.push(minute[i : i + RATE])
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 1_000_000
