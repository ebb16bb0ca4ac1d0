"""The outbox on disk: written before, struck out after, private, refused when damaged."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import DataError
from verticals.voice.action.connector import ServiceCall
from verticals.voice.action.journal import Journal

CALL = ServiceCall("todo.shopping_list", "add_item", {"item": "a surprise for Ana"})


def test_an_entry_stays_open_until_it_is_marked(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "journal.db"
    journal = Journal.open(path)
    journal.write("a", CALL, turn="t", intent="HassListAddItem")
    journal.close()
    again = Journal.open(path)
    (entry,) = again.unfinished()
    assert (entry.call, entry.turn, entry.intent) == (CALL, "t", "HassListAddItem")
    again.mark("a", "done")
    assert again.unfinished() == []
    assert [e.status for e in again.of_turn("t")] == ["done"]


def test_an_id_keeps_its_first_entry() -> None:
    journal = Journal.open(None)
    journal.write("a", CALL)
    journal.mark("a", "done")
    assert journal.write("a", ServiceCall("light.x", "turn_on")).status == "done"


def test_a_killed_process_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    script = (
        "import os, sys\n"
        "from verticals.voice.action.journal import Journal\n"
        "from verticals.voice.action.connector import ServiceCall\n"
        "j = Journal.open(sys.argv[1])\n"
        "for n in range(20): j.write(str(n), ServiceCall('light.x', 'turn_on'))\n"
        "for n in range(5): j.mark(str(n), 'done')\n"
        "os.kill(os.getpid(), 9)\n"
    )
    assert subprocess.run([sys.executable, "-c", script, str(path)], check=False).returncode == -9
    assert [e.id for e in Journal.open(path).unfinished()] == [str(n) for n in range(5, 20)]


def test_what_is_finished_keeps_no_words_and_is_forgotten(tmp_path: Path) -> None:
    when = [0.0]
    journal = Journal.open(tmp_path / "j.db", now=lambda: when[0])
    journal.write("a", CALL)
    journal.mark("a", "done")
    found = journal.find("a")
    assert found is not None
    assert found.call.data == {}
    when[0] = 100.0
    journal.write("b", CALL)
    assert journal.prune(keep_s=50) == 1
    assert journal.find("a") is None
    assert journal.find("b") is not None
    journal.clear()
    journal.close()
    assert b"surprise" not in (tmp_path / "j.db").read_bytes()


def test_years_of_commands_do_not_pile_up() -> None:
    when = [0.0]
    journal = Journal.open(None, now=lambda: when[0])
    journal.write("open", CALL)
    for number in range(3_000):
        when[0] += 600.0  # one every ten minutes
        journal.write(str(number), CALL)
        journal.mark(str(number), "done")
    assert journal.prune(keep_s=-1.0) < 500
    assert [entry.id for entry in journal.unfinished()] == ["open"]  # however old


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    Journal.open(tmp_path / "j.db")
    assert (tmp_path / "j.db").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "content", [b"not a database at all" * 100, b"SQLite format 3\x00" + b"\xff" * 4096]
)
def test_a_damaged_file_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "j.db"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"cannot be used.*j\.db.*Move the file away"):
        Journal.open(path)
    assert path.read_bytes() == content


def test_a_torn_page_and_another_table_are_refused(tmp_path: Path) -> None:
    import sqlite3

    path = tmp_path / "torn.db"
    journal = Journal.open(path)
    for n in range(200):
        journal.write(f"id{n}", CALL)
    journal.close()
    content = bytearray(path.read_bytes())
    content[8192:12288] = b"\x5a" * 4096
    path.write_bytes(content)
    with pytest.raises(DataError, match="cannot be used"):
        Journal.open(path)
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE entries (something TEXT)")
    with pytest.raises(DataError, match="cannot be used"):
        Journal.open(other)


def test_a_folder_is_no_journal(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be used"):
        Journal.open(tmp_path)
