"""Small convolutional networks that hear words together: 94,000 numbers for ten words.

Plain convolutions with batch normalisation, which every runtime for small devices folds and
quantises (after Sainath and Parada, 2015; residual as in Tang and Lin, 2018).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class KeywordNetwork(nn.Module):
    """(n, 1, FRAMES, BANDS) features to (n, words) logits: the mean of its members'.

    Three small networks err in fewer places together than one of their size: with few speakers to
    learn from, what a single one makes of a stranger depends on its seed.
    """

    def __init__(self, words: int, members: int = 3) -> None:
        """A fresh one for so many words."""
        super().__init__()
        self.members = nn.ModuleList(_member(words) for _ in range(members))

    def forward(self, features: Tensor) -> Tensor:
        """Logits."""
        return torch.stack([member(features) for member in self.members]).mean(0)


class Residual(nn.Module):
    """Adds a change to what it is given."""

    def __init__(self, width: int) -> None:
        """A fresh one for so many channels."""
        super().__init__()
        self.change = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(n, width, frames, bands) to the same."""
        return torch.relu(x + self.change(x))


def _member(words: int) -> nn.Sequential:
    return nn.Sequential(
        _heard(1, 12, (2, 2)), _heard(12, 18, (1, 2)), Residual(18), _heard(18, 24, (2, 2)),
        Residual(24), _heard(24, 36, (2, 1)), nn.Dropout2d(0.1),
        nn.Conv2d(36, 48, (1, 5), bias=False), nn.BatchNorm2d(48), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.3), nn.Linear(48, words),
    )  # fmt: skip


def _heard(given: int, made: int, stride: tuple[int, int]) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(given, made, 3, stride, 1, bias=False), nn.BatchNorm2d(made), nn.ReLU()
    )
