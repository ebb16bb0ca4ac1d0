"""Hears which keyword was said. Runs without torch, on one thread, in a tenth of a millisecond."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import ModelError
from verticals.voice.keywords.features import word_features

if TYPE_CHECKING:
    import onnxruntime

ABOUT, NETWORK, WHOLE, PROGRAM = "keywords.json", "int8.onnx", "whole.onnx", "keywords.pte"
_QUIET = 1e-4  # a recording whose loudest sample is below holds nothing


class About(BaseModel):
    """What a trained spotter knows of its words."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    words: tuple[str, ...] = Field(min_length=2)
    sha256: dict[str, str] = Field(description="Of every network, by file name")
    speakers: tuple[str, ...] = Field(description="People whose recordings it learned from")
    seed: int = 0


@dataclass(frozen=True)
class Spotted:
    """The keyword that was heard."""

    word: str
    probability: float


@dataclass(frozen=True)
class Keywords:
    """A spotter; it holds no state between recordings."""

    words: tuple[str, ...]
    network: onnxruntime.InferenceSession

    @classmethod
    def open(cls, folder: Path, *, network: str = NETWORK) -> Keywords:
        """A spotter as `train_keywords` wrote it.

        Args:
            folder: With keywords.json and the networks.
            network: File name: in int8, or whole.onnx for float32.

        Raises:
            ModelError: The folder holds no spotter, or a network is not what was trained.
        """
        import onnxruntime

        about = read_about(folder)
        path = folder / network
        if network not in about.sha256 or not path.is_file():
            raise _not_there(path)
        if _digest(path) != about.sha256[network]:
            raise ModelError(
                "the network is not the one that was trained", where=str(path),
                remedy="Train it anew with train_keywords",
            )  # fmt: skip
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        return cls(about.words, onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]))  # fmt: skip

    def hear(self, sound: np.ndarray, *, sure: float = 0.5) -> Spotted | None:
        """The keyword in a recording of one word; None if nothing is in it, or too unsure.

        Args:
            sound: (n,) float32 at 16 kHz.
            sure: Probability from which a word counts as heard.
        """
        if float(np.abs(sound).max(initial=0.0)) < _QUIET:
            return None
        (likely,) = self.probabilities([sound])
        best = int(likely.argmax())
        return Spotted(self.words[best], float(likely[best])) if likely[best] >= sure else None

    def probabilities(self, sounds: Sequence[np.ndarray]) -> np.ndarray:
        """(sounds, words): how likely each word is in each recording."""
        if not sounds:
            return np.zeros((0, len(self.words)))
        features = np.stack([word_features(sound) for sound in sounds])[:, None]
        logits = np.asarray(self.network.run(None, {"features": features})[0], np.float64)
        weights = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def read_about(folder: Path) -> About:
    """What a folder says of its spotter.

    Raises:
        ModelError: It is not there or cannot be read.
    """
    try:
        return About.model_validate_json((folder / ABOUT).read_bytes())
    except (OSError, ValidationError):
        raise _not_there(folder) from None


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _not_there(place: Path) -> ModelError:
    return ModelError(
        "there are no trained keywords", where=str(place),
        remedy="Train them with train_keywords",
    )  # fmt: skip
