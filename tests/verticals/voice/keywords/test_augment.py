"""Other people's pictures of a word: still the word, never the same, inside the range."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import torch

from verticals.voice.keywords.augment import Variation, varied
from verticals.voice.keywords.clips import Clip
from verticals.voice.keywords.features import word_features

NOTHING = Variation(**dict.fromkeys(asdict(Variation()), 0.0))


def pictures(clips: list[Clip]) -> torch.Tensor:
    return torch.from_numpy(np.stack([word_features(c.sound) for c in clips])[:, None])


def test_without_variation_nothing_changes(toy_words: list[Clip]) -> None:
    given = pictures(toy_words[:8])
    assert torch.allclose(varied(given, NOTHING), given, atol=1e-5)


def test_everyone_is_another_within_the_range_of_the_features(toy_words: list[Clip]) -> None:
    torch.manual_seed(0)
    given = pictures(toy_words[:1]).repeat(32, 1, 1, 1)
    made = varied(given, Variation())
    assert made.shape == given.shape
    assert torch.isfinite(made).all()
    assert made.max() <= 0
    assert made.min() >= -1
    flat = made.flatten(1)
    assert (torch.cdist(flat, flat) + 99 * torch.eye(32)).min() > 1.0


def test_a_longer_throat_moves_the_bands_and_pace_the_frames(toy_words: list[Clip]) -> None:
    torch.manual_seed(0)
    given = pictures(toy_words[:1]).repeat(64, 1, 1, 1)
    centre = lambda x, axis: (  # noqa: E731
        ((x + 1).sum((1, 5 - axis)) * torch.arange(x.shape[axis])).sum(1) / (x + 1).sum((1, 2, 3))
    )
    throat = varied(given, replace(NOTHING, throat=0.2))
    assert centre(throat, 3).std() > 0.5
    assert centre(throat, 2).std() < 0.5
    moved = varied(given, replace(NOTHING, shift=0.1))
    assert centre(moved, 2).std() > 1.0
    spoken = lambda x: (x.amax(3) > -0.5).sum((1, 2)).float()  # noqa: E731
    paced = spoken(varied(given, replace(NOTHING, pace=0.3)))
    assert paced.min() < spoken(given)[0] < paced.max()


def test_noise_fills_the_silence_and_leaves_the_loudest(toy_words: list[Clip]) -> None:
    torch.manual_seed(0)
    given = pictures(toy_words[:1]).repeat(64, 1, 1, 1)
    noisy = varied(given, replace(NOTHING, noise=1.0, loudest=0.6))
    silent = given <= -1
    assert (noisy[silent].mean() > -0.85).item()
    assert (noisy - given)[given > -0.05].abs().mean() < 0.03
