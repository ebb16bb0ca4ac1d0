"""Makes clean speech sound as it does in homes: other people, rooms, microphones, noises.

NumPy in, NumPy out, torchaudio in between. For training; nothing here runs at an edge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np

from core.data.audio import SAMPLE_RATE
from core.errors import ParameterError

Kind = Literal["white", "pink", "hum", "babble", "kitchen"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_TILT = {"white": 0.0, "pink": 0.5, "hum": 1.0, "babble": 0.5, "kitchen": 0.25}
_TINY = 1e-9


def made_noise(kind: Kind, n: int, random: np.random.Generator) -> np.ndarray:
    """Noise that nobody recorded: (n,) float32, root mean square one.

    Args:
        kind: white; pink (ventilation); hum (mains and its harmonics); babble (many voices: noise
            in the bands of speech that comes and goes with syllables); kitchen (pink, with clicks
            of dishes).
        n: Samples at 16 kHz.
        random: What makes it.

    Raises:
        ParameterError: No such kind.
    """
    if kind not in KINDS:
        raise ParameterError(
            f"there is no noise {kind!r}", where="kind", remedy=f"Use one of {', '.join(KINDS)}"
        )
    spectrum = np.fft.rfft(random.normal(size=n))
    hertz = np.fft.rfftfreq(n, 1 / SAMPLE_RATE)
    spectrum /= (np.arange(len(spectrum)) + 1.0) ** _TILT[kind]
    if kind == "babble":  # as much as long-term speech has by frequency (Byrne et al., 1994)
        spectrum *= 1 / (1 + (hertz / 500) ** 2) * (hertz > 80)
    sound = np.fft.irfft(spectrum, n)
    time = np.arange(n) / SAMPLE_RATE
    if kind == "hum":
        mains = random.choice([50.0, 60.0])
        tones = (np.sin(2 * np.pi * mains * k * time + random.uniform(0, 6.3)) / k
                 for k in range(1, 9))  # fmt: skip
        sound = sound / _rms(sound) * 0.3 + np.sum(list(tones), axis=0)
    if kind == "babble":
        syllables = sum(
            np.sin(2 * np.pi * random.uniform(2, 6) * time + random.uniform(0, 6.3))
            for _ in range(4)
        )
        sound = sound * (1 + 0.2 * syllables)
    if kind == "kitchen":
        sound = sound / _rms(sound) + _clicks(n, random)
    return (sound / _rms(sound)).astype(np.float32)


def mix_at_snr(sound: np.ndarray, noise: np.ndarray, snr_db: float) -> np.ndarray:
    """Sound with noise under it.

    Args:
        sound: (n,) float32.
        noise: (m,) float32 of any level, repeated or cut to n.
        snr_db: Level of the sound over the noise, both taken over their whole length.
    """
    import torch
    from torchaudio.functional import add_noise

    under = torch.from_numpy(np.resize(noise, len(sound)).astype(np.float32))
    mixed = add_noise(
        torch.from_numpy(sound.astype(np.float32, copy=False)), under, torch.tensor(snr_db)
    )
    out: np.ndarray = mixed.numpy()
    return out


def room(sound: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Sound in a room: (n,) float32, the direct sound first and reverberation after it.

    The impulse response is noise that decays by 60 dB in 0.1 to 0.6 s (Polack, 1988).
    """
    import torch
    from torchaudio.functional import fftconvolve

    decay = random.uniform(0.1, 0.6)
    length = int(decay * SAMPLE_RATE)
    tail = random.normal(size=length) * np.exp(-6.9 * np.arange(length) / length)
    tail *= random.uniform(0.02, 0.25) / np.sqrt((tail**2).sum())
    tail[0] = 1.0
    heard = fftconvolve(
        torch.from_numpy(sound.astype(np.float32, copy=False)),
        torch.from_numpy(tail.astype(np.float32)),
    )
    out: np.ndarray = heard[: len(sound)].numpy()
    return out


def another_size(sound: np.ndarray, factor: float) -> np.ndarray:
    """Played faster (above 1) or slower, which raises or lowers pitch and formants together."""
    import torch
    from torchaudio.functional import resample

    # Whole numbers with few divisors make resampling slow; steps of a fiftieth are fine enough.
    to = round(50 / factor)
    out: np.ndarray = resample(torch.from_numpy(sound.astype(np.float32)), 50, to).numpy()
    return out


def microphone(sound: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Through a cheap microphone: bass and treble raised or lowered by up to 8 dB."""
    import torch
    from torchaudio.functional import bass_biquad, treble_biquad

    given = torch.from_numpy(sound.astype(np.float32, copy=False))
    low = bass_biquad(given, SAMPLE_RATE, float(random.uniform(-8, 8)), 200.0)
    out: np.ndarray = treble_biquad(low, SAMPLE_RATE, float(random.uniform(-8, 8)), 3000.0).numpy()
    return out


def telephone(sound: np.ndarray) -> np.ndarray:
    """As 8-bit mu-law coding leaves it (ITU-T G.711)."""
    import torch
    from torchaudio.functional import mu_law_decoding, mu_law_encoding

    coded = mu_law_encoding(torch.from_numpy(sound.astype(np.float32, copy=False)), 256)
    out: np.ndarray = mu_law_decoding(coded, 256).numpy()
    return out


@dataclass
class Augmenter:
    """Says every clip anew: another size of speaker, room, microphone, noise and level."""

    noises: Sequence[np.ndarray] = ()  # recorded ones; made ones are used as well
    seed: int = 0
    snr_db: tuple[float, float] = (5.0, 30.0)
    size: tuple[float, float] = (0.88, 1.14)
    _random: np.random.Generator = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Begin the sequence of the seed."""
        self._random = np.random.default_rng(self.seed)

    def __call__(self, sound: np.ndarray) -> np.ndarray:
        """(n,) float32 at 16 kHz to (m,) float32, its loudest sample below one."""
        random = self._random
        out = another_size(sound, float(random.uniform(*self.size)))
        if random.random() < 0.6:
            out = room(out, random)
        if random.random() < 0.5:
            out = microphone(out, random)
        out = mix_at_snr(out, self._noise(len(out)), float(random.uniform(*self.snr_db)))
        if random.random() < 0.1:
            out = telephone(out / max(float(np.abs(out).max()), 1.0))
        level = random.uniform(0.05, 0.9) / max(float(np.abs(out).max()), _TINY)
        return (out * level).astype(np.float32)

    def _noise(self, n: int) -> np.ndarray:
        if len(self.noises) and self._random.random() < 0.5:
            noise = self.noises[int(self._random.integers(len(self.noises)))]
            return np.roll(noise, int(self._random.integers(len(noise))))
        return made_noise(KINDS[int(self._random.integers(len(KINDS)))], n, self._random)


def _clicks(n: int, random: np.random.Generator) -> np.ndarray:
    """A dish or two a second: short ringing tones."""
    sound = np.zeros(n)
    ring = np.arange(SAMPLE_RATE // 10) / SAMPLE_RATE
    for _ in range(random.poisson(1.5 * n / SAMPLE_RATE)):
        at = int(random.integers(n))
        tone = np.sin(2 * np.pi * random.uniform(1500, 6000) * ring) * np.exp(-60 * ring)
        part = tone[: n - at] * random.uniform(1, 6)
        sound[at : at + len(part)] += part
    return sound


def _rms(sound: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(sound)))) + _TINY
