"""Takes literature in: reads, cuts, stores, merges copies; can be killed and goes on from there."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from core.errors import DataError
from verticals.medical.corpus.chunking import SIZES, VERSION, Sizes
from verticals.medical.corpus.documents import Document
from verticals.medical.corpus.progress import Progress
from verticals.medical.corpus.reading import READING, Part, Source, parts
from verticals.medical.corpus.store import FILE, Corpus
from verticals.medical.corpus.streams import Meter, Skipped, shown
from verticals.medical.corpus.withdrawing import watch, withdraw_files, withdraw_records
from verticals.medical.corpus.writing import FileMark, add, settle

BATCH = 1000  # documents a transaction: what a kill can lose
BATCH_CHARACTERS = 8_000_000
REPORTED = 10_000  # skipped records that a report lists; it counts all


@dataclass
class IngestReport:
    """What an ingest did, and the corpus that came of it."""

    corpus: Corpus
    documents: int = 0  # new or changed
    passages: int = 0  # of those
    removed: int = 0  # their file is gone from the source, or holds them no more
    unchanged: int = 0  # documents that were there already
    without_text: int = 0  # titles alone: stored, never searched
    duplicates: int = 0  # of the whole corpus: merged into another document
    retracted: int = 0  # of the whole corpus: never evidence
    skipped: list[Skipped] = field(default_factory=list)  # the first REPORTED
    skipped_total: int = 0
    seconds: float = 0.0

    def skip(self, skipped: Skipped) -> None:
        """Note a record that was left out."""
        self.skipped_total += 1
        if len(self.skipped) < REPORTED:
            self.skipped.append(skipped)


def ingest(
    source: Source,
    folder: str | Path,
    *,
    progress: Callable[[Progress], None] | None = None,
    resume: bool = True,
    sizes: Sizes = SIZES,
) -> IngestReport:
    """Take a source into the corpus of a folder, which is created where there is none.

    Documents are added or, where their content changed, replaced; those that a file of this
    source no longer holds are removed. What was committed before a kill stays, and files that
    were read to their end are not read again.

    Args:
        source: As `reading.read_documents`.
        folder: Folder of the corpus.
        progress: Called after every batch and file; `progress.shown_progress` draws a bar.
        resume: False to remove what the folder's corpus holds and begin anew.
        sizes: How long passages are.

    Raises:
        DataError: Nothing readable, an XML bomb, no network, or the folder cannot be written.
    """
    began = time.perf_counter()
    files = parts(source)
    name = _name(source)
    fresh = not (Path(folder) / FILE).exists()
    if not (resume or fresh):
        remove(folder)
        fresh = True
    report = IngestReport(Corpus.create(folder) if fresh else Corpus.open(folder))
    try:
        _Run(report, files, name, sizes, progress).go()
        if not report.documents + report.unchanged:
            raise DataError(
                "no document could be read" + _first(report.skipped),
                where=name,
                remedy="Check the first file that is named",
            )
    except DataError:
        report.corpus.close()
        if fresh and not len(report.corpus):
            report.corpus.close()
            remove(folder)
        raise
    settle(report.corpus)
    report.duplicates = len(report.corpus.aliases())
    report.retracted = len(report.corpus.retracted())
    report.seconds = time.perf_counter() - began
    return report


def remove(folder: str | Path) -> None:
    """Delete the corpus of a folder, and nothing else in it."""
    for ending in ("", "-wal", "-shm"):
        (Path(folder) / f"{FILE}{ending}").unlink(missing_ok=True)


class _Run:
    """One pass over the files; holds the documents and file marks not yet committed."""

    def __init__(
        self,
        report: IngestReport,
        files: list[Part],
        source: str,
        sizes: Sizes,
        progress: Callable[[Progress], None] | None,
    ) -> None:
        self.report, self.files, self.source, self.sizes = report, files, source, sizes
        self.progress = progress
        self.documents: list[Document] = []
        self.origins: list[str] = []
        self.characters = 0
        self.marks: list[FileMark] = []
        self.read = 0
        self.total = sum(part.size for part in files)
        self.bytes_done = 0
        self.lost = False

    def go(self) -> None:
        names = [part.name for part in self.files if part.stamp]
        if names:
            self.report.removed += withdraw_files(self.report.corpus, self.source, names)
        self._pass()
        if self.lost:  # from one file, but perhaps another holds it too
            written = self.report.documents
            self.read, self.bytes_done = 0, 0
            self.report.unchanged, self.report.without_text = 0, 0
            self.report.skipped, self.report.skipped_total = [], 0
            self._pass()
            self.report.unchanged = max(0, self.report.unchanged - written)

    def _pass(self) -> None:
        for at, part in enumerate(self.files):
            key, stamp = f"{self.source}|{part.name}", self._stamp(part)
            if not self._already(key, stamp):
                try:
                    self._file(at, part, key, stamp)
                except DataError as error:
                    if len(self.files) == 1:
                        raise
                    self.report.skip(Skipped(part.name, "", error.what))
            self.bytes_done += part.size
            self._tell(part, at + 1, Meter())
        self._flush()

    def _file(self, at: int, part: Part, key: str, stamp: str) -> None:
        meter, began = Meter(), (self.read, self.report.skipped_total)
        watched = bool(stamp) and watch(self.report.corpus, key)
        for document in part.read(self.report.skip, meter):
            self.read += 1
            self.report.without_text += not document.text
            self.documents.append(document)
            self.origins.append(key if stamp else "")
            self.characters += len(document.text)
            if len(self.documents) >= BATCH or self.characters >= BATCH_CHARACTERS:
                self._flush()
                self._tell(part, at, meter)
        skipped = self.report.skipped[began[1] :]
        if watched and self.report.skipped_total == began[1]:
            # Of a file that can be read in part only, nothing is known to be gone.
            self._flush()
            lost = withdraw_records(self.report.corpus, self.source, key)
            self.report.removed += lost
            self.lost = self.lost or (lost > 0 and len(self.files) > 1)
        if stamp:
            known = {"documents": self.read - began[0], "skipped": skipped}
            self.marks.append((key, stamp, orjson.dumps(known).decode()))
            if len(self.marks) >= BATCH:
                self._flush()

    def _stamp(self, part: Part) -> str:
        return f"{part.stamp} {READING} {VERSION} {self.sizes}" if part.stamp else ""

    def _already(self, key: str, stamp: str) -> bool:
        """Whether the file was read to its end before; then its report counts again."""
        query = "SELECT report FROM files WHERE name = ? AND stamp = ?"
        row = self.report.corpus.connection.execute(query, (key, stamp)).fetchone()
        if row is None:
            return False
        known = orjson.loads(row[0])
        self.read += known["documents"]
        self.report.unchanged += known["documents"]
        for skipped in known["skipped"]:
            self.report.skip(Skipped(**skipped))
        return True

    def _flush(self) -> None:
        if not (self.documents or self.marks):
            return
        added = add(
            self.report.corpus,
            self.documents,
            sizes=self.sizes,
            origins=self.origins,
            files=self.marks,
        )
        self.report.documents += added.documents
        self.report.passages += added.passages
        self.report.unchanged += added.unchanged
        for document in added.refused:
            self.report.skip(Skipped(document.source, document.id, "its text is not Unicode"))
        self.documents, self.origins, self.marks, self.characters = [], [], [], 0

    def _tell(self, part: Part, done: int, meter: Meter) -> None:
        if self.progress is None:
            return
        read = self.bytes_done + min(meter.read, part.size)
        fraction = read / self.total if self.total else None
        counts = self.read, self.report.passages
        self.progress(Progress(part.name, done, len(self.files), *counts, fraction))


def _name(source: Source) -> str:
    """What the corpus calls a source: the same wherever it is asked for from."""
    if not isinstance(source, str | Path):
        return "documents"
    path = Path(source).expanduser()
    return str(path.resolve()) if path.exists() else shown(str(source))


def _first(skipped: list[Skipped], shown_at_most: int = 3) -> str:
    lines = [
        f"{s.file}{', ' if s.position else ''}{s.position}: {s.reason}"
        for s in skipped[:shown_at_most]
    ]
    return f": {'; '.join(lines)}" if lines else ""
