"""Adapters: small, exact when merged, and only of the model they were trained on."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from core.errors import ModelError
from core.training.lora import add_lora, load_adapter, merged, save_adapter


def net(width: int = 16) -> nn.Module:
    torch.manual_seed(0)
    layers = nn.Sequential()
    layers.add_module("dense", nn.Linear(8, width))
    layers.add_module("act", nn.Tanh())
    layers.add_module("out", nn.Linear(width, 2))
    return layers


def trained(module: nn.Module) -> nn.Module:
    adapted = add_lora(module, rank=2, targets=["dense"])
    free = [p for p in adapted.parameters() if p.requires_grad]
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in free:
            parameter.add_(torch.randn_like(parameter))
    return adapted


def test_only_the_adapters_can_be_trained() -> None:
    adapted = add_lora(net(), rank=2, targets=["dense"])
    free = {n for n, p in adapted.named_parameters() if p.requires_grad}
    assert free
    assert all("lora_" in name for name in free)
    assert sum(p.numel() for n, p in adapted.named_parameters() if n in free) == 2 * (8 + 16)


def test_merging_changes_nothing_that_can_be_seen() -> None:
    x = torch.randn(5, 8)
    adapted = trained(net())
    before = adapted(x)
    plain = merged(adapted)
    assert torch.allclose(plain(x), before, atol=1e-6)
    assert not any("lora_" in name for name, _ in plain.named_parameters())
    assert not torch.allclose(net()(x), before)


def test_a_file_brings_it_back(tmp_path: Path) -> None:
    x = torch.randn(5, 8)
    adapted = trained(net())
    before = adapted(x)
    file = save_adapter(adapted, tmp_path / "a.safetensors")
    assert torch.allclose(load_adapter(net(), file)(x), before, atol=1e-6)
    assert file.stat().st_size < 2_000


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    file = save_adapter(trained(net()), tmp_path / "a.safetensors")
    with pytest.raises(ModelError, match="another model"):
        load_adapter(net(32), file)
    broken = tmp_path / "b.safetensors"
    broken.write_bytes(file.read_bytes()[:-5])
    with pytest.raises(ModelError, match="no adapter"):
        load_adapter(net(), broken)
    with pytest.raises(ModelError, match="takes an adapter"):
        add_lora(net(), targets=["nothing"])
    with pytest.raises(ModelError, match="no adapters"):
        save_adapter(net(), tmp_path / "c.safetensors")
