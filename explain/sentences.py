"""Which words of a sentence a decision rests on: Shapley values (SHAP) for any scorer of texts."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np

from explain.text import WordAttribution

Scores = Callable[[Sequence[str]], np.ndarray]
MaskScores = Callable[[np.ndarray], np.ndarray]
_WORD = re.compile(r"\w+(?:['\u2019]\w+)?")


def shap_of_words(scores: Scores, sentence: str, *, most: int = 400) -> list[list[WordAttribution]]:
    """Shapley values of a sentence's words (Lundberg and Lee, 2017), words left out being gone.

    Args:
        scores: (n,) texts to (n, outputs) scores, such as the probability of every command.
        sentence: Whose words are weighed.
        most: Texts that are scored at most, and at least twice the words plus one; up to that many
            the values are exact.

    Returns:
        One list for every output: a weight a word, adding up to the score of the sentence minus
        that of no words at all.
    """
    spans = [found.span() for found in _WORD.finditer(sentence)]
    if not spans:
        return []

    def scored(masks: np.ndarray) -> np.ndarray:
        texts = [_kept(sentence, spans, mask) for mask in masks.astype(bool)]
        # A sentence is short, so the same words are left over again and again.
        unique = list(dict.fromkeys(texts))
        found = dict(zip(unique, scores(unique), strict=True))
        return np.array([found[text] for text in texts], float)

    weights = shap_of_parts(scored, len(spans), most=most)
    return [
        [
            WordAttribution(sentence[a:b], a, b, float(w))
            for (a, b), w in zip(spans, column, strict=True)
        ]
        for column in weights.T
    ]


def shap_of_parts(scored: MaskScores, parts: int, *, most: int = 400) -> np.ndarray:
    """Shapley values of parts that can be taken away (Lundberg and Lee, 2017).

    Args:
        scored: (n, parts) masks, 1 where a part is kept, to (n, outputs) scores.
        parts: How many there are.
        most: Masks that are scored at most, and at least twice the parts plus one; up to that many
            the values are exact.

    Returns:
        (parts, outputs) that add up to the score of all parts minus that of none.
    """
    import shap

    everything = np.ones((1, parts))
    nothing = shap.maskers.Independent(np.zeros((1, parts)), max_samples=1)
    if 2**parts <= most:
        explainer: shap.Explainer = shap.ExactExplainer(scored, nothing)
        values = explainer(everything, silent=True)
    else:
        explainer = shap.PermutationExplainer(scored, nothing, seed=0)
        values = explainer(everything, max_evals=max(most, 2 * parts + 1), silent=True)
    return np.asarray(values.values, float)[0].reshape(parts, -1)


def _kept(sentence: str, spans: Sequence[tuple[int, int]], mask: np.ndarray) -> str:
    """The words that are left, in their order."""
    return " ".join(sentence[a:b] for (a, b), keep in zip(spans, mask, strict=True) if keep)
