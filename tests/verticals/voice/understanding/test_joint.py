"""The CRF against brute force, and its decoding."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from verticals.voice.understanding.joint import (
    FORBIDDEN,
    allowed_steps,
    best_tags,
    chain_loss,
    inputs,
)

TAGS = ("O", "B-name", "I-name", "B-area", "I-area")


def _random(words: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(words)
    steps = random.normal(size=(len(TAGS) + 1, len(TAGS))).astype(np.float32)
    return random.normal(size=(words, len(TAGS))).astype(np.float32), steps


def _score(path: tuple[int, ...], scores: np.ndarray, steps: np.ndarray) -> float:
    before = [-1, *path[:-1]]
    return float(
        sum(scores[i, t] + steps[b, t] for i, (b, t) in enumerate(zip(before, path, strict=True)))
    )


@pytest.mark.parametrize("words", [1, 2, 4])
def test_viterbi_finds_what_brute_force_finds(words: int) -> None:
    scores, steps = _random(words)
    every = list(product(range(len(TAGS)), repeat=words))
    best = max(every, key=lambda path: _score(path, scores, steps))
    path, value = best_tags(scores, steps)
    assert tuple(path) == best
    assert value == pytest.approx(_score(best, scores, steps), abs=1e-4)


def test_chain_loss_is_the_exact_negative_log_likelihood() -> None:
    import torch

    scores, steps = _random(3)
    every = [_score(p, scores, steps) for p in product(range(len(TAGS)), repeat=3)]
    wanted = np.logaddexp.reduce(every) - _score((1, 2, 0), scores, steps)
    padded = np.zeros((1, 5, len(TAGS)), np.float32)  # padding must not count
    padded[0, :3] = scores
    tags = torch.tensor([[1, 2, 0, 0, 0]])
    found = chain_loss(torch.from_numpy(padded), tags, torch.tensor([3]), torch.from_numpy(steps))
    assert float(found) == pytest.approx(wanted, abs=1e-4)


def test_inside_tags_follow_only_their_own_slot() -> None:
    steps = allowed_steps(TAGS)
    number = {tag: i for i, tag in enumerate(TAGS)}
    for before, after in product(TAGS, TAGS):
        own = before != "O" and before[2:] == after[2:]
        wanted = FORBIDDEN if after.startswith("I-") and not own else 0
        assert steps[number[before], number[after]] == wanted, (before, after)
    assert (steps[-1, [2, 4]] == FORBIDDEN).all()
    assert (steps[-1, [0, 1, 3]] == 0).all()


def test_decoding_never_begins_inside_a_slot() -> None:
    scores = np.zeros((3, len(TAGS)), np.float32)
    scores[:, 2] = 5.0  # the network insists on I-name everywhere
    path, _ = best_tags(scores, allowed_steps(TAGS))
    assert TAGS[path[0]] in ("B-name", "O", "B-area")
    assert [TAGS[i] for i in path] == ["B-name", "I-name", "I-name"]


def test_words_pool_over_their_pieces() -> None:
    from core.models.transformer import load_tokenizer, model_folder

    tokenizer = load_tokenizer(model_folder("minilm"))
    given = inputs([["unbelievableness", "on"], ["on"]], tokenizer)
    assert given["pool"].shape[:2] == (2, 2)
    np.testing.assert_allclose(given["pool"].sum(2), [[1, 1], [1, 0]], atol=1e-6)
    assert (given["pool"][0, 0] > 0).sum() > 1  # several pieces
    assert given["attention_mask"].sum(1).tolist()[1] == 3  # [CLS] on [SEP]
