"""How fast the search is: encoding, and a warm question over many passages.

    python -m bench.medical.speed --passages 100000

Each number stands beside what a user would otherwise pick, measured in the same run on the same
texts: sentence-transformers with its defaults; bm25s, sentence-transformers and NumPy used
plainly; and Haystack's hybrid pipeline, at a size that its store in memory bears. Vectors of
the made-up passages are drawn at random: the time of a search does not depend on what they mean.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.machine import machine, write_result

QUESTIONS, WARM_UP = 100, 5
DEPTH, ANSWERS = 100, 10
PACKAGES = ("bm25s", "faiss-cpu", "haystack-ai", "onnxruntime", "sentence-transformers", "torch")

Search = Callable[[str], Any]


def main() -> None:
    """Measure everything; write bench/results/medical_speed.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", type=int, default=100_000)
    parser.add_argument("--haystack", type=int, default=2_000, help="passages for Haystack")
    parser.add_argument("--texts", type=int, default=300, help="texts to encode")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    given = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(given.threads)  # before anything that reads it is imported
    result: dict[str, Any] = {
        "machine": machine(*PACKAGES),
        "threads": given.threads,
        "encode": encoding(given.texts, given.threads),
    }
    print(json.dumps(result["encode"]), flush=True)
    for name, size, rivals in (
        ("large", given.passages, {"plain": plain}),
        ("small", given.haystack, {"plain": plain, "haystack": haystack}),
    ):
        result[name] = searching(size, given.threads, rivals)
        print(name, json.dumps(result[name]), flush=True)
    large, small = result["large"], result["small"]
    result["ratios"] = {
        "encode_over_sentence_transformers": result["encode"]["ratio"],
        "question_p95_over_plain": round(large["ours"]["p95_ms"] / large["plain"]["p95_ms"], 3),
        "question_p95_over_haystack": round(
            small["ours"]["p95_ms"] / small["haystack"]["p95_ms"], 4
        ),
    }
    result["headline"] = {
        "texts encoded, times as fast as sentence-transformers": result["encode"]["ratio"],
        f"question over {given.passages:,} passages, p95 ms": large["ours"]["p95_ms"],
        "... with bm25s, sentence-transformers and NumPy, p95 ms": large["plain"]["p95_ms"],
        f"question over {given.haystack:,} passages, p95 ms": small["ours"]["p95_ms"],
        "... with Haystack's hybrid pipeline, p95 ms": small["haystack"]["p95_ms"],
    }
    print(json.dumps(result["ratios"], indent=2))
    print(write_result("medical_speed", result))


def encoding(count: int, threads: int) -> dict[str, float]:
    """Passages and sentences of the guidelines a second, by the kit and by its rival."""
    from core.models.encoder import TextEncoder

    texts = guideline_texts(count)
    encoder, rival = TextEncoder.open("minilm", threads=threads), sentence_transformer(threads)
    found, vectors = {}, []
    for name, encode in (("ours", encoder.encode), ("sentence_transformers", rival.encode)):
        encode(texts[:16])
        began = time.perf_counter()
        vectors.append(np.asarray(encode(texts)))
        found[f"{name}_per_s"] = round(len(texts) / (time.perf_counter() - began), 1)
    norms = np.linalg.norm(vectors[1], axis=1)
    found["mean_cosine"] = round(float(((vectors[0] * vectors[1]).sum(1) / norms).mean()), 4)
    found["ratio"] = round(found["ours_per_s"] / found["sentence_transformers_per_s"], 2)
    return found


