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
            index.own_fields = True
            index.quantizer.this.disown()
            index.nprobe = max(16, cells // 20)
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
    goes on, and a changed corpus encodes what changed.

    Args:
        corpus: Whose passages.
        encoder: Makes the vectors.
        folder: Keeps them.
        progress: Called with the passages done.
    """
    place = folder / f"vectors-{encoder.id}"
    place.mkdir(parents=True, exist_ok=True)
    known = _known(place, encoder.dimension)
    where = np.empty(len(corpus), np.int64)
    done = 0
    for rows, texts in encoded_texts(corpus):
        keys = [hashlib.sha256(t.encode()).digest()[:_KEY] for t in texts]
        fresh = {k: t for k, t in zip(keys, texts, strict=True) if k not in known}
        if fresh:
            _append(place, list(fresh), encoder.encode(list(fresh.values())), known)
        where[rows] = [known[k] for k in keys]
        done += len(texts)
        if progress is not None:
            progress(done)
    stored = _stored(place, encoder.dimension)
    return stored[where] if len(where) else np.zeros((0, encoder.dimension), np.float16)


def encoded_texts(corpus: Corpus) -> Iterator[tuple[np.ndarray, list[str]]]:
    """Rows in blocks, and what is encoded of them: the title, then the passage."""
    for rows, passages in corpus.iter_passages(_CHUNK):
        titles = {name: corpus.document(name).title for name in {p.document for p in passages}}
        yield rows, [f"{titles[p.document]} {p.text}" for p in passages]


def _known(place: Path, dimension: int) -> dict[bytes, int]:
    """Where each hash's vector stands; an unfinished last write is cut off."""
    vectors, keys = place / "vectors.f16", place / "keys.bin"
    for file in (vectors, keys):
        file.touch()
    whole = min(vectors.stat().st_size // (2 * dimension), keys.stat().st_size // _KEY)
    os.truncate(vectors, whole * 2 * dimension)
    os.truncate(keys, whole * _KEY)
    packed = keys.read_bytes()
    return {packed[i * _KEY : (i + 1) * _KEY]: i for i in range(whole)}


def _append(place: Path, keys: list[bytes], vectors: np.ndarray, known: dict[bytes, int]) -> None:
    with (place / "vectors.f16").open("ab") as sink:
        sink.write(vectors.astype(np.float16).tobytes())
        sink.flush()
        os.fsync(sink.fileno())
    with (place / "keys.bin").open("ab") as sink:
        sink.write(b"".join(keys))
    known |= {key: len(known) + i for i, key in enumerate(keys)}


def _stored(place: Path, dimension: int) -> np.ndarray:
    file = place / "vectors.f16"
    if not file.stat().st_size:
        return np.zeros((0, dimension), np.float16)
    return np.memmap(file, np.float16, "r").reshape(-1, dimension)


def _faiss() -> Any:
    """The library, untyped: its hints are those of its C++ and fit no call."""
    import faiss

    return faiss
