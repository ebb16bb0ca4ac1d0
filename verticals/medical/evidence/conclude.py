"""Answers a yes/no question from a study's results alone, before anyone drew the conclusion.

Every sentence is read for a significant finding, a null finding or none; what matters to the
question counts more; the form of the question says what a finding means.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from verticals.medical.evidence.cues import content_stems, polarity, stems, tokens
from verticals.medical.evidence.linear import Softmax, fit_softmax
from verticals.medical.evidence.pairs import masked_pair, masked_pairs, pair_features

ANSWERS = ("yes", "no", "maybe")
SIGNIFICANT, NULL, NOTHING = 0, 1, 2  # what a sentence reports
_STARTS = (
    "is", "are", "does", "do", "can", "did", "was", "has", "should", "could", "will", "how",
    "what", "a",
)  # fmt: skip
_TERMS = (
    " or ", "better", "associated", "predict", "risk", "improve", "effective", "affect",
    "influence", "cause", "different", "differ", "necessary", "useful", "reliable", "still",
    "really", "safe", "feasible", "any ", "role", "impact", "increase", "reduce", "there a", ":",
    "need", " all ", "correlat", "valid", " benefit", "justified", "same", "equal", "compar",
    "similar", "always", "only", "routine", "enough", "sufficient", "possible", "help", "change",
    "alter", "contribute",
)  # fmt: skip
_SAME = re.compile(
    r"\b(?:same|equal\w*|similar|comparable|safe|equivalent|as (?:good|effective|safe) as|enough|"
    r"alternative|feasible|without)\b",
    re.IGNORECASE,
)
_EFFECT = re.compile(
    r"\b(?:affect|influence|impact|associat\w*|correlat\w*|predict\w*|differ\w*|effect|relat\w*|"
    r"improve\w*|increase\w*|reduce\w*|cause|risk|change\w*|alter|better|superior|role|benefit)\b",
    re.IGNORECASE,
)
_CLOSENESS, _OVERLAP = 0.1, 0.2  # of cosine and of shared words that weigh as one e-fold
_CLOSE = 3  # sentences nearest to the question that are averaged


def fit_reader(
    questions: Sequence[str], texts: Sequence[str], reported: np.ndarray, *, strength: float = 3.0
) -> Softmax:
    """Fit what reads a sentence.

    Args:
        questions: What each text is read for.
        texts: Sentences.
        reported: (n,) SIGNIFICANT, NULL or NOTHING.
        strength: Inverse of the L2 penalty.
    """
    features = np.array([pair_features(q, t) for q, t in zip(questions, texts, strict=True)])
    masked = [masked_pair(q, t) for q, t in zip(questions, texts, strict=True)]
    return fit_softmax(features, reported, masked, strength=strength)


def read_sentences(reader: Softmax, question: str, sentences: Sequence[str]) -> np.ndarray:
    """(s, 3) probabilities that a sentence reports something significant, null, nothing."""
    features = np.array([pair_features(question, s) for s in sentences])
    return reader.probabilities(features, masked_pairs(question, sentences))


def relevance(question: str, sentences: Sequence[str], cosine: np.ndarray) -> np.ndarray:
    """(s,) how much each sentence matters, as a logarithm.

    Args:
        question: What is asked.
        sentences: Of the results.
        cosine: (s,) of their embeddings with the question's.
    """
    asked = content_stems(question)
    shared = [len(asked & set(stems(tokens(s)))) / max(1, len(asked)) for s in sentences]
    return np.asarray(cosine / _CLOSENESS + np.array(shared) / _OVERLAP)


def result_features(chances: np.ndarray, matters: np.ndarray) -> np.ndarray:
    """What the results say as a whole.

    Args:
        chances: (s, 3) of `read_sentences`.
        matters: (s,) of `relevance`.

    Returns:
        (25,) float.
    """
    weight = np.exp(matters - matters.max())
    weight /= weight.sum()
    order = np.argsort(-matters, kind="stable")[:_CLOSE]
    found, null = chances[:, SIGNIFICANT], chances[:, NULL]
    lean = np.log((null + 1e-3) / (found + 1e-3))  # towards no
    weighed = [float(weight @ found), float(weight @ null)]
    total = [float(found.sum()), float(null.sum())]
    return np.array([
        *weighed, found.max(), null.max(), found[order].mean(), null[order].mean(),
        found[-1], null[-1], found[order[0]], null[order[0]], *total,
        np.log((weighed[1] + 0.1) / (weighed[0] + 0.1)),
        np.log((total[1] + 0.3) / (total[0] + 0.3)),
        min(found.max(), null.max()), min(total),
        lean[order[0]], weight @ lean, lean.mean(), lean.max(), lean.min(), lean[-1], lean[0],
        lean[order].mean(), lean.std(),
    ])  # fmt: skip


def question_features(question: str) -> np.ndarray:
    """(70,) the form of a question: how it starts, what it asks for, its words of direction."""
    low = question.lower()
    ways = [polarity(w.lower()) for w in tokens(question)]
    return np.array([
        *(float(low.startswith(f"{word} ")) for word in _STARTS),
        *(float(term in low) for term in _TERMS),
        float(len(ways)), float(sum(way for way, _ in ways)), float(sum(good for _, good in ways)),
        float(question.count("?") > 1), float(bool(_SAME.search(question))),
        float(bool(_EFFECT.search(question))),
    ])  # fmt: skip
