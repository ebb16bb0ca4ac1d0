"""A word as a picture: log-mel energies of its loudest second, in numpy, as torchaudio makes them.

Runs without torch, so that a small device hears what the network was trained on.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from core.data.audio import SAMPLE_RATE

HOP, WINDOW, SIZE = 160, 400, 512  # samples: 10 ms, 25 ms, the Fourier transform
BANDS, FRAMES = 40, 96
TOP_HZ = 4_000.0  # of telephones and of old recordings; what is above is not listened to
LOWEST_HZ = 60.0
RANGE_DB = 60.0  # below the loudest band, where everything counts as silence
LONGEST = FRAMES * HOP


def word_features(sound: np.ndarray) -> np.ndarray:
    """A recording of one word, in the middle of a second.

    Args:
        sound: (n,) at 16 kHz of any level; of a longer one its loudest second.

    Returns:
        (FRAMES, BANDS) float32: 0 in the loudest band, -1 where it is `RANGE_DB` below.
    """
    decibels = 10 * np.log10(mel_power(_loudest(sound)) + 1e-10)
    relative = np.maximum((decibels - decibels.max()) / RANGE_DB, -1.0)
    before = (FRAMES - len(relative)) // 2
    around = ((before, FRAMES - len(relative) - before), (0, 0))
    return np.pad(relative, around, constant_values=-1.0).astype(np.float32)


def mel_power(sound: np.ndarray) -> np.ndarray:
    """(n // 160, 40) power by mel band (HTK's scale), a window of 25 ms round every 10 ms."""
    padded = np.pad(sound.astype(np.float64), SIZE // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, SIZE)[::HOP][
        : max(len(sound) // HOP, 1)
    ]
    spectrum = np.fft.rfft(frames * _window())
    return np.asarray(np.abs(spectrum) ** 2 @ mel_filters().T)


@lru_cache(maxsize=1)
def mel_filters() -> np.ndarray:
    """(40, 257) triangles of height one, from `LOWEST_HZ` to `TOP_HZ`."""
    bins = np.linspace(0, SAMPLE_RATE / 2, SIZE // 2 + 1)
    low, high = (2595 * np.log10(1 + hertz / 700) for hertz in (LOWEST_HZ, TOP_HZ))
    edges = 700 * (10 ** (np.linspace(low, high, BANDS + 2) / 2595) - 1)
    rise = (bins - edges[:-2, None]) / np.diff(edges)[:-1, None]
    fall = (edges[2:, None] - bins) / np.diff(edges)[1:, None]
    triangles: np.ndarray = np.maximum(0.0, np.minimum(rise, fall))
    return triangles


@lru_cache(maxsize=1)
def _window() -> np.ndarray:
    """Hann's window of 25 ms in the middle of the transform."""
    around = (SIZE - WINDOW) // 2
    return np.pad(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW), around)


def _loudest(sound: np.ndarray) -> np.ndarray:
    """The stretch of `LONGEST` samples that holds the most energy."""
    if len(sound) <= LONGEST:
        return sound
    energy = np.concatenate([[0.0], np.cumsum(np.square(sound, dtype=np.float64))])
    start = int(np.argmax(energy[LONGEST:] - energy[:-LONGEST]))
    return sound[start : start + LONGEST]
