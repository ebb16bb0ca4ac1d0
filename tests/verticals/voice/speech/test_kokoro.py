"""The voice: whole sentences, the same each time, by speakers who sound apart."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import ParameterError
from verticals.voice.speech.kokoro import Kokoro, made_speaker
from verticals.voice.speech.voice import open_voice


@pytest.fixture(scope="module")
def voice(tmp_path_factory: pytest.TempPathFactory) -> Kokoro:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CASEKIT_HOME", str(tmp_path_factory.mktemp("home")))
        return Kokoro.open(threads=1)


def test_it_speaks_the_same_each_time_and_in_time(voice: Kokoro) -> None:
    said = voice.say("Turn it on.")
    assert said.dtype == np.float32
    assert np.array_equal(said, voice.say("Turn it on."))
    assert 0.4 < len(said) / 16_000 < 2.5
    assert 0.05 < np.abs(said).max() <= 1
    slow = voice.say("Turn it on.", speed=0.7)
    assert len(slow) > 1.15 * len(said)


def test_made_up_speakers_differ_and_are_kept_by_their_seed(voice: Kokoro) -> None:
    one, again, other = (made_speaker(voice, seed) for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert one.shape == (510, 256)
    assert not np.allclose(one, other)


def test_nothing_to_say_is_a_short_silence_and_long_texts_are_cut(voice: Kokoro) -> None:
    assert len(voice.say("")) < 16_000
    assert len(voice.say("One. Two.")) > len(voice.say("One."))


def test_an_unknown_speaker_or_voice_is_said(voice: Kokoro) -> None:
    with pytest.raises(ParameterError, match="jf_alpha"):
        voice.say("Hello.", speaker="nobody")
    with pytest.raises(ParameterError, match="kokoro"):
        open_voice("parrot")
