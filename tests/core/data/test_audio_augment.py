"""Augmentation: levels, lengths, and the same sounds for the same seed."""

from __future__ import annotations

import numpy as np
import pytest

from core.data.audio import SAMPLE_RATE
from core.data.audio_augment import (
    KINDS,
    Augmenter,
    another_size,
    made_noise,
    microphone,
    mix_at_snr,
    room,
    telephone,
)
from core.errors import ParameterError


@pytest.fixture
def tone() -> np.ndarray:
    """A second of 440 Hz."""
    time = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    return (0.5 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)


def peak_hz(sound: np.ndarray) -> float:
    """The strongest frequency."""
    return float(np.abs(np.fft.rfft(sound)).argmax() * SAMPLE_RATE / len(sound))


@pytest.mark.parametrize("snr", [-5.0, 0.0, 20.0])
def test_the_noise_has_the_level_that_was_asked_for(tone: np.ndarray, snr: float) -> None:
    noise = made_noise("white", 4000, np.random.default_rng(0))  # shorter: repeated
    added = mix_at_snr(tone, noise, snr) - tone
    assert 10 * np.log10((tone**2).mean() / (added**2).mean()) == pytest.approx(snr, abs=0.05)


@pytest.mark.parametrize("kind", KINDS)
def test_every_noise_has_level_one_and_is_the_same_for_a_seed(kind: str) -> None:
    first, second = (made_noise(kind, 8000, np.random.default_rng(3)) for _ in range(2))  # type: ignore[arg-type]
    assert np.array_equal(first, second)
    assert float((first**2).mean()) == pytest.approx(1.0, rel=1e-3)
    assert not np.array_equal(first, made_noise(kind, 8000, np.random.default_rng(4)))  # type: ignore[arg-type]


def test_pink_noise_is_deeper_than_white() -> None:
    random = np.random.default_rng(0)
    pink, white = (np.abs(np.fft.rfft(made_noise(k, 16000, random))) for k in ("pink", "white"))
    assert pink[1:500].mean() / pink[4000:].mean() > 2 * white[1:500].mean() / white[4000:].mean()


def test_hum_is_of_the_mains() -> None:
    assert peak_hz(made_noise("hum", SAMPLE_RATE, np.random.default_rng(0))) in (50.0, 60.0)


def test_an_unknown_noise_is_refused() -> None:
    with pytest.raises(ParameterError, match="kitchen"):
        made_noise("vuvuzela", 10, np.random.default_rng(0))  # type: ignore[arg-type]


def test_a_smaller_speaker_is_shorter_and_higher(tone: np.ndarray) -> None:
    faster = another_size(tone, 1.25)
    assert len(faster) == pytest.approx(len(tone) / 1.25, rel=0.01)
    assert peak_hz(faster) == pytest.approx(550, rel=0.01)


def test_a_room_keeps_the_direct_sound_and_rings_after_it() -> None:
    click = np.zeros(SAMPLE_RATE, np.float32)
    click[100] = 1.0
    heard = room(click, np.random.default_rng(1))
    assert len(heard) == len(click)
    assert np.abs(heard[:100]).max() < 1e-4
    assert heard.argmax() == 100
    after = [float((heard[a:b] ** 2).sum()) for a, b in ((101, 1000), (1000, 4000), (12000, 16000))]
    assert after[0] > 0
    assert after[0] > after[2]


def test_a_microphone_changes_levels_not_pitch(tone: np.ndarray) -> None:
    heard = microphone(tone, np.random.default_rng(0))
    assert len(heard) == len(tone)
    assert peak_hz(heard) == pytest.approx(440, abs=2)
    assert not np.allclose(heard, tone)


def test_telephone_coding_loses_little(tone: np.ndarray) -> None:
    error = telephone(tone) - tone
    assert 10 * np.log10((tone**2).mean() / (error**2).mean()) > 30


def test_the_augmenter_repeats_itself_for_a_seed_and_stays_in_range(tone: np.ndarray) -> None:
    first, second = Augmenter(seed=5), Augmenter(seed=5)
    said = [first(tone) for _ in range(8)]
    for one in said:
        again = second(tone)
        assert np.array_equal(one, again)
        assert one.dtype == np.float32
        assert np.isfinite(one).all()
        assert np.abs(one).max() <= 0.9 + 1e-6
    assert len({len(one) for one in said}) > 1


def test_recorded_noises_are_used(tone: np.ndarray) -> None:
    silent = np.zeros_like(tone)
    silent[0] = 1e-6
    click = np.zeros(SAMPLE_RATE, np.float32)
    click[::2000] = 1.0
    augmenter = Augmenter([click], seed=0, snr_db=(0.0, 0.0))
    assert any(_spiky(augmenter(tone)) for _ in range(12))


def _spiky(sound: np.ndarray) -> bool:
    """Whether its peaks stand far above its mean level, as clicks do and tones do not."""
    return bool(np.abs(sound).max() > 5 * np.sqrt((sound**2).mean()))
