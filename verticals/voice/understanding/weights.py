"""Keeps a trained network small, and makes the ONNX file that runs.

The encoder comes from its pip package; a folder holds the adapter and the heads (a few MB). The
int8 ONNX file is made from them once on a machine and kept in the cache; then torch is not needed.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from core.errors import ModelError
from core.models.resolver import cache_folder
from verticals.voice.understanding.model import ABOUT, MODEL, TOKENIZER, About

if TYPE_CHECKING:
    import torch

ADAPTER, HEADS, ENCODER = "adapter.safetensors", "heads.safetensors", "encoder.json"
_LAYOUT = "1"  # of the exported file; raise it when the export changes


def save_network(network: torch.nn.Module, encoder: str, about: About, folder: Path) -> None:
    """Write adapter, heads and labels of a network that was trained with an adapter."""
    import torch
    from safetensors.torch import save_file

    from core.training.lora import save_adapter

    folder.mkdir(parents=True, exist_ok=True)
    heads = {
        name: value.detach().to(torch.float16).contiguous()
        for name, value in network.state_dict().items()
        if not name.startswith("encoder.") and name != "steps"
    }
    save_file(heads, folder / HEADS)
    save_adapter(network.encoder, folder / ADAPTER)  # type: ignore[arg-type]
    (folder / ENCODER).write_bytes(orjson.dumps({"encoder": encoder}))
    (folder / ABOUT).write_bytes(about.to_bytes())


def load_network(folder: Path) -> tuple[torch.nn.Module, Path]:
    """The network that `save_network` wrote, merged, with its encoder's folder.

    Raises:
        ModelError: Files are missing, or the encoder is not on this machine.
    """
    import torch
    from safetensors.torch import load_file

    from core.models.transformer import load_transformer, model_folder
    from core.training.lora import load_adapter
    from verticals.voice.understanding.joint import joint_network

    missing = [n for n in (ADAPTER, HEADS, ENCODER, ABOUT) if not (folder / n).is_file()]
    if missing:
        raise ModelError(
            f"the intent model lacks {', '.join(missing)}", where=str(folder),
            remedy="Train it again with fit_intents",
        )  # fmt: skip
    name = str(orjson.loads((folder / ENCODER).read_bytes())["encoder"])
    about = About.from_bytes((folder / ABOUT).read_bytes())
    encoder, _ = load_transformer(name)
    merged = load_adapter(encoder, folder / ADAPTER)
    network: torch.nn.Module = joint_network(merged, len(about.intents), about.tags)
    heads = {k: v.to(torch.float32) for k, v in load_file(folder / HEADS).items()}
    network.load_state_dict(heads, strict=False)
    return network.eval(), model_folder(name)


def export_network(network: torch.nn.Module, source: Path, about: About, folder: Path) -> Path:
    """Write what `IntentModel.open` runs: int8 ONNX, tokenizer, labels.

    Args:
        network: In evaluation mode, adapters merged.
        source: Folder with the encoder's tokenizer.json.
        about: What belongs to the network.
        folder: Where to; made if it is not there.
    """
    import torch

    from core.deployment.onnx_export import export_onnx, quantise_dynamic
    from verticals.voice.understanding.words import FEATURES

    folder.mkdir(parents=True, exist_ok=True)
    whole = folder / "whole.onnx"
    ids = torch.ones((1, 9), dtype=torch.int64)
    pool = torch.full((1, 5, 9), 1 / 9)
    features = torch.ones((1, 5, FEATURES), dtype=torch.int64)
    export_onnx(
        network,
        {"input_ids": ids, "attention_mask": ids.clone(), "pool": pool, "features": features},
        whole, outputs=["intent", "tags", "vector"],
        dynamic={
            "input_ids": {1: "tokens"}, "attention_mask": {1: "tokens"},
            "pool": {1: "words", 2: "tokens"}, "features": {1: "words"},
        },
    )  # fmt: skip
    quantise_dynamic(whole, folder / MODEL)
    whole.unlink()
    shutil.copyfile(source / TOKENIZER, folder / TOKENIZER)
    (folder / ABOUT).write_bytes(about.to_bytes())
    return folder


def exported(folder: Path) -> Path:
    """The folder that runs, made in the cache if this machine never did.

    Raises:
        ModelError: Files are missing, or the cache cannot be written.
    """
    digest = hashlib.sha256(_LAYOUT.encode())
    for name in (ADAPTER, HEADS, ENCODER, ABOUT):
        if (folder / name).is_file():
            digest.update((folder / name).read_bytes())
    place = cache_folder() / "intents" / digest.hexdigest()[:20]
    if (place / ABOUT).is_file():
        return place
    network, source = load_network(folder)
    about = About.from_bytes((folder / ABOUT).read_bytes())
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=place.parent))
        try:
            export_network(network, source, about, fresh)
            shutil.rmtree(place, ignore_errors=True)  # of an export that was killed half-way
            fresh.rename(place)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    except OSError as error:
        raise ModelError(
            f"the intent model cannot be written: {error}", where=str(place),
            remedy="Free some space, or set CASEKIT_HOME to a folder that can be written",
        ) from error  # fmt: skip
    return place
