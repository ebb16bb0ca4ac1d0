from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest

from apps.demos.voice_pages.ear import LONGEST_S, Ear
from core.data.audio import to_pcm16
from core.errors import DataError
from verticals.voice.listening.endpoint import Endpointer
from verticals.voice.listening.vad import Vad
from verticals.voice.recognition.streaming import Partial


def block(sound: np.ndarray, name: str = "recording-1", rate: int = 16_000) -> dict[str, Any]:
    return {"recording": name, "rate": rate, "pcm": base64.b64encode(to_pcm16(sound)).decode()}


def test_what_was_pushed_is_taken_whole_and_then_forgotten(tone: np.ndarray) -> None:
    ear = Ear()
    for part in np.split(tone, 4):
        assert not ear.push(block(part)).ended
    assert np.allclose(ear.take("recording-1"), tone, atol=1e-3)
    with pytest.raises(DataError, match="no sound"):
        ear.take("recording-1")


def test_another_rate_becomes_16_khz() -> None:
    wave = np.sin(2 * np.pi * 440 * np.arange(48_000) / 48_000).astype(np.float32)
    ear = Ear()
    ear.push(block(0.5 * wave, rate=48_000))
    sound = ear.take("recording-1")
    assert len(sound) == 16_000
    assert np.argmax(np.abs(np.fft.rfft(sound))) == 440


def test_half_a_minute_is_the_most(tone: np.ndarray) -> None:
    ear = Ear()
    told = [ear.push(block(tone)) for _ in range(35)]
    assert [t.full for t in told].index(True) == 29
    assert told[-1].ended
    assert len(ear.take("recording-1")) == LONGEST_S * 16_000


@pytest.mark.parametrize(
    "message",
    [None, "x", {}, {"recording": "short", "rate": 16_000, "pcm": ""},
     {"recording": "recording-1", "rate": 1e9, "pcm": ""},
     {"recording": "recording-1", "rate": "16000", "pcm": ""},
     {"recording": "recording-1", "rate": 16_000, "pcm": "no base64!"},
     {"recording": "recording-1", "rate": float("nan"), "pcm": ""},
     {"recording": "recording-1", "rate": 16_000, "pcm": "A" * 5_000_000}],
)  # fmt: skip
def test_what_is_no_sound_is_refused(message: Any) -> None:
    with pytest.raises(DataError, match="no sound"):
        Ear().push(message)


def test_recordings_nobody_finishes_are_dropped(tone: np.ndarray) -> None:
    ear = Ear()
    for n in range(40):
        ear.push(block(tone[:1600], name=f"recording-{n}"))
    with pytest.raises(DataError):
        ear.take("recording-0")
    assert len(ear.take("recording-39")) == 1600


def test_words_come_while_somebody_speaks(tone: np.ndarray) -> None:
    class Counting:
        blocks = 0

        def push(self, block: np.ndarray, *, spoken: bool) -> Partial:
            self.blocks += 1
            return Partial(f"{self.blocks} blocks", f"{self.blocks}")

    ear = Ear(words=Counting)
    assert [ear.push(block(tone[:1600])).text for _ in range(2)] == ["1 blocks", "2 blocks"]


def test_silence_ends_by_itself() -> None:
    vad = Vad.open()
    ear = Ear(endpointer=lambda: Endpointer(vad))
    told = [ear.push(block(np.zeros(16_000, np.float32))) for _ in range(9)]
    assert [t.ended for t in told].index(True) == 7
