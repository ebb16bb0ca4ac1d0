"""Low-rank adapters (Hu et al., 2022) through PEFT: small to train and keep, merged to serve."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import ModelError

if TYPE_CHECKING:
    import torch

TARGETS = ("query", "key", "value", "dense")  # of BERT's layers
_RANK, _ALPHA = "lora_rank", "lora_alpha"


def add_lora(
    module: torch.nn.Module,
    *,
    rank: int = 8,
    targets: Sequence[str] = TARGETS,
    dropout: float = 0.0,
) -> torch.nn.Module:
    """The module with adapters that alone can be trained.

    Args:
        module: A transformer; its own weights are frozen.
        rank: Of the adapters; the scale is twice the rank.
        targets: Names of the linear layers that get one.
        dropout: Of the adapters' inputs.

    Raises:
        ModelError: The module has no layer of these names.
    """
    from peft import LoraConfig, inject_adapter_in_model

    config = LoraConfig(
        r=rank, lora_alpha=2 * rank, target_modules=list(targets), lora_dropout=dropout
    )
    try:
        adapted: torch.nn.Module = inject_adapter_in_model(config, module)
    except ValueError as error:
        raise ModelError(
            "no layer of the model takes an adapter", where=", ".join(targets),
            remedy="Name the model's own linear layers in `targets`",
        ) from error  # fmt: skip
    return adapted


def save_adapter(module: torch.nn.Module, path: Path) -> Path:
    """Write the adapters alone, as safetensors with rank and targets in its header."""
    from peft import get_peft_model_state_dict
    from safetensors.torch import save_file

    config = _config(module)
    tensors = {k: v.contiguous() for k, v in get_peft_model_state_dict(module).items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    about = {
        _RANK: str(config.r), _ALPHA: str(config.lora_alpha),
        "targets": ",".join(sorted(config.target_modules)),
    }  # fmt: skip
    save_file(tensors, path, metadata=about)
    return path


def load_adapter(module: torch.nn.Module, path: Path) -> torch.nn.Module:
    """The module with the adapters of a file merged into its weights: a plain module again.

    Raises:
        ModelError: The file is no adapter, or is of another model.
    """
    from peft import set_peft_model_state_dict
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            about = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        rank, targets = int(about[_RANK]), about["targets"].split(",")
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise ModelError(
            "this is no adapter that casekit wrote", where=str(path), remedy="Train it again"
        ) from error
    adapted = add_lora(module, rank=rank, targets=targets)
    try:
        result: Any = set_peft_model_state_dict(adapted, tensors)
    except RuntimeError as error:
        raise _another(path) from error
    if result.unexpected_keys:
        raise _another(path)
    return merged(adapted)


def merged(module: torch.nn.Module) -> torch.nn.Module:
    """The module with its adapters added into its weights, and none left."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    for name, layer in list(module.named_modules()):
        if isinstance(layer, BaseTunerLayer):
            layer.merge()
            parent = module.get_submodule(name.rpartition(".")[0])
            setattr(parent, name.rpartition(".")[2], layer.get_base_layer())
    return module


def _another(path: Path) -> ModelError:
    return ModelError(
        "the adapter is of another model", where=str(path),
        remedy="Use the encoder that it was trained on",
    )  # fmt: skip


def _config(module: torch.nn.Module) -> Any:
    """Of the adapters inside a module."""
    found: Any = getattr(module, "peft_config", None)
    if not found:
        raise ModelError("the model has no adapters", remedy="Call add_lora first")
    return next(iter(found.values())) if isinstance(found, dict) else found
