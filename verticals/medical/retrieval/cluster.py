"""Embedding as a Ray Data job: the same vectors as in one process, made by many machines."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import ModelError
from core.models.encoder import TextEncoder
from verticals.medical.retrieval.dense import VectorIndex, encoded_texts

if TYPE_CHECKING:
    from verticals.medical.corpus.store import Corpus

BLOCK = 4_096  # passages that travel together


class _Encode:
    """One worker's encoder, opened once."""

    def __init__(self, encoder: str) -> None:
        self.encoder = TextEncoder.open(encoder, threads=1)

    def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        vectors = self.encoder.encode(batch["text"].tolist())
        return {"row": batch["row"], "vector": vectors.astype(np.float16)}


def embed_on_cluster(
    corpus: Corpus,
    *,
    encoder: str = "minilm",
    address: str | None = None,
    workers: int = 2,
    batch: int = 256,
) -> np.ndarray:
    """Vectors of a corpus, as `corpus_vectors` makes them in one process.

    Args:
        corpus: Read here, block by block; workers see texts only.
        encoder: Asset, hub name or folder that every worker can open.
        address: Of a running cluster ("auto", "ray://host:10001"); by default one is started here.
        workers: Processes, each with an encoder on one core.
        batch: Passages that a worker gets at a time.

    Returns:
        (n, d) float16, in the order of the rows; pass it to `SearchIndex.open(vectors=...)`.

    Raises:
        ModelError: Ray is not installed, or the cluster does not answer.
    """
    ray = _started(address)
    blocks = [
        ray.data.from_items([{"row": int(r), "text": t} for r, t in block])
        for block in _blocks(corpus)
    ]
    if not blocks:
        return np.zeros((0, TextEncoder.open(encoder).dimension), np.float16)
    data = blocks[0].union(*blocks[1:]) if len(blocks) > 1 else blocks[0]
    done = data.map_batches(
        _Encode, fn_constructor_args=(encoder,), batch_size=batch, concurrency=workers, num_cpus=1
    )
    out: np.ndarray | None = None
    for part in done.iter_batches(batch_size=BLOCK, batch_format="numpy"):
        if out is None:
            out = np.zeros((len(corpus), part["vector"].shape[1]), np.float16)
        out[part["row"]] = part["vector"]
    assert out is not None  # noqa: S101 - there was a block, so there are vectors
    return out


def index_on_cluster(corpus: Corpus, **settings: Any) -> VectorIndex:
    """The vector index of a corpus, embedded by `embed_on_cluster` with these settings."""
    return VectorIndex.build(embed_on_cluster(corpus, **settings))


def _blocks(corpus: Corpus) -> Iterator[list[tuple[int, str]]]:
    held: list[tuple[int, str]] = []
    for rows, texts in encoded_texts(corpus):
        held += zip(rows.tolist(), texts, strict=True)
        if len(held) >= BLOCK:
            yield held
            held = []
    if held:
        yield held


def _started(address: str | None) -> Any:
    """Ray, connected; it neither phones home nor takes more memory than it needs."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError as error:
        raise ModelError(
            "Ray is not installed", remedy="pip install 'casekit[cluster]', or embed here"
        ) from error
    if ray.is_initialized():
        return ray
    root = str(Path(__file__).resolve().parents[3])
    environment = {"env_vars": {"PYTHONPATH": root, "OMP_NUM_THREADS": "1"}}
    local: dict[str, Any] = (
        {} if address else {"include_dashboard": False, "object_store_memory": 300 * 2**20}
    )
    try:
        ray.init(address=address, runtime_env=environment, log_to_driver=False,
                 logging_level=logging.ERROR, **local)  # fmt: skip
    except ConnectionError as error:
        raise ModelError(
            "the cluster does not answer", where=str(address), remedy="Check its address"
        ) from error
    import ray.data

    return ray
