"""A linear classifier that runs on numpy alone: softmax over features and weighted n-grams.

Fitted with scikit-learn, kept as JSON; running it imports neither scikit-learn nor torch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

LONGEST = 3  # words of an n-gram


@dataclass(frozen=True)
class Softmax:
    """Multinomial logistic regression on scaled features and TF-IDF of n-grams.

    Attributes:
        mean: (f,) subtracted from the features.
        scale: (f,) features are then divided by it.
        weights: (k, f) of the scaled features, one row a class.
        bias: (k,)
        ngrams: Row of each n-gram in `idf` and column in `ngram_weights`.
        idf: (v,) inverse document frequencies.
        ngram_weights: (k, v)
    """

    mean: np.ndarray
    scale: np.ndarray
    weights: np.ndarray
    bias: np.ndarray
    ngrams: dict[str, int] = field(default_factory=dict)
    idf: np.ndarray = field(default_factory=lambda: np.zeros(0))
    ngram_weights: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))

    def probabilities(self, features: np.ndarray, texts: Sequence[str] = ()) -> np.ndarray:
        """(n, k) of features (n, f) and, where the model has n-grams, the texts they belong to."""
        logits = (features - self.mean) / self.scale @ self.weights.T + self.bias
        if self.ngrams:
            logits = logits + np.array([self._of_text(text) for text in texts]).reshape(
                len(texts), len(self.bias)
            )
        shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))

    def _of_text(self, text: str) -> np.ndarray:
        """(k,) what a text adds to the logits: sublinear TF-IDF, scaled to length one."""
        counts = Counter(self.ngrams[g] for g in ngrams_of(text) if g in self.ngrams)
        if not counts:
            return np.zeros(len(self.bias))
        at = np.fromiter(counts.keys(), int)
        value = (1 + np.log(np.fromiter(counts.values(), float))) * self.idf[at]
        return np.asarray(self.ngram_weights[:, at] @ (value / np.linalg.norm(value)))

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and numbers of four digits, for JSON."""
        ordered = sorted(self.ngrams, key=self.ngrams.__getitem__)
        return {
            "mean": _rounded(self.mean), "scale": _rounded(self.scale),
            "weights": _rounded(self.weights), "bias": _rounded(self.bias),
            "ngrams": ordered, "idf": _rounded(self.idf),
            "ngram_weights": _rounded(self.ngram_weights),
        }  # fmt: skip

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Softmax:
        """What `to_dict` wrote."""
        arrays = {k: np.array(v, float) for k, v in state.items() if k != "ngrams"}
        return cls(**arrays, ngrams={g: i for i, g in enumerate(state["ngrams"])})


def ngrams_of(text: str) -> list[str]:
    """Every run of one to three words of a text that white space parts."""
    found = text.split()
    return [
        " ".join(found[i : i + n])
        for n in range(1, LONGEST + 1)
        for i in range(len(found) - n + 1)
    ]  # fmt: skip


def fit_softmax(
    features: np.ndarray,
    y: np.ndarray,
    texts: Sequence[str] = (),
    *,
    weight: np.ndarray | None = None,
    strength: float = 1.0,
    share: float = 0.2,
    fewest: int = 3,
) -> Softmax:
    """Fit by maximum likelihood with an L2 penalty.

    Args:
        features: (n, f)
        y: (n,) classes 0 to k-1, each of which occurs.
        texts: One a row, for n-grams; empty for a model of features alone.
        weight: (n,) of the rows.
        strength: Inverse of the penalty.
        share: Scale of the features beside the n-grams: smaller is penalised more.
        fewest: Rows in which an n-gram must occur.
    """
    from scipy.sparse import csr_matrix, hstack
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(features)
    mean, scale = np.asarray(scaler.mean_), np.asarray(scaler.scale_)
    model = LogisticRegression(C=strength, max_iter=1000)
    if not texts:
        model.fit((features - mean) / scale, y, sample_weight=weight)
        return Softmax(mean, scale, *_both_rows(model))
    vectoriser = TfidfVectorizer(
        analyzer=ngrams_of, min_df=fewest, sublinear_tf=True, lowercase=False
    )
    counted = vectoriser.fit_transform(texts)
    scale = scale / share
    model.fit(
        hstack([csr_matrix((features - mean) / scale), counted]).tocsr(), y, sample_weight=weight
    )
    weights, bias = _both_rows(model)
    width = features.shape[1]
    known = {str(g): int(i) for g, i in vectoriser.vocabulary_.items()}
    return Softmax(
        mean,
        scale,
        weights[:, :width],
        bias,
        known,
        np.asarray(vectoriser.idf_),
        weights[:, width:],
    )


def _both_rows(model: Any) -> tuple[np.ndarray, np.ndarray]:
    """Weights and bias with a row for each class, also where there are only two."""
    weights, bias = np.asarray(model.coef_), np.asarray(model.intercept_)
    if len(weights) == 1:
        return np.vstack([-weights / 2, weights / 2]), np.array([-bias[0] / 2, bias[0] / 2])
    return weights, bias


def _rounded(values: np.ndarray) -> Any:
    return np.round(values, 4).tolist()
