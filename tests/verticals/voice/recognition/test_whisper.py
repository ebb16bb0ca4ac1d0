"""Speech becomes its words; silence and noise become nothing."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from core.errors import ModelError
from verticals.voice.home.model import Home, Vocabulary
from verticals.voice.recognition.decoding import Hypothesis
from verticals.voice.recognition.hints import home_hint
from verticals.voice.recognition.whisper import Recogniser
from verticals.voice.speech.kokoro import Kokoro
from verticals.voice.understanding.normalise import plain_words


def test_what_was_said_is_heard(recogniser: Recogniser, spoken: dict[str, np.ndarray]) -> None:
    for words, sound in spoken.items():
        heard = recogniser.transcribe(sound, times=True)
        assert plain_words(heard.text) == words
        assert 0.3 < heard.confidence <= 1
        ends = [w.end_s for w in heard.words]
        assert ends == sorted(ends)
        assert ends[-1] <= len(sound) / 16_000 + 0.5


@pytest.mark.parametrize("kind", ["digital silence", "white", "brown", "hum", "clicks"])
def test_silence_and_noise_say_nothing_whatever_is_expected(
    recogniser: Recogniser, kind: str
) -> None:
    random, n = np.random.default_rng(1), 16_000 * 4
    made = {
        "digital silence": np.zeros(n),
        "white": random.normal(0, 0.1, n),
        "brown": np.cumsum(random.normal(0, 1, n)) / 400,
        "hum": 0.3 * np.sin(2 * np.pi * 50 * np.arange(n) / 16_000),
        "clicks": (random.random(n) < 0.001) * 0.9,
    }
    sound = np.clip(made[kind], -1, 1).astype(np.float32)
    hinted = recogniser.at_home(Home.open(), lambda _: True)
    for heard in (recogniser.transcribe(sound), hinted.transcribe(sound)):
        assert (heard.text, heard.confidence) == ("", 0.0)


def test_a_home_is_a_hint_of_bounded_length(recogniser: Recogniser) -> None:
    hinted = recogniser.expecting(Home.open().vocabulary())
    assert "Turn on the light." in hinted.names
    assert "Living room lamp" in hinted.names or "Living room light" in hinted.names
    assert len(hinted.names) <= 700
    assert recogniser.names == ""
    names = [f"lamp number {n}" for n in range(500)]
    assert recogniser.hinted(names).names.startswith("lamp number 0, lamp number 1,")
    assert len(recogniser.hinted(names).names) <= 700
    tokens = recogniser.decoder.tokenizer.encode(hinted.names)
    assert len(tokens) < recogniser.model.max_length // 2  # or Whisper would be cut short of some


def test_odd_names_come_before_plain_words() -> None:
    hint = home_hint(Vocabulary(devices=tuple(f"lamp {n}" for n in range(80)), people=("Zaphod",)))
    assert "? Zaphod, lamp 0, " in hint


def test_a_hint_makes_a_rare_name_heard(recogniser: Recogniser, voice: Kokoro) -> None:
    said = voice.say("Turn off the Ecobee.", speaker="jm_kumo")
    hinted = recogniser.hinted(["Turn on the EcoBee.", "EcoBee"])
    assert "ecobee" not in recogniser.transcribe(said).text.lower()
    assert "EcoBee" in hinted.transcribe(said).text


def reading(text: str, total: float) -> Hypothesis:
    tokens = tuple(range(len(text)))
    return Hypothesis(text, tokens, total / (len(tokens) + 1))


def test_a_near_reading_that_makes_sense_is_taken(recogniser: Recogniser) -> None:
    found = [reading("cancel all tires", -2.5), reading("cancel all timers", -4.3),
             reading("cancel the alarm now", -9.0)]  # fmt: skip

    def taken(*sensible: str) -> str:
        prefers = recogniser.preferring(lambda text: text in sensible)
        return prefers._sensible(found).text

    assert taken("cancel all timers") == "cancel all timers"
    assert taken("cancel all tires", "cancel all timers") == "cancel all tires"
    assert taken("cancel the alarm now") == "cancel all tires"  # too unlikely
    assert taken() == recogniser._sensible(found).text == "cancel all tires"


def test_a_misheard_name_is_put_right_where_that_makes_sense(recogniser: Recogniser) -> None:
    prefers = recogniser.at_home(Home.open())
    light = prefers._sensible([reading("turn on the kichen light", -3.0)])
    assert light.text == "turn on the Kitchen light"
    poem = "the kichen light fell on her face"
    assert prefers._sensible([reading(poem, -3.0)]).text == poem


def test_readings_are_as_many_as_were_asked_for(
    recogniser: Recogniser, spoken: dict[str, np.ndarray]
) -> None:
    (sound, *_) = spoken.values()
    for way in (recogniser, recogniser.preferring(lambda text: text.endswith("!"))):
        heard = way.transcribe(sound, alternatives=3)
        assert len({heard.text, *heard.alternatives}) == 4
        assert way.transcribe(sound).alternatives == ()


def test_a_model_that_is_nowhere_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelError, match="cannot be opened"):
        Recogniser.open("nobody/nothing-at-all")


def test_it_hears_without_torch() -> None:
    code = (
        "import sys, numpy as np\n"
        "from verticals.voice.recognition.whisper import Recogniser\n"
        "Recogniser.open(threads=1).transcribe(np.zeros(16000, np.float32))\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
