"""Why an answer is what it is: words, ranking features, and what it loses without each document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from explain.text import WordAttribution, occlusion, token_attributions
from verticals.medical.answer import Answer, Evidence, Question
from verticals.medical.answering import Engine, answer, find

if TYPE_CHECKING:
    from core.models.encoder import TextEncoder
    from verticals.medical.retrieval.index import Hit, SearchIndex

ENCODER = "minilm"  # whose weights gradients are taken from, if it is the engine's
_SAME = 0.95  # cosine of the question's vectors from which two encoders are the same one


@dataclass(frozen=True)
class Why:
    """What carried an answer.

    Attributes:
        words: By piece of evidence, the words of its quote, placed in the document's text.
        method: How the words were weighed: integrated gradients, or occlusion.
        features: evidence (from 1), feature, value, effect: Shapley values of the reranker.
        leave_one_out: document, title, confidence, status and first document of the answer
            without it; one row per document quoted.
    """

    words: tuple[tuple[WordAttribution, ...], ...]
    method: str
    features: pd.DataFrame
    leave_one_out: pd.DataFrame


def explain_answer(question: Question, answered: Answer, engine: Engine) -> Why:
    """Explain an answer; takes about a second per piece of evidence.

    Args:
        question: As it was asked.
        answered: What was answered, or came nearest.
        engine: That answered.

    Raises:
        DataError: The question or the patient cannot be read.
    """
    evidence = answered.evidence or answered.nearest
    words, method = _words(question.question, evidence, engine.encoder)
    return Why(
        words,
        method,
        _features(question, evidence, engine),
        _leave_one_out(question, evidence, engine),
    )


def _words(
    question: str, evidence: Sequence[Evidence], encoder: TextEncoder
) -> tuple[tuple[tuple[WordAttribution, ...], ...], str]:
    """Weights of the words of every quote, by the method that the encoder allows."""
    module = _module(question, encoder)
    out = []
    for piece in evidence:
        if module is not None:
            found = token_attributions(*module, question, piece.quote)
        else:
            found = occlusion(lambda texts: _cosines(question, texts, encoder), piece.quote)
        out.append(
            tuple(
                replace(word, start=word.start + piece.start, end=word.end + piece.start)
                for word in found
            )
        )
    return tuple(out), "occlusion" if module is None else "integrated gradients"


def _module(question: str, encoder: TextEncoder) -> tuple[Any, Any] | None:
    """The weights behind the encoder as a torch module, or None if they are others."""
    from core.errors import ModelError
    from core.models.transformer import load_transformer

    try:
        module, tokenizer = load_transformer(ENCODER)
    except ModelError:  # not installed: the exported encoder still explains by occlusion
        return None
    import torch

    with torch.no_grad():
        ids = torch.tensor([tokenizer.encode(question).ids])
        states = module(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
    ours = states.mean(dim=1)[0].numpy()
    theirs = encoder.encode([question])[0]
    if ours.shape != theirs.shape or ours @ theirs / np.linalg.norm(ours) < _SAME:
        return None
    return module, tokenizer


def _cosines(question: str, texts: Sequence[str], encoder: TextEncoder) -> np.ndarray:
    """(n,) cosine of every text and the question."""
    vectors = encoder.encode([question, *texts])
    cosines: np.ndarray = vectors[1:] @ vectors[0]
    return cosines


def _features(question: Question, evidence: Sequence[Evidence], engine: Engine) -> pd.DataFrame:
    """Shapley values of the reranker for the passages that hold the quotes."""
    from explain.features import shap_of_ranker
    from verticals.medical.retrieval.features import FEATURE_NAMES
    from verticals.medical.retrieval.reranker import Reranker

    columns = ["evidence", "feature", "value", "effect"]
    reranker = engine.index.reranker
    if not isinstance(reranker, Reranker):
        return pd.DataFrame(columns=columns)
    expanded = find(question, engine).expanded
    searched = expanded.search or expanded.question
    hits = engine.index.candidates(searched, filters=question.filters)
    passages = engine.corpus.passages([hit.row for hit in hits])
    matrix = reranker.features(searched, hits, engine.index)
    effects = shap_of_ranker(reranker.boosters, matrix).values
    rows = []
    for number, piece in enumerate(evidence, 1):
        holds = [
            i
            for i, passage in enumerate(passages)
            if passage.document == piece.document and passage.start <= piece.start < passage.end
        ]
        for i in holds[:1]:
            order = np.argsort(-np.abs(effects[i]))
            rows += [
                (number, FEATURE_NAMES[j], float(matrix[i, j]), float(effects[i, j])) for j in order
            ]
    return pd.DataFrame(rows, columns=columns)


def _leave_one_out(
    question: Question, evidence: Sequence[Evidence], engine: Engine
) -> pd.DataFrame:
    """The answer without each quoted document, asked again."""
    titles = {piece.document: piece.title for piece in evidence}
    rows = []
    for name, title in titles.items():
        index: Any = Without(engine.index, name)
        left = answer(question, replace(engine, index=index, generator=None))
        first = next((e.document for e in left.evidence or left.nearest), "")
        rows.append((name, title, left.confidence, left.status, first))
    return pd.DataFrame(rows, columns=["document", "title", "confidence", "status", "first"])


class Without:
    """A search index that does not know one document."""

    def __init__(self, index: SearchIndex, document: str) -> None:
        self._index, self._document = index, document

    def __getattr__(self, name: str) -> Any:
        return getattr(self._index, name)

    def search(self, question: str, *, k: int = 20, **settings: Any) -> list[Hit]:
        """As the index searches, its places taken by what comes next."""
        hits = self._index.search(question, k=4 * k, **settings)
        passages = self._index.corpus.passages([hit.row for hit in hits])
        return [hit for hit, p in zip(hits, passages, strict=True) if p.document != self._document][
            :k
        ]
