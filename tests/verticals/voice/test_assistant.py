"""The chain over the embedded home: what people say there ends as it should."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import yaml

from core.errors import ModelError
from verticals.voice.assistant import NOTHING_HEARD, Assistant, Parts, open_parts
from verticals.voice.command import Command, Transcript
from verticals.voice.home.model import Home
from verticals.voice.recordings import Expected
from verticals.voice.regression import as_expected, changed, heard, wanted
from verticals.voice.spoken import REQUESTS
from verticals.voice.understanding.understand import Understander

_ALL = yaml.safe_load(REQUESTS.read_text(encoding="utf-8"))
REQUESTED = [row for row in _ALL if not row.get("free")]
FREE = [row for row in _ALL if row.get("free")]  # worded without a look at the grammar


@pytest.fixture(scope="module")
def parts() -> Parts:
    home = Home.open()
    return Parts(home, Understander.open(home))


@pytest.fixture
def assistant(parts: Parts) -> Iterator[Assistant]:
    with Assistant(parts) as opened:
        yield opened


@pytest.mark.parametrize("request_", REQUESTED, ids=lambda r: r["text"].replace(" ", "-"))
def test_a_request_changes_what_it_should_and_nothing_else(
    assistant: Assistant, request_: dict[str, Any]
) -> None:
    before = assistant.states()
    turn = assistant.hear(str(request_["text"]))
    assert turn.reply
    changes = changed(before, assistant.states())
    assert as_expected(request_["states"], assistant.states(), changes), changes
    wanted_ = wanted([Expected.model_validate(e) for e in request_["expected"]])
    assert heard(turn.understood.commands) == wanted_


@pytest.mark.parametrize("request_", FREE, ids=lambda r: r["text"].replace(" ", "-"))
def test_a_free_request_is_done_or_nothing_is(
    assistant: Assistant, request_: dict[str, Any]
) -> None:
    before = assistant.states()
    assert assistant.hear(str(request_["text"])).reply
    changes = changed(before, assistant.states())
    assert changes == {} or as_expected(request_["states"], assistant.states(), changes), changes


def test_it_and_too_mean_what_was_said_before(assistant: Assistant) -> None:
    assistant.hear("turn on the desk lamp")
    assistant.hear("turn it off")
    assert assistant.states()["light.desk_lamp"]["state"] == "off"
    assistant.reset()
    assistant.hear("turn on the lights in the kitchen")
    assistant.hear("and the bedroom too")
    states = assistant.states()
    assert states["light.kitchen"]["state"] == states["light.bedroom"]["state"] == "on"


def test_what_opens_the_house_waits_for_a_yes(assistant: Assistant) -> None:
    assert assistant.hear("unlock the front door").understood.status == "confirm"
    assert assistant.states()["lock.front_door"]["state"] == "locked"
    assistant.hear("no")
    assert assistant.states()["lock.front_door"]["state"] == "locked"
    assistant.hear("unlock the front door")
    assistant.hear("yes")
    assert assistant.states()["lock.front_door"]["state"] == "unlocked"


class Deaf:
    """Hears nothing."""

    def transcribe(self, sound: np.ndarray) -> Transcript:
        return Transcript(text="")


class Strict:
    """Knows one voice, and forbids everything to others."""

    def who(self, sound: np.ndarray) -> str | None:
        return "ana" if sound[0] > 0 else None

    def allowed(self, speaker: str | None, command: Command) -> bool:
        return speaker == "ana"

    def rewrite(self, text: str, *, speaker: str | None = None) -> str:
        return text


class Fixed:
    """Hears the same whatever is said."""

    def transcribe(self, sound: np.ndarray) -> Transcript:
        return Transcript(text="turn on the porch light")


def test_silence_does_nothing(parts: Parts) -> None:
    with Assistant(Parts(parts.home, parts.understander, recogniser=Deaf())) as assistant:
        before = assistant.states()
        turn = assistant.hear(np.zeros(16_000, "f4"))
        assert (turn.reply, turn.outcomes) == (NOTHING_HEARD, ())
        assert changed(before, assistant.states()) == {}


def test_only_who_may_is_obeyed(parts: Parts) -> None:
    strict = Parts(parts.home, parts.understander, recogniser=Fixed(), people=Strict())
    with Assistant(strict) as assistant:
        turn = assistant.hear(np.full(16_000, -0.1, "f4"))
        assert (turn.speaker, turn.outcomes[0].status) == (None, "refused")
        assert assistant.states()["light.porch"]["state"] == "off"
        turn = assistant.hear(np.full(16_000, 0.1, "f4"))
        assert (turn.speaker, turn.outcomes[0].status) == ("ana", "done")
        assert set(turn.seconds) == {"recognition", "speaker", "understanding", "action"}
        assert "seconds" not in turn.model_dump()


def test_sound_without_a_recogniser_is_said(assistant: Assistant) -> None:
    with pytest.raises(ModelError, match="recogniser"):
        assistant.hear(np.zeros(16_000, "f4"))


def test_conversations_do_not_share_their_homes(parts: Parts) -> None:
    with Assistant(parts) as one, Assistant(parts) as other:
        one.hear("turn on the kitchen light")
        assert one.states()["light.kitchen"]["state"] == "on"
        assert other.states()["light.kitchen"]["state"] == "off"


@pytest.mark.slow
def test_a_spoken_request_is_heard_understood_and_done() -> None:
    with Assistant(open_parts(threads=1)) as assistant:
        voice = assistant.parts.voice
        assert voice is not None
        turn = assistant.hear(voice.say("Turn off the hall light and lock the back door."))
        states = assistant.states()
        assert states["light.hall"]["state"] == "off", turn.transcript.text
        assert states["lock.back_door"]["state"] == "locked"
        spoken = assistant.say(turn.reply)
        assert spoken is not None
        assert len(spoken) > 16_000
        assert assistant.hear("could you brighten things up in the lounge").outcomes
