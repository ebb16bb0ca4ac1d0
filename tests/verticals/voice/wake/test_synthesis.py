"""What a wake word learns from: the phrase in rooms, what resembles it, and nothing unspeakable."""

from __future__ import annotations

import numpy as np
import pytest

from core.data.audio import SAMPLE_RATE
from core.errors import ParameterError
from verticals.voice.speech.pronounce import Pronouncer, phonemes
from verticals.voice.wake.synthesis import near_miss, phrase_sounds, scene


@pytest.fixture(scope="module")
def pronouncer() -> Pronouncer:
    return Pronouncer.open()


@pytest.mark.parametrize("phrase", ["", "hi", "r2 d2", "hello!", "a b", "word " * 20])
def test_what_is_no_phrase_is_refused_with_a_remedy(pronouncer: Pronouncer, phrase: str) -> None:
    with pytest.raises(ParameterError, match=r"Give one to four English words|Add a word"):
        phrase_sounds(phrase, pronouncer)


def test_blanks_and_capitals_do_not_matter(pronouncer: Pronouncer) -> None:
    assert phrase_sounds("  Hey   Juniper ", pronouncer) == phrase_sounds("hey juniper", pronouncer)


@pytest.mark.parametrize("phrase", ["computer", "hey juniper", "good morning my house"])
def test_a_near_miss_is_another_phrase_to_a_listener(pronouncer: Pronouncer, phrase: str) -> None:
    sounds = phrase_sounds(phrase, pronouncer)
    random = np.random.default_rng(0)
    made = [near_miss(sounds, random) for _ in range(60)]
    assert len(set(made)) > 30
    for other in made:
        if len(other) == len(sounds):  # sounds were exchanged
            apart = sum(a != b for a, b in zip(other, sounds, strict=True))
            assert 2 <= apart <= max(2, len(phonemes(sounds)) // 2)
        else:  # a part was left out
            assert 0 < len(other) < len(sounds)
            assert "".join(other.split()) in "".join(sounds.split()) or " " in sounds


def test_a_scene_holds_the_clip_where_it_says(pronouncer: Pronouncer) -> None:
    del pronouncer
    time = np.arange(SAMPLE_RATE // 2) / SAMPLE_RATE
    clip = (0.5 * np.sin(2 * np.pi * 500 * time)).astype(np.float32)
    for seed in range(12):
        sound, end = scene(clip, np.random.default_rng(seed), before_s=0.5, after_s=0.4)
        again, _ = scene(clip, np.random.default_rng(seed), before_s=0.5, after_s=0.4)
        assert np.array_equal(sound, again)
        assert sound.dtype == np.float32
        assert np.isfinite(sound).all()
        assert 0.02 < np.abs(sound).max() <= 0.91
        start = SAMPLE_RATE // 2
        assert start + 0.8 * len(clip) < end < start + 1.2 * len(clip)
        assert len(sound) == end + int(0.4 * SAMPLE_RATE)
        inside, before = sound[start:end], sound[: start - 400]
        assert np.mean(inside**2) > 1.5 * np.mean(before**2)  # 3 dB above the noise at least
