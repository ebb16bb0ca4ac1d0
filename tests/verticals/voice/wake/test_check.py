"""The recogniser's look: what was said scores above what resembles it, at any level."""

from __future__ import annotations

import numpy as np
import pytest

from verticals.voice.recognition.whisper import Recogniser
from verticals.voice.speech.kokoro import Kokoro, made_speaker
from verticals.voice.wake.check import PhraseCheck, spelled
from verticals.voice.wake.training import check_threshold


@pytest.fixture(scope="module")
def voice() -> Kokoro:
    return Kokoro.open(threads=1)


def said(voice: Kokoro, text: str) -> np.ndarray:
    sound = voice.say_sounds(voice.pronouncer.text(text), made_speaker(voice, 5))
    noise = np.random.default_rng(0).normal(0, 1e-3, len(sound) + 8_000)
    return (np.pad(sound, 4_000) + noise).astype(np.float32)


def test_a_phrase_is_spelled_in_the_ways_of_a_recogniser() -> None:
    assert spelled("hey juniper") == (
        "hey juniper", "Hey juniper", "Hey Juniper", "Hey, Juniper", "HEY JUNIPER",
    )  # fmt: skip
    assert spelled("computer") == ("computer", "Computer", "COMPUTER")


def test_the_phrase_is_told_from_others(recogniser: Recogniser, voice: Kokoro) -> None:
    check = PhraseCheck(recogniser.decoder, spelled("hey juniper"))
    right = check.score(said(voice, "hey juniper"))
    assert right > -5
    for other, apart in (("hey jupiter", 5), ("say it again", 15), ("good morning", 15)):
        assert check.score(said(voice, other)) < right - apart
    assert check.score(said(voice, "hey juniper turn on the light")) > right - 3
    assert check.score(0.01 * said(voice, "hey juniper")) == pytest.approx(right, abs=0.5)


@pytest.mark.parametrize("samples", [0, 1, 3_200, 64_000])
def test_silence_is_not_the_phrase(recogniser: Recogniser, samples: int) -> None:
    check = PhraseCheck(recogniser.decoder, spelled("hey juniper"))
    score = check.score(np.zeros(samples, np.float32))
    assert np.isfinite(score)
    assert score < -15


def test_the_threshold_is_below_the_phrase_above_the_rest_and_lets_the_enrolled_in() -> None:
    good, other = np.linspace(-4.0, -1.0, 40), np.linspace(-30.0, -20.0, 10)
    limit = check_threshold(good, other)
    assert other.max() < limit < good.min()
    assert check_threshold(good - 3, other) < limit - 3  # known less, it is said more variously
    # A phrase that the recogniser hardly knows: rather missed than taken for all that is said.
    assert check_threshold(good - 9, other) > other.max()
    assert check_threshold(good, other, least=-14.0) < -14.0
    assert check_threshold(good, other, least=-2.0) == limit
