"""An encoder that remembers on disk: a benchmark asks for the same sentences again and again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from core.models.encoder import TextEncoder

_KEY = 16  # bytes of a text's hash


@dataclass
class RememberingEncoder:
    """A `TextEncoder` whose vectors are kept by content, in float16.

    Vectors do not depend on what else is encoded, so what was kept equals what would be made.
    """

    encoder: TextEncoder
    folder: Path
    known: dict[bytes, np.ndarray] = field(default_factory=dict)

    @classmethod
    def open(cls, encoder: TextEncoder, work: Path) -> RememberingEncoder:
        """What a folder remembers of this encoder."""
        folder = work / f"sentences-{encoder.id}"
        folder.mkdir(parents=True, exist_ok=True)
        out = cls(encoder, folder)
        vectors, keys = folder / "vectors.f16", folder / "keys.bin"
        if keys.is_file():
            packed = keys.read_bytes()
            stored = np.fromfile(vectors, np.float16).reshape(-1, encoder.dimension)
            whole = min(len(stored), len(packed) // _KEY)
            names = (packed[i * _KEY : (i + 1) * _KEY] for i in range(whole))
            out.known = dict(zip(names, stored, strict=False))
        return out

    @property
    def id(self) -> str:
        """Of the encoder."""
        return self.encoder.id

    @property
    def dimension(self) -> int:
        """Of the encoder."""
        return self.encoder.dimension

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """(n, dimension) float32; only what is new is computed."""
        keys = [hashlib.sha256(t.encode()).digest()[:_KEY] for t in texts]
        fresh = {k: t for k, t in zip(keys, texts, strict=True) if k not in self.known}
        if fresh:
            made = self.encoder.encode(list(fresh.values())).astype(np.float16)
            self.known |= dict(zip(fresh, made, strict=True))
            with (self.folder / "vectors.f16").open("ab") as sink:
                sink.write(made.tobytes())
            with (self.folder / "keys.bin").open("ab") as sink:
                sink.write(b"".join(fresh))
        return np.array([self.known[k] for k in keys], np.float32).reshape(-1, self.dimension)
