"""The numpy model gives what scikit-learn gives."""

from __future__ import annotations

import numpy as np

from verticals.medical.evidence.linear import LONGEST, Softmax, fit_softmax, ngrams_of

TEXTS = ["a b c", "b c d a", "c c d e", "a e e b", "d d a b c", "e b a a"] * 5


def test_probabilities_equal_scikit_learns() -> None:
    from scipy.sparse import csr_matrix, hstack
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    rng = np.random.default_rng(0)
    features, y = rng.normal(size=(30, 4)), np.arange(30) % 3
    ours = fit_softmax(features, y, TEXTS, strength=2.0, share=0.5).probabilities(features, TEXTS)
    counted = TfidfVectorizer(
        ngram_range=(1, LONGEST), min_df=3, sublinear_tf=True, token_pattern=r"\S+"
    ).fit_transform(TEXTS)
    scaled = csr_matrix(StandardScaler().fit_transform(features) * 0.5)
    rows = hstack([scaled, counted]).tocsr()
    theirs = LogisticRegression(C=2.0, max_iter=1000).fit(rows, y).predict_proba(rows)
    np.testing.assert_allclose(ours, theirs, atol=1e-3)


def test_two_classes_and_a_round_trip() -> None:
    rng = np.random.default_rng(1)
    features = rng.normal(size=(40, 3))
    y = (features[:, 0] > 0).astype(int)
    model = fit_softmax(features, y)
    chances = model.probabilities(features)
    assert (chances.argmax(1) == y).mean() > 0.9
    again = Softmax.from_dict(model.to_dict())
    np.testing.assert_allclose(again.probabilities(features), chances, atol=1e-3)


def test_ngrams() -> None:
    assert ngrams_of("a b c") == ["a", "b", "c", "a b", "b c", "a b c"]
    assert ngrams_of("") == []
