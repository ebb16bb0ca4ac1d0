"""The outbox on disk: what is to be done is written before it is sent and struck out once done.

SQLite with a write-ahead log. An entry stays until it is confirmed or given up, so that a crash
loses nothing; its id stays for a while longer, so that nothing is done twice. What was said, and
what a finished call carried, is not kept.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from core.errors import DataError
from verticals.voice.action.connector import ServiceCall

Status = Literal["open", "sent", "done", "failed"]
_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
    id TEXT PRIMARY KEY, turn TEXT NOT NULL, intent TEXT NOT NULL, entity TEXT NOT NULL,
    service TEXT NOT NULL, data TEXT NOT NULL, status TEXT NOT NULL, written REAL NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS by_status ON entries (status);
"""
_TIDY = 256  # entries after which old ones are forgotten
_SELECT = "SELECT id, turn, intent, entity, service, data, status, written FROM entries "
_INSERT = "INSERT OR IGNORE INTO entries VALUES (?,?,?,?,?,?,?,?)"
_MARK = "UPDATE entries SET status = ? WHERE id = ?"
_FINISH = "UPDATE entries SET status = ?, data = '{}' WHERE id = ?"


@dataclass(frozen=True)
class Entry:
    """One call in the outbox."""

    id: str
    turn: str
    """The exchange it belongs to; may be empty."""
    intent: str
    call: ServiceCall
    status: Status
    """open: not sent yet; sent: may have acted; done: confirmed; failed: given up."""
    written: float
    """Seconds since 1970."""


class Journal:
    """An outbox in one file; safe among threads, for one process at a time."""

    def __init__(self, connection: sqlite3.Connection, now: Callable[[], float]) -> None:
        """Use `Journal.open`."""
        self._connection, self.now, self._lock = connection, now, threading.Lock()
        self._writings = 0

    @classmethod
    def open(cls, path: str | Path | None, *, now: Callable[[], float] = time.time) -> Journal:
        """Open or create an outbox.

        Args:
            path: The file, readable by its owner only; None keeps it in memory.
            now: The clock, in seconds since 1970.

        Raises:
            DataError: The file is damaged, is something else, or cannot be written.
        """
        where = str(path) if path is not None else ":memory:"
        try:
            if path is not None:
                Path(path).parent.mkdir(parents=True, exist_ok=True)
                os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            connection = sqlite3.connect(where, check_same_thread=False, isolation_level=None)
            connection.execute("PRAGMA journal_mode=WAL")
            # A confirmed line must survive a power cut, or its call would be made again.
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA secure_delete=ON")
            found = connection.execute("PRAGMA quick_check").fetchone()
            if found != ("ok",):
                raise sqlite3.DatabaseError(str(found))
            connection.executescript(_SCHEMA)
            connection.execute(_SELECT + "LIMIT 1").fetchall()
        except (sqlite3.Error, OSError) as error:
            raise DataError(
                f"The journal of commands cannot be used: {error}",
                where=where,
                remedy="Move the file away to start a new one; open commands in it are lost",
            ) from error
        return cls(connection, now)

    def write(
        self, command_id: str, call: ServiceCall, *, turn: str = "", intent: str = ""
    ) -> Entry:
        """Enter a call before it is sent; an id that is known keeps its first entry.

        Now and then, what was finished a day ago is forgotten.

        Returns:
            The entry under that id: a new one is open.
        """
        data = json.dumps(dict(call.data), sort_keys=True)
        row = (command_id, turn, intent, call.entity_id, call.service, data, "open", self.now())
        self._writings += 1
        if self._writings % _TIDY == 0:
            self.prune()
        with self._lock:
            self._connection.execute(_INSERT, row)
            return self._read("id = ?", command_id)[0]

    def mark(self, command_id: str, status: Status) -> None:
        """Set an entry's status; one that is finished forgets what its call carried."""
        finished = status in ("done", "failed")
        with self._lock:
            self._connection.execute(_FINISH if finished else _MARK, (status, command_id))

    def find(self, command_id: str) -> Entry | None:
        """The entry under an id."""
        with self._lock:
            return next(iter(self._read("id = ?", command_id)), None)

    def of_turn(self, turn: str) -> list[Entry]:
        """What an exchange asked for, in order."""
        with self._lock:
            return self._read("turn = ?", turn)

    def unfinished(self) -> list[Entry]:
        """Entries neither done nor given up, oldest first."""
        with self._lock:
            return self._read("status IN ('open', 'sent')")

    def prune(self, keep_s: float = 86_400.0) -> int:
        """Forget finished entries older than `keep_s` seconds; returns how many."""
        with self._lock:
            return self._connection.execute(
                "DELETE FROM entries WHERE status IN ('done', 'failed') AND written < ?",
                (self.now() - keep_s,),
            ).rowcount

    def clear(self) -> None:
        """Delete everything, for the one who asks for their data to be deleted."""
        with self._lock:
            self._connection.execute("DELETE FROM entries")
            self._connection.execute("VACUUM")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def _read(self, condition: str, *values: str) -> list[Entry]:
        query = f"{_SELECT}WHERE {condition} ORDER BY written, rowid"
        rows = self._connection.execute(query, values).fetchall()
        return [
            Entry(id_, turn, intent, ServiceCall(entity, service, json.loads(data)), status, when)
            for id_, turn, intent, entity, service, data, status, when in rows
        ]
