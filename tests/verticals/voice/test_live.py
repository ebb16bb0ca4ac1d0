"""A conversation with a microphone: what happens when, and what never does."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from core.data.audio import AudioError
from verticals.voice.action.wyoming_services import PartialStream
from verticals.voice.assistant import Assistant, Parts
from verticals.voice.command import Transcript
from verticals.voice.home.model import Home
from verticals.voice.listening.vad import WINDOW, Vad
from verticals.voice.live import LiveSession, Manners, converse, live_session
from verticals.voice.speech.kokoro import Kokoro
from verticals.voice.understanding.understand import Understander

SILENCE = np.zeros(16_000, np.float32)
RATE = 16_000


class Hears:
    """Hears what it was told it would, in turn; keeps the sounds."""

    def __init__(self, *texts: str) -> None:
        self.texts, self.sounds = list(texts), []  # type: ignore[var-annotated]

    def transcribe(self, sound: np.ndarray) -> Transcript:
        self.sounds.append(sound)
        return Transcript(text=self.texts.pop(0))


class Bell:
    """A wake word that is heard wherever a sample is exactly 0.5."""

    about = SimpleNamespace(spellings=("hey juniper",), seconds=0.8)

    def stream(self) -> Bell:
        return self

    def push(self, block: np.ndarray) -> Sequence[Any]:
        return ["there"] if (block == 0.5).any() else []


class Hum:
    """A voice of ten words a second, all of them the same."""

    names = ("hum",)

    def say(
        self, text: str, *, speaker: str | None = None, speed: float = 1.0, seed: int = 0
    ) -> np.ndarray:
        time = np.arange(1600 * len(text.split()))
        return 0.2 * np.sin(time * 0.05).astype(np.float32)


@pytest.fixture(scope="module")
def vad() -> Vad:
    return Vad.open()


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    """Somebody speaks for about two seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CASEKIT_HOME", str(tmp_path_factory.mktemp("home")))
        return Kokoro.open(threads=1).say("Could you please turn on the porch light for me?")


@pytest.fixture(scope="module")
def home() -> tuple[Home, Understander]:
    there = Home.open()
    return there, Understander.open(there)


@pytest.fixture
def rung() -> np.ndarray:
    block = np.zeros(WINDOW, np.float32)
    block[10] = 0.5
    return block


class Talk:
    """Opens assistants and sessions over stubs, and closes them."""

    def __init__(self, home: tuple[Home, Understander], vad: Vad) -> None:
        self.home, self.vad, self.opened = home, vad, []  # type: ignore[var-annotated]

    def __call__(
        self, *texts: str, wake: bool = False, voice: bool = False, manners: Manners | None = None,
        partials: Any = None,
    ) -> tuple[LiveSession, Assistant, Hears]:  # fmt: skip
        hears = Hears(*texts)
        bell: Any = Bell() if wake else None
        parts = Parts(*self.home, recogniser=hears, voice=Hum() if voice else None, wake=bell)
        assistant = Assistant(parts)
        self.opened.append(assistant)
        session = LiveSession(assistant, self.vad, manners=manners, partials=partials)
        return session, assistant, hears


@pytest.fixture
def talk(home: tuple[Home, Understander], vad: Vad) -> Iterator[Talk]:
    made = Talk(home, vad)
    yield made
    for assistant in made.opened:
        assistant.close()


def kinds(events: Any) -> list[str]:
    return [event.kind for event in events]


@pytest.mark.parametrize("block_s", [0.001, 0.05, 7.0])
def test_a_request_is_heard_whole_in_blocks_of_any_size(
    talk: Talk, said: np.ndarray, block_s: float
) -> None:
    session, assistant, hears = talk("turn on the porch light")
    sound = np.concatenate([SILENCE, said, SILENCE])
    events = list(converse(session, sound, block_s=block_s))
    assert kinds(events) == ["began", "turn"]
    assert assistant.states()["light.porch"]["state"] == "on"
    (heard,) = hears.sounds
    assert len(said) <= len(heard) + 0.1 * RATE < len(said) + RATE
    # Known within a second of the last word.
    assert events[1].time_s < 1 + len(said) / RATE + 1


