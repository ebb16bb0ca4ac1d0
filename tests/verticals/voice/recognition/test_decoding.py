"""Short sounds are heard as in a whole window, for a part of the work."""

from __future__ import annotations

import time
import tracemalloc

import numpy as np
import pytest

from verticals.voice.recognition.decoding import Decoder, Encoded, _view
from verticals.voice.recognition.whisper import Recogniser
from verticals.voice.understanding.normalise import plain_words


@pytest.fixture(scope="module")
def decoder(recogniser: Recogniser) -> Decoder:
    return recogniser.decoder


def in_a_whole_window(decoder: Decoder, sound: np.ndarray) -> Encoded:
    """As Whisper was trained: padded to thirty seconds, all of them encoded."""
    features = decoder.model.feature_extractor(np.pad(sound, (0, 30 * 16_000 - len(sound))))
    states = decoder.model.model.encode(_view(features[None, :, :3000]), True)
    return Encoded(states, len(sound) / 16_000)


def test_it_hears_what_a_whole_window_hears(
    decoder: Decoder, spoken: dict[str, np.ndarray]
) -> None:
    for words, sound in spoken.items():
        short, whole = decoder.encode(sound), in_a_whole_window(decoder, sound)
        assert np.asarray(short.states).shape == np.asarray(whole.states).shape
        texts = [plain_words(decoder.decode(e)[0].text) for e in (short, whole)]
        assert texts == [words, words]


def test_nearby_states_are_nearly_those_of_a_whole_window(
    decoder: Decoder, spoken: dict[str, np.ndarray]
) -> None:
    (sound, *_) = spoken.values()
    short, whole = (np.asarray(e.states)[0] for e in
                    (decoder.encode(sound), in_a_whole_window(decoder, sound)))  # fmt: skip
    said = len(sound) // 320
    cosine = (short * whole).sum(1) / np.linalg.norm(short, axis=1) / np.linalg.norm(whole, axis=1)
    assert cosine[:said].mean() > 0.9
    assert np.array_equal(short[-200:], decoder.silence[0, -200:])


def test_it_takes_a_part_of_the_time(decoder: Decoder, spoken: dict[str, np.ndarray]) -> None:
    (sound, *_) = spoken.values()
    took = {"short": 0.0, "whole": 0.0}
    for _ in range(3):  # by turns, so that both meet the same machine
        for name, encode in (("short", decoder.encode),
                             ("whole", lambda s: in_a_whole_window(decoder, s))):  # fmt: skip
            begun = time.process_time()
            encode(sound)
            took[name] += time.process_time() - begun
    assert took["short"] < 0.6 * took["whole"]


def test_the_readings_are_ordered_and_say_how_likely_they_are(
    decoder: Decoder, spoken: dict[str, np.ndarray]
) -> None:
    for sound in spoken.values():
        encoded = decoder.encode(sound)
        found = decoder.decode(encoded, readings=5)
        scores = [h.logprob for h in found]
        assert len({h.tokens for h in found}) == 5
        assert all(score < 0 for score in scores)
        assert found[0].total == pytest.approx(found[0].logprob * (len(found[0].tokens) + 1))
        assert decoder.decode(encoded)[0] == found[0]
        # Said alone, its words are likelier than with the end, which `total` counts too.
        (forced,) = decoder.likelihoods(encoded, [found[0].text])
        assert found[0].total - 0.3 <= forced < 0


def test_what_was_said_is_likelier_than_what_was_not(
    decoder: Decoder, spoken: dict[str, np.ndarray]
) -> None:
    sentences = [f"{text.capitalize()}." for text in spoken]
    table = np.array(
        [decoder.likelihoods(decoder.encode(sound), sentences) for sound in spoken.values()]
    )
    assert (table.argmax(axis=1) == np.arange(len(spoken))).all()
    assert (np.diag(table) > table.min(axis=1) + 10).all()
    assert decoder.likelihoods(decoder.encode(np.zeros(16_000, "f4")), []) == []


@pytest.mark.parametrize("seconds", [0.01, 0.5, 29.9, 31.0, 45.0])
def test_any_length_is_a_window(decoder: Decoder, seconds: float) -> None:
    sound = np.random.default_rng(0).normal(0, 0.01, int(seconds * 16_000)).astype("f4")
    encoded = decoder.encode(sound)
    assert np.asarray(encoded.states).shape == decoder.silence.shape
    assert encoded.seconds == pytest.approx(min(seconds, 30.0), abs=0.01)


def test_windows_leave_no_memory_behind(decoder: Decoder, spoken: dict[str, np.ndarray]) -> None:
    (sound, *_) = spoken.values()
    decoder.encode(sound)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(5):
        decoder.encode(sound)
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 1e6
