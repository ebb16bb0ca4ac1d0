"""Three people who say two made-up words: tones that rise or fall, at each one's own pitch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from verticals.voice.keywords.augment import Variation
from verticals.voice.keywords.clips import Clip
from verticals.voice.keywords.spotter import Keywords
from verticals.voice.keywords.training import KeywordSettings, train_keywords

PITCH = {"ana": 500.0, "ben": 350.0, "cleo": 650.0}
QUICK = KeywordSettings(epochs=30, variation=Variation(throat=0.05, pace=0.1, noise=0.2))


def glide(word: str, hertz: float, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    n = int(random.uniform(0.3, 0.5) * 16_000)
    ends = (1.0, 2.2) if word == "up" else (2.2, 1.0)
    phase = np.cumsum(2 * np.pi * hertz * np.linspace(*ends, n) / 16_000)
    return (0.3 * np.sin(phase) + random.normal(0, 0.003, n)).astype(np.float32)


@pytest.fixture(scope="session")
def toy_words() -> list[Clip]:
    """Twenty clips of each word by each person."""
    return [
        Clip(word, speaker, glide(word, hertz, seed))
        for speaker, hertz in PITCH.items() for seed in range(20) for word in ("up", "down")
    ]  # fmt: skip


@pytest.fixture(scope="session")
def toy_folder(tmp_path_factory: pytest.TempPathFactory, toy_words: list[Clip]) -> Path:
    """A spotter trained on two of the three people."""
    folder = tmp_path_factory.mktemp("keywords")
    train_keywords([c for c in toy_words if c.speaker != "cleo"], folder, QUICK, devices=False)
    return folder


@pytest.fixture
def toy_spotter(toy_folder: Path) -> Keywords:
    """That spotter, in int8."""
    return Keywords.open(toy_folder)
