"""Words while somebody speaks come early, stay, cost a bounded amount, and end as from a file."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

from core.data.audio import AudioError, iter_audio
from verticals.voice.command import Transcript
from verticals.voice.recognition.streaming import Pace, Partial, PartialStream, quietest
from verticals.voice.recognition.whisper import Recogniser
from verticals.voice.understanding.normalise import plain_words

RATE = 16_000


class Told(Recogniser):
    """Hears what it is told to, one text after the other; counts the samples it was given."""

    def __init__(self, *texts: str) -> None:
        object.__setattr__(self, "texts", list(texts))
        object.__setattr__(self, "given", [])

    def transcribe(
        self, sound: np.ndarray, *, times: bool = False, alternatives: int = 0
    ) -> Transcript:
        self.given.append(len(sound))  # type: ignore[attr-defined]
        texts: list[str] = self.texts  # type: ignore[attr-defined]
        return Transcript(text=texts.pop(0) if len(texts) > 1 else texts[0])


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets a stream use the same double for partial readings."""
    monkeypatch.setattr(
        "verticals.voice.recognition.streaming.replace", lambda recogniser, **_: recogniser
    )


def blocks(sound: np.ndarray, size: int = 1600) -> list[np.ndarray]:
    return [sound[start : start + size] for start in range(0, len(sound), size)]


def test_the_end_is_what_a_file_says_and_the_words_come_before_it(
    recogniser: Recogniser, spoken: dict[str, np.ndarray]
) -> None:
    for words, sound in spoken.items():
        stream = PartialStream(recogniser)
        heard = [stream.push(block) for block in blocks(sound)]
        assert stream.finish() == recogniser.transcribe(sound)
        assert plain_words(stream.finish().text) == words
        early = next(i for i, partial in enumerate(heard) if partial.text)
        assert early < 0.7 * len(heard)
        for before, after in pairwise(heard):
            assert after.settled.startswith(before.settled)
            assert after.text.startswith(after.settled)
        assert words.startswith(plain_words(heard[-1].settled))


@pytest.mark.usefixtures("told")
def test_two_readings_that_agree_settle_words_for_good() -> None:
    stream = PartialStream(
        Told("turn", "Turn of the", "turn on the light", "Turn on the light,", "burn all lights")
    )
    heard = [stream.push(np.zeros(RATE, "f4")) for _ in range(5)]
    assert [p.settled for p in heard] == [
        "", "Turn", "Turn", "Turn on the light,", "Turn on the light,",
    ]  # fmt: skip
    assert heard[-1].text == "Turn on the light,"
    assert heard[2] == Partial("Turn on the light", "Turn")


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("size", [160, 4_000, 1_000_000])
def test_its_cost_and_memory_are_bounded(size: int) -> None:
    recogniser = Told("word")
    stream = PartialStream(recogniser)
    minutes = 3
    for _ in range(minutes * 60 * RATE // size):
        stream.push(np.zeros(size, "f4"))
        assert stream._open.nbytes <= 4 * 25 * RATE
    given: list[int] = recogniser.given  # type: ignore[attr-defined]
    assert max(given) <= 25 * RATE
    assert stream.decoded_s <= 7 * minutes * 60
    assert sum(given) / RATE == pytest.approx(stream.decoded_s)


@pytest.mark.usefixtures("told")
def test_three_hours_of_a_file_take_the_memory_of_half_a_minute(tmp_path: Path) -> None:
    path = tmp_path / "hours.wav"
    with soundfile.SoundFile(path, "w", 8_000, 1, subtype="PCM_U8") as file:
        for _ in range(180):
            file.write(np.zeros(8_000 * 60, "f4"))
    recogniser = Told("word")
    stream = PartialStream(recogniser, Pace(every_s=60))
    tracemalloc.start()
    for block in iter_audio(path):
        stream.push(block)
    words = stream.finish().text.split()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    given: list[int] = recogniser.given  # type: ignore[attr-defined]
    assert sum(given) == 3 * 3600 * RATE
    assert len(words) == len(given) > 3 * 3600 / 25
    assert peak < 60e6


@pytest.mark.usefixtures("told")
def test_what_is_too_long_is_settled_and_let_go() -> None:
    stream = PartialStream(Told("one two"), Pace(every_s=1, longest_s=4))
    heard = [stream.push(np.ones(RATE, "f4")) for _ in range(9)]
    assert heard[3] == Partial("one two", "one two")
    assert heard[8].text.startswith("one two one two")
    assert heard[8].settled.startswith("one two")
    assert set(stream.finish().text.split()) == {"one", "two"}


def test_a_long_speech_is_cut_between_words(
    recogniser: Recogniser, spoken: dict[str, np.ndarray]
) -> None:
    pause = np.zeros(RATE // 3, "f4")
    speech = np.concatenate([part for sound in spoken.values() for part in (sound, pause)] * 3)
    stream = PartialStream(recogniser, Pace(every_s=60, longest_s=5))
    for block in blocks(speech, 8000):
        stream.push(block)
    words = plain_words(stream.finish().text)
    assert words == " ".join(list(spoken) * 3)
    assert len(speech) / RATE > 2 * 5


def test_the_quietest_moment_is_found() -> None:
    sound = np.ones(RATE, "f4")
    sound[2000:6000] = sound[9000:12500] = 0
    assert quietest(sound, 8000) == pytest.approx(10_750, abs=300)
    assert quietest(sound, 0) == pytest.approx(4_000, abs=500)
    assert 0 < quietest(np.ones(100, "f4"), 20) < 100


def test_silence_says_nothing(recogniser: Recogniser) -> None:
    stream = PartialStream(recogniser)
    noise = np.random.default_rng(0).normal(0, 0.05, RATE).astype("f4")
    for sound in (np.zeros(RATE, "f4"), noise, np.zeros(0, "f4")):
        assert stream.push(sound) == Partial()
    assert PartialStream(recogniser).finish().text == stream.finish().text == ""


def test_what_is_no_sound_is_refused(recogniser: Recogniser) -> None:
    with pytest.raises(AudioError, match="not numbers"):
        PartialStream(recogniser).push(np.full(RATE, np.nan, "f4"))
