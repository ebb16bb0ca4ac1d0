"""The corpus: documents and their passages in one SQLite file, read by row, batch or identifier.

It knows nothing of search: rows and columns are what an index is built from.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from core.errors import DataError
from verticals.medical.answer import GRADES
from verticals.medical.corpus.documents import Document, Passage, Section
from verticals.medical.corpus.retractions import DUPLICATE, LIVE, RETRACTED

FILE = "corpus.sqlite"
FORMAT = "2"
_SCHEMA = Path(__file__).with_name("schema.sql")
_COLUMNS = np.dtype(
    [
        ("document", np.int32),
        ("passages", np.int32),
        ("year", np.int16),
        ("grade", np.int8),
        ("organisation", np.int16),
    ]
)


@dataclass(frozen=True)
class _View:
    """Which passage is in which row, as of one generation of the file."""

    generation: int
    ordinal: NDArray[np.int32]  # (n,) of the passage in its document
    columns: dict[str, NDArray[Any]]  # (n,) each


class Corpus:
    """Documents and passages of one folder; opened with `open` or `create`, safe across threads.

    Rows are 0..n-1 over the passages of documents that may be evidence, in order of arrival:
    retracted articles, notices of retraction and near-duplicates have none.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._local = threading.local()
        self._lock = threading.Lock()
        self._connections: list[sqlite3.Connection] = []
        self._seen: _View | None = None
        self._print: tuple[int, str] | None = None

    @classmethod
    def create(cls, folder: str | Path) -> Corpus:
        """An empty corpus in a folder that has none yet.

        Raises:
            DataError: There is one already, or the folder cannot be written.
        """
        folder = Path(folder)
        if (folder / FILE).exists():
            raise DataError("there is a corpus already", where=str(folder), remedy="Open it")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            corpus = cls(folder)
            connection = corpus.connection
            connection.execute("PRAGMA journal_mode=WAL")
            connection.executescript(f"BEGIN;{_SCHEMA.read_text(encoding='utf-8')}COMMIT;")
        except (OSError, sqlite3.OperationalError) as error:
            raise DataError(
                f"the corpus cannot be written ({error})",
                where=str(folder),
                remedy="Choose another folder",
            ) from None
        connection.execute("INSERT INTO meta VALUES ('format', ?)", (FORMAT,))
        return corpus

    @classmethod
    def open(cls, folder: str | Path) -> Corpus:
        """The corpus of a folder.

        Raises:
            DataError: There is none, or it was written by another version of the kit.
        """
        corpus = cls(Path(folder))
        where, remedy = str(folder), "Ingest the literature into this folder"
        if not (corpus.folder / FILE).is_file():
            raise DataError("there is no corpus in the folder", where=where, remedy=remedy)
        try:
            found = corpus.meta("format")
        except sqlite3.DatabaseError:
            found = None
        if found != FORMAT:
            what = "the corpus is of another version of the kit, or damaged"
            raise DataError(what, where=where, remedy="Ingest again with resume=False")
        return corpus

    @property
    def connection(self) -> sqlite3.Connection:
        """This thread's connection; writers begin and commit by themselves."""
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            path = (self.folder / FILE).absolute()
            mode = "rwc" if os.access(self.folder, os.W_OK) else "ro&immutable=1"
            found = sqlite3.connect(
                f"{path.as_uri()}?mode={mode}",
                uri=True,
                isolation_level=None,
                timeout=30,
                check_same_thread=False,  # only `close` reaches over from another thread
            )
            found.execute("PRAGMA synchronous=NORMAL")
            found.execute("PRAGMA cache_size=-32768")  # 32 MiB
            self._local.connection = found
            with self._lock:
                self._connections.append(found)
        return found

    def close(self) -> None:
        """Close every thread's connection; another call opens them again."""
        with self._lock:
            for connection in self._connections:
                connection.close()
            self._connections.clear()
            self._local = threading.local()

    def meta(self, key: str) -> str | None:
        """A note of the file, such as its format; None where there is none."""
        row = self.connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def __len__(self) -> int:
        return len(self._view().ordinal)

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the live documents' content in order of rows: the same for equal rows."""
        generation = int(self.meta("generation") or 0)
        if self._print is None or self._print[0] != generation:
            digest = hashlib.sha256(FORMAT.encode())
            for (part,) in self.connection.execute(
                "SELECT hash FROM live WHERE passages > 0 ORDER BY number"
            ):
                digest.update(part)
            self._print = generation, digest.hexdigest()
        return self._print[1]

    def columns(self) -> dict[str, NDArray[Any]]:
        """What filters need, per passage row.

        Returns:
            `year` int16 (0 where unknown), `grade` int8 (into `answer.GRADES`), `organisation`
            int16 (into `organisations()`), `retracted` bool (never true: kept for callers that
            check), `document` int32 (number for `documents_at`); (n,) each.
        """
        return self._view().columns

    def organisations(self) -> list[str]:
        """Names by the code in the columns; "" is code 0."""
        rows = self.connection.execute("SELECT name FROM organisations ORDER BY code")
        return [name for (name,) in rows]

    def facets(self) -> dict[str, dict[Any, int]]:
        """Live documents by `years`, `grades` and `organisations`, for filters to choose from."""
        names = self.organisations()
        years, grades, bodies = Counter[int](), Counter[str](), Counter[str]()
        for year, grade, body, count in self.connection.execute(
            "SELECT year, grade, organisation, count(*) FROM live WHERE passages > 0 "
            "GROUP BY 1, 2, 3"
        ):
            years.update({year: count} if year else {})
            grades[GRADES[grade]] += count
            bodies.update({names[body]: count} if body else {})
        return {
            "years": dict(sorted(years.items())),
            "grades": {grade: grades[grade] for grade in GRADES if grades[grade]},
            "organisations": dict(sorted(bodies.items())),
        }

    def passages(self, rows: Sequence[int] | NDArray[np.integer]) -> list[Passage]:
        """The passages of these rows, in the order asked for.

        Raises:
            IndexError: A row is out of range.
        """
        return [passage for _, passage in self.titled(rows)]

    def titled(self, rows: Sequence[int] | NDArray[np.integer]) -> list[tuple[str, Passage]]:
        """The passages of these rows, each with its document's title, in the order asked for.

        Raises:
            IndexError: A row is out of range.
        """
        view, wanted = self._view(), np.asarray(rows, dtype=np.int64)
        if len(wanted) and not (wanted.min() >= 0 and wanted.max() < len(view.ordinal)):
            raise IndexError(f"rows are 0 to {len(view.ordinal) - 1}")
        numbers = view.columns["document"][wanted].tolist()
        found = self._records(numbers)
        ordinals = view.ordinal[wanted].tolist()
        return [
            (found[n][0]["title"], _cut(*found[n], at))
            for n, at in zip(numbers, ordinals, strict=True)
        ]

    def iter_passages(self, batch: int = 1000) -> Iterator[tuple[NDArray[np.int64], list[Passage]]]:
        """All passages in order, in batches of rows; memory holds one batch."""
        for start in range(0, len(self), batch):
            rows = np.arange(start, min(start + batch, len(self)), dtype=np.int64)
            yield rows, self.passages(rows)

    def document(self, name: str) -> Document:
        """The document of that identifier; of a near-duplicate, the one that was kept.

        Raises:
            DataError: There is none.
        """
        query = "SELECT number, kept FROM documents WHERE id = ?"
        row = self.connection.execute(query, (name,)).fetchone()
        if row is None:
            raise DataError("no document has that identifier", where=name, remedy="Ingest it")
        return self.documents_at([row[0] if row[1] is None else row[1]])[0]

    def documents_at(self, numbers: Sequence[int] | NDArray[np.integer]) -> list[Document]:
        """Documents by the number in the columns, in the order asked for."""
        wanted = [int(number) for number in numbers]
        records = self._records(wanted)
        rows = self.connection.execute(
            "SELECT number FROM documents WHERE number IN (SELECT value FROM json_each(?)) "
            "AND standing != ? AND NOT EXISTS "
            "(SELECT 1 FROM live WHERE live.number = documents.number)",
            (orjson.dumps(wanted).decode(), DUPLICATE),
        )
        banned = {number for (number,) in rows}
        return [_document(records[number][0], number in banned) for number in wanted]

    def documents(self, *, every: bool = False) -> Iterator[Document]:
        """Documents in order; those that may not be evidence too if `every` (flagged retracted)."""
        numbers = (
            "SELECT number FROM documents WHERE number > ? ORDER BY number LIMIT 1000"
            if every
            else "SELECT number FROM live WHERE number > ? ORDER BY number LIMIT 1000"
        )
        last = -1
        while found := [n for (n,) in self.connection.execute(numbers, (last,))]:
            yield from self.documents_at(found)
            last = found[-1]

    def aliases(self) -> dict[str, str]:
        """Identifiers of near-duplicates, with that of the document kept for each."""
        return dict(
            self.connection.execute(
                "SELECT d.id, k.id FROM documents d JOIN documents k ON d.kept = k.number "
                "WHERE d.kept IS NOT NULL ORDER BY d.number"
            )
        )

    def retracted(self) -> list[str]:
        """Identifiers of the articles that were retracted, by their record or by a notice."""
        rows = self.connection.execute(
            "SELECT id FROM documents WHERE standing = ? OR (standing = ? AND EXISTS "
            "(SELECT 1 FROM notices) AND NOT EXISTS (SELECT 1 FROM live WHERE live.number = "
            "documents.number)) ORDER BY number",
            (RETRACTED, LIVE),
        )
        return [name for (name,) in rows]

    def export(self, path: str | Path) -> int:
        """Write every document as JSON lines; returns how many.

        Taken in again, they make a corpus with the same rows and fingerprint.

        Raises:
            DataError: The file cannot be written.
        """
        count = 0
        try:
            with Path(path).open("wb") as sink:
                query = "SELECT record FROM records ORDER BY number"
                for (record,) in self.connection.execute(query):
                    sink.write(record + b"\n")
                    count += 1
        except OSError as error:
            raise DataError(f"it cannot be written ({error.strerror})", where=str(path)) from None
        return count

    def _records(self, numbers: Sequence[int]) -> dict[int, tuple[dict[str, Any], list[Any]]]:
        """Record and cuts by number of document."""
        rows = self.connection.execute(
            "SELECT number, record, cuts FROM records "
            "WHERE number IN (SELECT value FROM json_each(?))",
            (orjson.dumps(sorted({*numbers})).decode(),),
        )
        return {n: (orjson.loads(record), orjson.loads(cuts)) for n, record, cuts in rows}

    def _view(self) -> _View:
        generation = int(self.meta("generation") or 0)
        if self._seen is None or self._seen.generation != generation:
            self._seen = self._read_view(generation)
        return self._seen

    def _read_view(self, generation: int) -> _View:
        rows = self.connection.execute(
            "SELECT number, passages, year, grade, organisation FROM live "
            "WHERE passages > 0 ORDER BY number"
        )
        found = np.fromiter(rows, dtype=_COLUMNS)
        counts = found["passages"]
        starts = np.cumsum(counts) - counts
        ordinal = np.arange(int(counts.sum()), dtype=np.int32) - np.repeat(starts, counts)
        names = ("document", "year", "grade", "organisation")
        columns = {name: np.repeat(found[name], counts) for name in names}
        columns["retracted"] = np.zeros(len(ordinal), dtype=np.bool_)
        return _View(generation, ordinal.astype(np.int32), columns)


def _document(record: dict[str, Any], banned: bool) -> Document:
    sections = tuple(Section(**section) for section in record["sections"])
    types = tuple(record["publication_types"])
    known = {**record, "sections": sections, "publication_types": types}
    return Document(**{**known, "retracted": banned or record["retracted"]})


def _cut(record: dict[str, Any], cuts: list[Any], at: int) -> Passage:
    start, end, label = cuts[at]
    return Passage(record["id"], start, end, label, record["text"][start:end])
