"""Carries out commands: once each, written down first, confirmed by state, tried again if need be.

It knows neither how commands were understood nor what the home is connected by.
"""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from verticals.voice.action import replies
from verticals.voice.action.answers import answer
from verticals.voice.action.calls import ACTIONS, calls_for
from verticals.voice.action.connector import (
    Connector,
    DeviceError,
    ServiceCall,
    UncertainError,
    UnreachableError,
)
from verticals.voice.action.expected import expected, matches
from verticals.voice.action.journal import Entry, Journal
from verticals.voice.action.risk import needs_yes
from verticals.voice.action.targets import about_media, targets
from verticals.voice.command import Command, Outcome
from verticals.voice.home.model import Entity, Home

Allowed = Callable[[str | None, Command], bool]
"""Whether a speaker, None if unknown, may give a command."""


@dataclass(frozen=True)
class Retry:
    """How patiently a call is tried (exponential back-off with full jitter, Brooker 2015)."""

    first_s: float = 0.1
    """Longest pause after the first try."""
    factor: float = 2.0
    """By how much the pause grows."""
    longest_s: float = 2.0
    """The longest pause."""
    deadline_s: float = 20.0
    """After this a command is given up, and said to be."""
    confirm_s: float = 3.0
    """How long a state may take to follow its call."""

    def pause(self, tries: int, share: float) -> float:
        """Seconds after `tries` tries; `share`, 0 to 1, is the jitter's draw."""
        longest = min(self.longest_s, self.first_s * self.factor ** (tries - 1))
        return longest * (0.1 + 0.9 * share)


@dataclass(frozen=True)
class Clock:
    """Time, so that tests need not wait."""

    now: Callable[[], float] = time.monotonic
    """Seconds from some start."""
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    """Waits for some seconds."""