def guideline_texts(count: int) -> list[str]:
    """Half passages, half single sentences: lengths as a corpus and its answers have them."""
    from verticals.medical.corpus.ingest import ingest
    from verticals.medical.evidence.sentences import split_sentences

    with tempfile.TemporaryDirectory() as folder:
        corpus = ingest("guidelines", folder).corpus
        passages = [p.text for p in corpus.passages(range(len(corpus)))]
        corpus.close()
    sentences = [text[a:b] for text in passages for a, b in split_sentences(text)]
    draw = np.random.default_rng(0)
    half = [list(draw.choice(part, count // 2, replace=False)) for part in (passages, sentences)]
    texts = [str(text) for part in half for text in part]
    draw.shuffle(texts)
    return texts


def sentence_transformer(threads: int) -> Any:
    """The same weights in the library that most would use, with its defaults."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer import modules

    from core.models.resolver import resolve

    torch.set_num_threads(threads)
    body = modules.Transformer(str(resolve("minilm")), max_seq_length=256)
    pooling = modules.Pooling(body.get_embedding_dimension())
    return SentenceTransformer(modules=[body, pooling], device="cpu")


def searching(
    size: int, threads: int, rivals: dict[str, Callable[..., Search]]
) -> dict[str, dict[str, float]]:
    """Milliseconds of a question over so many made-up abstracts, one search after another."""
    from bench.medical.ingest import write_abstracts
    from core.models.encoder import TextEncoder
    from verticals.medical.corpus.ingest import ingest
    from verticals.medical.retrieval.index import SearchIndex
    from verticals.medical.retrieval.reranker import Reranker

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_abstracts(folder / "a.jsonl", size)
        corpus = ingest(folder / "a.jsonl", folder / "c").corpus
        encoder = TextEncoder.open("minilm", threads=threads)
        vectors = random_vectors(len(corpus), encoder.dimension)
        index = SearchIndex.open(
            corpus, encoder, reranker=Reranker.open(), background=False, vectors=vectors
        )
        questions = made_up_questions(corpus)
        searches: dict[str, Search] = {
            "ours": lambda question: index.search(question, k=ANSWERS),
            "ours_without_reranker": lambda question: sorted(
                index.candidates(question), key=lambda hit: -hit.fused
            )[:ANSWERS],
        }
        found = {name: timed(search, questions) for name, search in searches.items()}
        for name, rival in rivals.items():
            titled = corpus.titled(range(len(corpus)))
            texts = [f"{title} {passage.text}" for title, passage in titled]
            found[name] = timed(rival(texts, vectors, threads), questions)
        corpus.close()
    return found


def random_vectors(rows: int, dimension: int) -> np.ndarray:
    """(rows, dimension) float32 of length one."""
    drawn = np.random.default_rng(0).standard_normal((rows, dimension)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def made_up_questions(corpus: Any) -> list[str]:
    """Eight words each of a passage, the commonest kind included."""
    rows = np.linspace(0, len(corpus) - 1, QUESTIONS).astype(int)
    return [" ".join(p.text.split()[3:11]).replace(".", "") + "?" for p in corpus.passages(rows)]


def timed(search: Search, questions: Sequence[str]) -> dict[str, float]:
    """Median and 95th percentile of warm searches."""
    for question in questions[:WARM_UP]:
        search(question)
    took = []
    for question in questions:
        began = time.perf_counter()
        search(question)
        took.append(1000 * (time.perf_counter() - began))
    return {
        "p50_ms": round(float(np.percentile(took, 50)), 1),
        "p95_ms": round(float(np.percentile(took, 95)), 1),
    }


def plain(texts: list[str], vectors: np.ndarray, threads: int) -> Search:
    """bm25s, sentence-transformers and a matrix product, put together by hand."""
    import bm25s
    import Stemmer

    stemmer = Stemmer.Stemmer("english")
    words = bm25s.BM25()
    words.index(bm25s.tokenize(texts, stemmer=stemmer, show_progress=False), show_progress=False)
    model = sentence_transformer(threads)

    def search(question: str) -> list[int]:
        asked = bm25s.tokenize(question, stemmer=stemmer, show_progress=False)
        by_words = words.retrieve(asked, k=DEPTH, show_progress=False).documents[0]
        cosines = vectors @ model.encode(question, normalize_embeddings=True)
        by_vectors = np.argsort(-cosines)[:DEPTH]
        fused: dict[int, float] = {}
        for ranked in (by_words, by_vectors):
            for place, row in enumerate(ranked.tolist()):
                fused[row] = fused.get(row, 0.0) + 1 / (60 + place)
        return sorted(fused, key=lambda row: -fused[row])[:ANSWERS]

    return search


def haystack(texts: list[str], vectors: np.ndarray, threads: int) -> Search:
    """Haystack's hybrid pipeline as its tutorial builds it, over its store in memory."""
    from haystack import Document, Pipeline, component
    from haystack.components.joiners import DocumentJoiner
    from haystack.components.retrievers.in_memory import (
        InMemoryBM25Retriever,
        InMemoryEmbeddingRetriever,
    )
    from haystack.document_stores.in_memory import InMemoryDocumentStore

    model = sentence_transformer(threads)

    @component
    class Embedder:
        """Haystack 3 has its own embedder in a package of its own; this is the same call."""

        @component.output_types(embedding=list[float])
        def run(self, text: str) -> dict[str, list[float]]:
            return {"embedding": model.encode(text, show_progress_bar=False).tolist()}

    store = InMemoryDocumentStore(embedding_similarity_function="cosine")
    store.write_documents(
        [
            Document(id=str(row), content=text, embedding=vector.tolist())
            for row, (text, vector) in enumerate(zip(texts, vectors, strict=True))
        ]
    )
    pipeline = Pipeline()
    pipeline.add_component("embedder", Embedder())
    pipeline.add_component("words", InMemoryBM25Retriever(store, top_k=DEPTH))
    pipeline.add_component("vectors", InMemoryEmbeddingRetriever(store, top_k=DEPTH))
    join = DocumentJoiner(join_mode="reciprocal_rank_fusion", top_k=ANSWERS)
    pipeline.add_component("joiner", join)
    pipeline.connect("embedder.embedding", "vectors.query_embedding")
    pipeline.connect("words", "joiner")
    pipeline.connect("vectors", "joiner")
    return lambda question: pipeline.run(
        {"embedder": {"text": question}, "words": {"query": question}}
    )


if __name__ == "__main__":
    main()
