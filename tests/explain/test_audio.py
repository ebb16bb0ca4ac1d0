"""Ablation of a spectrogram finds the region that a score was made to depend on."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import DataError
from explain.audio import patch_ablation, without_patches


def test_the_region_that_counts_is_found() -> None:
    spectrogram = np.random.default_rng(0).uniform(0.5, 1.0, (40, 100)).astype(np.float32)

    def score(given: np.ndarray) -> float:
        return float(given[20:30, 40:60].sum())  # band 2 of 4, times 2 of 5

    found = patch_ablation(score, spectrogram, bands=4, times=5)
    expected = np.zeros((4, 5))
    expected[2, 2] = score(spectrogram) - spectrogram.min() * 200
    np.testing.assert_allclose(found.weights, expected, atol=1e-2)
    assert found.score == pytest.approx(score(spectrogram))


def test_padding_is_not_explained() -> None:
    spectrogram = np.ones((8, 50), np.float32)
    spectrogram[:, 30:] = 0
    found = patch_ablation(lambda s: float(s.sum()), spectrogram, bands=2, times=3, columns=30)
    assert found.times[-1] == 30
    np.testing.assert_allclose(found.weights, 40.0)


def test_taking_patches_away_leaves_the_others() -> None:
    spectrogram = np.arange(1, 33, dtype=np.float32).reshape(4, 8)
    found = patch_ablation(lambda s: float(s.sum()), spectrogram, bands=2, times=2)
    left = without_patches(spectrogram, found, np.array([[True, False], [False, False]]))
    assert (left[:2, :4] == 1).all()
    assert (left[:, 4:] == spectrogram[:, 4:]).all()


def test_more_patches_than_values_are_refused() -> None:
    with pytest.raises(DataError, match="fewer patches"):
        patch_ablation(lambda _: 0.0, np.ones((4, 4), np.float32), bands=5, times=2)
