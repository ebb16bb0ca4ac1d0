"""Words answer at once, vectors join them, filters hold, and nothing retracted comes out."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from core.errors import ParameterError
from verticals.medical.answer import Filters
from verticals.medical.corpus.documents import Document
from verticals.medical.corpus.ingest import ingest
from verticals.medical.corpus.store import Corpus
from verticals.medical.retrieval.filters import allowed
from verticals.medical.retrieval.index import SearchIndex

TOPICS = ["aspirin stroke", "warfarin bleeding", "salbutamol asthma", "colchicine gout"]


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    documents = [
        Document(
            f"d{n}", f"Trial {n} of {TOPICS[n % 4]}",
            f"Patients {n} received {TOPICS[n % 4]} treatment in arm {n % 3}.",
            year=None if n == 12 else 2000 + n % 20,
            organisation=("ESC", "NICE", "")[n % 3],
            publication_types=(
                ("Practice Guideline",) if n % 3 < 2 else ("Randomized Controlled Trial",)
            ),
            retracted=n == 3,
        )
        for n in range(48)
    ]  # fmt: skip
    return ingest(documents, tmp_path / "corpus").corpus


def names(corpus: Corpus, hits: Sequence) -> list[str]:
    return [p.document for p in corpus.passages([hit.row for hit in hits])]


def test_words_answer_while_vectors_are_made(corpus: Corpus, words) -> None:
    go, encode = threading.Event(), words.encode

    def slow(texts: Sequence[str], **settings: object) -> np.ndarray:
        go.wait(20)
        return encode(texts, **settings)

    words.encode = slow
    index = SearchIndex.open(corpus, words)
    hits = index.search("colchicine for gout", k=5)
    assert not index.dense_ready
    assert not index.wait(timeout=0.01)
    assert {hit.dense_rank for hit in hits} == {-1}
    assert all(int(name[1:]) % 4 == 3 for name in names(corpus, hits))
    go.set()
    assert index.wait()
    assert any(hit.dense_rank >= 0 for hit in index.search("colchicine for gout", k=5))


def test_both_lists_are_merged_by_their_ranks(corpus: Corpus, words) -> None:
    index = SearchIndex.open(corpus, words, background=False)
    hits = index.search("warfarin bleeding in arm 2", k=10)
    for hit in hits:
        ranks = [r for r in (hit.bm25_rank, hit.dense_rank) if r >= 0]
        assert hit.fused == pytest.approx(sum(1 / (61 + rank) for rank in ranks))
    assert [h.score for h in hits] == sorted((h.score for h in hits), reverse=True)
    found = (
        index.vectors_of([h.row for h in hits]) @ words.encode(["warfarin bleeding in arm 2"])[0]
    )
    assert np.allclose([h.dense for h in hits], found, atol=2e-3)


@pytest.mark.parametrize("mode", ["hybrid", "lexical", "dense"])
def test_what_was_retracted_never_comes_out(corpus: Corpus, words, mode) -> None:
    index = SearchIndex.open(corpus, words, background=False)
    found = names(corpus, index.search("Trial 3 of colchicine gout", k=48, mode=mode))
    assert found
    assert "d3" not in found


@pytest.mark.parametrize("mode", ["hybrid", "lexical", "dense"])
def test_filters_hold_in_every_mode(corpus: Corpus, words, mode) -> None:
    index = SearchIndex.open(corpus, words, background=False)
    filters = Filters(year_from=2005, year_to=2010, organisations=("esc",))
    hits = index.search("aspirin treatment", k=48, filters=filters, mode=mode)
    found = [corpus.document(name) for name in names(corpus, hits)]
    assert found
    assert all(d.organisation == "ESC" and 2005 <= d.year <= 2010 for d in found)


def test_a_filter_does_not_change_how_much_a_word_weighs(corpus: Corpus, words) -> None:
    index = SearchIndex.open(corpus, words, background=False)
    free = {h.row: h for h in index.candidates("aspirin stroke")}
    kept = index.candidates("aspirin stroke", filters=Filters(organisations=("NICE",)))
    assert kept
    for hit in kept:
        if hit.row in free:
            assert hit.bm25_z == pytest.approx(free[hit.row].bm25_z)
            assert hit.dense_z == pytest.approx(free[hit.row].dense_z)


def test_masks_follow_year_and_kind(corpus: Corpus) -> None:
    assert allowed(corpus, None) is None
    assert allowed(corpus, Filters()) is None
    columns = corpus.columns()
    early = allowed(corpus, Filters(year_to=2005))
    assert early is not None
    assert np.array_equal(early, (columns["year"] > 0) & (columns["year"] <= 2005))
    guidelines = allowed(corpus, Filters(grades=("guideline",)))
    assert guidelines is not None
    assert 0 < guidelines.sum() < len(corpus)


def test_a_wrong_filter_is_one_clear_line(corpus: Corpus) -> None:
    with pytest.raises(ParameterError, match="holds no year"):
        allowed(corpus, Filters(year_from=2010, year_to=2000))
    with pytest.raises(ParameterError, match="WHO") as error:
        allowed(corpus, Filters(organisations=("WHO",)))
    assert "ESC" in str(error.value)


def test_known_vectors_are_not_made_again(corpus: Corpus, words) -> None:
    first = SearchIndex.open(corpus, words, background=False)
    words.encoded.clear()
    again = SearchIndex.open(corpus, words, background=False, vectors=first.vectors())
    assert not words.encoded
    question = "salbutamol in asthma"
    assert again.search(question) == first.search(question)


def test_many_threads_ask_one_index(corpus: Corpus, words) -> None:
    index = SearchIndex.open(corpus, words, background=False)
    expected = {topic: index.search(topic) for topic in TOPICS}
    with ThreadPoolExecutor(8) as pool:
        for topic, hits in zip(TOPICS * 10, pool.map(index.search, TOPICS * 10), strict=True):
            assert hits == expected[topic]


def test_what_stopped_the_vectors_is_told_to_whoever_waits(corpus: Corpus, words) -> None:
    def broken(texts: Sequence[str], **_: object) -> np.ndarray:
        raise OSError("no space left")

    words.encode = broken
    index = SearchIndex.open(corpus, words)
    with pytest.raises(OSError, match="no space left"):
        index.wait()
    assert index.search("colchicine gout", k=3)
