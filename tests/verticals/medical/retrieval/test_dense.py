"""Vectors are made once for each text, survive a kill, and are found again by every index."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from verticals.medical.corpus.documents import Document
from verticals.medical.corpus.ingest import ingest
from verticals.medical.corpus.store import Corpus
from verticals.medical.retrieval import dense
from verticals.medical.retrieval.dense import VectorIndex, corpus_vectors, encoded_texts


def clustered(rows: int, dimension: int = 32, seed: int = 0) -> np.ndarray:
    """Unit vectors around topics, as embeddings of a corpus are."""
    draw = np.random.default_rng(seed)
    centres = draw.standard_normal((max(rows // 40, 1), dimension))
    vectors = centres[draw.integers(0, len(centres), rows)]
    vectors = vectors + 0.7 * draw.standard_normal((rows, dimension))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    return clustered(6_000)


def best(vectors: np.ndarray, query: np.ndarray, k: int, mask: np.ndarray | None = None) -> set:
    near = vectors @ query
    if mask is not None:
        near = np.where(mask, near, -2)
    return set(np.argsort(-near)[:k].tolist())


@pytest.mark.parametrize(("kind", "least"), [("flat", 1.0), ("hnsw", 0.95), ("ivf", 0.95)])
@pytest.mark.parametrize("masked", [False, True])
def test_an_index_finds_what_comparing_all_finds(
    vectors: np.ndarray, kind: dense.Kind, least: float, masked: bool
) -> None:
    index = VectorIndex.build(vectors, kind)
    mask = np.arange(len(vectors)) % 4 == 1 if masked else None
    shares = []
    for row in range(7, 6_000, 200):
        query = clustered(1, seed=row)[0] * 0.3 + vectors[row]
        query /= np.linalg.norm(query)
        rows, cosines = index.search(query, 10, mask)
        assert np.all(np.diff(cosines) <= 1e-6)
        assert np.allclose(cosines, vectors[rows] @ query, atol=2e-3)
        assert mask is None or mask[rows].all()
        shares.append(len(best(vectors, query, 10, mask) & set(rows.tolist())) / 10)
    assert np.mean(shares) >= least


def test_a_narrow_mask_gives_what_there_is(vectors: np.ndarray) -> None:
    index = VectorIndex.build(vectors, "flat")
    mask = np.zeros(len(vectors), bool)
    assert not index.search(vectors[0], 10, mask)[0].size
    mask[[5, 9]] = True
    assert set(index.search(vectors[0], 10, mask)[0].tolist()) == {5, 9}


def test_the_spread_is_that_of_all_cosines(vectors: np.ndarray) -> None:
    near = vectors @ vectors[3]
    found = VectorIndex.build(vectors, "flat").spread(vectors[3])
    assert found == pytest.approx((near.mean(), near.std()), abs=1e-3)


def documents(count: int) -> list[Document]:
    topics = ["aspirin", "warfarin", "asthma", "gout", "stroke"]
    return [
        Document(f"d{n}", f"Trial {n} of {topics[n % 5]}", f"Dose {n} of {topics[n % 5]} given.")
        for n in range(count)
    ]


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    return ingest(documents(60), tmp_path / "corpus").corpus


def test_only_what_is_new_is_encoded(corpus: Corpus, tmp_path: Path, words) -> None:
    folder = tmp_path / "index"
    first = corpus_vectors(corpus, words, folder)
    texts = [text for _, block in encoded_texts(corpus) for text in block]
    assert words.encoded == texts
    assert np.abs(first - words.encode(texts)).max() < 1e-3
    words.encoded.clear()
    assert np.array_equal(corpus_vectors(corpus, words, folder), first)
    assert not words.encoded
    more = ingest([Document("new", "Colchicine", "It treats gout.")], corpus.folder).corpus
    again = corpus_vectors(more, words, folder)
    assert words.encoded == ["Colchicine It treats gout."]
    assert np.array_equal(again[: len(first)], first)


def test_a_killed_build_goes_on(
    corpus: Corpus, tmp_path: Path, words, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dense, "_CHUNK", 16)
    whole = corpus_vectors(corpus, words, tmp_path / "whole")
    words.encoded.clear()

    def killed(done: int) -> None:
        if done > 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        corpus_vectors(corpus, words, tmp_path / "cut", progress=killed)
    (file,) = (tmp_path / "cut").iterdir()
    file.write_bytes(file.read_bytes()[:-5])  # ... in the middle of a write
    encoded = len(words.encoded)
    assert np.array_equal(corpus_vectors(corpus, words, tmp_path / "cut"), whole)
    assert len(words.encoded) - encoded == len(corpus) - encoded + 1


def test_two_builds_at_once_do_no_harm(
    corpus: Corpus, tmp_path: Path, words, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dense, "_CHUNK", 16)
    whole = corpus_vectors(corpus, words, tmp_path / "whole")
    folder = tmp_path / "shared"

    def meanwhile(done: int) -> None:
        if done == 16:
            assert np.array_equal(corpus_vectors(corpus, words, folder), whole)

    assert np.array_equal(corpus_vectors(corpus, words, folder, progress=meanwhile), whole)
    assert np.array_equal(corpus_vectors(corpus, words, folder), whole)


def test_a_corpus_without_passages_has_no_vectors(tmp_path: Path, words) -> None:
    empty = ingest([Document("e", "A title alone", "")], tmp_path / "c").corpus
    found = corpus_vectors(empty, words, tmp_path / "i")
    assert found.shape == (0, words.dimension)
    assert not VectorIndex.build(found).search(np.ones(words.dimension), 5)[0].size