def test_it_sleeps_until_it_is_called_and_again_when_nobody_speaks(
    talk: Talk, said: np.ndarray, rung: np.ndarray
) -> None:
    session, assistant, hears = talk("Hey juniper, turn on the porch light", wake=True)
    before = np.concatenate([SILENCE, said, SILENCE, SILENCE])
    assert kinds(converse(session, before)) == []
    quiet = np.concatenate([rung, *7 * [SILENCE]])
    assert kinds(converse(session, quiet)) == ["woken", "asleep"]
    assert hears.sounds == []
    events = list(converse(session, np.concatenate([said[:8_000], rung, said[8_000:], SILENCE])))
    assert kinds(events) == ["woken", "began", "turn"]
    # What was said in one breath with the wake word is heard from its beginning.
    assert len(hears.sounds[0]) > 0.9 * len(said)
    assert assistant.states()["light.porch"]["state"] == "on"
    assert session.state == "asleep"


def test_the_wake_phrase_alone_leaves_time_to_ask(
    talk: Talk, said: np.ndarray, rung: np.ndarray
) -> None:
    session, assistant, _ = talk("hey juniper", "turn on the porch light", wake=True)
    sound = np.concatenate([rung, said, SILENCE, SILENCE, said, SILENCE])
    assert kinds(converse(session, sound)) == ["woken", "began", "began", "turn"]
    assert assistant.states()["light.porch"]["state"] == "on"


def test_a_question_is_answered_without_the_wake_word(
    talk: Talk, said: np.ndarray, rung: np.ndarray
) -> None:
    session, assistant, _ = talk("unlock the front door", "yes", wake=True)
    events = list(converse(session, np.concatenate([rung, said, SILENCE, said, SILENCE])))
    assert kinds(events) == ["woken", "began", "turn", "began", "turn"]
    assert events[2].turn is not None
    assert events[2].turn.understood.status == "confirm"
    assert assistant.states()["lock.front_door"]["state"] == "unlocked"


def test_an_unanswered_question_ends_and_does_nothing(
    talk: Talk, said: np.ndarray, rung: np.ndarray
) -> None:
    for wake in (True, False):
        session, assistant, _ = talk("unlock the front door", "yes", wake=wake)
        list(converse(session, np.concatenate([rung, said, *8 * [SILENCE]])))
        assert session.state == ("asleep" if wake else "listening")
        # A yes that comes later is the answer to something else.
        events = list(converse(session, np.concatenate([rung, said, SILENCE])))
        assert events[-1].text == "yes"
        assert assistant.states()["lock.front_door"]["state"] == "locked"


def _room(session: LiveSession, blocks: Sequence[np.ndarray], *, echo: float = 0.0) -> list[Any]:
    """A microphone that hears the loudspeaker 20 ms later; 80 ms a block."""
    events, delayed = [], np.zeros(320, np.float32)
    for block in blocks:
        out = session.pull(len(block))
        sounding = np.concatenate([delayed, out])
        delayed = sounding[len(block) :]
        events += session.push(block + echo * sounding[: len(block)], out)
        if session._playback is not None:
            session._playback.wait(5)
    return events


