"""A crowd says every word once, the same people for the same seed, with whatever is installed."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from core.errors import ParameterError
from verticals.voice.keywords.crowd import Crowd, speak_words

KINDS = [name for name in ("espeak-ng", "flite") if shutil.which(name)]


def test_the_crowd_says_every_word() -> None:
    said = speak_words(["yes", "no"], Crowd(kokoro=1, espeak=2, flite=1), seed=1)
    people = [c.speaker for c in said if c.word == "yes"]
    assert people == [c.speaker for c in said if c.word == "no"]
    assert len(set(people)) == len(people) == 1 + 2 * ("espeak-ng" in KINDS) + ("flite" in KINDS)
    assert all(0.1 * 16_000 < len(c.sound) < 2 * 16_000 for c in said)
    assert all(np.abs(c.sound).max() > 0.02 for c in said)
    again = speak_words(["yes", "no"], Crowd(kokoro=1, espeak=0, flite=0), seed=1)
    assert np.array_equal(again[0].sound, said[0].sound)


def test_without_programs_there_are_the_people_of_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    said = speak_words(["yes"], Crowd(kokoro=1, espeak=5, flite=5))
    assert [c.speaker for c in said] == ["kokoro 0"]


def test_what_is_no_word_is_refused() -> None:
    with pytest.raises(ParameterError, match="English letters"):
        speak_words(["r2"], Crowd(kokoro=1))
