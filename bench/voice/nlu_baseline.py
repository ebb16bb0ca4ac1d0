"""What the joint model is compared with: frozen MiniLM for intents, a linear tagger for slots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.models.encoder import TextEncoder
from verticals.voice.understanding.joint import allowed_steps, best_tags
from verticals.voice.understanding.words import (
    BUCKETS,
    Example,
    Span,
    bio,
    hashed,
    spans_of,
    split_words,
)

_SMOOTH = 0.1  # added to the counts of tag pairs


@dataclass(frozen=True)
class LinearReader:
    """Logistic regression on frozen sentence vectors, and on each word's letters, then Viterbi."""

    encoder: TextEncoder
    intent: Any  # sklearn classifiers
    tagger: Any
    steps: np.ndarray  # (tags + 1, tags)
    tags: tuple[str, ...]

    def read(self, texts: Sequence[str]) -> list[tuple[str, list[Span]]]:
        """Intent and slots of sentences."""
        intents = self.intent.predict(self.encoder.encode(list(texts)))
        out = []
        for text, intent in zip(texts, intents, strict=True):
            places = split_words(text)
            scores = self.tagger.decision_function(_one_hot([text]))
            path, _ = best_tags(scores - np.logaddexp(0, scores), self.steps)
            out.append((str(intent), spans_of([self.tags[i] for i in path], places)))
        return out


def fit_linear(examples: Sequence[Example]) -> LinearReader:
    """Fit the baseline on labelled sentences."""
    from sklearn.linear_model import LogisticRegression, SGDClassifier

    encoder = TextEncoder.open("minilm", threads=1)
    texts = [example.text for example in examples]
    intent = LogisticRegression(C=10, max_iter=200)
    intent.fit(encoder.encode(texts), [example.intent for example in examples])
    sequences = [bio(example.spans(), split_words(example.text)) for example in examples]
    tagger = SGDClassifier(loss="log_loss", alpha=1e-6, max_iter=5, tol=None, random_state=0)
    tagger.fit(_one_hot(texts), [tag for sequence in sequences for tag in sequence])
    tags = tuple(str(tag) for tag in tagger.classes_)
    counts = np.full((len(tags) + 1, len(tags)), _SMOOTH)
    number = {tag: i for i, tag in enumerate(tags)}
    for sequence in sequences:
        for before, after in zip([-1, *(number[t] for t in sequence)], sequence, strict=False):
            counts[before, number[after]] += 1
    steps = np.log(counts / counts.sum(1, keepdims=True)) + allowed_steps(tags)
    return LinearReader(encoder, intent, tagger, steps, tags)


def _one_hot(texts: Sequence[str]) -> Any:
    from scipy.sparse import csr_matrix

    rows = np.concatenate([hashed([t[a:b] for a, b in split_words(t)]) for t in texts])
    ends = np.arange(len(rows) + 1) * rows.shape[1]
    return csr_matrix((np.ones(rows.size), rows.ravel(), ends), shape=(len(rows), BUCKETS))
