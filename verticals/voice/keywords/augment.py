"""Other people saying a word, made of its picture: longer throats, faster tongues, worse rooms.

Works on batches of features while a network learns, for a tenth of what changing sound costs.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from verticals.voice.keywords.features import RANGE_DB

_SILENCE = -1.0  # in features
_POWER = RANGE_DB / 10 * 2.302585  # natural logarithm of power in one unit of the features


@dataclass(frozen=True)
class Variation:
    """How far made-up people and rooms go from those recorded; all in shares of the picture."""

    throat: float = 0.16  # by which frequencies move (VTLP: Jaitly and Hinton, 2013)
    pace: float = 0.3  # by which it is said faster or slower
    shift: float = 0.12  # earlier or later
    tilt: float = 0.12  # spread of a microphone's response over four points of the bands
    noise: float = 0.5  # of clips get a floor of noise
    loudest: float = 0.6  # that a floor reaches, from the bottom of the range
    bands: float = 0.15  # widest stripe of bands left out (SpecAugment: Park et al., 2019)
    moments: float = 0.15  # and of frames


def varied(features: Tensor, how: Variation) -> Tensor:
    """(n, 1, frames, bands) features of as many other people."""
    said = _moved(features, how)
    heard = _with_noise(_through_microphone(said, how), how)
    levelled = (heard - heard.amax((2, 3), keepdim=True)).clamp(min=_SILENCE)
    hidden = _stripes(levelled, 2, how.moments) | _stripes(levelled, 3, how.bands)
    return levelled.masked_fill(hidden, _SILENCE)


def _moved(features: Tensor, how: Variation) -> Tensor:
    """Along both axes; what comes in from outside the picture is silence, or its outermost band."""
    n, _, frames, bands = features.shape
    one, other, pace, shift = torch.rand(4, n, 1) * 2 - 1
    place = torch.linspace(0, 1, bands) ** (1 + how.throat / 2 * one) * (1 + how.throat * other)
    across = (2 * place - 1).clamp(-1, 1)
    along = torch.linspace(-1, 1, frames) * torch.exp(how.pace * pace) + 2 * how.shift * shift
    grid = torch.stack([across[:, None].expand(n, frames, bands),
                        along[:, :, None].expand(n, frames, bands)], dim=-1)  # fmt: skip
    sampled = functional.grid_sample(features - _SILENCE, grid, align_corners=True)
    return sampled + _SILENCE


def _through_microphone(said: Tensor, how: Variation) -> Tensor:
    n, bands = len(said), said.shape[3]
    return torch.where(said > _SILENCE, said + _curve(n, 4, bands) * how.tilt, said)


def _with_noise(said: Tensor, how: Variation) -> Tensor:
    """Powers add up: noise fills the silence, and covers what is quieter than itself."""
    n, _, _, bands = said.shape
    noisy = torch.rand(n, 1, 1, 1) < how.noise
    floor = _SILENCE + how.loudest * torch.rand(n, 1, 1, 1) + 0.15 * _curve(n, 3, bands)
    floor = floor + 0.05 * torch.randn_like(said)
    return torch.where(noisy, torch.logaddexp(said * _POWER, floor * _POWER) / _POWER, said)


def _curve(n: int, points: int, bands: int) -> Tensor:
    """(n, 1, 1, bands) smooth curves through so many normal points."""
    drawn = torch.randn(n, 1, points)
    return functional.interpolate(drawn, bands, mode="linear", align_corners=True)[:, :, None]


def _stripes(features: Tensor, axis: int, widest: float) -> Tensor:
    """Masks of one stripe a clip across an axis."""
    size = features.shape[axis]
    width, start = torch.rand(2, len(features), 1)
    width = width * widest * size
    start = start * (size - width)
    place = torch.arange(size)
    hidden = (place >= start) & (place < start + width)
    return hidden[:, None, :, None] if axis == 2 else hidden[:, None, None, :]
