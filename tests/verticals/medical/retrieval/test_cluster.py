"""A Ray Data job gives the vectors that one process gives."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from core.errors import ModelError
from core.models.encoder import TextEncoder
from verticals.medical.corpus.documents import Document
from verticals.medical.corpus.ingest import ingest
from verticals.medical.corpus.store import Corpus
from verticals.medical.retrieval.cluster import embed_on_cluster
from verticals.medical.retrieval.dense import corpus_vectors


def corpus_of(folder: Path) -> Corpus:
    documents = [
        Document(
            f"d{n}", f"Trial {n} of drug {n}", f"Drug {n} lowered the pressure by {n} mm. " * 5
        )
        for n in range(40)
    ]
    return ingest(documents, folder).corpus


@pytest.mark.slow
def test_many_workers_make_the_same_vectors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CASEKIT_HOME", str(tmp_path / "home"))
    import ray

    corpus = corpus_of(tmp_path / "corpus")
    here = corpus_vectors(corpus, TextEncoder.open(threads=1), tmp_path)
    try:
        there = embed_on_cluster(corpus, workers=2, batch=8)
    finally:
        ray.shutdown()
    # Batches differ, and int8 rounds by batch.
    near = (here.astype(np.float32) * there.astype(np.float32)).sum(axis=1)
    assert here.shape == there.shape
    assert near.min() > 0.98


def test_without_ray_there_is_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ModelError, match="Ray is not installed"):
        embed_on_cluster(corpus_of(tmp_path))
