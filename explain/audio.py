"""Which regions of a recording's spectrogram a score rests on, by ablation (Captum).

Works with anything that scores a spectrogram: gradients are not needed, so a recogniser that runs
outside torch can be asked as well.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.errors import DataError

Score = Callable[[np.ndarray], float]


@dataclass(frozen=True)
class Regions:
    """How much a score loses without each patch of time and frequency.

    Attributes:
        weights: (bands, times); positive where the patch speaks for what was scored.
        bands: (bands + 1,) edges in rows of the spectrogram.
        times: (times + 1,) edges in columns.
        score: Of the whole spectrogram.
    """

    weights: np.ndarray
    bands: np.ndarray
    times: np.ndarray
    score: float


def patch_ablation(
    score: Score, spectrogram: np.ndarray, *, bands: int, times: int, columns: int | None = None
) -> Regions:
    """Replace every patch by silence in turn, and see what the score loses.

    Args:
        score: Of a spectrogram, (rows, columns) float32.
        spectrogram: (rows, columns), such as log-mel features; its lowest value is silence.
        bands: Patches along frequency.
        times: Patches along time.
        columns: How many columns hold sound; the rest is padding and not looked at.

    Raises:
        DataError: More patches than rows or columns.
    """
    import torch
    from captum.attr import FeatureAblation

    rows, used = spectrogram.shape[0], columns or spectrogram.shape[1]
    if not 0 < bands <= rows or not 0 < times <= used:
        raise DataError(
            f"{bands} by {times} patches do not fit {rows} by {used} values", where="spectrogram",
            remedy="Ask for fewer patches",
        )  # fmt: skip
    band_edges = np.linspace(0, rows, bands + 1).round().astype(int)
    time_edges = np.linspace(0, used, times + 1).round().astype(int)
    numbers = np.zeros(spectrogram.shape, np.int64)
    for band in range(bands):
        for time in range(times):
            patch = (slice(*band_edges[band : band + 2]), slice(*time_edges[time : time + 2]))
            numbers[patch] = 1 + band * times + time
    given = torch.from_numpy(np.ascontiguousarray(spectrogram, np.float32))[None]

    def scored(batch: torch.Tensor) -> torch.Tensor:
        return torch.tensor([score(one.numpy()) for one in batch])

    found = (
        FeatureAblation(scored)
        .attribute(
            given, baselines=float(spectrogram.min()), feature_mask=torch.from_numpy(numbers)[None]
        )[0]
        .numpy()
    )
    weights = np.array([
        [found[band_edges[b], time_edges[t]] for t in range(times)] for b in range(bands)
    ])  # fmt: skip
    return Regions(weights, band_edges, time_edges, float(score(spectrogram)))


def without_patches(spectrogram: np.ndarray, regions: Regions, chosen: np.ndarray) -> np.ndarray:
    """The spectrogram with some patches silent, for testing whether they matter.

    Args:
        spectrogram: As it was explained.
        regions: Of it.
        chosen: (bands, times) bool.
    """
    out = spectrogram.copy()
    for band, time in np.argwhere(chosen):
        rows = slice(*regions.bands[band : band + 2])
        out[rows, slice(*regions.times[time : time + 2])] = spectrogram.min()
    return out
