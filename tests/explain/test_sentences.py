"""Shapley values of words, against games whose values are known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from explain.sentences import shap_of_words


def counted(texts: Sequence[str]) -> np.ndarray:
    """Two outputs: 2 for "light" and 1 for "on"; and 1 only where both are there."""
    words = [set(t.split()) for t in texts]
    return np.array([
        [2.0 * ("light" in w) + ("on" in w), float({"light", "on"} <= w)] for w in words
    ])  # fmt: skip


def test_additive_words_get_what_they_add_and_a_pair_shares() -> None:
    first, second = shap_of_words(counted, "turn on the light")
    assert [w.word for w in first] == ["turn", "on", "the", "light"]
    assert [w.weight for w in first] == pytest.approx([0, 1, 0, 2])
    assert [w.weight for w in second] == pytest.approx([0, 0.5, 0, 0.5])


def test_long_sentences_are_sampled_and_still_add_up() -> None:
    sentence = "please would you be so kind and turn on the big light over there now"
    found = shap_of_words(counted, sentence, most=300)
    assert [sum(w.weight for w in one) for one in found] == pytest.approx([3.0, 1.0])
    weights = {w.word: w.weight for w in found[0]}
    assert weights["light"] == pytest.approx(2.0)


def test_places_are_those_of_the_sentence() -> None:
    sentence = "Turn on, please: the light!"
    for word in shap_of_words(counted, sentence)[0]:
        assert sentence[word.start : word.end] == word.word


def test_nothing_said_has_no_words() -> None:
    assert shap_of_words(counted, " ?! ") == []