def _blocks(*sounds: np.ndarray) -> list[np.ndarray]:
    whole = np.concatenate(sounds)
    return [whole[at : at + 1_280] for at in range(0, len(whole) // 1_280 * 1_280, 1_280)]


def test_a_reply_is_said_to_its_end_though_it_hears_itself(talk: Talk, said: np.ndarray) -> None:
    session, _, _ = talk("what time is it", voice=True)
    noise = np.random.default_rng(0).normal(0, 0.001, 8 * RATE).astype(np.float32)
    noise[RATE : RATE + len(said)] += said
    events = _room(session, _blocks(noise), echo=0.5)
    assert kinds(events) == ["began", "turn", "saying", "said"]
    assert session.state == "listening"


def test_it_falls_silent_when_somebody_talks_over_it(talk: Talk, said: np.ndarray) -> None:
    class Long(Hum):
        def say(self, text: str, **how: Any) -> np.ndarray:
            return 0.1 * np.sin(np.arange(8 * RATE) * 0.05).astype(np.float32)

    session, assistant, hears = talk("what time is it", "turn on the porch light", voice=True)
    object.__setattr__(assistant.parts, "voice", Long())
    over = 2 * RATE + len(said)
    events = _room(session, _blocks(said, SILENCE, SILENCE, said, SILENCE, SILENCE), echo=0.3)
    assert kinds(events)[:5] == ["began", "turn", "saying", "interrupted", "began"]
    began = (np.flatnonzero(np.abs(said) > 0.02)[0] + over) / RATE
    assert -0.05 < events[3].time_s - began < 0.3
    assert len(hears.sounds) == 2
    assert assistant.states()["light.porch"]["state"] == "on"
    # The beginning of what interrupted it is not lost.
    assert len(hears.sounds[1]) > 0.9 * len(said)


def test_without_a_loudspeaker_it_does_not_wait_for_ever(talk: Talk, said: np.ndarray) -> None:
    session, _, _ = talk("what time is it", voice=True)
    session.push(np.concatenate([said, SILENCE]))
    assert session.state == "speaking"
    session.push(np.zeros(6 * RATE, np.float32))
    assert session.state == "listening"


def test_words_are_told_while_they_are_said(talk: Talk, said: np.ndarray) -> None:
    class Counts:
        def __init__(self) -> None:
            self.samples = 0

        def push(self, block: np.ndarray) -> Any:
            self.samples += len(block)
            return SimpleNamespace(text=f"{self.samples // RATE} s")

    def opened() -> PartialStream:
        return Counts()

    session, _, _ = talk("turn on the porch light", partials=opened)
    events = list(converse(session, np.concatenate([SILENCE, said, SILENCE])))
    told = [e.text for e in events if e.kind == "partial"]
    assert told == sorted(set(told))
    assert len(told) >= 2
    assert kinds(events)[-1] == "turn"


def test_what_is_no_sound_is_refused_and_changes_nothing(talk: Talk, said: np.ndarray) -> None:
    session, _, _ = talk("turn on the porch light")
    broken = said.copy()
    broken[5] = np.nan
    for block in (broken, np.zeros((2, 800), np.float32)):
        with pytest.raises(AudioError, match="microphone"):
            session.push(block)
    with pytest.raises(AudioError):
        session.push(said, said[:-1])
    assert kinds(converse(session, np.concatenate([said, SILENCE]))) == ["began", "turn"]


def test_hours_take_no_more_memory_than_minutes(talk: Talk, rung: np.ndarray) -> None:
    session, _, _ = talk(wake=True)
    session.push(np.concatenate([rung, *60 * [SILENCE]]))
    held = sum(block.nbytes for block in session._sound)
    session.push(np.concatenate([rung, *300 * [SILENCE]]))
    assert sum(block.nbytes for block in session._sound) == held < 2_000_000


def test_ten_at_once_each_get_their_own(talk: Talk, said: np.ndarray) -> None:
    names = ("porch", "kitchen", "bedroom", "garage", "hall")
    wanted = [f"turn on the {name} light" for name in (*names, *names)]
    sessions = [talk(text) for text in wanted]
    sound, found = np.concatenate([said, SILENCE]), {}

    def run(number: int) -> None:
        session, assistant, _ = sessions[number]
        list(converse(session, sound))
        states = assistant.states()
        found[number] = {n for n in names if states[f"light.{n}"]["state"] == "on"}

    threads = [threading.Thread(target=run, args=(n,)) for n in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    before = {n for n in names if talk()[1].states()[f"light.{n}"]["state"] == "on"}
    assert found == {n: before | {(*names, *names)[n]} for n in range(10)}


def test_it_recognises_while_it_waits_for_more_and_again_if_there_is_more(
    talk: Talk, said: np.ndarray
) -> None:
    session, _, hears = talk("turn on the", "turn on the porch light")
    pause = np.zeros(int(0.45 * RATE), np.float32)
    events = list(converse(session, np.concatenate([said, pause])))
    assert kinds(events) == ["began"]
    assert len(hears.sounds) == 1  # ready, should that have been all
    events = list(converse(session, np.concatenate([said, SILENCE])))
    assert kinds(events) == ["turn"]
    assert events[0].text == "turn on the porch light"
    assert len(hears.sounds[1]) > len(hears.sounds[0]) + 0.9 * len(said)


@pytest.mark.slow
def test_real_words_come_while_they_are_said_and_are_done(
    home: tuple[Home, Understander], vad: Vad, said: np.ndarray
) -> None:
    from verticals.voice.recognition.whisper import Recogniser

    recogniser = Recogniser.open(threads=1).expecting(home[0].vocabulary())
    with Assistant(Parts(*home, recogniser=recogniser)) as assistant:
        session = live_session(assistant, vad=vad)
        events = list(converse(session, np.concatenate([said, SILENCE])))
        words = [e.text.lower() for e in events if e.kind == "partial"]
        assert words
        assert all("could" in text for text in words)
        assert "porch light" in events[-1].text.lower()
        assert assistant.states()["light.porch"]["state"] == "on"
