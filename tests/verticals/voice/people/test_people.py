"""A household's people: enrolled, recognised, permitted, taught, forgotten."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from core.errors import DataError, ParameterError
from verticals.voice.assistant import Knowing
from verticals.voice.command import Command
from verticals.voice.people.people import People, forget
from verticals.voice.people.permissions import Permissions
from verticals.voice.people.voices import Print, Voices

Clips = Callable[..., dict[str, list[np.ndarray]]]
LIGHT = Command(intent="HassTurnOn", entities=("light.kitchen",))
UNLOCK = Command(intent="HassTurnOff", entities=("lock.front_door",), risky=True)


class Fake:
    """Every clip's first sample says whose voice it is."""

    def hear(self, sound: np.ndarray) -> Print:
        if not len(sound):
            raise DataError("only 0.0 s of it are speech", where="clip", remedy="Speak")
        vector = np.full(512, 0.01, np.float32)
        vector[int(sound[0])] = 1.0
        return Print(vector / np.float32(np.linalg.norm(vector)), len(sound) / 16_000)


def clip(voice: int, seconds: float = 3.0) -> np.ndarray:
    return np.full(int(16_000 * seconds), voice, np.float32)


@pytest.fixture
def people(tmp_path: Path) -> People:
    opened = People.open(tmp_path / "people", voices=Fake())  # type: ignore[arg-type]
    opened.enrol("Ana", [clip(1)] * 3)
    opened.enrol("Ben", [clip(2)] * 3, role="child")
    return opened


def test_real_voices_are_enrolled_and_recognised(
    shared_voice: Path, voices: Voices, spoken: Clips, tmp_path: Path
) -> None:
    clips = spoken(shared_voice, people=3, each=4)
    names = list(clips)
    people: Knowing = (opened := People.open(tmp_path, voices=voices))
    for name in names[:2]:
        opened.enrol(name, clips[name][:3])
    assert [people.who(clips[name][3]) for name in names] == [*names[:2], None]
    assert people.who(np.zeros(32_000, np.float32)) is None
    mixed = [clips[names[0]][0], clips[names[0]][1], clips[names[2]][0]]
    with pytest.raises(DataError, match="clip 3"):
        opened.enrol("Zoe", mixed)
    with pytest.raises(DataError, match="another name"):
        opened.enrol("Zoe", clips[names[0]][:3])
    again = People.open(tmp_path, voices=voices)
    assert again.who(clips[names[1]][3]) == names[1]


@pytest.mark.parametrize(
    ("clips", "what"),
    [
        ([clip(3)] * 2, "2 clips are too few"),
        ([clip(3), clip(3), clip(3, 0)], "clip 3"),
        ([clip(3, 0.5)] * 3, "1.5 s"),
        ([clip(3), clip(3), clip(4)], "clip 3"),
    ],
)
def test_bad_clips_are_turned_down(people: People, clips: list[np.ndarray], what: str) -> None:
    with pytest.raises(DataError, match=what) as caught:
        people.enrol("Cid", clips)
    assert caught.value.remedy
    assert people.names == ("Ana", "Ben")


@pytest.mark.parametrize("name", ["", "  ", "a" * 41, "a\x00b"])
def test_names_are_names(people: People, name: str) -> None:
    with pytest.raises(ParameterError):
        people.enrol(name, [clip(3)] * 3)


def test_who_may_do_what(people: People, tmp_path: Path) -> None:
    assert people.allowed("Ana", UNLOCK)
    assert people.allowed("Ben", LIGHT)
    assert not people.allowed("Ben", UNLOCK)
    assert people.allowed(None, LIGHT)
    assert not people.allowed(None, UNLOCK)
    assert not people.allowed("nobody", UNLOCK)
    people.permit(None, Permissions(kinds=(), risky=False))
    assert not people.allowed(None, LIGHT)
    people.permit("Ben", Permissions(never=("light.kitchen",)))
    assert not people.allowed("Ben", LIGHT)
    empty = People.open(tmp_path / "other", voices=Fake())  # type: ignore[arg-type]
    assert empty.allowed(None, UNLOCK)


def test_preferences_are_kept_and_enrolling_again_keeps_them(people: People) -> None:
    people.prefer("Ana", "temperature", 20.5)
    people.prefer("Ana", "room", "study")
    people.prefer("Ana", "room", None)
    people.enrol("Ana", [clip(5)] * 3)
    assert people.preferences("Ana") == {"temperature": 20.5}
    assert people.who(clip(5)) == "Ana"
    assert people.who(clip(1)) is None
    with pytest.raises(ParameterError):
        people.preferences("nobody")


def test_a_person_is_forgotten_with_all_they_taught(people: People, tmp_path: Path) -> None:
    people.learn("turn on the big lamp", "turn on the floor lamp", speaker="Ana")
    people.learn("good night", "bedtime scene")
    assert people.rewrite("dim the big lamp", speaker="Ana") == "dim the floor lamp"
    assert forget("Ana", tmp_path / "people")
    assert not forget("Ana", tmp_path / "people")
    assert people.names == ("Ben",)  # the open one sees it
    assert people.who(clip(1)) is None
    assert people.rewrite("dim the big lamp", speaker="Ana") == "dim the big lamp"
    assert [x.heard for x in people.lessons] == ["good night"]
    assert forget(None, tmp_path / "people")
    assert people.names == ()
    assert not any(f.is_file() for f in (tmp_path / "people").rglob("*"))


def test_a_lesson_is_taken_back_and_the_others_stay(people: People, tmp_path: Path) -> None:
    wrong = people.learn("turn on the big lamp", "turn on the floor lamp", speaker="Ana")
    kept = people.learn("good night", "bedtime scene")
    assert people.unlearn(wrong)
    assert not people.unlearn(wrong)
    assert people.rewrite("dim the big lamp", speaker="Ana") == "dim the big lamp"
    assert People.open(tmp_path / "people").lessons == (kept,)


def test_ten_threads_lose_nothing(people: People) -> None:
    def teach(i: int) -> None:
        people.learn(f"phrase {'abcdefghij'[i]}", "kitchen", speaker="Ana")
        people.prefer("Ana", str(i), float(i))

    threads = [threading.Thread(target=teach, args=(i,)) for i in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(people.lessons) == 10
    assert len(people.preferences("Ana")) == 10


def test_nothing_is_in_clear(
    people: People, tmp_path: Path, casekit_home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        people.prefer("Ana", "room", "observatory")
        people.who(clip(1))
    files = [f for place in (tmp_path, casekit_home) for f in place.rglob("*") if f.is_file()]
    assert files
    for word in ("Ana", "Ben", "observatory", "resident", "voice"):
        assert not any(word.encode() in f.read_bytes() for f in files)
        assert not any(word in f.name for f in files)
        assert word not in caplog.text
