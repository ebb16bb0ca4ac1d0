"""One network for intent and slots: a transformer's states and the letters of every word.

The intent is read from the whole sentence, slots by a linear-chain CRF over words (Lafferty et
al., 2001; joint training as Chen et al., 2019, with hashed letter features beside the encoder).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from verticals.voice.understanding.words import BUCKETS, hashed

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer

WIDTH, HIDDEN = 48, 256  # of the letter features, of the slot head
FORBIDDEN = -1e4  # score of a tag that may not follow another
_GAIN = 4.0  # heads learn this much faster than the encoder at one learning rate


def inputs(sentences: Sequence[Sequence[str]], tokenizer: Tokenizer) -> dict[str, np.ndarray]:
    """What the network reads, padded to the longest sentence.

    Args:
        sentences: Words of each, at least one.
        tokenizer: The encoder's.

    Returns:
        input_ids and attention_mask (n, tokens), pool (n, words, tokens): the mean over the
        pieces of each word, features (n, words, FEATURES).
    """
    coded = tokenizer.encode_batch([list(words) for words in sentences], is_pretokenized=True)
    tokens, words = max(len(c.ids) for c in coded), max(map(len, sentences))
    n = len(sentences)
    ids, mask = np.zeros((n, tokens), np.int64), np.zeros((n, tokens), np.int64)
    pool = np.zeros((n, words, tokens), np.float32)
    letters = [hashed(s) for s in sentences]
    features = np.zeros((n, words, letters[0].shape[1]), np.int64)
    for row, code in enumerate(coded):
        ids[row, : len(code.ids)], mask[row, : len(code.ids)] = code.ids, 1
        for place, word in enumerate(code.word_ids):
            if word is not None:
                pool[row, word, place] = 1
        features[row, : len(letters[row])] = letters[row]
    pool /= np.maximum(pool.sum(2, keepdims=True), 1)
    return {"input_ids": ids, "attention_mask": mask, "pool": pool, "features": features}


def allowed_steps(tags: Sequence[str]) -> np.ndarray:
    """(tags + 1, tags) 0 where the tag may follow, FORBIDDEN where not; the last row: may begin."""
    steps = np.zeros((len(tags) + 1, len(tags)), np.float32)
    for j, after in enumerate(tags):
        if after.startswith("I-"):
            for i, before in enumerate([*tags, "O"]):
                if before == "O" or before[2:] != after[2:]:
                    steps[i, j] = FORBIDDEN
    return steps


def joint_network(encoder: torch.nn.Module, intents: int, tags: Sequence[str]) -> Any:
    """The network around an encoder.

    Args:
        encoder: A transformer whose output has `last_hidden_state`.
        intents: How many there are.
        tags: Names of the tags, O first.

    Returns:
        A torch module: forward(input_ids, attention_mask, pool, features) gives intent logits
        (n, intents), tag scores (n, words, tags) and the sentence's vector (n, width);
        `.transitions` is (tags + 1, tags), its last row for the first word.
    """
    import torch
    from torch import nn

    width = int(encoder.config.hidden_size)  # type: ignore[union-attr, arg-type]

    class Joint(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = encoder
            self.letters = nn.EmbeddingBag(BUCKETS, WIDTH, mode="sum", padding_idx=0)
            nn.init.normal_(self.letters.weight, std=0.02)
            self.mix = nn.Linear(width + WIDTH, HIDDEN)
            self.slots = nn.Linear(HIDDEN, len(tags))
            self.intent = nn.Linear(2 * width + WIDTH, intents)
            self.transitions = nn.Parameter(torch.zeros(len(tags) + 1, len(tags)))
            self.dropout = nn.Dropout(0.15)
            self.register_buffer("steps", torch.from_numpy(allowed_steps(tags)))

        def forward(
            self,
            input_ids: torch.Tensor,
            attention_mask: torch.Tensor,
            pool: torch.Tensor,
            features: torch.Tensor,
        ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
            found = self.encoder(input_ids=input_ids, attention_mask=attention_mask)
            states = found.last_hidden_state.float()
            weight = attention_mask.unsqueeze(-1).to(states.dtype)
            mean = (states * weight).sum(1) / weight.sum(1)
            letters = nn.functional.embedding(features, self.letters.weight).sum(2) * _GAIN
            words = torch.bmm(pool, states)
            mixed = self.dropout(torch.cat([words, letters], 2))
            mixed = nn.functional.gelu(self.mix(mixed))
            scores = self.slots(self.dropout(mixed)) * _GAIN
            there = (features[:, :, :1] > 0).to(states.dtype)
            bag = (letters * there).sum(1) / there.sum(1)
            whole = torch.cat([mean, states[:, 0], bag], 1)
            return self.intent(self.dropout(whole)) * _GAIN, scores, mean

    return Joint()


def chain_loss(
    scores: torch.Tensor, tags: torch.Tensor, lengths: torch.Tensor, steps: torch.Tensor
) -> torch.Tensor:
    """Negative log-likelihood of tag sequences under a linear-chain CRF, mean over sentences.

    Args:
        scores: (n, words, tags).
        tags: (n, words) right ones; padding is 0.
        lengths: (n,) words of each sentence.
        steps: (tags + 1, tags) transition scores, the last row for the first word.
    """
    import torch

    scores, moves = scores.float(), steps[:-1].float()
    longest = scores.shape[1]
    there = torch.arange(longest)[None, :] < lengths[:, None]
    emitted = (scores.gather(2, tags.unsqueeze(2)).squeeze(2) * there).sum(1)
    moved = (moves[tags[:, :-1], tags[:, 1:]] * there[:, 1:]).sum(1)
    right = emitted + moved + steps[-1][tags[:, 0]]
    alpha = scores[:, 0] + steps[-1]
    for place in range(1, longest):
        # exp-space product: one matrix product a word instead of a (n, tags, tags) logsumexp
        top = alpha.max(1, keepdim=True).values
        summed = torch.log((alpha - top).exp() @ moves.exp() + 1e-30) + top + scores[:, place]
        alpha = torch.where(there[:, place : place + 1], summed, alpha)
    return (torch.logsumexp(alpha, 1) - right).mean()


def best_tags(
    scores: np.ndarray, steps: np.ndarray, allowed: np.ndarray | None = None
) -> tuple[list[int], float]:
    """The best tag sequence of one sentence and its score (Viterbi, 1967).

    Args:
        scores: (words, tags).
        steps: (tags + 1, tags) transition scores, the last row for the first word.
        allowed: (tags,) True where a tag may be used at all.
    """
    if allowed is not None:
        scores = np.where(allowed, scores, FORBIDDEN)
    total = scores[0] + steps[-1]
    back = np.zeros(scores.shape, np.int64)
    for place in range(1, len(scores)):
        ways = total[:, None] + steps[:-1]
        back[place] = ways.argmax(0)
        total = ways.max(0) + scores[place]
    path = [int(total.argmax())]
    for place in range(len(scores) - 1, 0, -1):
        path.append(int(back[place, path[-1]]))
    return path[::-1], float(total.max())


def log_partition(scores: np.ndarray, steps: np.ndarray) -> float:
    """Log of the summed score of all tag sequences of one sentence."""
    from scipy.special import logsumexp

    total = scores[0] + steps[-1]
    for row in scores[1:]:
        total = logsumexp(total[:, None] + steps[:-1], axis=0) + row
    return float(logsumexp(total))
