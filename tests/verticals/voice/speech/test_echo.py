"""The assistant's own voice is taken out of what it hears, and nobody else's."""

from __future__ import annotations

import numpy as np
import pytest

from verticals.voice.listening.vad import WINDOW
from verticals.voice.speech.echo import Echo

RATE = 16_000


def _voice(seed: int, seconds: float = 6.0) -> np.ndarray:
    """Noise with the syllables and pauses of speech."""
    random = np.random.default_rng(seed)
    count = int(seconds * RATE)
    loud = np.repeat(random.uniform(0, 1, -(-count // 2_400)) > 0.3, 2_400)[:count]
    coloured = np.convolve(random.normal(size=count), [1, 0.9, 0.7, 0.4], "same")
    return (0.1 * loud * coloured).astype(np.float32)


def _room(sound: np.ndarray, seed: int, gain: float) -> np.ndarray:
    random = np.random.default_rng(seed)
    tail = random.normal(size=3_000) * 10 ** (-3 * np.arange(3_000) / RATE / 0.3)
    way = np.concatenate([np.zeros(400), tail / np.linalg.norm(tail)])
    return (gain * np.convolve(sound, way)[: len(sound)]).astype(np.float32)


def _cleaned(heard: np.ndarray, played: np.ndarray) -> tuple[np.ndarray, list[bool]]:
    echo = Echo()
    out = [
        echo.clean(heard[at : at + WINDOW], played[at : at + WINDOW])
        for at in range(0, len(heard) // WINDOW * WINDOW, WINDOW)
    ]
    return np.concatenate([left for left, _ in out]), [other for _, other in out]


@pytest.mark.parametrize("gain", [0.2, 1.0])
def test_an_echo_goes_and_is_nobody(gain: float) -> None:
    played = _voice(1)
    noise = np.random.default_rng(2).normal(0, 0.001, len(played)).astype(np.float32)
    heard = _room(played, 3, gain) + noise
    left, other = _cleaned(heard, played)
    late = slice(3 * RATE, len(left))
    assert np.mean(left[late] ** 2) < 0.05 * np.mean(heard[late] ** 2)
    assert np.mean(other) < 0.02


def test_somebody_who_talks_over_it_is_noticed_and_kept() -> None:
    played, person = _voice(1), _voice(5)
    person[: 4 * RATE] = 0
    noise = np.random.default_rng(2).normal(0, 0.001, len(played)).astype(np.float32)
    left, other = _cleaned(_room(played, 3, 0.5) + person + noise, played)
    talks = np.abs(person[: len(left)].reshape(-1, WINDOW)).mean(axis=1) > 0.05
    assert np.mean(np.array(other)[talks]) > 0.9
    late = slice(4 * RATE, len(left))
    assert np.corrcoef(left[late], person[: len(left)][late])[0, 1] > 0.9


def test_with_nothing_played_all_is_kept_as_it_is() -> None:
    person = _voice(4)
    left, other = _cleaned(person, np.zeros_like(person))
    assert np.array_equal(left, person[: len(left)])
    assert not any(other)  # nothing is said that could be interrupted
