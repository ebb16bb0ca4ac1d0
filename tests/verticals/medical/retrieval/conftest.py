from __future__ import annotations

import re
import zlib
from collections.abc import Sequence

import numpy as np
import pytest


class WordEncoder:
    """Vectors that are sums of random word vectors: quick, and alike where words are shared."""

    def __init__(self, dimension: int = 48) -> None:
        self.id, self.dimension = "words", dimension
        self.encoded: list[str] = []

    def encode(self, texts: Sequence[str], **_: object) -> np.ndarray:
        self.encoded += texts
        out = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in enumerate(texts):
            for word in re.findall(r"\w+", text.lower()):
                seed = zlib.crc32(word.encode())
                out[row] += np.random.default_rng(seed).standard_normal(self.dimension)
        return out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-9)


@pytest.fixture
def words() -> WordEncoder:
    """A stand-in for the sentence encoder that notes what it was asked to encode."""
    return WordEncoder()
