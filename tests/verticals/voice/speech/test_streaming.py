"""Replies by the sentence: the first before the last is made, said before or not, or cut off."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from verticals.voice.people.people import People, forget
from verticals.voice.speech.cache import SpokenCache
from verticals.voice.speech.streaming import Playback, sentences, speech

REPLY = "The light is on. Anything else?"


class Counting:
    """Says every sentence as one second of its length in letters, and counts."""

    names = ("one", "two")

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(
        self, text: str, *, speaker: str | None = None, speed: float = 1.0, seed: int = 0
    ) -> np.ndarray:
        self.said.append(text)
        return np.full(16_000, len(text) / 100, np.float32)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (REPLY, ["The light is on.", "Anything else?"]),
        ("It is 21.5 degrees.", ["It is 21.5 degrees."]),
        ("...", []),
        (
            ("The lights in the kitchen, the hall, the bedroom and on the porch are on, "
            "and the garage door is open. Done."),
            ["The lights in the kitchen,", "the hall,", "the bedroom and on the porch are on,",
             "and the garage door is open.", "Done."],
        ),
    ],
)  # fmt: skip
def test_a_reply_is_cut_where_one_pauses(text: str, parts: list[str]) -> None:
    assert sentences(text) == parts


def test_the_first_sentence_sounds_before_the_second_is_made() -> None:
    voice = Counting()
    pieces = speech(REPLY, voice)
    assert len(next(pieces)) == 16_000
    assert voice.said == ["The light is on."]
    assert len(next(pieces)) > 16_000  # after a pause
    assert next(pieces, None) is None


def test_what_was_said_before_is_not_made_again(tmp_path: Path) -> None:
    cache, voice = SpokenCache.open(tmp_path / "spoken"), Counting()
    first = np.concatenate(list(speech(REPLY, voice, cache=cache)))
    again = np.concatenate(list(speech(REPLY, voice, cache=cache)))
    assert len(voice.said) == 2
    assert np.abs(first - again).max() < 1e-4
    list(speech(REPLY, voice, cache=cache, speaker="two"))
    list(speech(REPLY, voice, cache=cache, speed=1.2))
    assert len(voice.said) == 6  # another speaker, another pace: another sound


def test_nothing_said_can_be_read_from_the_disk(tmp_path: Path) -> None:
    cache = SpokenCache.open(tmp_path)
    cache.put("Insulin at nine.", "voice", np.zeros(16_000, np.float32))
    (file,) = tmp_path.glob("*.spoken")
    assert b"fLaC" not in file.read_bytes()
    assert b"nsulin" not in file.read_bytes()
    assert file.stat().st_mode & 0o077 == 0
    other = SpokenCache.open(tmp_path / "other")
    other.put("Insulin at nine.", "voice", np.zeros(16_000, np.float32))
    assert file.name not in {f.name for f in other.folder.iterdir()}  # not even that it was said


def test_it_holds_no_more_than_it_may_and_drops_the_oldest(tmp_path: Path) -> None:
    cache, noise = SpokenCache(tmp_path, most_mb=0.2), np.random.default_rng(0)
    for number in range(12):
        cache.put(f"Number {number}.", "voice", noise.uniform(-0.5, 0.5, 16_000).astype("f4"))
        assert cache.get("Number 0.", "voice") is not None  # said again and again
    assert sum(f.stat().st_size for f in tmp_path.glob("*.spoken")) <= 200_000
    assert cache.get("Number 1.", "voice") is None
    assert cache.get("Number 11.", "voice") is not None


def test_a_damaged_or_foreign_file_is_made_anew(tmp_path: Path) -> None:
    cache, voice = SpokenCache.open(tmp_path), Counting()
    list(speech("Hello.", voice, cache=cache))
    (file,) = tmp_path.glob("*.spoken")
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    list(speech("Hello.", voice, cache=cache))
    assert voice.said == 2 * ["Hello."]
    assert cache.get("Hello.", "Counting   1") is not None


def test_one_command_deletes_what_was_spoken(tmp_path: Path) -> None:
    cache = SpokenCache.open()
    cache.put("The light is on.", "voice", np.zeros(16_000, np.float32))
    assert forget(None)
    assert list(cache.folder.glob("*")) == []
    assert People.open().names == ()
    assert not forget(None)


def _pieces(*lengths: int) -> Iterator[np.ndarray]:
    yield from (np.ones(length, np.float32) for length in lengths)


def test_playback_gives_all_in_blocks_of_any_size_and_silence_after() -> None:
    playback = Playback(lambda: _pieces(1_000, 500))
    taken = []
    while not playback.done:
        playback.wait(5)
        taken.append(playback.pull(333))
    assert np.concatenate(taken).sum() == 1_500 == playback.given
    assert not playback.pull(100).any()


def test_playback_is_silent_while_held_and_ends_when_stopped() -> None:
    going = threading.Event()

    def endless() -> Iterator[np.ndarray]:
        while True:
            yield np.ones(1_000, np.float32)
            going.wait(5)

    playback = Playback(endless)
    playback.wait(5)
    assert playback.pull(100).all()
    playback.held = True
    assert not playback.pull(100).any()
    playback.held = False
    assert playback.pull(100).all()
    playback.stop()
    going.set()
    last = playback.pull(1_000)
    assert 0 < np.count_nonzero(last) <= 80  # five milliseconds in which it fades
    assert playback.done
    playback._thread.join(5)
    assert not playback._thread.is_alive()


def test_a_voice_that_fails_ends_the_reply() -> None:
    def fails() -> Iterator[np.ndarray]:
        yield np.ones(10, np.float32)
        raise OSError("no voice")

    playback = Playback(fails)
    playback._thread.join(5)
    assert playback.pull(20).sum() == 10
    assert playback.done
    assert isinstance(playback.error, OSError)
