"""A contrastively trained encoder brings together what belongs together."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.models.transformer import load_transformer, mean_pooled
from core.training.contrastive import Pair, fine_tune_encoder
from core.training.loop import FitSettings
from core.training.lora import add_lora

# Made-up names: the encoder cannot know what they treat.
PAIRS = [
    ("zolumab", "fever"), ("trivexin", "gout"), ("prandole", "asthma"), ("nostrel", "anaemia"),
    ("quentide", "migraine"), ("halcifen", "eczema"), ("borvastol", "angina"), ("mexitran", "acne"),
]  # fmt: skip


def cosines(model: torch.nn.Module, tokenizer: object) -> np.ndarray:
    def encode(texts: list[str]) -> np.ndarray:
        encoded = tokenizer.encode_batch(texts)  # type: ignore[attr-defined]
        width = max(len(e.ids) for e in encoded)
        ids = torch.zeros((len(texts), width), dtype=torch.int64)
        mask = torch.zeros_like(ids)
        for row, e in enumerate(encoded):
            ids[row, : len(e.ids)] = torch.tensor(e.ids)
            mask[row, : len(e.ids)] = torch.tensor(e.attention_mask)
        with torch.no_grad():
            return mean_pooled(model).eval()(ids, mask).numpy()

    return encode([a for a, _ in PAIRS]) @ encode([b for _, b in PAIRS]).T


def test_it_learns_pairs_that_nobody_knew() -> None:
    model, tokenizer = load_transformer()
    before = cosines(model, tokenizer)
    torch.manual_seed(0)
    adapted = add_lora(model, rank=4)
    pairs = [Pair(a, b, (PAIRS[(n + 1) % len(PAIRS)][1],)) for n, (a, b) in enumerate(PAIRS)]
    history = fine_tune_encoder(
        adapted, tokenizer, pairs, FitSettings(epochs=20, learning_rate=2e-3, seed=0), batch=8
    )
    after = cosines(adapted, tokenizer)
    assert history.losses[-1] < 0.5 * history.losses[0]
    assert (after.argmax(axis=1) == np.arange(len(PAIRS))).mean() == 1
    assert (before.argmax(axis=1) == np.arange(len(PAIRS))).mean() < 0.6


def test_one_pair_is_too_few() -> None:
    model, tokenizer = load_transformer()
    with pytest.raises(ValueError, match="two pairs"):
        fine_tune_encoder(model, tokenizer, [Pair("a", "b")], FitSettings())
