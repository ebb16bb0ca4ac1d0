"""Speech becomes its words; silence and noise become nothing."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from core.errors import ModelError
from verticals.voice.home.model import Home
from verticals.voice.recognition.whisper import Recogniser
from verticals.voice.speech.kokoro import Kokoro
from verticals.voice.understanding.normalise import plain_words


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    return Recogniser.open(threads=1)


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CASEKIT_HOME", str(tmp_path_factory.mktemp("home")))
        voice = Kokoro.open(threads=1)
        said = ("Turn off the kitchen light.", "Set a timer for ten minutes.")
        return {plain_words(text): voice.say(text, speaker="jm_kumo") for text in said}


def test_what_was_said_is_heard(recogniser: Recogniser, spoken: dict[str, np.ndarray]) -> None:
    for words, sound in spoken.items():
        heard = recogniser.transcribe(sound)
        assert plain_words(heard.text) == words
        assert 0.3 < heard.confidence <= 1
        ends = [w.end_s for w in heard.words]
        assert ends == sorted(ends)
        assert ends[-1] <= len(sound) / 16_000 + 0.5


@pytest.mark.parametrize("kind", ["digital silence", "white", "brown", "hum", "clicks"])
def test_silence_and_noise_say_nothing(recogniser: Recogniser, kind: str) -> None:
    random, n = np.random.default_rng(1), 16_000 * 4
    made = {
        "digital silence": np.zeros(n),
        "white": random.normal(0, 0.1, n),
        "brown": np.cumsum(random.normal(0, 1, n)) / 400,
        "hum": 0.3 * np.sin(2 * np.pi * 50 * np.arange(n) / 16_000),
        "clicks": (random.random(n) < 0.001) * 0.9,
    }
    sound = np.clip(made[kind], -1, 1).astype(np.float32)
    assert recogniser.transcribe(sound).text == ""


def test_a_home_s_names_are_a_hint_of_bounded_length(recogniser: Recogniser) -> None:
    hinted = recogniser.expecting(Home.open().vocabulary())
    assert "Robby" in hinted.names
    assert len(hinted.names) <= 700
    assert recogniser.names == ""


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
