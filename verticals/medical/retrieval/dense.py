"""Vector search: embeddings kept by content, and a FAISS index chosen by size."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from core.models.encoder import TextEncoder
    from verticals.medical.corpus.store import Corpus

Kind = Literal["auto", "flat", "hnsw", "ivf"]
FLAT_UP_TO = 200_000  # passages: an exact search of so many takes about 20 ms
_CHUNK = 1_024  # passages encoded between two savings
_SAMPLE = 50_000  # passages that mean and covariance are taken from
_KEY = 16  # bytes of a passage's content hash


@dataclass(frozen=True)
class VectorIndex:
    """Vectors of a corpus' rows, searched by cosine."""

    vectors: np.ndarray  # (n, d) float16 of length one
    index: Any  # faiss.Index
    mean: np.ndarray  # (d,)
    covariance: np.ndarray  # (d, d)

    @classmethod
    def build(cls, vectors: np.ndarray, kind: Kind = "auto") -> VectorIndex:
        """Index vectors of length one.

        Args:
            vectors: (n, d).
            kind: flat is exact; ivf (Sivic and Zisserman, 2003) and hnsw (Malkov and Yashunin,
                2018) are for millions. auto takes flat up to `FLAT_UP_TO`, then ivf.
        """
        faiss = _faiss()
        n, d = vectors.shape
        if kind == "auto":
            kind = "flat" if n <= FLAT_UP_TO else "ivf"
        if kind == "flat":
            index: Any = faiss.IndexFlatIP(d)
        elif kind == "hnsw":
            index = faiss.IndexHNSWFlat(d, 32, faiss.METRIC_INNER_PRODUCT)
            index.hnsw.efConstruction, index.hnsw.efSearch = 80, 96
        else:
            cells = int(4 * np.sqrt(n))
            index = faiss.IndexIVFScalarQuantizer(
                faiss.IndexFlatIP(d), d, cells, faiss.ScalarQuantizer.QT_fp16,
                faiss.METRIC_INNER_PRODUCT,
            )  # fmt: skip
            index.nprobe = max(16, cells // 10)
            sample = np.random.default_rng(0).choice(n, min(n, 40 * cells), replace=False)
            index.train(vectors[np.sort(sample)].astype(np.float32))
        for start in range(0, n, 50_000):
            index.add(vectors[start : start + 50_000].astype(np.float32))
        rows = np.sort(np.random.default_rng(0).choice(n, min(n, _SAMPLE), replace=False))
        sample = vectors[rows].astype(np.float32)
        mean = sample.mean(axis=0) if len(sample) else np.zeros(d, np.float32)
        centred = sample - mean
        return cls(vectors, index, mean, centred.T @ centred / max(len(sample), 1))

    def search(
        self, vector: np.ndarray, k: int, mask: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """The k nearest rows, and their cosines.

        Args:
            vector: (d,) of the question, of length one.
            k: How many.
            mask: (n,) rows that may be found; None for all.
        """
        faiss = _faiss()
        if not len(self.vectors) or (mask is not None and not mask.any()):
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        parameters = None
        if mask is not None:
            selector = faiss.IDSelectorBitmap(np.packbits(mask, bitorder="little"))
            if isinstance(self.index, faiss.IndexIVF):
                parameters = faiss.SearchParametersIVF(sel=selector, nprobe=self.index.nprobe)
            elif isinstance(self.index, faiss.IndexHNSW):
                parameters = faiss.SearchParametersHNSW(sel=selector, efSearch=2 * k + 96)
            else:
                parameters = faiss.SearchParameters(sel=selector)
        query = np.ascontiguousarray(vector[None], np.float32)
        cosines, rows = self.index.search(query, min(k, len(self.vectors)), params=parameters)
        found = rows[0] >= 0
        return rows[0][found].astype(np.int64), cosines[0][found]

    def spread(self, vector: np.ndarray) -> tuple[float, float]:
        """Mean and standard deviation of the cosine over the corpus, without computing them all."""
        deviation = float(np.sqrt(max(vector @ self.covariance @ vector, 0.0)))
        return float(self.mean @ vector), deviation

    def cosines(self, vector: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """(k,) cosines of given rows."""
        near: np.ndarray = self.vectors[rows].astype(np.float32) @ vector
        return near


def corpus_vectors(
    corpus: Corpus,
    encoder: TextEncoder,
    folder: Path,
    *,
    progress: Callable[[int], None] | None = None,
) -> np.ndarray:
    """(n, d) float16 vectors of a corpus' passages; only what is new is encoded.

    Vectors are kept by the hash of what was encoded, appended as they are made: a killed build
    goes on, a changed corpus encodes what changed, and two builds at once do no harm.

    Args:
        corpus: Whose passages.
        encoder: Makes the vectors.
        folder: Keeps them.
        progress: Called with the passages done.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"vectors-{encoder.id}.bin"
    # Key and vector stand side by side and go to disk in one write, so that nothing that is
    # killed half-way, or written by another process in between, can part them.
    record = np.dtype([("key", f"V{_KEY}"), ("vector", "<f2", (encoder.dimension,))])
    known = set(_known(file, record))
    keys: list[bytes] = []
    for _, texts in encoded_texts(corpus):
        block = [hashlib.sha256(t.encode()).digest()[:_KEY] for t in texts]
        fresh = {k: t for k, t in zip(block, texts, strict=True) if k not in known}
        if fresh:
            _append(file, record, list(fresh), encoder.encode(list(fresh.values())))
            known |= fresh.keys()
        keys += block
        if progress is not None:
            progress(len(keys))
    if not keys:
        return np.zeros((0, encoder.dimension), np.float16)
    where = _known(file, record)
    found: np.ndarray = np.memmap(file, record, "r")["vector"][[where[k] for k in keys]]
    return found


def encoded_texts(corpus: Corpus) -> Iterator[tuple[np.ndarray, list[str]]]:
    """Rows in blocks, and what is encoded of them: the title, then the passage."""
    for start in range(0, len(corpus), _CHUNK):
        rows = np.arange(start, min(start + _CHUNK, len(corpus)), dtype=np.int64)
        yield rows, [f"{title} {passage.text}" for title, passage in corpus.titled(rows)]


def _known(file: Path, record: np.dtype[np.void]) -> dict[bytes, int]:
    """Where each hash's vector stands; an unfinished last write is cut off."""
    file.touch()
    size = file.stat().st_size
    if size % record.itemsize:
        os.truncate(file, size - size % record.itemsize)
    if size < record.itemsize:
        return {}
    packed = np.ascontiguousarray(np.memmap(file, record, "r")["key"]).tobytes()
    return {packed[at : at + _KEY]: at // _KEY for at in range(0, len(packed), _KEY)}


def _append(file: Path, record: np.dtype[np.void], keys: list[bytes], vectors: np.ndarray) -> None:
    rows = np.empty(len(keys), record)
    rows["key"] = np.frombuffer(b"".join(keys), f"V{_KEY}")
    rows["vector"] = vectors
    with file.open("ab", buffering=0) as sink:
        sink.write(rows.tobytes())


def _faiss() -> Any:
    """The library, untyped: its hints are those of its C++ and fit no call."""
    import faiss

    return faiss
