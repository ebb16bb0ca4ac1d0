"""Reads speech from files, bytes and streams: float32, one channel, 16 kHz, checked.

Knows no torch, so that a small device can use it.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from math import gcd
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from core.errors import DataError

if TYPE_CHECKING:
    import soundfile

SAMPLE_RATE = 16_000
SHORTEST_S = 0.01
SUFFIXES = (".wav", ".flac", ".ogg", ".opus", ".mp3")
_RATES = (4_000, 384_000)
Source = str | Path | bytes | BinaryIO


class AudioError(DataError):
    """A recording that cannot be used."""


def read_audio(source: Source, *, max_seconds: float | None = None) -> np.ndarray:
    """A whole recording.

    Args:
        source: Path, the bytes of a file, or an open file.
        max_seconds: Longest that is accepted; None for any.

    Returns:
        (n,) float32 in [-1, 1] at 16 kHz; channels are averaged.

    Raises:
        AudioError: Not audio, empty, shorter than 10 ms, longer than allowed, or not finite.
    """
    with _opened(source) as sound:
        seconds = sound.frames / sound.samplerate
        if max_seconds is not None and seconds > max_seconds:
            raise AudioError(
                f"it lasts {seconds:,.0f} s, and at most {max_seconds:,.0f} s are accepted",
                where=_name(source), remedy="Cut it, or stream it",
            )  # fmt: skip
        rate, block = sound.samplerate, sound.read(dtype="float32", always_2d=True)
    if len(block) < SHORTEST_S * rate:
        raise AudioError(
            "it holds no sound" if not len(block) else
            f"it lasts {1000 * len(block) / rate:.1f} ms, shorter than any sound of speech",
            where=_name(source), remedy="Record at least a word",
        )  # fmt: skip
    return resample(_mono(block, _name(source)), rate)


def iter_audio(source: Source, block_s: float = 30.0) -> Iterator[np.ndarray]:
    """A recording of any length in blocks, in bounded memory.

    Args:
        source: Path, the bytes of a file, or an open file.
        block_s: Seconds of a block; the last may be shorter.

    Yields:
        (n,) float32 at 16 kHz. Blocks are resampled one by one with a margin on both sides, so
        that they join without a click.

    Raises:
        AudioError: Not audio, empty, or not finite.
    """
    with _opened(source) as sound:
        rate, name = sound.samplerate, _name(source)
        # A block in the file that is a whole number of samples at both rates.
        step = rate // gcd(rate, SAMPLE_RATE)
        size = max(1, round(block_s * rate / step)) * step
        margin = -(-rate // (20 * step)) * step  # 50 ms
        before, got = np.zeros(0, np.float32), 0
        here = _mono(sound.read(size, dtype="float32", always_2d=True), name)
        while len(here):
            got += len(here)
            after = _mono(sound.read(size, dtype="float32", always_2d=True), name)
            joined = np.concatenate([before, here, after[:margin]])
            start = len(before) * SAMPLE_RATE // rate
            count = -(-len(here) * SAMPLE_RATE // rate)
            yield resample(joined, rate)[start : start + count]
            before, here = here[-margin:] if len(here) == size else here, after
        if not got:
            raise AudioError("it holds no sound", where=name, remedy="Record at least a word")


def resample(sound: np.ndarray, rate: int, to: int = SAMPLE_RATE) -> np.ndarray:
    """The sound at another rate, by a polyphase filter.

    Args:
        sound: (n,) samples.
        rate: Samples a second it has.
        to: Samples a second it gets.

    Raises:
        AudioError: A rate that no recorder has.
    """
    if not _RATES[0] <= rate <= _RATES[1]:
        raise AudioError(
            f"{rate} samples a second is not a rate of speech", where="sample rate",
            remedy="Use 8,000 to 48,000",
        )  # fmt: skip
    if rate == to:
        return np.ascontiguousarray(sound, np.float32)
    from scipy.signal import resample_poly

    common = gcd(rate, to)
    out: np.ndarray = resample_poly(sound, to // common, rate // common)
    return np.clip(out, -1.0, 1.0).astype(np.float32)


def from_pcm16(data: bytes) -> np.ndarray:
    """(n,) float32 of little-endian 16-bit samples; an odd last byte is dropped."""
    return np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.float32) / 32768.0


def to_pcm16(sound: np.ndarray) -> bytes:
    """Little-endian 16-bit samples."""
    return (np.clip(sound, -1.0, 1.0) * 32767.0).round().astype("<i2").tobytes()


def write_wav(path: str | Path | None, sound: np.ndarray, rate: int = SAMPLE_RATE) -> bytes:
    """The sound as a 16-bit WAV file, also written to a path if one is given."""
    import soundfile

    buffer = io.BytesIO()
    soundfile.write(buffer, sound, rate, format="WAV", subtype="PCM_16")
    data = buffer.getvalue()
    if path is not None:
        Path(path).write_bytes(data)
    return data


def _opened(source: Source) -> soundfile.SoundFile:
    import soundfile

    if isinstance(source, str | Path) and not Path(source).is_file():
        raise AudioError("there is no such recording", where=str(source), remedy="Check the path")
    given = io.BytesIO(source) if isinstance(source, bytes) else source
    try:
        return soundfile.SoundFile(given)
    except (soundfile.LibsndfileError, TypeError, ValueError):
        raise AudioError(
            "it is not a recording that can be read", where=_name(source),
            remedy="Use WAV, FLAC, Ogg or MP3",
        ) from None  # fmt: skip


def _mono(block: np.ndarray, name: str) -> np.ndarray:
    """(n,) mean of the channels; float files may exceed full scale and are clipped."""
    if not np.isfinite(block).all():
        raise AudioError(
            "it holds samples that are not numbers", where=name, remedy="Export it again as 16 bit"
        )
    mean: np.ndarray = block.mean(axis=1, dtype=np.float32)
    return np.clip(mean, -1.0, 1.0)


def _name(source: Source) -> str:
    return str(source) if isinstance(source, str | Path) else "recording"
