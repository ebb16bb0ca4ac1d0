"""The conversations of a demo: one home and one assistant a visitor, and only so many at once."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from apps.demos.voice_pages.acquainted import Acquainted
from apps.demos.voice_pages.states import Change, States, changes
from verticals.voice.assistant import Assistant
from verticals.voice.home.simulated import SimulatedHome
from verticals.voice.people.voices import Voices

if TYPE_CHECKING:
    import numpy as np

    from verticals.voice.assistant import Parts
    from verticals.voice.command import Turn
    from verticals.voice.people.permissions import Permissions
    from verticals.voice.why import Why

MOST = 24  # conversations at once; the one that was silent longest gives way
_KEPT = 50  # exchanges of a conversation that are remembered


@dataclass(frozen=True)
class Exchange:
    """One exchange, and what it did to the home."""

    number: int
    at: datetime
    turn: Turn
    way: str  # typed, spoken or played
    room: str | None
    changes: tuple[Change, ...] = ()
    sound: np.ndarray | None = None  # (n,) float32 at 16 kHz; of the last exchange only
    taken_as: str = ""  # the words by what was taught, where they are others
    alike: float | None = None  # of the voice to the most similar one that is enrolled
    may: Permissions | None = None  # what the speaker may do; None before anybody is enrolled


@dataclass
class Visit:
    """One visitor's home and conversation; take its lock before anything else."""

    home: SimulatedHome
    people: Acquainted
    assistant: Assistant
    room: str | None
    clips: list[np.ndarray] = field(default_factory=list)  # of the voice that is being learned
    exchanges: list[Exchange] = field(default_factory=list)
    explained: tuple[Exchange, Why] | None = None  # what the page of reasons shows
    lock: Any = field(default_factory=threading.RLock)

    @property
    def last(self) -> Exchange | None:
        """The last exchange."""
        return self.exchanges[-1] if self.exchanges else None

    @property
    def states(self) -> States:
        """The present state of every device."""
        return self.home.states()

    def exchange(
        self, given: np.ndarray | str, *, way: str, speaker: str | None = None
    ) -> Exchange:
        """Say something to the home.

        Args:
            given: (n,) float32 at 16 kHz, or words.
            way: typed, spoken or played.
            speaker: Who says it, if that was chosen.

        Raises:
            ModelError: Sound was given and no recogniser is there.
        """
        with self.lock:
            before, self.people.alike = self.states, None
            turn = self.assistant.hear(given, speaker=speaker)
            text, who = turn.transcript.text, turn.speaker
            taken_as = self.people.rewrite(text, speaker=who)
            done = Exchange(
                number=self.exchanges[-1].number + 1 if self.exchanges else 1,
                at=datetime.now().astimezone(), turn=turn, way=way, room=self.room,
                changes=changes(before, self.states),
                sound=None if isinstance(given, str) else given,
                taken_as="" if taken_as == text else taken_as, alike=self.people.alike,
                may=self.people.permissions(who) if self.people.names else None,
            )  # fmt: skip
            if self.exchanges:
                self.exchanges[-1] = _silent(self.exchanges[-1])
            self.exchanges[:] = [*self.exchanges, done][-_KEPT:]
            return done

    def move(self, room: str | None) -> None:
        """Carry the microphone into another room."""
        with self.lock:
            self.assistant.move(room)
            self.room = room

    def reset(self) -> None:
        """The home as it was in the beginning, and nothing said before; people stay known."""
        with self.lock:
            self.assistant.reset()
            self.exchanges.clear()
            self.explained = None


class Visits:
    """The open conversations by a key that nobody can guess."""

    def __init__(
        self, parts: Parts, *, most: int = MOST, voices: Callable[[], Voices] = Voices.open
    ) -> None:
        """Begin without any.

        Args:
            parts: What they share.
            most: How many may be open.
            voices: Opens the speaker encoders; called once, when somebody is enrolled first.
        """
        self._parts, self._most, self._voices = parts, most, cache(voices)
        self._open: OrderedDict[str, Visit] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def first_room(self) -> str | None:
        """Where the microphone of a new conversation is."""
        return next((area.id for area in self._parts.home.areas), None)

    @property
    def first_states(self) -> States:
        """How the devices stand before anything was said."""
        return SimulatedHome(self._parts.home).states()

    def __len__(self) -> int:
        """How many are open."""
        return len(self._open)

    def of(self, key: str | None) -> tuple[str, Visit]:
        """A visitor's conversation, begun where there is none; with the key to keep."""
        gone: list[Visit] = []
        with self._lock:
            visit = self._open.get(key) if key else None
            if key is None or visit is None:
                key, visit = secrets.token_urlsafe(16), self._begun()
                self._open[key] = visit
            self._open.move_to_end(key)
            while len(self._open) > self._most:
                gone.append(self._open.popitem(last=False)[1])
        for left in gone:
            _end(left)
        return key, visit

    def close(self, key: str | None) -> None:
        """End a conversation; one that is over already stays so."""
        with self._lock:
            visit = self._open.pop(key, None) if key else None
        if visit is not None:
            _end(visit)

    def close_all(self) -> None:
        """End every conversation."""
        for key in list(self._open):
            self.close(key)

    def _begun(self) -> Visit:
        home, people = SimulatedHome(self._parts.home), Acquainted(self._voices)
        parts, room = replace(self._parts, people=people), self.first_room
        return Visit(home, people, Assistant(parts, connector=home, area=room), room)


def _end(visit: Visit) -> None:
    with visit.lock:
        visit.assistant.close()
        visit.people.close()


def _silent(exchange: Exchange) -> Exchange:
    """Without its sound: history keeps words only."""
    return replace(exchange, sound=None)
