"""The conversations of a demo: one home and one assistant a visitor, and only so many at once."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from apps.demos.voice_pages.states import Change, States, changes
from verticals.voice.assistant import Assistant
from verticals.voice.home.simulated import SimulatedHome

if TYPE_CHECKING:
    import numpy as np

    from verticals.voice.assistant import Parts
    from verticals.voice.command import Turn

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


@dataclass
class Visit:
    """One visitor's home and conversation; take its lock before anything else."""

    home: SimulatedHome
    assistant: Assistant
    room: str | None
    exchanges: list[Exchange] = field(default_factory=list)
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
            before = self.states
            turn = self.assistant.hear(given, speaker=speaker)
            number = self.exchanges[-1].number + 1 if self.exchanges else 1
            sound = None if isinstance(given, str) else given
            done = Exchange(
                number, datetime.now().astimezone(), turn, way, self.room,
                changes(before, self.states), sound,
            )  # fmt: skip
            if self.exchanges:
                self.exchanges[-1] = _silent(self.exchanges[-1])
            self.exchanges[:] = [*self.exchanges, done][-_KEPT:]
            return done

    def move(self, parts: Parts, room: str | None) -> None:
        """Carry the microphone into another room; what was said before is forgotten."""
        with self.lock:
            if room == self.room:
                return
            self.assistant.close()
            self.assistant = Assistant(parts, connector=self.home, area=room)
            self.room = room

    def reset(self) -> None:
        """The home as it was in the beginning, and nothing said before."""
        with self.lock:
            self.assistant.reset()
            self.exchanges.clear()


class Visits:
    """The open conversations by a key that nobody can guess."""

    def __init__(self, parts: Parts, *, most: int = MOST) -> None:
        """Begin without any.

        Args:
            parts: What they share.
            most: How many may be open.
        """
        self._parts, self._most = parts, most
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
        home = SimulatedHome(self._parts.home)
        room = self.first_room
        return Visit(home, Assistant(self._parts, connector=home, area=room), room)


def _end(visit: Visit) -> None:
    with visit.lock:
        visit.assistant.close()


def _silent(exchange: Exchange) -> Exchange:
    """Without its sound: history keeps words only."""
    from dataclasses import replace

    return replace(exchange, sound=None)
