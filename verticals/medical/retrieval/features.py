"""What a reranker sees of a question and a passage: both scores, and which words meet where."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from verticals.medical.evidence.sentences import split_sentences
from verticals.medical.retrieval.lexical import LexicalIndex, stems

if TYPE_CHECKING:
    from verticals.medical.corpus.documents import Passage
    from verticals.medical.retrieval.index import Hit

FEATURE_NAMES = (
    "bm25_z",  # standard deviations above the corpus
    "dense_z",
    "bm25_of_best",  # share of the best candidate's
    "dense_below_best",  # standard deviations below the best candidate's
    "bm25_place",  # 1 / (1 + place); 0 if not in the list
    "dense_place",
    "title_words",  # share of the question's words, by rarity, in the title
    "passage_words",
    "sentence_words",  # in its best sentence
    "two_sentences",  # mean of its two best sentences
    "pairs",  # share of the question's neighbouring words that are neighbours here
    "rarest",  # whether the question's rarest known word is there
    "numbers",  # share of the question's numbers that are there; 0 without numbers
    "log_words",  # of the passage
    "blend",  # both z-scores, weighted
    "blend_below_best",
    "blend_place",  # 0 for the candidate with the highest blend
    "like_best",  # cosine with the candidates that lead the blend, the candidate itself left out
    "like_all",  # mean cosine with all candidates
)
# Whether more of a feature can only help: a passage that says more of the question never sinks.
RISES = (1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, -1, 1, 0)
WORDS_WEIGHT = 0.35  # of BM25 in the blend, the rest is the vectors'
_LEADERS = 5  # candidates a passage is compared with (relevance feedback, Rocchio 1971)
# Stems that ask, and say nothing of what is asked for.
_ASKING = (
    "what which who whom whose how why when where do doe did can could should would am my me you i"
    " we your our us ani there have has had"
)
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def passage_features(
    question: str,
    hits: Sequence[Hit],
    passages: Sequence[Passage],
    titles: Sequence[str],
    *,
    vectors: np.ndarray,
    lexical: LexicalIndex,
) -> np.ndarray:
    """Features of candidates.

    Args:
        question: As it was searched.
        hits: The candidates.
        passages: Theirs.
        titles: Of the passages' documents.
        vectors: (len(hits), d) of the passages, of length one.
        lexical: Knows how rare a word is.

    Returns:
        (len(hits), len(FEATURE_NAMES)) float32.
    """
    order = content(question)
    words = list(dict.fromkeys(order))
    weights = lexical.rarity(words)
    weight = dict(zip(words, weights, strict=True))
    total = float(sum(weights)) or 1.0
    known = [w for w in words if lexical.knows(w)]
    rarest = max(known, key=lambda w: weight[w], default="")
    pairs = set(pairwise(order))
    numbers = set(_NUMBER.findall(question))
    best_words = max((h.bm25 for h in hits), default=0.0) or 1.0
    best_near = max((h.dense_z for h in hits), default=0.0)

    def share(present: set[str]) -> float:
        return sum(weight[w] for w in words if w in present) / total

    rows = []
    for hit, passage, title in zip(hits, passages, titles, strict=True):
        spans = split_sentences(passage.text)
        split = [stems(passage.text[a:b]) for a, b in spans] or [stems(passage.text)]
        sentences = sorted((share(set(s)) for s in split), reverse=True)
        flat = [w for s in split for w in s]
        present, named = set(flat), set(stems(title))
        near = {pair for s in split for pair in pairwise(s)}
        there = set(_NUMBER.findall(passage.text))
        rows.append(
            (
                hit.bm25_z, hit.dense_z, hit.bm25 / best_words, hit.dense_z - best_near,
                1 / (1 + hit.bm25_rank) if hit.bm25_rank >= 0 else 0.0,
                1 / (1 + hit.dense_rank) if hit.dense_rank >= 0 else 0.0,
                share(named), share(present | named), sentences[0],
                sum(sentences[:2]) / len(sentences[:2]),
                len(pairs & near) / len(pairs) if pairs else 0.0,
                float(rarest in present or rarest in named),
                len(numbers & there) / len(numbers) if numbers else 0.0,
                np.log1p(len(flat)),
            )
        )  # fmt: skip
    alone = np.array(rows, np.float32).reshape(-1, len(FEATURE_NAMES) - 5)
    return np.concatenate([alone, _among(blend(hits), vectors)], axis=1)


def blend(hits: Sequence[Hit]) -> np.ndarray:
    """(len(hits),) weighted sum of both z-scores."""
    return np.array(
        [WORDS_WEIGHT * h.bm25_z + (1 - WORDS_WEIGHT) * h.dense_z for h in hits], np.float32
    )


def content(question: str) -> list[str]:
    """Stems of a question without the words that only ask."""
    found, asking = stems(question), set(_ASKING.split())
    return [w for w in found if w not in asking] or found


def _among(blended: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """(n, 5) what a candidate is among the others."""
    n = len(blended)
    if not n:
        return np.zeros((0, 5), np.float32)
    order = np.argsort(-blended, kind="stable")
    places = np.empty(n)
    places[order] = np.arange(n)
    near = vectors @ vectors.T
    leaders = order[:_LEADERS]
    weight = np.exp(blended[leaders] - blended.max())[None] * (
        leaders[None] != np.arange(n)[:, None]
    )
    like = (near[:, leaders] * weight).sum(axis=1) / np.maximum(weight.sum(axis=1), 1e-9)
    below = blended - blended.max()
    return np.stack([blended, below, places, like, near.mean(axis=1)], axis=1).astype(np.float32)
