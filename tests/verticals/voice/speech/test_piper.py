"""The Piper voice: sounds in its notation, from espeak-ng or from our own pronunciations."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from core.errors import ModelError
from verticals.voice.speech.numbers import spelled_out
from verticals.voice.speech.piper import Piper, as_espeak, espeak_sounds
from verticals.voice.speech.pronounce import Pronouncer

SENTENCES = (
    "Turn on the kitchen light.",
    "The bedroom is at 21.5 degrees, and the garage door is open.",
    "What is the weather tomorrow? Rain, mostly!",
)


@pytest.fixture(scope="module")
def voice(tmp_path_factory: pytest.TempPathFactory) -> Piper:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CASEKIT_HOME", str(tmp_path_factory.mktemp("home")))
        return Piper.open(threads=1, espeak=False)


def test_every_sound_of_ours_is_one_of_the_voice_s(voice: Piper) -> None:
    words = Pronouncer.open().words
    sounds = {letter for word in list(words)[::50] for letter in as_espeak(words[word])}
    assert sounds - set(voice.table) == set()


def test_sentences_keep_their_punctuation_and_are_apart(voice: Piper) -> None:
    (one, two) = voice.sounds(spelled_out(SENTENCES[2]))
    assert one.endswith("?")
    assert two.count(",") == 1
    assert two.endswith("!")


def test_our_sounds_are_nearly_those_of_espeak(voice: Piper) -> None:
    path = shutil.which("espeak-ng")
    if path is None:
        pytest.skip("espeak-ng is not installed here")
    from rapidfuzz.distance import Levenshtein

    for sentence in SENTENCES:
        words = spelled_out(sentence)
        ours, theirs = (" ".join(s) for s in (voice.sounds(words), espeak_sounds(words, path)))
        assert Levenshtein.normalized_distance(ours, theirs) < 0.2, (ours, theirs)
        assert [c for c in ours if c in ",.?!"] == [c for c in theirs if c in ",.?!"]


def test_it_speaks_at_a_pace_and_pauses_between_sentences(voice: Piper) -> None:
    said = voice.say(SENTENCES[0])
    assert said.dtype == np.float32
    assert 1 < len(said) / 16_000 < 3
    assert 0.1 < np.abs(said).max() <= 1
    assert len(voice.say(SENTENCES[0], speed=2)) < 0.85 * len(said)
    twice = voice.say(" ".join(2 * [SENTENCES[0]]))
    assert len(twice) > 1.7 * len(said)
    assert len(voice.say("...")) < 4_000


def test_long_texts_are_cut(voice: Piper) -> None:
    from verticals.voice.speech import piper

    parts = piper._cut("lˈaɪt ænd " * 200)
    assert max(map(len, parts)) <= piper._LONGEST
    assert "".join(parts).replace(" ", "") == ("lˈaɪt ænd " * 200).replace(" ", "")


def test_espeak_asked_for_and_missing_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ModelError, match="espeak-ng is not installed"):
        Piper.open(espeak=True)
