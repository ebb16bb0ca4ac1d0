"""Adapts a sentence encoder to pairs that belong together, against all that do not.

InfoNCE over the batch with hard negatives (van den Oord et al., 2018; Karpukhin et al., 2020).
Knows nothing of where pairs come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from core.models.transformer import mean_pooled
from core.training.loop import FitHistory, FitSettings, fit

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer


@dataclass(frozen=True)
class Pair:
    """Two texts that belong together, and some that only look as if they did."""

    anchor: str
    positive: str
    negatives: tuple[str, ...] = ()


def fine_tune_encoder(
    model: torch.nn.Module,
    tokenizer: Tokenizer,
    pairs: Sequence[Pair],
    settings: FitSettings,
    *,
    batch: int = 16,
    temperature: float = 0.05,
    tokens: int = 128,
) -> FitHistory:
    """Train an encoder in place; what is frozen in it stays as it is.

    Args:
        model: A transformer, such as `core.training.lora.add_lora` gives back.
        tokenizer: Its own.
        pairs: At least two. A text that belongs to an anchor, by this pair or another of the
            batch, is no negative of it.
        settings: How long and how to train.
        batch: Pairs at once: every other pair's texts are negatives.
        temperature: Of the softmax over cosines.
        tokens: Of a text, at most.

    Raises:
        ValueError: Fewer than two pairs.
    """
    import torch
    from torch.utils.data import DataLoader

    if len(pairs) < 2:
        raise ValueError("two pairs or more are needed to tell one from the other")
    tokenizer.enable_truncation(tokens)
    tokenizer.enable_padding()

    def collate(rows: list[Pair]) -> dict[str, torch.Tensor]:
        most = max(len(row.negatives) for row in rows)
        # Everyone gets as many negatives as the longest: its own, over again.
        extra = [row.negatives[i % len(row.negatives)] for i in range(most)
                 for row in rows if row.negatives]  # fmt: skip
        texts = [row.anchor for row in rows] + [row.positive for row in rows] + extra
        encoded = tokenizer.encode_batch(texts)
        return {
            "input_ids": torch.tensor([e.ids for e in encoded]),
            "attention_mask": torch.tensor([e.attention_mask for e in encoded]),
            "right": torch.tensor(_right(rows, extra)),
        }

    def loss(module: torch.nn.Module, given: Any) -> torch.Tensor:
        vectors = module(given["input_ids"], given["attention_mask"]).float()
        n = len(given["right"])
        cosines = vectors[:n] @ vectors[n:].T / temperature
        own = torch.arange(n, device=cosines.device)
        others = given["right"].clone()
        others[own, own] = False
        return torch.nn.functional.cross_entropy(cosines.masked_fill(others, -torch.inf), own)

    rows: Any = list(pairs)
    loader: Any = DataLoader(
        rows, batch_size=batch, shuffle=True, collate_fn=collate,
        drop_last=len(pairs) > batch,
    )  # fmt: skip
    return fit(mean_pooled(model), loader, loss, settings)


def _right(rows: Sequence[Pair], extra: Sequence[str]) -> np.ndarray:
    """(pairs, texts) whether a positive or negative of the batch belongs to an anchor."""
    texts = [row.positive for row in rows] + list(extra)
    known: dict[str, set[str]] = {}
    for row in rows:
        known.setdefault(row.anchor, set()).add(row.positive)
    return np.array([[text in known[row.anchor] for text in texts] for row in rows])
