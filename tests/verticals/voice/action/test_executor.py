"""Commands carried out: once, written first, confirmed by state, tried again, asked about."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from verticals.voice.action.connector import DeviceError, ServiceCall, UnreachableError
from verticals.voice.action.executor import Clock, Executor, Retry
from verticals.voice.action.journal import Journal
from verticals.voice.command import Command, Outcome, Slot
from verticals.voice.home.model import Home
from verticals.voice.home.simulated import SimulatedHome

HOME = Home.open()
ON = Command(intent="HassTurnOn", entities=("light.kitchen",))
NEXT = Command(intent="HassMediaNext", entities=("media_player.kitchen_radio",))


class Flaky(SimulatedHome):
    """A home that fails as told: `before` the call acts, or `after` it acted."""

    def __init__(self, *troubles: str, remembers: bool = True, deaf: bool = False) -> None:
        super().__init__(HOME)
        self.troubles, self.deaf = list(troubles), deaf
        self.tried: list[str] = []
        self.acted: list[str] = []
        self._remembers = remembers

    @property
    def remembers(self) -> bool:
        return self._remembers

    async def apply(self, command_id: str, call: ServiceCall) -> None:
        self.tried.append(command_id)
        trouble = self.troubles.pop(0) if self.troubles else ""
        if trouble == "before":
            raise UnreachableError("Nothing answers")
        if trouble == "refused":
            raise DeviceError("The lamp is broken")
        if not (self.remembers and command_id in self.acted) and not self.deaf:
            self.acted.append(command_id)
            await super().apply(f"{command_id}#{len(self.acted)}", call)
        if trouble == "after":
            raise UnreachableError("No answer came")


class Time:
    """A clock that leaps."""

    def __init__(self) -> None:
        self.t = 0.0
        self.slept: list[float] = []

    def clock(self) -> Clock:
        return Clock(now=lambda: self.t, sleep=self._sleep)

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.t += seconds
        await asyncio.sleep(0)


def _run(
    home: Any, *commands: Command, journal: Journal | None = None, time: Time | None = None,
    allowed: Callable[[str | None, Command], bool] | None = None, **said: Any,
) -> list[Outcome]:  # fmt: skip
    async def run() -> list[Outcome]:
        executor = Executor(
            home, journal or Journal.open(None), HOME, clock=(time or Time()).clock(),
            allowed=allowed, seed=0,
        )  # fmt: skip
        return await executor.run(commands, **said)

    return asyncio.run(run())


def test_what_is_done_is_said_and_what_is_so_already_is_not_done() -> None:
    home = Flaky()
    first, second = _run(home, ON, ON)
    assert (first.status, first.says) == ("done", "The kitchen light is on.")
    assert (second.status, second.says) == ("unchanged", "The kitchen light is already on.")
    assert len(home.acted) == 1


def test_an_answer_that_is_lost_is_asked_for_again_and_nothing_is_done_twice() -> None:
    home, time = Flaky("before", "after", "after"), Time()
    (outcome,) = _run(home, NEXT, time=time)
    assert outcome.status == "done"
    assert len(home.tried) == 4
    assert len(set(home.tried)) == 1
    assert len(home.acted) == 1
    assert len(time.slept) >= 3


def test_pauses_grow_within_bounds_and_vary() -> None:
    retry = Retry(first_s=0.1, factor=2, longest_s=1)
    assert [retry.pause(n, 1.0) for n in (1, 2, 3, 4, 5, 9)] == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0]
    assert 0 < retry.pause(3, 0.0) < 0.1


def test_after_the_deadline_it_is_given_up_and_said() -> None:
    home, time, journal = Flaky(*["before"] * 99), Time(), Journal.open(None)
    (outcome,) = _run(home, ON, time=time, journal=journal)
    assert outcome.status == "failed"
    assert outcome.says == "Sorry, the kitchen light did not answer."
    assert 10 < time.t <= Retry().deadline_s
    assert journal.unfinished() == []
    assert home.acted == []


def test_a_refusal_is_not_tried_again() -> None:
    home = Flaky("refused")
    (outcome,) = _run(home, ON)
    assert outcome.status == "failed"
    assert "broken" in outcome.says
    assert len(home.tried) == 1


def test_a_state_that_does_not_follow_is_no_success() -> None:
    home = Flaky(deaf=True)
    (outcome,) = _run(home, ON)
    assert outcome.status == "failed"
    assert outcome.reason == "the state did not follow"
    assert len(home.tried) > 2


@pytest.mark.parametrize(("remembers", "tries"), [(True, 2), (False, 2)])
def test_what_was_not_sent_may_be_sent_again(remembers: bool, tries: int) -> None:
    home = Flaky("before", remembers=remembers)
    (outcome,) = _run(home, NEXT)
    assert outcome.status == "done"
    assert len(home.tried) == tries


def test_a_turn_given_again_does_nothing_again() -> None:
    home, journal = Flaky(), Journal.open(None)
    for _ in range(3):
        (outcome,) = _run(home, NEXT, journal=journal, turn_id="t1")
        assert outcome.status == "done"
    assert len(home.acted) == 1
    _run(home, NEXT, journal=journal, turn_id="t2")
    assert len(home.acted) == 2


def test_what_a_crash_left_open_is_finished_once(tmp_path: Path) -> None:
    home = Flaky("after")

    async def crash() -> None:
        async def never(_seconds: float) -> None:
            raise SystemExit  # the process ends while it waits to try again

        journal = Journal.open(tmp_path / "j.db")
        executor = Executor(home, journal, HOME, clock=Clock(sleep=never))
        await executor.run([NEXT], turn_id="t")

    async def resume() -> list[Outcome]:
        journal = Journal.open(tmp_path / "j.db")
        outcomes = await Executor(home, journal, HOME).resume()
        assert journal.unfinished() == []
        return outcomes

    with pytest.raises(SystemExit):
        asyncio.run(crash())
    assert len(home.acted) == 1
    assert [o.status for o in asyncio.run(resume())] == ["done"]
    assert len(home.acted) == 1
    assert asyncio.run(resume()) == []


def test_a_blind_home_is_not_asked_twice_after_a_crash(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "j.db")
    journal.write("a", ServiceCall("media_player.kitchen_radio", "media_next_track"))
    journal.mark("a", "sent")
    home = Flaky(remembers=False)

    async def resume() -> list[Outcome]:
        return await Executor(home, journal, HOME).resume()

    (outcome,) = asyncio.run(resume())
    assert outcome.status == "failed"
    assert "not sure" in outcome.says
    assert home.tried == []


def test_what_is_too_old_is_said_and_not_done() -> None:
    when = [1000.0]
    journal = Journal.open(None, now=lambda: when[0])
    journal.write("a", ServiceCall("cover.garage_door", "open_cover"), intent="HassTurnOn")
    when[0] += 3600
    home = Flaky()

    async def resume() -> list[Outcome]:
        return await Executor(home, journal, HOME).resume()

    (outcome,) = asyncio.run(resume())
    assert (outcome.status, outcome.reason) == ("failed", "too old")
    assert home.tried == []
    assert journal.unfinished() == []


def test_what_is_risky_waits_for_a_yes() -> None:
    home = Flaky()
    unlock = Command(intent="HassTurnOff", entities=("lock.front_door",))
    (asked,) = _run(home, unlock)
    assert asked.status == "waiting"
    assert asked.says == "Do you really want to unlock the front door?"
    assert home.tried == []
    (done,) = _run(home, unlock, confirmed=True)
    assert done.says == "The front door is unlocked."


def test_who_may_not_is_told_and_nothing_happens() -> None:
    home = Flaky()
    (outcome,) = _run(
        home, ON, allowed=lambda who, _command: who == "Ana", speaker="Leo", confirmed=True
    )
    assert (outcome.status, outcome.says) == ("refused", "Sorry, I may not do that for Leo.")
    assert home.tried == []
    (outcome,) = _run(home, ON, allowed=lambda who, _command: who == "Ana", speaker="Ana")
    assert outcome.status == "done"


def test_commands_for_one_device_keep_their_order() -> None:
    home = Flaky("before")
    commands = [ON, Command(intent="HassTurnOff", entities=("light.kitchen",)), ON]
    assert [o.status for o in _run(home, *commands)] == ["done"] * 3
    assert [name.split(":")[1] for name in home.acted] == ["0", "1", "2"]


def test_part_of_several_devices_failing_is_told() -> None:
    home = Flaky("refused")
    lights = Command(intent="HassTurnOn", entities=("light.kitchen", "light.porch"))
    (outcome,) = _run(home, lights)
    assert outcome.status == "failed"
    assert len(home.acted) == 1


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (Command(intent="Nonsense"), "failed"),
        (Command(intent="HassTurnOn", entities=("light.mars",)), "failed"),
        (Command(intent="HassLightSet", entities=("light.kitchen",)), "failed"),
        (Command(intent="HassSetVolume", slots=(Slot(name="volume_level", value="a"),)), "failed"),
        (Command(intent="HassNevermind"), "answered"),
        (Command(intent="HassGetCurrentTime"), "answered"),
    ],
)  # fmt: skip
def test_every_command_has_an_outcome_with_a_sentence(command: Command, status: str) -> None:
    (outcome,) = _run(Flaky(), command)
    assert outcome.status == status
    assert outcome.says.endswith((".", "?", "!"))
