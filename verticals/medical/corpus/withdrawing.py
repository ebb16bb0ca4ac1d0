"""Takes back documents that their source no longer holds: files that are gone, records left out."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from verticals.medical.corpus.store import Corpus
from verticals.medical.corpus.writing import forget, writing


def withdraw_files(corpus: Corpus, source: str, names: Sequence[str]) -> int:
    """Remove the documents of a source's files that are not among `names`; returns how many.

    Raises:
        DataError: Another process is writing, or the disk is full.
    """
    head = f"{source}|"
    rows = corpus.connection.execute(
        "SELECT number FROM files WHERE substr(name, 1, ?) = ? AND substr(name, ?) NOT IN "
        "(SELECT value FROM json_each(?))",
        (len(head), head, len(head) + 1, orjson.dumps(list(names)).decode()),
    )
    gone = [number for (number,) in rows]
    if not gone:
        return 0
    with writing(corpus) as connection:
        lost = [
            row
            for number in gone
            for row in connection.execute(
                "SELECT number, id FROM documents WHERE file = ?", (number,)
            )
        ]
        forget(connection, lost)
        connection.executemany("DELETE FROM files WHERE number = ?", [(n,) for n in gone])
    _read_again(corpus, source, lost)
    return len(lost)


def watch(corpus: Corpus, file: str) -> bool:
    """Begin to note what a file still holds; False if it was never read before."""
    connection = corpus.connection
    row = connection.execute(
        "SELECT 1 FROM documents WHERE file = (SELECT number FROM files WHERE name = ?)", (file,)
    ).fetchone()
    connection.execute("CREATE TEMP TABLE IF NOT EXISTS seen (number INTEGER PRIMARY KEY)")
    connection.execute("DELETE FROM temp.seen")
    return row is not None


def withdraw_records(corpus: Corpus, source: str, file: str) -> int:
    """Remove the documents of a file that were not in it since `watch`; returns how many.

    Raises:
        DataError: As `withdraw_files`.
    """
    with writing(corpus) as connection:
        lost = connection.execute(
            "SELECT number, id FROM documents WHERE file = (SELECT number FROM files WHERE "
            "name = ?) AND number NOT IN (SELECT number FROM temp.seen)",
            (file,),
        ).fetchall()
        forget(connection, lost)
    _read_again(corpus, source, lost)
    return len(lost)


def _read_again(corpus: Corpus, source: str, lost: Sequence[tuple[int, str]]) -> None:
    """Have the other files read again if one of them may hold a lost document too."""
    if any(not name.startswith("file:") for _, name in lost):
        head = f"{source}|"
        with writing(corpus) as connection:
            connection.execute(
                "UPDATE files SET stamp = '' WHERE substr(name, 1, ?) = ?", (len(head), head)
            )
