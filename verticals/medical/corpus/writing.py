"""Writes documents into a corpus: new, changed and unchanged ones, near-duplicates and notices."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import orjson

from core.errors import DataError
from verticals.medical.answer import GRADES
from verticals.medical.corpus.chunking import SIZES, VERSION, Sizes, chunk
from verticals.medical.corpus.documents import Document
from verticals.medical.corpus.duplicates import BANDS, normalised, pairs, sketches
from verticals.medical.corpus.retractions import (
    DUPLICATE,
    LIVE,
    NOTICE,
    RETRACTED,
    retracts,
    standing,
)
from verticals.medical.corpus.store import Corpus
from verticals.medical.evidence.grade import grade


@dataclass(frozen=True, slots=True)
class Added:
    """What became of a batch."""

    documents: int = 0  # new or changed
    passages: int = 0
    unchanged: int = 0
    refused: tuple[Document, ...] = ()  # their text is not Unicode that a file can hold


FileMark = tuple[str, str, str]  # name, stamp and report of a file that was read to its end


def add(
    corpus: Corpus,
    documents: Sequence[Document],
    *,
    sizes: Sizes = SIZES,
    origins: Sequence[str] = (),
    files: Sequence[FileMark] = (),
) -> Added:
    """Write a batch in one transaction: all of it is there afterwards, or nothing.

    Of two documents with one identifier, the later counts.

    Args:
        corpus: Where to.
        documents: The batch.
        sizes: How long passages are.
        origins: The file that each document comes from; none if they come from no file.
        files: Files that were read to their end.

    Raises:
        DataError: Another process is writing, or the disk is full.
    """
    batch = {document.id: document for document in documents}
    came = {d.id: origin for d, origin in zip(documents, origins, strict=False)}
    salt = f"{VERSION} {sizes}".encode()
    packed = {name: _record(document) for name, document in batch.items()}
    refused = tuple(batch[name] for name, record in packed.items() if not record)
    batch = {name: document for name, document in batch.items() if packed[name]}
    hashes = {
        name: hashlib.blake2b(salt + record, digest_size=16).digest()
        for name, record in packed.items()
        if record
    }
    with writing(corpus) as connection:
        known = _known(connection, list(batch))
        fresh = [d for name, d in batch.items() if known.get(name, (0, b""))[1] != hashes[name]]
        numbers = _numbers(connection, fresh, known)
        places = _files(connection, came.values(), files)
        codes = _organisations(connection, fresh)
        rows, records, passages = [], [], 0
        for document in fresh:
            cuts = [(p.start, p.end, p.section) for p in chunk(document, sizes)]
            passages += len(cuts)
            number = numbers[document.id]
            known_as = {
                "passages": len(cuts),
                "organisation": codes[document.organisation],
                "file": places[came.get(document.id, "")],
            }
            rows.append(_row(document, number, hashes[document.id], **known_as))
            records.append((number, packed[document.id], orjson.dumps(cuts)))
        forget(connection, [(known[d.id][0], d.id) for d in fresh if d.id in known])
        connection.executemany("INSERT INTO documents VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", rows)
        connection.executemany("INSERT INTO records VALUES (?,?,?)", records)
        _sketch(connection, [(numbers[d.id], d) for d in fresh if d.text])
        _announce(connection, fresh)
        same = [(places[came[n]], known[n][0]) for n in came if n in known and n not in numbers]
        connection.executemany(
            "UPDATE documents SET file = ?1 WHERE number = ?2 AND file != ?1", same
        )
        seen = [(number,) for _, number in same] + [(number,) for number in numbers.values()]
        connection.executemany("INSERT OR IGNORE INTO temp.seen VALUES (?)", seen)
    return Added(len(fresh), passages, len(batch) - len(fresh), refused)


def settle(corpus: Corpus) -> None:
    """Merge near-duplicates among what was added since the last time; cheap if nothing was.

    Raises:
        DataError: As `add`.
    """
    if corpus.meta("unsettled") is None:
        return
    with writing(corpus) as connection:
        numbers, keys = _sketches(connection)
        titles = "SELECT record FROM records WHERE number = ?"

        def text_of(number: int) -> bytes | None:
            row = connection.execute(titles, (number,)).fetchone()
            if row is None:
                return None
            record = orjson.loads(row[0])
            return normalised(f"{record['title']} {record['text']}")

        found = list(pairs(numbers, keys, text_of))
        banned = _banned(connection, [number for pair in found for number in pair])
        # A copy of a retracted article is as unfit as the article.
        tainted = [
            (RETRACTED, n) for pair in found if banned & set(pair) for n in set(pair) - banned
        ]
        merged = [
            (DUPLICATE, kept, number) for number, kept in found if not banned & {number, kept}
        ]
        connection.executemany("UPDATE documents SET standing = ? WHERE number = ?", tainted)
        connection.executemany(
            "UPDATE documents SET standing = ?, kept = ? WHERE number = ?", merged
        )
        connection.execute("DELETE FROM meta WHERE key = 'unsettled'")
    corpus.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@contextmanager
def writing(corpus: Corpus) -> Iterator[sqlite3.Connection]:
    """One transaction that changes the corpus."""
    connection = corpus.connection
    connection.execute("CREATE TEMP TABLE IF NOT EXISTS seen (number INTEGER PRIMARY KEY)")
    try:
        connection.execute("BEGIN IMMEDIATE")
        try:
            before = connection.total_changes
            yield connection
            if connection.total_changes > before:
                connection.execute(
                    "UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE key = 'generation'"
                )
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
    except sqlite3.OperationalError as error:
        busy = "locked" in str(error)
        raise DataError(
            "another process writes to the corpus" if busy else f"it cannot be written ({error})",
            where=str(corpus.folder),
            remedy="Wait until it is done" if busy else "Check the disk's space and your rights",
        ) from None


def _record(document: Document) -> bytes:
    """Everything that the store keeps and hashes; empty for what is not valid Unicode."""
    try:
        return orjson.dumps(document)
    except orjson.JSONEncodeError:
        return b""


def _row(
    document: Document, number: int, content: bytes, *, passages: int, organisation: int, file: int
) -> tuple[object, ...]:
    return (
        number,
        document.id,
        content,
        standing(document),
        None,
        passages,
        document.year or 0,
        GRADES.index(grade(document)),
        organisation,
        f"pmid:{document.pmid}" if document.pmid else "",
        f"doi:{document.doi.lower()}" if document.doi else "",
        file,
    )


def _known(connection: sqlite3.Connection, names: list[str]) -> dict[str, tuple[int, bytes]]:
    query = "SELECT id, number, hash FROM documents WHERE id IN (SELECT value FROM json_each(?))"
    rows = connection.execute(query, (orjson.dumps(names).decode(),))
    return {name: (number, content) for name, number, content in rows}


def _numbers(
    connection: sqlite3.Connection,
    documents: Sequence[Document],
    known: dict[str, tuple[int, bytes]],
) -> dict[str, int]:
    """The number that each document has, or the next ones."""
    (last,) = connection.execute("SELECT coalesce(max(number), -1) FROM documents").fetchone()
    found = {}
    for document in documents:
        if document.id in known:
            found[document.id] = known[document.id][0]
        else:
            last += 1
            found[document.id] = last
    return found


def _files(
    connection: sqlite3.Connection, origins: Iterable[str], marks: Sequence[FileMark]
) -> dict[str, int]:
    """Numbers of files by name; those in `marks` are noted as read to their end."""
    names = {*origins, *(name for name, _, _ in marks)}
    connection.executemany(
        "INSERT OR IGNORE INTO files (name, stamp, report) VALUES (?, '', '{}')",
        [(name,) for name in sorted(names)],
    )
    connection.executemany("UPDATE files SET stamp = ?2, report = ?3 WHERE name = ?1", marks)
    query = "SELECT name, number FROM files WHERE name IN (SELECT value FROM json_each(?))"
    return dict(connection.execute(query, (orjson.dumps([*names, ""]).decode(),)))


def _organisations(connection: sqlite3.Connection, documents: Sequence[Document]) -> dict[str, int]:
    names = {document.organisation for document in documents}
    for name in sorted(names):
        connection.execute("INSERT OR IGNORE INTO organisations (name) VALUES (?)", (name,))
    return {
        name: code
        for name, code in connection.execute("SELECT name, code FROM organisations")
        if name in names
    }


def forget(connection: sqlite3.Connection, changed: Sequence[tuple[int, str]]) -> None:
    """Remove documents by number and identifier; what repeated them stands for itself again."""
    numbers = [(number,) for number, _ in changed]
    connection.executemany(
        "UPDATE documents SET standing = ?, kept = NULL WHERE kept = ?",
        [(LIVE, number) for (number,) in numbers],
    )
    connection.executemany("DELETE FROM documents WHERE number = ?", numbers)
    connection.executemany("DELETE FROM records WHERE number = ?", numbers)
    connection.executemany("DELETE FROM sketches WHERE number = ?", numbers)
    connection.executemany("DELETE FROM notices WHERE notice = ?", [(name,) for _, name in changed])


def _sketch(connection: sqlite3.Connection, documents: Sequence[tuple[int, Document]]) -> None:
    texts = [normalised(f"{document.title} {document.text}") for _, document in documents]
    if not texts:
        return
    keys = sketches(texts)
    connection.executemany(
        "INSERT INTO sketches VALUES (?,?)",
        [(number, row.tobytes()) for (number, _), row in zip(documents, keys, strict=True)],
    )
    connection.execute("INSERT OR REPLACE INTO meta VALUES ('unsettled', '1')")


def _announce(connection: sqlite3.Connection, documents: Sequence[Document]) -> None:
    """Note what the notices among the documents retract."""
    named = [
        (identifier, document.id)
        for document in documents
        if standing(document) == NOTICE
        for identifier in sorted(retracts(document))
    ]
    connection.executemany("INSERT OR REPLACE INTO notices VALUES (?,?)", named)


def _sketches(
    connection: sqlite3.Connection,
) -> tuple[np.ndarray, np.ndarray]:
    """Numbers (n,) and keys (n, BANDS) of documents that are no duplicates yet: 32 bytes each."""
    rows = connection.execute(
        "SELECT s.number, s.bands FROM sketches s JOIN documents d ON s.number = d.number "
        "WHERE d.standing IN (?, ?) ORDER BY s.number",
        (LIVE, RETRACTED),
    )
    found = np.fromiter(rows, dtype=[("number", np.int64), ("bands", f"V{4 * BANDS}")])
    keys = np.ascontiguousarray(found["bands"]).view(np.uint32).reshape(-1, BANDS)
    return found["number"].copy(), keys


def _banned(connection: sqlite3.Connection, numbers: list[int]) -> set[int]:
    """Those that were retracted, by themselves or by a notice."""
    query = "SELECT 1 FROM live WHERE number = ?"
    return {n for n in {*numbers} if not connection.execute(query, (n,)).fetchone()}
