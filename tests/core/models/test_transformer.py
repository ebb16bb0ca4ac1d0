"""Weights open from an asset, its hub name or a folder, and refuse clearly otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import ModelError
from core.models.transformer import load_tokenizer, load_transformer, mean_pooled, model_folder


def test_a_pinned_model_is_known_by_both_names() -> None:
    assert model_folder("minilm") == model_folder("sentence-transformers/all-MiniLM-L6-v2")
    assert model_folder(str(model_folder("minilm"))) == model_folder("minilm")


def test_without_a_network_a_hub_name_is_one_clear_line() -> None:
    with pytest.raises(ModelError, match="is not on this machine") as error:
        model_folder("nobody/has-this-model")
    assert "minilm" in str(error.value)


def test_a_folder_without_tokenizer_or_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no tokenizer\.json"):
        load_tokenizer(tmp_path)
    with pytest.raises(ModelError, match="cannot be opened"):
        load_transformer(str(tmp_path))


def test_pooling_ignores_padding() -> None:
    import torch

    model, tokenizer = load_transformer()
    pooled = mean_pooled(model)
    short, long = (tokenizer.encode(t).ids for t in ("fever", "a fever that does not go away"))
    ids = torch.zeros((2, len(long)), dtype=torch.int64)
    mask = torch.zeros_like(ids)
    for row, tokens in enumerate((short, long)):
        ids[row, : len(tokens)] = torch.tensor(tokens)
        mask[row, : len(tokens)] = 1
    with torch.no_grad():
        both = pooled(ids, mask)
        alone = pooled(torch.tensor([short]), torch.ones((1, len(short)), dtype=torch.int64))
    assert torch.allclose(both[:1], alone, atol=1e-5)
    assert torch.allclose(both.norm(dim=1), torch.ones(2), atol=1e-5)
