"""The embedded home with its grammar and a made-up recogniser, so that pages are quick."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from apps.demos.voice_pages.desk import Desk
from apps.demos.voice_pages.opening import desk_of
from core.data.audio import write_wav
from verticals.voice.assistant import Parts, open_parts
from verticals.voice.command import Transcript, Word
from verticals.voice.people.voices import SIZE, Print

EVIL = "<script>alert(1)</script>"


class Pretending:
    """Hears the same words in every sound, and nothing in silence."""

    def transcribe(self, sound: np.ndarray) -> Transcript:
        if not np.abs(sound).max() > 0.01:
            return Transcript(text="", confidence=0.0)
        said = [("turn", 0.97), ("on", 0.99), ("the", 0.91), ("porch", 0.6), ("light", 0.3)]
        words = tuple(
            Word(text=text, start_s=0.2 * n, end_s=0.2 * n + 0.2, probability=sure)
            for n, (text, sure) in enumerate(said)
        )
        return Transcript(text="turn on the porch light", words=words, confidence=0.71)


class Pitches:
    """Tells voices by their pitch, in place of the speaker encoders."""

    def hear(self, sound: np.ndarray) -> Print:
        spectrum = np.abs(np.fft.rfft(sound[:16_000]))[: 40 * 50].reshape(40, 50).sum(axis=1)
        vector = np.zeros(SIZE, np.float32)
        vector[:40] = spectrum / np.linalg.norm(spectrum)
        return Print(vector, speech_s=len(sound) / 16_000)


def clip(pitch: int, *, seed: int = 0) -> np.ndarray:
    """Two seconds of a made-up voice: a hum in one of 40 pitches and some noise."""
    hum = np.sin(2 * np.pi * (50 * pitch + 25) * np.arange(32_000) / 16_000)
    noise = np.random.default_rng(seed).normal(size=32_000)
    return (0.3 * hum + 0.005 * noise).astype(np.float32)


class Humming:
    """Says everything as the same tone."""

    names = ("hum",)

    def say(self, text: str, **_: Any) -> np.ndarray:
        return (0.1 * np.sin(np.arange(1600) / 5)).astype(np.float32)


@pytest.fixture(scope="session")
def parts() -> Parts:
    opened = open_parts(recogniser=None, model=False, voice=False, threads=1)
    return replace(opened, recogniser=Pretending(), voice=Humming())


@pytest.fixture
def desk(parts: Parts) -> Iterator[Desk]:
    desk = desk_of(parts, voices=Pitches)
    yield desk
    desk.visits.close_all()


@pytest.fixture
def tone() -> np.ndarray:
    return (0.3 * np.sin(np.arange(16_000) / 4)).astype(np.float32)


@pytest.fixture
def evil() -> str:
    return EVIL


@pytest.fixture(scope="session")
def served(parts: Parts) -> Iterator[str]:
    """Address of the demo of the small parts."""
    from apps.demos.voice import compose, launch

    desk = desk_of(parts, voices=Pitches)
    demo = compose(desk)
    yield launch(demo, block=False)
    demo.close()
    desk.visits.close_all()


@pytest.fixture
def ready() -> Callable[[Any], Any]:
    return lambda page: page.get_by_label("Or type")


@pytest.fixture
def recording(tmp_path: Any, tone: np.ndarray) -> Any:
    path = tmp_path / "porch.wav"
    write_wav(path, tone)
    return path
