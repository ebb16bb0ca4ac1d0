"""Takes the assistant's own voice out of what its microphone hears, and says who is left.

A partitioned-block Kalman filter in the frequency domain (Kuech, Mabande and Enzner, 2014) learns
the way from loudspeaker to microphone; it goes on learning while somebody talks over it. What it
cannot take out is measured, so that the rest of the assistant's voice is not taken for a person's.
"""

from __future__ import annotations

import numpy as np

from verticals.voice.listening.vad import WINDOW

_PARTS = 10  # blocks of 32 ms that an echo may last, the way through the sound card included
_DRIFT = 0.999  # of the way from one block to the next
_SMOOTH = 0.7  # of the spectrum of what is left
_BEFORE = 1.0  # variance of the way before anything is known
_LEAK, _LEARN = 0.3, 0.05  # share of the echo's power that is left at first; how fast it is learned
_ABOVE = 4.0  # times the expected rest, from which somebody else is there
_FLOOR = 1e-6  # power: 60 dB below full scale
_CALM = 1.02  # by which the noise of the room may grow in a block; it falls at once
_ARMED = 16  # blocks of the own voice before the filter is believed


class Echo:
    """Follows one microphone and one loudspeaker; all blocks are 512 samples at 16 kHz."""

    def __init__(self) -> None:
        """Nothing is known of the room."""
        bins = WINDOW + 1
        self._way = np.zeros((_PARTS, bins), np.complex64)
        self._unsure: np.ndarray = np.full((_PARTS, bins), _BEFORE, np.float32)
        self._played = np.zeros((_PARTS, bins), np.complex64)
        self._last = np.zeros(WINDOW, np.float32)
        self._rest: np.ndarray = np.full(bins, 1e-3, np.float32)  # spectrum of what is left
        self._leak, self._heard = _LEAK, 0
        self._noise = _FLOOR

    @property
    def armed(self) -> bool:
        """Whether enough was played for the filter to be believed."""
        return self._heard >= _ARMED

    def clean(self, heard: np.ndarray, played: np.ndarray) -> tuple[np.ndarray, bool]:
        """One block without the echo.

        Args:
            heard: (512,) of the microphone.
            played: (512,) that the loudspeaker was given in the same time.

        Returns:
            (512,) without the echo, and whether it is louder than the rest of the echo can be.
        """
        self._played = np.roll(self._played, 1, axis=0)
        self._played[0] = np.fft.rfft(np.concatenate([self._last, played]))
        self._last = played
        powers = np.abs(self._played) ** 2
        if powers.max() < _FLOOR:  # nothing was played for a while
            return heard, self._other(heard, np.zeros(WINDOW, np.float32))
        echo = np.fft.irfft((self._way * self._played).sum(axis=0))[WINDOW:].astype(np.float32)
        left = heard - echo
        self._learn(left, powers)
        self._heard += float(np.mean(played**2)) > _FLOOR
        return left, self._other(left, echo)

    def _learn(self, left: np.ndarray, powers: np.ndarray) -> None:
        spectrum = np.fft.rfft(np.concatenate([np.zeros(WINDOW, np.float32), left]))
        self._rest = _SMOOTH * self._rest + (1 - _SMOOTH) * np.abs(spectrum) ** 2
        trust = self._unsure / ((self._unsure * powers).sum(axis=0) + 2 * self._rest + 1e-10)
        step = np.fft.irfft(trust * self._played.conj() * spectrum, axis=1)
        step[:, WINDOW:] = 0  # the way is causal and no longer than its block
        self._way += np.fft.rfft(step, axis=1).astype(np.complex64)
        shrunk = (1 - 0.5 * trust * powers) * self._unsure
        self._unsure = _DRIFT**2 * shrunk + (1 - _DRIFT**2) * np.abs(self._way) ** 2

    def _other(self, left: np.ndarray, echo: np.ndarray) -> bool:
        """Whether what is left is louder than the echo usually leaves."""
        power, expected = float(np.mean(left**2)), float(np.mean(echo**2))
        self._noise = max(_FLOOR, min(power, self._noise * _CALM))
        other = power > _ABOVE * (self._leak * expected + self._noise)
        if not other and expected > _FLOOR:
            self._leak += _LEARN * (min(power / expected, 1.0) - self._leak)
        return other and self.armed
