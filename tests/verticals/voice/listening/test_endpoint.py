"""Utterances are found where people speak, end soon after the last word, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from verticals.voice.listening.endpoint import Endpointer, Patience, segments
from verticals.voice.listening.vad import WINDOW, Vad
from verticals.voice.speech.kokoro import Kokoro

RATE = 16_000


@pytest.fixture(scope="module")
def vad() -> Vad:
    return Vad.open()


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CASEKIT_HOME", str(tmp_path_factory.mktemp("home")))
        voice = Kokoro.open(threads=1)
        return {w: voice.say(w) for w in ("Stop.", "Pause.", "Turn off the kitchen light.")}


def quiet(seconds: float, level: float = 1e-3) -> np.ndarray:
    return np.random.default_rng(1).normal(0, level, int(seconds * RATE)).astype("f4")


def test_however_it_arrives_it_is_the_same(vad: Vad, words: dict[str, np.ndarray]) -> None:
    sound = np.concatenate([quiet(0.5), words["Stop."], quiet(0.5)])
    sound = sound[: len(sound) // WINDOW * WINDOW]
    whole = vad.probabilities(sound)
    stream, pieces = vad.stream(), []
    for start in range(0, len(sound), 333):
        pieces += stream.push(sound[start : start + 333])
    assert np.allclose(whole, pieces, atol=1e-6)
    assert whole.shape == (len(sound) // WINDOW,)


@pytest.mark.parametrize("word", ["Stop.", "Pause."])
def test_a_one_word_command_ends_within_a_second(
    vad: Vad, words: dict[str, np.ndarray], word: str
) -> None:
    said_until = 1.0 + len(words[word]) / RATE
    sound = np.concatenate([quiet(1.0), words[word], quiet(2.0)])
    follower, told = Endpointer(vad), []
    for start in range(0, len(sound), 160):
        told += [(start + 160, e) for e in follower.push(sound[start : start + 160])]
    assert [e.kind for _, e in told] == ["start", "end"]
    assert told[1][0] / RATE < said_until + 1.0
    assert 0.8 < told[0][1].time_s < 1.4
    assert not follower.speaking


def test_the_first_frames_never_count_as_silence(vad: Vad, words: dict[str, np.ndarray]) -> None:
    """A word at the very beginning is heard whole; before it, silence ends nothing."""
    for before in (0.0, 0.05, 0.3, 12.0):
        sound = np.concatenate([quiet(before), words["Stop."], quiet(1.5)])
        follower, told = Endpointer(vad), []
        for start in range(0, len(sound), WINDOW):
            told += [(start, e) for e in follower.push(sound[start : start + WINDOW])]
            assert follower.speaking == (len(told) == 1)
        assert [e.kind for _, e in told] == ["start", "end"]
        assert abs(told[0][1].time_s - before) < 0.2
        assert told[1][0] / RATE < before + len(words["Stop."]) / RATE + 1.0


@pytest.mark.parametrize("snr_db", [20.0, 10.0])
def test_a_word_in_noise_ends_within_a_second_too(
    vad: Vad, words: dict[str, np.ndarray], snr_db: float
) -> None:
    word = words["Pause."]
    level = float(np.sqrt((word**2).mean())) / 10 ** (snr_db / 20)
    sound = (
        np.pad(word, (RATE, 2 * RATE)) + quiet(3 + len(word) / RATE, level)[: len(word) + 48_000]
    )
    follower = Endpointer(vad)
    ends = [start for start in range(0, len(sound), WINDOW)
            for e in follower.push(sound[start : start + WINDOW]) if e.kind == "end"]  # fmt: skip
    assert len(ends) == 1
    assert ends[0] / RATE < 1 + len(word) / RATE + 1.0


def test_a_pause_within_a_sentence_does_not_end_it(vad: Vad, words: dict[str, np.ndarray]) -> None:
    said = words["Turn off the kitchen light."]
    sound = np.concatenate([quiet(0.3), said, quiet(0.4), said, quiet(1.0)])
    assert len(list(segments(sound, vad))) == 1
    apart = np.concatenate([quiet(0.3), said, quiet(1.2), said, quiet(1.0)])
    assert len(list(segments(apart, vad))) == 2


@pytest.mark.parametrize("kind", ["digital silence", "white", "pink", "hum", "clicks"])
def test_no_speech_is_no_utterance(vad: Vad, kind: str) -> None:
    random, n = np.random.default_rng(2), RATE * 5
    spectrum = np.fft.rfft(random.normal(size=n)) / np.sqrt(np.arange(n // 2 + 1) + 1)
    pink = np.fft.irfft(spectrum, n)
    made = {
        "digital silence": np.zeros(n),
        "white": random.normal(0, 0.1, n),
        "pink": 0.1 * pink / pink.std(),
        "hum": 0.3 * np.sin(2 * np.pi * 50 * np.arange(n) / RATE),
        "clicks": (random.random(n) < 0.0005) * 0.9,
    }
    assert list(segments(made[kind].astype("f4"), vad)) == []


def test_silence_after_speech_is_silence(vad: Vad, words: dict[str, np.ndarray]) -> None:
    sound = np.concatenate([words["Stop."], np.zeros(RATE * 3, "f4")])
    ((_, end),) = segments(sound, vad)
    assert end < len(words["Stop."]) / RATE + 0.3


def test_an_endless_speaker_is_cut(vad: Vad, words: dict[str, np.ndarray]) -> None:
    sound = np.concatenate([words["Turn off the kitchen light."]] * 5)
    found = list(segments(sound, vad, Patience(longest_s=2.0)))
    assert len(found) >= 2
    assert all(end - start < 2.1 for start, end in found)
