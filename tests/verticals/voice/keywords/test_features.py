"""The picture of a word: torchaudio's, whatever the level, in the middle of its second."""

from __future__ import annotations

import numpy as np
import pytest

from core.data.audio import SAMPLE_RATE
from verticals.voice.keywords.features import (
    BANDS,
    FRAMES,
    HOP,
    LOWEST_HZ,
    RANGE_DB,
    SIZE,
    TOP_HZ,
    WINDOW,
    mel_power,
    word_features,
)


def tone(hertz: float, seconds: float) -> np.ndarray:
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (0.3 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


@pytest.mark.parametrize("samples", [1_600, 9_001, 15_360])
def test_mel_energies_are_those_of_torchaudio(samples: int) -> None:
    import torch
    from torchaudio.transforms import MelSpectrogram

    sound = np.random.default_rng(0).normal(0, 0.1, samples).astype(np.float32)
    theirs = MelSpectrogram(
        SAMPLE_RATE, n_fft=SIZE, win_length=WINDOW, hop_length=HOP, f_min=LOWEST_HZ, f_max=TOP_HZ,
        n_mels=BANDS, pad_mode="constant",
    )(torch.from_numpy(sound)).numpy().T  # fmt: skip
    ours = mel_power(sound)
    assert ours.shape == (samples // HOP, BANDS)
    assert np.allclose(ours, theirs[: len(ours)], rtol=1e-3, atol=1e-5 * theirs.max())


def test_the_level_does_not_matter_and_the_range_is_bounded() -> None:
    sound = tone(700, 0.4) + np.random.default_rng(0).normal(0, 1e-3, 6_400).astype(np.float32)
    loud, quiet = word_features(sound), word_features(0.01 * sound)
    assert np.allclose(loud, quiet, atol=1e-3)
    assert loud.shape == (FRAMES, BANDS)
    assert (loud.max(), loud.min()) == (0.0, -1.0)


def test_higher_sounds_are_in_higher_bands_and_silence_is_around_them() -> None:
    low, high = word_features(tone(300, 0.3)), word_features(tone(3000, 0.3))
    assert low.max(axis=0).argmax() < high.max(axis=0).argmax()
    middle = np.flatnonzero(low.max(axis=1) > -0.5)
    assert abs((middle[0] + middle[-1]) / 2 - FRAMES / 2) <= 2
    assert (low[:20] == -1).all()


def test_of_a_long_recording_the_loudest_second_counts() -> None:
    random = np.random.default_rng(0)
    long = random.normal(0, 1e-4, 5 * SAMPLE_RATE).astype(np.float32)
    long[3 * SAMPLE_RATE : 3 * SAMPLE_RATE + 4_800] += tone(700, 0.3)
    found = word_features(long)
    assert found.shape == (FRAMES, BANDS)
    assert (found.max(axis=1) > -0.2).sum() > 25
    assert RANGE_DB > 40


@pytest.mark.parametrize("samples", [1, 100, 160])
def test_hardly_any_sound_still_has_a_picture(samples: int) -> None:
    found = word_features(np.ones(samples, np.float32))
    assert found.shape == (FRAMES, BANDS)
    assert np.isfinite(found).all()
