from __future__ import annotations

import numpy as np
import pytest

from verticals.medical.corpus.documents import Document
from verticals.medical.corpus.ingest import ingest
from verticals.medical.retrieval import postings
from verticals.medical.retrieval.lexical import K1, TITLES, B, LexicalIndex, stems

WORDS = [
    "heart",
    "failure",
    "dose",
    "of",
    "aspirin",
    "the",
    "trials",
    "renal",
    "5",
    "mg",
    "daily",
    "studies",
    "studied",
    "β-blocker",
]


def documents(count: int) -> list[Document]:
    rng = np.random.default_rng(3)
    return [
        Document(f"d{n}", f"Title {n % 7} {WORDS[n % 5]}", " ".join(rng.choice(WORDS, 5 + n % 60)))
        for n in range(count)
    ]


@pytest.fixture
def corpus(tmp_path):
    return ingest(documents(300), tmp_path / "c").corpus


@pytest.mark.parametrize("batch", [7, 100, 5000])
def test_scores_are_those_of_bm25s(corpus, tmp_path, monkeypatch, batch):
    import bm25s

    monkeypatch.setattr("verticals.medical.retrieval.lexical._BATCH", batch)
    index = LexicalIndex.open(corpus, tmp_path / "i")
    reference = bm25s.BM25(k1=K1, b=B, method="lucene")
    titled = corpus.titled(range(len(corpus)))
    words = [stems(f"{title} " * TITLES + passage.text) for title, passage in titled]
    reference.index(words, show_progress=False)
    for question in ("aspirin dose", "The studies of heart failures", "title 3 trial"):
        known = [w for w in stems(question) if w in reference.vocab_dict]
        assert np.allclose(index.scores(question), reference.get_scores(known), atol=1e-5)
    assert not index.scores("the of").any()
    assert not index.scores("xylophone").any()


def test_a_word_is_stemmed_alike_when_the_cache_is_full(corpus, tmp_path, monkeypatch):
    whole = LexicalIndex.open(corpus, tmp_path / "a").scores("aspirin trial")
    monkeypatch.setattr(postings, "CACHED", 2)
    assert np.array_equal(LexicalIndex.open(corpus, tmp_path / "b").scores("aspirin trial"), whole)


def test_the_index_is_built_once_for_each_content(corpus, tmp_path):
    folder = tmp_path / "i"
    first = LexicalIndex.open(corpus, folder)
    (place,) = folder.iterdir()
    before = place.stat().st_mtime_ns
    assert np.array_equal(LexicalIndex.open(corpus, folder).scores("dose"), first.scores("dose"))
    assert place.stat().st_mtime_ns == before
    more = ingest([Document("new", "Colchicine", "For gout.")], corpus.folder).corpus
    assert LexicalIndex.open(more, folder).scores("colchicine")[-1] > 0
    assert [p.name for p in folder.iterdir()] != [place.name]
    assert len(list(folder.iterdir())) == 1


def test_finds_the_best_rows_within_a_mask(corpus, tmp_path):
    index = LexicalIndex.open(corpus, tmp_path / "i")
    rows, scores = index.search("aspirin", 10)
    assert list(scores) == sorted(scores, reverse=True)
    assert np.array_equal(index.scores("aspirin")[rows], scores)
    mask = np.zeros(len(corpus), bool)
    mask[5:9] = True
    assert {*index.search("aspirin", 10, mask)[0].tolist()} <= {5, 6, 7, 8}
    assert index.knows(stems("trials")[0])
    rarities = index.rarity([*stems("aspirin"), "xylophon"])
    assert rarities[1] > rarities[0]


def test_a_corpus_without_passages_can_be_asked(tmp_path):
    corpus = ingest([Document("e", "A title alone", "")], tmp_path / "c").corpus
    index = LexicalIndex.open(corpus, tmp_path / "i")
    assert index.search("title", 5)[0].size == 0
