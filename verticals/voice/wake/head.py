"""A small head on the frozen embedding: trained here, run by ONNX Runtime or ExecuTorch."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.errors import ModelError
from verticals.voice.wake.embedding import FRAMES, HOP, SPAN, WIDTH, SpeechEmbedding

if TYPE_CHECKING:
    import onnxruntime
    import torch

HEAD, PROGRAM = "head.onnx", "head.pte"
_MOST = 64  # stretches that a program scores at once
_UNITS = 64
_SHARE = 0.25  # of a batch that is the phrase
_BATCH = 128
_NOISE = 0.3  # added to the standardised embedding
_SOFT = 0.01  # of the labels


@dataclass(frozen=True)
class Head:
    """Scores stretches of the embedding."""

    network: onnxruntime.InferenceSession

    @classmethod
    def open(cls, path: Path, sha256: str | None = None) -> Head:
        """A head as `export_head` wrote it.

        Args:
            path: The ONNX file.
            sha256: What its digest must be, if that is known.

        Raises:
            ModelError: It is not there, is no network, or not the one that was trained.
        """
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        try:
            if sha256 is not None and digest(path) != sha256:
                raise ValueError("another network")
            return cls(onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]))  # fmt: skip
        except Exception:  # onnxruntime has a kind for everything that can be wrong with a file
            raise ModelError(
                "the head of the wake word is missing, damaged, or another's", where=str(path),
                remedy="Train it anew with train_wake_word",
            ) from None  # fmt: skip

    def scores(self, windows: np.ndarray) -> np.ndarray:
        """How much stretches sound like the phrase: (n, FRAMES, 96) to (n,) log-odds."""
        if not len(windows):
            return np.zeros(0, np.float32)
        found: np.ndarray = self.network.run(None, {"input": windows.astype(np.float32)})[0]
        return found

    def best(self, embedding: SpeechEmbedding, sound: np.ndarray) -> float:
        """The highest log-odds that the phrase ends anywhere in a recording of any length."""
        before = np.pad(sound, (SPAN, HOP))
        return float(self.scores(embedding.windows(before)).max())


def train_head(
    phrase: np.ndarray, other: np.ndarray, *, seed: int, epochs: int = 12
) -> torch.nn.Module:
    """Learn to tell the phrase from everything else.

    Args:
        phrase: (n, FRAMES, 96) stretches that end with the phrase.
        other: (m, FRAMES, 96) stretches of anything else.
        seed: Of weights and batches.
        epochs: Passes over `other`.

    Returns:
        A module in evaluation mode, (n, FRAMES, 96) to (n,) log-odds; it standardises by itself.
    """
    import torch
    from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler

    from core.training.loop import FitSettings, fit

    torch.manual_seed(seed)
    mean, spread = other.mean((0, 1)), other.std((0, 1)) + 1e-6
    first = torch.nn.Linear(FRAMES * WIDTH, _UNITS)
    network = torch.nn.Sequential(
        torch.nn.Flatten(), torch.nn.Dropout(0.2), first,
        torch.nn.LayerNorm(_UNITS), torch.nn.ReLU(), torch.nn.Dropout(0.2),
        torch.nn.Linear(_UNITS, 1), torch.nn.Flatten(0),
    )  # fmt: skip
    given = torch.from_numpy((np.concatenate([phrase, other]) - mean) / spread).float()
    right = torch.zeros(len(given))
    right[: len(phrase)] = 1.0
    weights = torch.where(right > 0, _SHARE / len(phrase), (1 - _SHARE) / len(other))
    sampler = WeightedRandomSampler(weights.tolist(), len(other))
    batches = DataLoader(TensorDataset(given, right), _BATCH, sampler=sampler, drop_last=True)

    def loss(model: torch.nn.Module, batch: list[torch.Tensor]) -> torch.Tensor:
        x, y = batch
        noisy = x + _NOISE * torch.randn_like(x)
        soft = y * (1 - 2 * _SOFT) + _SOFT
        return torch.nn.functional.binary_cross_entropy_with_logits(model(noisy), soft)

    fit(network, batches, loss, FitSettings(epochs=epochs, weight_decay=0.05, seed=seed))
    _standardise(first, mean, spread)
    return network.eval()


def export_head(head: torch.nn.Module, folder: Path) -> str:
    """Write a head as ONNX with int8 weights, and as an ExecuTorch program where that is there.

    Returns:
        The digest of the ONNX file.
    """
    import torch

    from core.deployment.executorch_export import export_executorch
    from core.deployment.onnx_export import export_onnx, quantise_dynamic

    whole = folder / "whole.onnx"
    example = {"input": torch.zeros(2, FRAMES, WIDTH)}
    axes = {"input": {0: "windows"}}
    export_onnx(head, example, whole, outputs=["score"], dynamic=axes)
    quantise_dynamic(whole, folder / HEAD)
    whole.unlink()
    if find_spec("executorch"):
        export_executorch(
            head, example, folder / PROGRAM, dynamic=axes, most={"windows": _MOST}, int8=True
        )
    return digest(folder / HEAD)


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _standardise(first: torch.nn.Linear, mean: np.ndarray, spread: np.ndarray) -> None:
    """Fold the standardisation of the embedding into the layer that reads it."""
    import torch

    scale = torch.from_numpy(np.tile(1 / spread, FRAMES)).float()
    shift = torch.from_numpy(np.tile(mean / spread, FRAMES)).float()
    with torch.no_grad():
        first.bias.sub_(first.weight @ shift)
        first.weight.mul_(scale)
