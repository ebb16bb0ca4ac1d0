"""The search of a corpus: words at once, vectors as soon as they are there, then both."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from verticals.medical.answer import Filters
from verticals.medical.retrieval.dense import VectorIndex, corpus_vectors
from verticals.medical.retrieval.filters import allowed
from verticals.medical.retrieval.fusion import reciprocal_rank_fusion
from verticals.medical.retrieval.lexical import LexicalIndex, top

if TYPE_CHECKING:
    from core.models.encoder import TextEncoder
    from verticals.medical.corpus.store import Corpus
    from verticals.medical.retrieval.reranker import Reranker

Mode = Literal["hybrid", "lexical", "dense"]


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found; a rank of -1 says that the list lacks it."""

    row: int  # of the corpus
    bm25: float
    bm25_rank: int
    dense: float  # cosine; 0 without vectors
    dense_rank: int
    fused: float  # reciprocal-rank fusion of both lists
    score: float  # what the list is sorted by: the reranker's, else `fused`
    bm25_z: float = 0.0  # standard deviations above the mean over the corpus
    dense_z: float = 0.0  # the same of the cosine


class SearchIndex:
    """Hybrid search over one corpus; safe to share between threads."""

    def __init__(
        self, corpus: Corpus, encoder: TextEncoder, lexical: LexicalIndex, reranker: Reranker | None
    ) -> None:
        self.corpus, self.encoder = corpus, encoder
        self.lexical, self.reranker = lexical, reranker
        self._dense: VectorIndex | None = None
        self._error: BaseException | None = None
        self._thread: threading.Thread | None = None

    @classmethod
    def open(
        cls,
        corpus: Corpus,
        encoder: TextEncoder,
        *,
        folder: Path | None = None,
        reranker: Reranker | None = None,
        background: bool = True,
        vectors: np.ndarray | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> SearchIndex:
        """Open the word index at once, and the vectors in the background.

        Args:
            corpus: What is searched.
            encoder: Of questions and passages.
            folder: Keeps both indexes; by default beside the corpus.
            reranker: Orders the candidates; without it, reciprocal-rank fusion does.
            background: Whether vectors are made while words already answer.
            vectors: (n, d) of the corpus, if they are known: nothing is encoded then.
            progress: Called with the number of passages encoded.
        """
        folder = folder or corpus.folder / "index"
        index = cls(corpus, encoder, LexicalIndex.open(corpus, folder), reranker)

        def build() -> None:
            try:
                made = vectors
                if made is None:
                    made = corpus_vectors(corpus, encoder, folder, progress=progress)
                index._dense = VectorIndex.build(made)
            except BaseException as error:  # handed to whoever waits
                index._error = error

        index._thread = threading.Thread(target=build, name="vectors", daemon=True)
        index._thread.start()
        if not background:
            index.wait()
        return index

    @property
    def dense_ready(self) -> bool:
        """Whether the vectors take part."""
        return self._dense is not None

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the vectors; returns whether they are there.

        Raises:
            Exception: Whatever stopped the build.
        """
        if self._thread is not None:
            self._thread.join(timeout)
        if self._error is not None:
            raise self._error
        return self.dense_ready

    def vectors(self) -> np.ndarray:
        """(n, d) float16 vectors of the corpus; waits for them."""
        self.wait()
        assert self._dense is not None  # noqa: S101 - wait() raised otherwise
        return np.ascontiguousarray(self._dense.vectors, np.float16)

    def vectors_of(self, rows: list[int]) -> np.ndarray:
        """(len(rows), d) float32 vectors of some rows; waits for them."""
        self.wait()
        assert self._dense is not None  # noqa: S101 - wait() raised otherwise
        found: np.ndarray = self._dense.vectors[np.asarray(rows, np.int64)].astype(np.float32)
        return found

    def search(
        self,
        question: str,
        *,
        k: int = 20,
        filters: Filters | None = None,
        mode: Mode = "hybrid",
        depth: int = 100,
    ) -> list[Hit]:
        """The k best passages.

        Args:
            question: Checked, in English.
            k: How many to return.
            filters: Which documents may answer.
            mode: hybrid, or one of the two lists alone.
            depth: How far each list is read before they are merged.

        Raises:
            ParameterError: A filter names what is not in the corpus.
        """
        hits = self.candidates(question, filters=filters, mode=mode, depth=depth)
        if self.reranker is not None and mode == "hybrid" and self.dense_ready:
            return self.reranker.rerank(question, hits, self)[:k]
        order = {"hybrid": "fused", "lexical": "bm25", "dense": "dense"}[mode]
        return sorted(hits, key=lambda hit: -getattr(hit, order))[:k]

    def candidates(
        self,
        question: str,
        *,
        filters: Filters | None = None,
        mode: Mode = "hybrid",
        depth: int = 100,
    ) -> list[Hit]:
        """What either list finds, in no order; arguments as in `search`."""
        mask = allowed(self.corpus, filters)
        dense = self._dense if mode != "lexical" else None
        words = self.lexical.scores(question)
        by_words = _NOTHING
        if mode != "dense" or dense is None:
            by_words = top(words if mask is None else np.where(mask, words, 0), depth)[0]
        if dense is None:
            return _hits(by_words, words, by_words, None, _NOTHING)
        vector = self.encoder.encode([question])[0]
        by_vectors, _ = dense.search(vector, depth, mask)
        rows = np.array(list(dict.fromkeys([*by_words.tolist(), *by_vectors.tolist()])), np.int64)
        near = dense.cosines(vector, rows), dense.spread(vector)
        return _hits(rows, words, by_words, near, by_vectors)


_NOTHING = np.zeros(0, np.int64)


def _hits(
    rows: np.ndarray,
    words: np.ndarray,
    by_words: np.ndarray,
    near: tuple[np.ndarray, tuple[float, float]] | None,
    by_vectors: np.ndarray,
) -> list[Hit]:
    """Candidates with both scores, wherever they were found."""
    places = [_places(rows, by_words), _places(rows, by_vectors)]
    fused = reciprocal_rank_fusion(places)
    cosines, (centre, width) = near or (np.zeros(len(rows), np.float32), (0.0, 1.0))
    mean, spread = float(words.mean() if len(words) else 0), float(words.std()) or 1.0
    return [
        Hit(
            int(row), float(words[row]), int(a), float(c), int(b), float(f), float(f),
            (float(words[row]) - mean) / spread, (float(c) - centre) / (width or 1.0),
        )
        for row, a, b, c, f in zip(rows, *places, cosines, fused, strict=True)
    ]  # fmt: skip


def _places(rows: np.ndarray, ranked: np.ndarray) -> np.ndarray:
    """(n,) place of every row in a list, -1 if it is not there."""
    places = {int(row): place for place, row in enumerate(ranked)}
    return np.array([places.get(int(row), -1) for row in rows], np.int64)
