"""Builds BM25 postings in bounded memory, in the layout that bm25s searches (Lù, 2024).

bm25s counts every document's words in Python dictionaries and holds all of them; here a batch is
sorted by word with NumPy, kept on disk, and written to its place once all words are counted.
"""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

CACHED = 400_000  # words whose number is remembered; the commonest are soon among them again
_ENTRY = np.dtype([("word", np.int32), ("row", np.int32), ("count", np.int32)])


@dataclass
class Vocabulary:
    """Numbers of the stems that were seen."""

    stem: Callable[[str], str | None]  # of a word; None for one that is not indexed
    numbers: dict[str, int] = field(default_factory=dict)  # by stem
    _words: dict[str, int] = field(default_factory=dict)  # by word as written; -1: not indexed

    def count(self, words: list[str]) -> list[int]:
        """The numbers of words, in order, without those that are not indexed."""
        try:
            found = [self._words[word] for word in words]
        except KeyError:
            found = [self._number(word) for word in words]
        return [number for number in found if number >= 0]

    def _number(self, word: str) -> int:
        known = self._words.get(word)
        if known is None:
            stem = self.stem(word)
            known = -1 if stem is None else self.numbers.setdefault(stem, len(self.numbers))
            if len(self._words) >= CACHED:
                self._words.clear()
            self._words[word] = known
        return known


def build_postings(
    batches: Iterable[list[list[str]]],
    vocabulary: Vocabulary,
    place: Path,
    *,
    k1: float,
    b: float,
) -> None:
    """Write the index of all rows; `bm25s.BM25.load` opens it.

    The scores are those of Lucene's form of BM25 (Kamphuis et al., 2020).

    Args:
        batches: Words of each row, some rows at a time, in order of rows.
        vocabulary: Numbers the words; filled here.
        place: Folder that receives the index.
        k1: How soon a word's repetition stops to count.
        b: How much a row's length counts.
    """
    import bm25s

    with tempfile.TemporaryDirectory(dir=place) as scratch:
        folder = Path(scratch)
        with (folder / "entries").open("w+b") as spill:
            lengths, sizes = _count(batches, vocabulary, spill)
            vocabulary.numbers.setdefault("", len(vocabulary.numbers))  # as bm25s does
            entries, words = _entries(spill, sizes), len(vocabulary.numbers)
            scores = _place(entries, lengths, folder, words=words, k1=k1, b=b)
        index = bm25s.BM25(k1=k1, b=b, method="lucene")
        index.scores, index.vocab_dict = scores, vocabulary.numbers
        index.nonoccurrence_array = None
        index.save(str(place), show_progress=False)


def _count(
    batches: Iterable[list[list[str]]], vocabulary: Vocabulary, spill: BinaryIO
) -> tuple[NDArray[np.int32], list[int]]:
    """Spill each batch's entries, sorted by word and row; lengths of rows, sizes of batches."""
    lengths, sizes = array("i"), []
    for batch in batches:
        first, flat = len(lengths), array("i")
        for words in batch:
            numbers = vocabulary.count(words)
            flat.extend(numbers)
            lengths.append(len(numbers))
        rows = np.repeat(np.arange(first, len(lengths)), np.array(lengths[first:], np.int32))
        keys = (np.array(flat, np.int64) << 32) | rows
        found, counts = np.unique(keys, return_counts=True)
        entries = np.empty(len(found), _ENTRY)
        entries["word"], entries["row"], entries["count"] = found >> 32, found, counts
        spill.write(entries.tobytes())
        sizes.append(len(entries))
    return np.array(lengths, np.int32), sizes


def _entries(spill: BinaryIO, sizes: list[int]) -> Callable[[], Iterator[NDArray[Any]]]:
    """Reads the spilled batches again, as often as asked."""

    def read() -> Iterator[NDArray[Any]]:
        spill.seek(0)
        for size in sizes:
            yield np.frombuffer(spill.read(size * _ENTRY.itemsize), _ENTRY)

    return read


def _place(
    entries: Callable[[], Iterator[NDArray[Any]]],
    lengths: NDArray[np.int32],
    folder: Path,
    *,
    words: int,
    k1: float,
    b: float,
) -> dict[str, Any]:
    """Scores by word, then by row: the columns of a sparse matrix, mapped to disk."""
    frequency = np.zeros(words, np.int64)
    for batch in entries():
        seen, counts = np.unique(batch["word"], return_counts=True)
        frequency[seen] += counts
    ends = np.concatenate([[0], np.cumsum(frequency)])
    rarity = np.log1p((len(lengths) - frequency + 0.5) / (frequency + 0.5))
    norm = k1 * (1 - b + b * lengths / max(lengths.mean(), 1e-9)) if len(lengths) else lengths
    data = _mapped(folder / "data.npy", np.float32, int(ends[-1]))
    indices = _mapped(folder / "indices.npy", np.int32, int(ends[-1]))
    following = ends[:-1].copy()
    for batch in entries():
        word, rows, counts = batch["word"], batch["row"], batch["count"]
        starts = np.flatnonzero(np.diff(word, prepend=-1))
        runs = np.diff(starts, append=len(word))
        at = following[word] + np.arange(len(word)) - np.repeat(starts, runs)
        indices[at] = rows
        data[at] = rarity[word] * counts / (norm[rows] + counts)
        following[word[starts]] += runs
    small = ends[-1] < np.iinfo(np.int32).max
    return {
        "data": data,
        "indices": indices,
        "indptr": ends.astype(np.int32) if small else ends,
        "num_docs": len(lengths),
    }


def _mapped(path: Path, kind: type[np.generic], size: int) -> NDArray[Any]:
    if not size:  # nothing cannot be mapped
        return np.zeros(0, kind)
    mapped: NDArray[Any] = np.lib.format.open_memmap(path, "w+", np.dtype(kind), (size,))
    return mapped
