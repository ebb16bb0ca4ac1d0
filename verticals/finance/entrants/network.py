"""TabM (Gorishniy et al., ICLR 2025): an efficient ensemble of MLPs, by its authors' package.

Clipping, imputation and scaling are part of the network, so its ONNX file takes the raw matrix
and a server needs neither torch nor this module's training half.
"""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from verticals.finance.entrants.members import Rows, Training

if TYPE_CHECKING:
    import torch

MOST_ROWS = 10_000  # a sample is enough for a small network, and keeps it affordable
BLOCK = 8_192  # rows scored at once


@dataclass(frozen=True)
class NetworkMember:
    """A trained network, or the ONNX session of one that was saved."""

    module: torch.nn.Module | None = None
    session: Any = None
    family: str = "network"

    def log_odds(self, rows: Rows, threads: int = 1) -> np.ndarray:
        """Log-odds of default, (n,) float64."""
        blocks = np.array_split(
            rows.matrix.astype(np.float32), max(1, -(-len(rows) // BLOCK))
        )  # fmt: skip
        return np.concatenate([self._score(block) for block in blocks]).astype(float)

    def _score(self, block: np.ndarray) -> np.ndarray:
        if self.module is None:
            return np.asarray(self.session.run(None, {"matrix": block})[0])
        import torch

        with torch.inference_mode():
            return np.asarray(self.module(torch.from_numpy(block)).numpy())

    def contributions(self, rows: Rows, threads: int = 1) -> tuple[np.ndarray, float] | None:
        """None: a network has no exact Shapley values; explain.networks attributes it."""
        return None

    def save(self, path: Path) -> str:
        """Write ONNX, one file, any number of rows.

        Raises:
            ValueError: This member was itself loaded from ONNX.
        """
        import torch

        if self.module is None:
            raise ValueError("a network loaded from ONNX is not exported again")
        target = path.with_suffix(".onnx")
        example = torch.zeros(7, int(self.module.width))  # type: ignore[arg-type]
        # What the exporter cannot find (torchvision) is not needed here.
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                self.module, (example,), str(target), input_names=["matrix"],
                output_names=["log_odds"], dynamo=True, external_data=False, verbose=False,
                dynamic_shapes={"rows": {0: torch.export.Dim("n", min=1, max=2**31)}},
            )  # fmt: skip
        return target.name


def tabm(training: Training, *, epochs: int = 12, width: int = 128) -> NetworkMember:
    """Train TabM on at most `MOST_ROWS` rows."""
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    from core.training.loop import FitSettings, fit

    torch.set_num_threads(training.threads)
    matrix, target = _sample(training)
    torch.manual_seed(training.seed)
    module = _build(matrix, width)
    data = TensorDataset(
        torch.from_numpy(matrix.astype(np.float32)), torch.from_numpy(target.astype(np.float32))
    )
    size = 512 if len(matrix) > 5_000 else 64

    def loss(model: torch.nn.Module, batch: Any) -> torch.Tensor:
        rows, truth = batch
        heads = model(rows, mean=False)  # (batch, k): each head learns on its own
        return torch.nn.functional.binary_cross_entropy_with_logits(
            heads, truth[:, None].expand_as(heads)
        )

    settings = FitSettings(epochs=epochs, seed=training.seed, deadline=training.deadline)
    fit(module, DataLoader(data, size, shuffle=True), loss, settings)
    return NetworkMember(module)


def _sample(training: Training) -> tuple[np.ndarray, np.ndarray]:
    matrix, target = training.rows.matrix, training.target
    if len(matrix) <= MOST_ROWS:
        return matrix, target
    keep = np.random.default_rng(training.seed).choice(len(matrix), MOST_ROWS, replace=False)
    return matrix[keep], target[keep]


def _build(matrix: np.ndarray, width: int) -> torch.nn.Module:
    """TabM behind the pre-processing fitted on `matrix` (n, features)."""
    import rtdl_num_embeddings
    import torch
    from tabm import TabM

    with warnings.catch_warnings():  # a column may be all missing
        warnings.simplefilter("ignore", RuntimeWarning)
        low, middle, high = np.nan_to_num(np.nanquantile(matrix, [0.001, 0.5, 0.999], axis=0))
    filled = np.clip(np.where(np.isnan(matrix), middle, matrix), low, high)
    gaps = np.flatnonzero(np.isnan(matrix).any(axis=0))
    mean, scale = filled.mean(axis=0), filled.std(axis=0) + 1e-6

    class Network(torch.nn.Module):
        low: torch.Tensor
        middle: torch.Tensor
        high: torch.Tensor
        mean: torch.Tensor
        scale: torch.Tensor
        gaps: torch.Tensor

        def __init__(self) -> None:
            super().__init__()
            for name, value in (
                ("low", low), ("middle", middle), ("high", high), ("mean", mean), ("scale", scale),
            ):  # fmt: skip
                self.register_buffer(name, torch.tensor(value, dtype=torch.float32))
            self.register_buffer("gaps", torch.tensor(gaps, dtype=torch.long))
            self.width = matrix.shape[1]
            self.body: Any = None

        def prepare(self, rows: torch.Tensor) -> torch.Tensor:
            absent = torch.isnan(rows)
            known = torch.where(absent, self.middle, rows)
            scaled = (torch.minimum(torch.maximum(known, self.low), self.high) - self.mean) / (
                self.scale
            )
            return torch.cat([scaled, absent[:, self.gaps].float()], dim=1)

        def forward(self, rows: torch.Tensor, mean: bool = True) -> torch.Tensor:
            # TabM's own forward, part by part: its shape checks would pin the number of rows.
            body = self.body
            embedded = body.num_module(self.prepare(rows)).flatten(1)
            heads = body.output(body.backbone(body.ensemble_view(embedded))).squeeze(-1)  # (n, k)
            return heads.mean(dim=1) if mean else heads

    network = Network()
    with torch.no_grad():
        prepared = network.prepare(torch.from_numpy(matrix.astype(np.float32)))
    constant = prepared.amin(dim=0) == prepared.amax(dim=0)
    prepared[0] += constant.float() * 1e-3  # bins need two values: a constant gets a token spread
    with warnings.catch_warnings():
        # Columns of two values get one bin, which is right for them; saying so helps nobody.
        warnings.simplefilter("ignore", UserWarning)
        bins = rtdl_num_embeddings.compute_bins(prepared, n_bins=min(16, len(prepared) - 1))
        network.body = TabM.make(
            n_num_features=prepared.shape[1], d_out=1, k=8, d_block=width, n_blocks=2, dropout=0.1,
            num_embeddings=rtdl_num_embeddings.PiecewiseLinearEmbeddings(
                bins, d_embedding=8, activation=False, version="B"
            ),
        )  # fmt: skip
    return network
