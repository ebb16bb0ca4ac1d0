"""Word search: BM25 over stemmed passages and their titles, kept on disk and memory-mapped."""

from __future__ import annotations

import re
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from verticals.medical.retrieval.postings import Vocabulary, build_postings

if TYPE_CHECKING:
    from verticals.medical.corpus.store import Corpus

K1, B = 1.5, 0.75  # Robertson and Zaragoza (2009); Lucene's form of BM25
TITLES = 2  # times that a title counts beside its passage
_WORD = re.compile(r"\w\w+")
_BATCH = 2_000


@dataclass(frozen=True)
class LexicalIndex:
    """BM25 over the rows of a corpus."""

    bm25: Any  # bm25s.BM25
    rows: int

    @classmethod
    def open(cls, corpus: Corpus, folder: Path) -> LexicalIndex:
        """The index of a corpus, built first if the folder holds none of its content.

        Args:
            corpus: What is searched.
            folder: Keeps the index; one of an older content is removed.
        """
        bm25s = quiet_bm25s()
        place = folder / f"lexical-{corpus.fingerprint[:16]}"
        if not place.is_dir():
            _build(corpus, place)
        # bm25s writes plain arrays; nothing pickled is ever read.
        found = bm25s.BM25.load(str(place), mmap=True, allow_pickle=False, show_progress=False)
        return cls(found, len(corpus))

    def scores(self, question: str) -> np.ndarray:
        """(rows,) float32 BM25 of every passage; all zero if no word is known."""
        known = [w for w in stems(question) if w in self.bm25.vocab_dict]
        if not known:
            return np.zeros(self.rows, np.float32)
        found: np.ndarray = self.bm25.get_scores(known)
        return found

    def knows(self, stem: str) -> bool:
        """Whether any passage holds a stem."""
        return stem in self.bm25.vocab_dict

    def rarity(self, words: Sequence[str]) -> np.ndarray:
        """(n,) inverse document frequency of stems, in BM25's form; the highest where unknown."""
        ends = self.bm25.scores["indptr"]
        numbers = [self.bm25.vocab_dict.get(w) for w in words]
        counts = np.array([0 if i is None else ends[i + 1] - ends[i] for i in numbers], float)
        return np.log1p((self.rows - counts + 0.5) / (counts + 0.5))

    def search(
        self, question: str, k: int, mask: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """The k best rows that share a word with the question, and their scores."""
        scores = self.scores(question)
        if mask is not None:
            scores = np.where(mask, scores, 0)
        return top(scores, k)


def top(scores: np.ndarray, k: int, least: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the k highest scores above `least`, best first; of equals, the first row."""
    k = min(k, len(scores))
    if not k:
        return np.zeros(0, np.int64), np.zeros(0, np.float32)
    part = np.argpartition(-scores, k - 1)[:k] if k < len(scores) else np.arange(len(scores))
    order = part[np.lexsort((part, -scores[part]))]
    order = order[scores[order] > least]
    return order.astype(np.int64), scores[order].astype(np.float32)


def stems(text: str) -> list[str]:
    """Stemmed words of a text without the commonest ones, as the index holds them."""
    stemmer, common = _stemmer()
    words = [w for w in _WORD.findall(text.lower()) if w not in common]
    found: list[str] = stemmer.stemWords(words)
    return found


@cache
def _stemmer() -> tuple[Any, frozenset[str]]:
    import Stemmer

    quiet_bm25s()
    from bm25s.stopwords import STOPWORDS_EN

    # A cache inside the stemmer is not safe to share between threads.
    return Stemmer.Stemmer("english", 0), frozenset(STOPWORDS_EN)


def _build(corpus: Corpus, place: Path) -> None:
    """Index batch by batch; the folder appears when it is complete."""
    stemmer, common = _stemmer()
    vocabulary = Vocabulary(lambda word: None if word in common else stemmer.stemWord(word))
    place.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=place.parent, prefix="lexical-new-"))
    build_postings(_words(corpus), vocabulary, fresh, k1=K1, b=B)
    for old in place.parent.glob("lexical-*"):
        if old != fresh:
            shutil.rmtree(old, ignore_errors=True)
    fresh.rename(place)


def _words(corpus: Corpus) -> Iterator[list[list[str]]]:
    """The words of every passage and, so often, of its title, in order of rows."""
    for start in range(0, len(corpus), _BATCH):
        rows = range(start, min(start + _BATCH, len(corpus)))
        yield [
            _WORD.findall(f"{f'{title} ' * TITLES}{passage.text}".lower())
            for title, passage in corpus.titled(rows)
        ]


def quiet_bm25s() -> Any:
    """The library, imported without its wish for notebook widgets."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import bm25s

    return bm25s