class Executor:
    """Carries out the commands of one home; one per event loop and journal."""

    def __init__(
        self, connector: Connector, journal: Journal, home: Home, *,
        allowed: Allowed | None = None, retry: Retry | None = None, clock: Clock | None = None,
        seed: int | None = None,
    ) -> None:  # fmt: skip
        """Listen to the home.

        Args:
            connector: The connection to it.
            journal: The outbox; call `resume` once after opening one that was used before.
            home: Its devices and their names.
            allowed: Who may do what; everybody everything if None.
            retry: How patiently to try.
            clock: Time; the computer's if None.
            seed: Of the jitter.
        """
        self._connector, self._journal, self._home = connector, journal, home
        self._allowed = allowed or (lambda _speaker, _command: True)
        self._retry, self._clock = retry or Retry(), clock or Clock()
        self._draw = random.Random(seed)  # noqa: S311 - jitter, not secrecy
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._watched: defaultdict[str, list[tuple[Mapping[str, Any], asyncio.Event]]]
        self._watched = defaultdict(list)
        self._end = connector.subscribe(self._changed)

    def close(self) -> None:
        """Stop listening; the journal and the connection are the caller's."""
        self._end()

    async def run(
        self, commands: Sequence[Command], *, turn_id: str | None = None, confirmed: bool = False,
        speaker: str | None = None,
    ) -> list[Outcome]:  # fmt: skip
        """Carry out commands and answer questions.

        Commands for different devices run at once; those for the same device in order.

        Args:
            commands: What was understood.
            turn_id: Names the exchange: given again, what was done is not done again.
            confirmed: The person said yes to what is risky.
            speaker: Who spoke, for permissions.

        Returns:
            One outcome per command, in order. Nothing is raised for a device that fails.
        """
        turn = turn_id or uuid.uuid4().hex
        outcomes: dict[int, Outcome] = {}
        wave: dict[int, Awaitable[Outcome]] = {}
        busy: set[str] = set()
        for place, command in enumerate(commands):
            about = set(command.entities) or {"?"}
            if busy & (about | {"?"}) or (busy and "?" in about):
                outcomes |= await _all(wave)
                wave, busy = {}, set()
            wave[place] = self._one(f"{turn}:{place}", turn, command, confirmed, speaker)
            busy |= about
        outcomes |= await _all(wave)
        return [outcomes[place] for place in range(len(commands))]

    async def resume(self, max_age_s: float = 120.0) -> list[Outcome]:
        """Finish what a crash or a restart left open.

        Args:
            max_age_s: What is older is given up and said to be: a door that opens long after it
                was asked to surprises whoever stands before it.
        """
        entries = self._journal.unfinished()
        now = self._journal.now()
        fresh = [entry for entry in entries if now - entry.written <= max_age_s]
        stale = [entry for entry in entries if now - entry.written > max_age_s]
        for entry in stale:
            self._journal.mark(entry.id, "failed")
        ended = await asyncio.gather(*(self._finish(entry) for entry in fresh))
        pairs = [*zip(fresh, ended, strict=True), *((entry, "too old") for entry in stale)]
        return [self._resumed(entry, reason) for entry, reason in pairs]

    async def _one(
        self, base: str, turn: str, command: Command, confirmed: bool, speaker: str | None
    ) -> Outcome:
        def outcome(status: Any, says: str, reason: str = "") -> Outcome:
            ids = tuple(e.id for e in entities) or command.entities
            return Outcome(
                command_id=base, intent=command.intent, entities=ids, status=status,
                says=says, reason=reason,
            )  # fmt: skip

        entities: tuple[Entity, ...] = ()
        if not self._allowed(speaker, command):
            who = speaker or "someone I do not know"
            return outcome("refused", f"Sorry, I may not do that for {who}.", "not permitted")
        try:
            if command.intent not in ACTIONS:
                return outcome("answered", await answer(command, self._home, self._connector))
            states = await self._states(command)
            entities = targets(command, self._home, states)
            calls = calls_for(command, self._home, states)
        except DeviceError as error:
            return outcome("failed", _apology(error), str(error))
        if not confirmed and needs_yes(command, calls, self._home):
            return outcome("waiting", replies.must_confirm(calls, entities), "needs a yes")
        ids = [f"{base}:{call.entity_id}:{call.service}" for call in calls]
        ended = await asyncio.gather(
            *(
                self._act(name, turn, command.intent, call, states)
                for name, call in zip(ids, calls, strict=True)
            )
        )
        failed = [i for i, end in enumerate(ended) if end not in ("", "unchanged")]
        if failed:
            silent = [entities[i] for i in failed] if entities else []
            return outcome("failed", _said(ended[failed[0]], silent), ended[failed[0]])
        already = all(end == "unchanged" for end in ended)
        status = "unchanged" if already else "done"
        return outcome(status, replies.done(calls, entities, already=already))

    async def _states(self, command: Command) -> dict[str, dict[str, Any]]:
        """Present states of what a command may be about; without those that do not answer."""
        about = [e.id for e in targets(command, self._home, {})]
        if about_media(command.intent) and not command.entities:
            about = [e.id for e in self._home.within(domain="media_player")]
        found = await asyncio.gather(
            *(self._connector.state(name) for name in about), return_exceptions=True
        )
        return {
            name: state for name, state in zip(about, found, strict=True) if isinstance(state, dict)
        }

    async def _act(
        self, command_id: str, turn: str, intent: str, call: ServiceCall,
        states: Mapping[str, Mapping[str, Any]],
    ) -> str:  # fmt: skip
        """Do one call once; "" when done, "unchanged", or why it failed."""
        async with self._locks[call.entity_id]:
            known = self._journal.find(command_id)
            if known is not None and known.status == "done":
                return ""
            if known is not None and known.status == "failed":
                return "it failed before"
            entry = known or self._journal.write(command_id, call, turn=turn, intent=intent)
            wanted = expected(entry.call)
            state = states.get(call.entity_id)
            if known is None and wanted and state and matches(state, wanted, strict=True):
                self._journal.mark(command_id, "done")
                return "unchanged"
            return await self._send(entry)

    async def _finish(self, entry: Entry) -> str:
        async with self._locks[entry.call.entity_id]:
            blind = not self._connector.remembers and not entry.call.repeatable
            if entry.status == "sent" and blind:
                self._journal.mark(entry.id, "failed")
                return "it may have been done before the restart, and must not be done twice"
            return await self._send(entry)

    async def _send(self, entry: Entry) -> str:
        """Try until confirmed, refused or out of time; the journal is marked in each case."""
        retry, call = self._retry, entry.call
        blind = not self._connector.remembers and not call.repeatable
        if blind:
            self._journal.mark(entry.id, "sent")
        give_up = self._clock.now() + retry.deadline_s
        reason, tries = "", 0
        while True:
            tries += 1
            try:
                if await self._attempt(entry):
                    self._journal.mark(entry.id, "done")
                    return ""
                reason = "the state did not follow"
            except UnreachableError as error:
                reason = str(error)
            except DeviceError as error:
                self._journal.mark(entry.id, "failed")
                unsure = isinstance(error, UncertainError)
                return f"uncertain: {error}" if unsure else f"refused: {error}"
            if blind and reason == "the state did not follow":
                break
            pause = retry.pause(tries, self._draw.random())
            if self._clock.now() + pause >= give_up:
                break
            await self._clock.sleep(pause)
        self._journal.mark(entry.id, "failed")
        return reason

    async def _attempt(self, entry: Entry) -> bool:
        """Make the call; whether the state then is what it should be."""
        call, wanted = entry.call, expected(entry.call)
        followed = asyncio.Event()
        watch = (wanted, followed)
        self._watched[call.entity_id].append(watch)
        try:
            await self._connector.apply(entry.id, call)
            if not wanted or followed.is_set():
                return True
            if matches(await self._connector.state(call.entity_id), wanted):
                return True
            return await self._within(followed.wait(), self._retry.confirm_s)
        finally:
            self._watched[call.entity_id].remove(watch)

    async def _within(self, happening: Awaitable[Any], seconds: float) -> bool:
        """Whether something happens within some seconds of the clock."""
        event = asyncio.ensure_future(happening)
        pause = asyncio.ensure_future(self._clock.sleep(seconds))
        try:
            await asyncio.wait({event, pause}, return_when=asyncio.FIRST_COMPLETED)
            return event.done()
        finally:
            event.cancel()
            pause.cancel()

    def _changed(self, entity_id: str, state: dict[str, Any]) -> None:
        for wanted, followed in self._watched.get(entity_id, ()):
            if matches(state, wanted):
                followed.set()

    def _resumed(self, entry: Entry, reason: str) -> Outcome:
        entity = self._home.by_id.get(entry.call.entity_id)
        entities = (entity,) if entity else ()
        says = _said(reason, entities) if reason else replies.done((entry.call,), entities)
        return Outcome(
            command_id=entry.id, intent=entry.intent, entities=tuple(e.id for e in entities),
            status="failed" if reason else "done", says=says, reason=reason,
        )  # fmt: skip


async def _all(wave: Mapping[int, Awaitable[Outcome]]) -> dict[int, Outcome]:
    return dict(zip(wave, await asyncio.gather(*wave.values()), strict=True))


def _apology(error: DeviceError) -> str:
    what = error.what if error.what.startswith("I ") else error.what[:1].lower() + error.what[1:]
    return replies.sentence(f"Sorry, {what}")


def _said(reason: str, entities: Sequence[Entity]) -> str:
    if reason.startswith("refused: "):
        return replies.sentence(f"Sorry, that did not work: {reason.removeprefix('refused: ')}")
    if reason == "too old" or "twice" in reason or reason.startswith("uncertain: "):
        who = replies.listed([replies.spoken(e) for e in entities]) if entities else "that"
        return f"I am not sure about {who}. Please check, and ask again."
    return replies.lost(entities)
