"""Which words of a passage bring it closer to a question, for encoders and cross-encoders.

Integrated gradients (Sundararajan et al., 2017) on the word embeddings, from a passage of padding
to the passage itself: the weights of all words sum to the change of the score.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from core.errors import ModelError

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer
    from torch import Tensor

Item = TypeVar("Item")
MOST_TOKENS = 256  # of a passage; the rest is not read
STEPS = 24  # of the integral, doubled until the weights add up
MOST_STEPS = 192
TOLERANCE = 0.02  # of the score's change, that the weights' sum may miss


@dataclass(frozen=True, slots=True)
class WordAttribution:
    """A word of the passage and what it added to the score."""

    word: str
    start: int  # characters into the passage
    end: int
    weight: float  # of the score: cosine for an encoder, log-odds for a cross-encoder


def token_attributions(
    module: Any, tokenizer: Tokenizer, question: str, passage: str
) -> list[WordAttribution]:
    """Weights of a passage's words in its closeness to a question.

    Args:
        module: A transformer encoder (mean of the token states, cosine), or a cross-encoder whose
            output has `logits`, (1, 1).
        tokenizer: Its own, without padding.
        question: What is asked.
        passage: What is read, up to 256 tokens.

    Returns:
        One entry per word in the order of the passage; pieces of a word are added up.

    Raises:
        ModelError: The weights do not add up to the change of the score.
    """
    import torch

    pair = hasattr(module, "classifier")
    encoded = tokenizer.encode(question, passage) if pair else tokenizer.encode(passage)
    encoded.truncate(MOST_TOKENS)
    ours = _of_passage(encoded, second=pair)
    if not ours:
        return []
    ids = torch.tensor([encoded.ids])
    types = torch.tensor([encoded.type_ids])
    blank = ids.clone()
    blank[0, ours] = getattr(module.config, "pad_token_id", None) or 0
    score = _logit(module, types) if pair else _cosine(module, tokenizer, question)
    module.eval()
    weights = integrated(module, score, ids, blank)
    return _by_word(encoded, ours, weights, passage)


def occlusion(score: Callable[[Sequence[str]], np.ndarray], passage: str) -> list[WordAttribution]:
    """What the score loses without each word; for models whose gradients are out of reach.

    Args:
        score: Scores of texts, (n,).
        passage: Whose words are left out in turn.
    """
    found = [match.span() for match in re.finditer(r"\w+", passage)]
    without = [passage[:a] + passage[b:] for a, b in found]
    if not found:
        return []
    scores = score([passage, *without])
    return [
        WordAttribution(passage[a:b], a, b, float(scores[0] - left))
        for (a, b), left in zip(found, scores[1:], strict=True)
    ]


def leave_one_out(score: Callable[[Sequence[Item]], float], items: Sequence[Item]) -> list[float]:
    """The score without each item in turn.

    Args:
        score: What a collection of items is worth.
        items: Passages, documents, sentences.
    """
    return [score([*items[:i], *items[i + 1 :]]) for i in range(len(items))]


def _of_passage(encoded: Encoding, *, second: bool) -> list[int]:
    """Positions of the passage's tokens, without those that the tokenizer adds."""
    part = 1 if second else 0
    return [i for i, sequence in enumerate(encoded.sequence_ids) if sequence == part]


def _cosine(module: Any, tokenizer: Tokenizer, question: str) -> Callable[[Tensor], Tensor]:
    """Cosine of passages and the question, both means of their token states."""
    import torch
    from torch.nn.functional import cosine_similarity

    def pooled(ids: Tensor) -> Tensor:
        states = module(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
        mean: Tensor = states.mean(dim=1)
        return mean

    asked = tokenizer.encode(question)
    asked.truncate(MOST_TOKENS)
    with torch.no_grad():
        wanted = pooled(torch.tensor([asked.ids]))
    return lambda ids: cosine_similarity(pooled(ids), wanted)


def _logit(module: Any, types: Tensor) -> Callable[[Tensor], Tensor]:
    """The cross-encoder's own score of the pair."""
    import torch

    def score(ids: Tensor) -> Tensor:
        logits: Tensor = module(
            input_ids=ids, attention_mask=torch.ones_like(ids),
            token_type_ids=types.expand(len(ids), -1),
        ).logits  # fmt: skip
        return logits[:, 0]

    return score


def integrated(
    module: Any, score: Callable[[Tensor], Tensor], ids: Tensor, blank: Tensor
) -> list[float]:
    """Weights of all tokens, with as many steps as it takes until they add up.

    Args:
        module: Whose word embeddings the path goes through.
        score: Of token numbers (1, tokens), by that module.
        ids: (1, tokens) of the sentence.
        blank: (1, tokens) where the path begins.

    Raises:
        ModelError: The weights miss the change of the score.
    """
    import torch
    from captum.attr import LayerIntegratedGradients

    explainer = LayerIntegratedGradients(score, module.get_input_embeddings())
    with torch.no_grad():
        change = float(score(ids)[0] - score(blank)[0])
    steps = STEPS
    while True:
        found = explainer.attribute(ids, baselines=blank, n_steps=steps, internal_batch_size=steps)
        weights: list[float] = found.sum(dim=-1)[0].detach().tolist()
        missed = abs(sum(weights) - change)
        if missed <= TOLERANCE * max(abs(change), 0.05):
            return weights
        if steps >= MOST_STEPS:
            raise ModelError(
                f"the words' weights miss the score's change by {missed:.3g}",
                remedy="Explain a shorter passage",
            )
        steps *= 2


def _by_word(
    encoded: Encoding, ours: Sequence[int], weights: Sequence[float], passage: str
) -> list[WordAttribution]:
    """Weights of word pieces added up, by the words of the tokenizer."""
    spans: dict[int, list[float]] = {}
    for i in ours:
        start, end = encoded.offsets[i]
        word = encoded.word_ids[i]
        key = -1 - i if word is None else word
        known = spans.setdefault(key, [start, end, 0.0])
        known[0], known[1] = min(known[0], start), max(known[1], end)
        known[2] += weights[i]
    return [
        WordAttribution(passage[int(a) : int(b)], int(a), int(b), weight)
        for a, b, weight in sorted(spans.values())
        if b > a
    ]
