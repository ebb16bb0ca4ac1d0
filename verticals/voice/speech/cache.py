"""Sentences that were spoken before, on disk: each in an encrypted file named by what it says.

Replies tell what happens in a home, so they are kept as people's data are: with the same key, and
gone by the same command. The sound inside is FLAC; nothing that is read can run.
"""

from __future__ import annotations

import hashlib
import io
import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.data.audio import SAMPLE_RATE, read_audio
from core.deployment.signing import casekit_home
from core.errors import CasekitError
from verticals.voice.people.store import Vault

_log = logging.getLogger(__name__)
_LONGEST_S = 20.0  # of a sentence that is kept


@dataclass(frozen=True)
class SpokenCache:
    """A bounded folder of sentences; the ones not said for longest go first."""

    folder: Path
    most_mb: float = 50.0

    @classmethod
    def open(cls, folder: Path | None = None, *, most_mb: float = 50.0) -> SpokenCache:
        """The cache of a folder; by default `spoken` in this user's casekit folder."""
        return cls(folder or casekit_home() / "spoken", most_mb)

    def get(self, text: str, how: str) -> np.ndarray | None:
        """(n,) float32 at 16 kHz of a sentence said before, None where it was not.

        Args:
            text: The sentence.
            how: Voice, speaker and pace: whatever makes it sound otherwise.
        """
        try:
            vault = self._vault(text, how)
            content = vault.read()
            if content is None:
                return None
            vault.path.touch()  # it is young again
            return read_audio(content)
        except (CasekitError, OSError) as error:  # it is only a cache
            _log.warning("a spoken sentence cannot be read (%s)", type(error).__name__)
            return None

    def put(self, text: str, how: str, sound: np.ndarray) -> None:
        """Keep a sentence, 16 bits a sample; where that fails, it is not kept."""
        import soundfile

        if not len(sound) or len(sound) > _LONGEST_S * SAMPLE_RATE:
            return
        buffer = io.BytesIO()
        soundfile.write(buffer, sound, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
        try:
            self._vault(text, how).write(buffer.getvalue())
            self._bound()
        except (CasekitError, OSError) as error:
            _log.warning("a spoken sentence cannot be kept (%s)", type(error).__name__)

    def clear(self) -> bool:
        """Delete everything and its key; says whether there was anything."""
        files = list(self.folder.glob("*.spoken")) if self.folder.is_dir() else []
        Vault.open(self.folder).destroy()
        for file in files:
            file.unlink(missing_ok=True)
        return bool(files)

    def _vault(self, text: str, how: str) -> Vault:
        own = Vault.open(self.folder)
        # With the key, or whoever has the folder could ask it whether a sentence was said.
        name = hashlib.blake2b(f"{how}\n{text}".encode(), key=own.key(), digest_size=20)
        return Vault(self.folder, own.given, file=f"{name.hexdigest()}.spoken")

    def _bound(self) -> None:
        files = [(f.stat().st_mtime_ns, f.stat().st_size, f) for f in self.folder.glob("*.spoken")]
        used = sum(size for _, size, _ in files)
        for _, size, file in sorted(files):
            if used <= self.most_mb * 1e6:
                return
            file.unlink(missing_ok=True)
            used -= size
