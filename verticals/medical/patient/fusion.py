"""A network that fuses three modalities and bears the loss of any of them.

It knows matrices only: what the columns mean and where they come from is for multimodal.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from core.training.loop import FitSettings, fit

if TYPE_CHECKING:
    import torch

MODALITIES = ("text", "labs", "vitals")
_WIDTH = 32  # of each modality's summary
_DROPPED = 0.25  # chance that a modality is hidden from a training step


@dataclass(frozen=True)
class Inputs:
    """What the network reads: scaled columns, 0 for missing, and which modalities are there."""

    text: np.ndarray  # (n, d) float32
    labs: np.ndarray  # (n, 2 * labs) float32: scaled values, then 1 where missing
    vitals: np.ndarray  # (n, 2 * vitals) float32
    present: np.ndarray  # (n, 3) float32, 1 or 0, in the order of MODALITIES

    def __len__(self) -> int:
        return len(self.present)

    def take(self, rows: np.ndarray) -> Inputs:
        """Those rows."""
        return Inputs(self.text[rows], self.labs[rows], self.vitals[rows], self.present[rows])

    def only(self, *modalities: str) -> Inputs:
        """The same with every other modality hidden."""
        kept = np.array([m in modalities for m in MODALITIES], np.float32)
        return Inputs(self.text, self.labs, self.vitals, self.present * kept)

    def tensors(self) -> tuple[torch.Tensor, ...]:
        """As the network takes them."""
        import torch

        return tuple(
            torch.from_numpy(np.ascontiguousarray(a, np.float32))
            for a in (self.text, self.labs, self.vitals, self.present)
        )


def build_network(widths: tuple[int, int, int], seed: int) -> torch.nn.Module:
    """An untrained network for modalities of those widths; the seed fixes its weights."""
    import torch

    torch.manual_seed(seed)
    network: torch.nn.Module = _network_class()(widths)
    return network


def log_odds(network: torch.nn.Module, inputs: Inputs) -> np.ndarray:
    """(n,) float64 of the outcome."""
    import torch

    network.eval()
    with torch.inference_mode():
        return np.asarray(network(*inputs.tensors()).numpy(), float)


def train(
    network: torch.nn.Module,
    inputs: Inputs,
    outcome: np.ndarray,
    held: tuple[Inputs, np.ndarray],
    *,
    seed: int,
    epochs: int = 40,
) -> list[float]:
    """Train in place, stopping early by the AUROC of the held-out part.

    In every step each modality that is there is hidden with a chance of 0.25, never all of them,
    so that the network learns to do without (modality dropout: Neverova 2016).

    Returns:
        AUROC of the held-out part, epoch by epoch.
    """
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    from core.evaluation.metrics import measure

    target = torch.from_numpy(outcome.astype(np.float32))
    batches = DataLoader(TensorDataset(*inputs.tensors(), target), batch_size=128, shuffle=True)

    def loss(model: torch.nn.Module, batch: Any) -> torch.Tensor:
        *parts, present, y = batch
        told = model(*parts, _hidden(present))
        return torch.nn.functional.binary_cross_entropy_with_logits(told, y)

    def score(model: torch.nn.Module) -> float:
        return measure("roc_auc", held[1], 1 / (1 + np.exp(-log_odds(model, held[0]))))

    settings = FitSettings(
        epochs=epochs, learning_rate=3e-3, weight_decay=1e-2, patience=8, seed=seed
    )
    return fit(network, batches, loss, settings, validate=score).scores


def _hidden(present: torch.Tensor) -> torch.Tensor:
    """Presence flags with some modalities hidden; a row that would lose all keeps what it has."""
    import torch

    kept = present * (torch.rand_like(present) >= _DROPPED)
    return torch.where(kept.sum(1, keepdim=True) > 0, kept, present)


@cache
def _network_class() -> type[torch.nn.Module]:
    """The class, made on first use: torch takes seconds to import."""
    import torch
    from torch import nn

    class FusionNetwork(nn.Module):
        """A summary of each modality, a learned stand-in where it is missing, and a small head.

        A linear path beside each summary lets few rows teach what is simply additive.
        """

        def __init__(self, widths: tuple[int, int, int]) -> None:
            super().__init__()
            self.summaries = nn.ModuleList(
                nn.Sequential(
                    nn.Dropout(0.1), nn.Linear(w, _WIDTH), nn.GELU(), nn.LayerNorm(_WIDTH)
                )
                for w in widths
            )
            self.lines = nn.ModuleList(nn.Linear(w, 1) for w in widths)
            self.missing = nn.Parameter(torch.zeros(len(widths), _WIDTH))
            self.offsets = nn.Parameter(torch.zeros(len(widths)))
            self.head = nn.Sequential(
                nn.Linear(len(widths) * (_WIDTH + 1), _WIDTH), nn.GELU(), nn.Dropout(0.2),
                nn.Linear(_WIDTH, 1),
            )  # fmt: skip

        def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
            """(n,) log-odds of text (n, d), labs, vitals and presence (n, 3)."""
            *parts, present = inputs
            told, line = [], torch.zeros(len(present), device=present.device)
            for i, part in enumerate(parts):
                there = present[:, i : i + 1]
                told.append(there * self.summaries[i](part) + (1 - there) * self.missing[i])
                line = line + (there * self.lines[i](part) + (1 - there) * self.offsets[i])[:, 0]
            return line + self.head(torch.cat([*told, present], 1))[:, 0]

    return FusionNetwork
