"""A small convolutional network for crops of one sign or light, and how crops are varied.

Colour and form at 32 pixels need no ImageNet: eight residual convolutions learn them from a few
thousand crops. Every crop is brought to the same mean and contrast first, which is most of what
separates a sign in the sun from one in the shade (LeCun et al., 1998, section 4.3).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

SIDE = 32
_LEAST_CONTRAST = 8.0  # of 255; a flat crop is not blown up into noise


class CropNetwork(nn.Module):
    """(n, 32, 32, 3) RGB crops, uint8 or float 0 to 255, to (n, classes) logits."""

    def __init__(self, classes: int, width: int = 32, dropout: float = 0.4) -> None:
        """A fresh one.

        Args:
            classes: What a crop can be.
            width: Channels of the first stage; the others have 2, 3 and 4 times as many.
            dropout: Share of the last features left out in training.
        """
        super().__init__()
        stages = []
        for given, made in ((3, width), (width, 2 * width), (2 * width, 4 * width)):
            stages += [_convolved(given, made, stride=1 if given == 3 else 2), Residual(made)]
        self.features = nn.Sequential(*stages)  # (n, 4 width, 8, 8)
        self.reduce = _convolved(4 * width, 6 * width, stride=2)
        self.head = nn.Sequential(
            nn.Flatten(), nn.Dropout(dropout), nn.Linear(6 * width * 16, 4 * width), nn.ReLU(),
            nn.Dropout(dropout / 2), nn.Linear(4 * width, classes),
        )  # fmt: skip

    def forward(self, crops: Tensor) -> Tensor:
        """Logits."""
        x = crops.permute(0, 3, 1, 2).float()
        mean = x.mean(dim=(1, 2, 3), keepdim=True)
        spread = (x - mean).pow(2).mean(dim=(1, 2, 3), keepdim=True).sqrt()
        x = (x - mean) / (spread + _LEAST_CONTRAST)
        out: Tensor = self.head(self.reduce(self.features(x))).float()
        return out


class Residual(nn.Module):
    """Adds a change to what it is given (He et al., 2016)."""

    def __init__(self, width: int) -> None:
        """A fresh one for so many channels."""
        super().__init__()
        self.change = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(n, width, h, w) to the same."""
        return torch.relu(x + self.change(x))


def _convolved(given: int, made: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(given, made, 3, stride, 1, bias=False), nn.BatchNorm2d(made), nn.ReLU()
    )


def varied(crops: Tensor, strength: float = 1.0) -> Tensor:
    """Crops as another camera, hour or distance would have shown them.

    Shift, scale, turn and slant in one resampling; then brightness, contrast, colour cast and a
    blur. Never mirrored: "keep left" would become "keep right".

    Args:
        crops: (n, 32, 32, 3) uint8.
        strength: Scales every change.

    Returns:
        (n, 32, 32, 3) float, 0 to 255.
    """
    n, device = len(crops), crops.device
    x = crops.permute(0, 3, 1, 2).float()

    def drawn(*shape: int) -> Tensor:
        return (torch.rand(*shape, device=device) * 2 - 1) * strength

    angle, zoom = drawn(n) * 0.26, torch.exp(drawn(n, 2) * 0.08 + drawn(n, 1) * 0.12)
    cos, sin = torch.cos(angle), torch.sin(angle)
    place = torch.zeros(n, 2, 3, device=device)
    place[:, 0, 0], place[:, 0, 1] = cos * zoom[:, 0], -sin * zoom[:, 0] + drawn(n) * 0.1
    place[:, 1, 0], place[:, 1, 1] = sin * zoom[:, 1] + drawn(n) * 0.1, cos * zoom[:, 1]
    place[:, :, 2] = drawn(n, 2) * 0.16
    grid = functional.affine_grid(place, list(x.shape), align_corners=False)
    x = functional.grid_sample(
        x, grid, mode="bilinear", padding_mode="reflection", align_corners=False
    )
    coarse = functional.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
    blur = (torch.rand(n, 1, 1, 1, device=device) * 1.6 - 0.6).clamp(min=0) * strength
    x = x + blur.clamp(max=1) * (coarse - x)
    mean = x.mean(dim=(1, 2, 3), keepdim=True)
    x = mean + (x - mean) * torch.exp(drawn(n, 1, 1, 1) * 0.5)
    x = x * torch.exp(drawn(n, 3, 1, 1) * 0.1) + drawn(n, 1, 1, 1) * 50
    return x.clamp(0, 255).permute(0, 2, 3, 1)
