"""Adapts the encoder to a client's corpus: contrastive, with mined hard negatives, by LoRA.

What is learned is a small adapter, merged when `TextEncoder.open(adapter=...)` opens the encoder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.evaluation.bootstrap import PairedTest, paired_means
from core.evaluation.ranking import ndcg
from core.models.encoder import TextEncoder
from core.models.transformer import load_transformer
from core.training.contrastive import Pair, fine_tune_encoder
from core.training.loop import FitHistory, FitSettings
from core.training.lora import add_lora, save_adapter

if TYPE_CHECKING:
    from verticals.medical.corpus.store import Corpus
    from verticals.medical.labelled import LabelledQuestion
    from verticals.medical.retrieval.index import SearchIndex

_LONG = 5  # words of a title or heading that says enough to be asked for
DEPTH = 30  # of the search that hard negatives are taken from


@dataclass(frozen=True)
class Comparison:
    """An encoder before and after, on questions that neither was trained on."""

    before: np.ndarray  # (n,) nDCG@10 of vectors alone
    after: np.ndarray
    test: PairedTest  # after minus before


def labelled_pairs(
    questions: Sequence[LabelledQuestion], index: SearchIndex, *, negatives: int = 2
) -> list[Pair]:
    """Each question with each passage-rich document that answers it, and what looks alike.

    Args:
        questions: Those without an answer are left out.
        index: Finds the hard negatives: high in the search, and not labelled right.
        negatives: For each pair.
    """
    pairs = []
    for question in questions:
        # With their titles, as the right ones: else a title would tell right from wrong.
        wrong = [
            f"{title} {text}"
            for title, text in _wrong(question.question, set(question.documents), index)
        ][:negatives]
        pairs += [
            Pair(question.question, _text(index.corpus, name), tuple(wrong))
            for name in question.documents
        ]
    return pairs


def unlabelled_pairs(index: SearchIndex, *, most: int = 5_000, seed: int = 0) -> list[Pair]:
    """Titles with their documents: what a corpus says of itself when nobody labelled anything."""
    titled = [d for d in index.corpus.documents() if len(d.title.split()) >= _LONG]
    rows = np.random.default_rng(seed).permutation(len(titled))[:most]
    return [
        Pair(titled[i].title, titled[i].text[:2_000],
             tuple(t for _, t in _wrong(titled[i].title, {titled[i].id}, index)[:1]))
        for i in rows
    ]  # fmt: skip


def adapt(
    pairs: Sequence[Pair],
    adapter: Path,
    *,
    encoder: str = "minilm",
    rank: int = 8,
    epochs: int = 2,
    learning_rate: float = 3e-4,
    seed: int = 0,
    checkpoint: Path | None = None,
) -> FitHistory:
    """Train an adapter and write it.

    Args:
        pairs: What belongs together, from `labelled_pairs` or `unlabelled_pairs`.
        adapter: The safetensors file to write.
        encoder: What is adapted.
        rank: Of the adapter.
        epochs: Passes over the pairs.
        learning_rate: Its peak.
        seed: Of the adapter's start and the order.
        checkpoint: Folder from which a killed training goes on.
    """
    import torch

    torch.manual_seed(seed)
    model, tokenizer = load_transformer(encoder)
    adapted = add_lora(model, rank=rank)
    settings = FitSettings(
        epochs=epochs, learning_rate=learning_rate, seed=seed, checkpoint=checkpoint,
        weight_decay=0.01, progress=True,
    )  # fmt: skip
    history = fine_tune_encoder(adapted, tokenizer, pairs, settings)
    save_adapter(adapted, adapter)
    return history


def compare(
    questions: Sequence[LabelledQuestion],
    corpus: Corpus,
    before: TextEncoder,
    after: TextEncoder,
    folder: Path,
    *,
    seed: int = 0,
) -> Comparison:
    """nDCG@10 of vectors alone, before and after, on held-out questions.

    Args:
        questions: Not those of the training.
        corpus: What is searched.
        before: The encoder as it was.
        after: The adapted one.
        folder: Keeps both encoders' vectors.
        seed: Of the resamples.
    """
    known = [q for q in questions if q.answerable]
    first, second = (_scores(known, corpus, e, folder) for e in (before, after))
    return Comparison(first, second, paired_means(second, first, seed=seed))


def _scores(
    questions: Sequence[LabelledQuestion], corpus: Corpus, encoder: TextEncoder, folder: Path
) -> np.ndarray:
    from verticals.medical.retrieval.dense import VectorIndex, corpus_vectors

    index = VectorIndex.build(corpus_vectors(corpus, encoder, folder))
    asked = encoder.encode([q.question for q in questions])
    scores = []
    for question, vector in zip(questions, asked, strict=True):
        rows, _ = index.search(vector, 50)
        names = dict.fromkeys(p.document for p in corpus.passages(rows))
        scores.append(ndcg(list(names), set(question.documents)))
    return np.array(scores)


def _wrong(question: str, right: set[str], index: SearchIndex) -> list[tuple[str, str]]:
    """Titles and texts that the search takes for an answer and nobody labelled so."""
    hits = index.search(question, k=DEPTH)
    found = index.corpus.titled([hit.row for hit in hits])
    return [(title, p.text) for title, p in found if p.document not in right]


def _text(corpus: Corpus, name: str) -> str:
    document = corpus.document(name)
    return f"{document.title} {document.text[:2_000]}"
