"""Kokoro-82M (hexgrad, 2025) on ONNX Runtime: five speakers, and any mixture of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.data.audio import resample
from verticals.voice.speech.pronounce import Pronouncer
from verticals.voice.speech.voice import chosen

if TYPE_CHECKING:
    import onnxruntime

RATE = 24_000
_LONGEST = 500  # sounds that the network takes at once
_PAUSE_S = 0.25  # between sentences
_QUIET, _MARGIN_S = 0.01, 0.04


@dataclass(frozen=True)
class Kokoro:
    """A network that speaks sounds in the style of a speaker."""

    network: onnxruntime.InferenceSession
    table: Mapping[str, int]  # sound -> number
    styles: Mapping[str, np.ndarray]  # (510, 256) by speaker: one style by length of the sentence
    pronouncer: Pronouncer

    @classmethod
    def open(cls, *, threads: int = 2) -> Kokoro:
        """The voice of the offline pack.

        Raises:
            ModelError: It is not installed, or not the pinned files.
        """
        import onnxruntime
        import orjson

        from core.models.resolver import resolve

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        network = onnxruntime.InferenceSession(
            str(resolve("kokoro")), options, providers=["CPUExecutionProvider"]
        )
        folder = resolve("kokoro_voices")
        table = orjson.loads((folder / "vocab.json").read_bytes())["vocab"]
        with np.load(folder / "voices_ja.npz") as file:
            styles = {name: file[name][:, 0].astype(np.float32) for name in file.files}
        return cls(network, table, styles, Pronouncer.open())

    @property
    def names(self) -> tuple[str, ...]:
        """Its speakers."""
        return tuple(self.styles)

    def say(
        self, text: str, *, speaker: str | None = None, speed: float = 1.0, seed: int = 0
    ) -> np.ndarray:
        """A sentence as (n,) float32 at 16 kHz; the same every time, whatever the seed."""
        del seed  # nothing varies
        return self.say_sounds(
            self.pronouncer.text(text), self.styles[chosen(self.names, speaker)], speed=speed
        )

    def say_sounds(self, sounds: str, style: np.ndarray, *, speed: float = 1.0) -> np.ndarray:
        """Sounds in a style.

        Args:
            sounds: As `Pronouncer.text` writes them.
            style: (510, 256), of a speaker or of a `mixture`.
            speed: 1 is normal.

        Returns:
            (n,) float32 at 16 kHz, without silence at its ends.
        """
        pieces = []
        for part in _parts(sounds):
            tokens = [self.table[s] for s in part if s in self.table]
            if not tokens:
                continue
            (sound,) = self.network.run(None, {
                "tokens": np.array([[0, *tokens, 0]], np.int64),
                "style": style[min(len(tokens), len(style)) - 1][None],
                "speed": np.array([speed], np.float32),
            })[:1]  # fmt: skip
            pieces += [_trimmed(np.asarray(sound, np.float32).ravel()),
                       np.zeros(int(_PAUSE_S * RATE), np.float32)]  # fmt: skip
        return resample(np.concatenate(pieces[:-1] or [np.zeros(RATE // 10, np.float32)]), RATE)

    def mixture(self, weights: Mapping[str, float]) -> np.ndarray:
        """(510, 256) style of a speaker who does not exist: a weighted sum of those who do.

        Weights should add up to about one; a negative one moves away from a speaker.
        """
        return sum((w * self.styles[n] for n, w in weights.items()), np.zeros((1, 1), np.float32))


def made_speaker(voice: Kokoro, seed: int) -> np.ndarray:
    """(510, 256) style of a made-up speaker, the same for the same seed."""
    random = np.random.default_rng(seed)
    weights = random.dirichlet(np.full(len(voice.names), 0.5))
    # Somewhat beyond the speakers there are, so that not all made-up ones are alike.
    stretched = 1.3 * weights - 0.3 / len(weights)
    return voice.mixture(dict(zip(voice.names, stretched.tolist(), strict=True)))


def _parts(sounds: str) -> list[str]:
    """Sentences, cut again where they are too long for the network."""
    parts: list[str] = []
    for sentence in re.split(r"(?<=[.!?])\s+", sounds.strip()):
        rest = sentence
        while len(rest) > _LONGEST:
            cut = max(rest.rfind(",", 0, _LONGEST), rest.rfind(" ", 0, _LONGEST))
            cut = cut if cut > 0 else _LONGEST - 1
            parts.append(rest[: cut + 1])
            rest = rest[cut + 1 :].lstrip()
        parts.append(rest)
    return [p for p in parts if p]


def _trimmed(sound: np.ndarray) -> np.ndarray:
    loud = np.flatnonzero(np.abs(sound) > _QUIET)
    if not len(loud):
        return sound
    margin = int(_MARGIN_S * RATE)
    return sound[max(0, loud[0] - margin) : loud[-1] + margin]
