"""Mel spectra in numpy, on the scale of Slaney's Auditory Toolbox (1998), as librosa makes them."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from core.data.audio import SAMPLE_RATE

HOP = SAMPLE_RATE // 100  # 10 ms
WINDOW = SAMPLE_RATE // 40  # 25 ms
BANDS = 40
_KNEE_HZ, _KNEE_MEL = 1000.0, 15.0  # linear below, logarithmic above
_STEP = np.log(6.4) / 27.0


def mel_power(sound: np.ndarray, *, size: int = WINDOW, hamming: bool = False) -> np.ndarray:
    """Power by mel band of every 10 ms: (1 + (n - size) // 160, 40) float32.

    Args:
        sound: (n,) at 16 kHz, at least `size` samples.
        size: Length of the Fourier transform; the window of 25 ms stands in its middle.
        hamming: Hamming's window instead of Hann's.
    """
    frames = np.lib.stride_tricks.sliding_window_view(sound, size)[::HOP]
    spectrum = np.fft.rfft(frames * _window(size, hamming))
    return (np.abs(spectrum) ** 2 @ mel_filters(size).T).astype(np.float32)


@lru_cache(maxsize=4)
def mel_filters(size: int) -> np.ndarray:
    """(40, size // 2 + 1) triangles of equal area, from 0 Hz to half the sampling rate."""
    bins = np.fft.rfftfreq(size, 1 / SAMPLE_RATE)
    edges = _hertz(np.linspace(0.0, _mel(SAMPLE_RATE / 2), BANDS + 2))
    rise = (bins - edges[:-2, None]) / np.diff(edges)[:-1, None]
    fall = (edges[2:, None] - bins) / np.diff(edges)[1:, None]
    area = 2.0 / (edges[2:] - edges[:-2])
    triangles: np.ndarray = np.maximum(0.0, np.minimum(rise, fall)) * area[:, None]
    return triangles


@lru_cache(maxsize=4)
def _window(size: int, hamming: bool) -> np.ndarray:
    phase = 2 * np.pi * np.arange(WINDOW) / WINDOW  # periodic, as for spectra
    shape = 0.54 - 0.46 * np.cos(phase) if hamming else 0.5 - 0.5 * np.cos(phase)
    before = (size - WINDOW) // 2
    return np.pad(shape, (before, size - WINDOW - before))


def _mel(hertz: float) -> float:
    if hertz < _KNEE_HZ:
        return hertz * _KNEE_MEL / _KNEE_HZ
    return _KNEE_MEL + float(np.log(hertz / _KNEE_HZ)) / _STEP


def _hertz(mels: np.ndarray) -> np.ndarray:
    low = mels * _KNEE_HZ / _KNEE_MEL
    return np.where(mels < _KNEE_MEL, low, _KNEE_HZ * np.exp(_STEP * (mels - _KNEE_MEL)))
