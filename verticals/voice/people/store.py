"""One encrypted file: AES-256-GCM with a key that lies elsewhere, written whole or not at all.

Neither its name nor its length tells more than that somebody uses it. Whoever has the file and not
the key has nothing; whoever changes a byte of it is noticed.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from core.deployment.run import write_atomically
from core.deployment.signing import casekit_home
from core.errors import DataError, ParameterError

KEY_VARIABLE = "CASEKIT_PEOPLE_KEY"
FILE = "people.sealed"
_HEADER = b"casekit people 1\n"  # authenticated with the content: no other file passes for this one
_KEY_BYTES, _NONCE_BYTES, _BLOCK = 32, 12, 4096


@dataclass(frozen=True)
class Vault:
    """A file and where its key comes from."""

    folder: Path
    given: bytes | None = None  # the key, if it was handed over or set in the environment
    file: str = FILE

    @classmethod
    def open(cls, folder: str | Path | None = None, *, key: str | bytes | None = None) -> Vault:
        """The vault of a folder; nothing is written yet.

        Args:
            folder: Where the file lies; by default `people` in this user's casekit folder.
            key: 32 bytes, or 64 hexadecimal digits; by default from $CASEKIT_PEOPLE_KEY, else from
                a file in this user's casekit folder that is made on first use.

        Raises:
            ParameterError: The key is none.
        """
        place = Path(folder) if folder is not None else casekit_home() / "people"
        chosen = key if key is not None else os.environ.get(KEY_VARIABLE) or None
        return cls(place, None if chosen is None else _parsed(chosen))

    @property
    def path(self) -> Path:
        """The encrypted file."""
        return self.folder / self.file

    @property
    def key_path(self) -> Path:
        """The file of a key that nobody handed over; every folder has its own."""
        digest = hashlib.sha256(str(self.folder.resolve()).encode()).hexdigest()
        return casekit_home() / "keys" / f"people-{digest[:16]}.key"

    def read(self) -> bytes | None:
        """What was written last; None if nothing ever was.

        Raises:
            DataError: No key, another key, or the file was changed or damaged.
        """
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            sealed = self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unusable(self.path, error) from error
        key = self.given or self._kept_key()
        if key is None:
            raise self._keyless()
        start = len(_HEADER)
        try:
            if not sealed.startswith(_HEADER):
                raise InvalidTag
            nonce, body = sealed[start : start + _NONCE_BYTES], sealed[start + _NONCE_BYTES :]
            padded = AESGCM(key).decrypt(nonce, body, _HEADER)
        except (InvalidTag, ValueError):
            raise DataError(
                "another key made this file, or it was changed", where=str(self.path),
                remedy=f"Check {KEY_VARIABLE}, bring a copy back, or delete everything",
            ) from None  # fmt: skip
        return padded[8 : 8 + int.from_bytes(padded[:8], "big")]

    def write(self, content: bytes) -> None:
        """Put new content in the place of the old.

        Raises:
            DataError: It cannot be written, or the key of what is there is lost.
        """
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            key = self.key()
            nonce = secrets.token_bytes(_NONCE_BYTES)
            # Filled up to whole blocks, so that the length does not tell how many people there are.
            framed = len(content).to_bytes(8, "big") + content
            framed += bytes(-len(framed) % _BLOCK)
            sealed = _HEADER + nonce + AESGCM(key).encrypt(nonce, framed, _HEADER)
            write_atomically(self.path, sealed)
            self.path.chmod(0o600)
        except OSError as error:
            raise _unusable(self.path, error) from error

    def destroy(self) -> bool:
        """Delete file and key, whether or not they can be read; says whether there was a file."""
        there = self.path.exists()
        try:
            # The key goes first: without it a copy of the file says nothing any more.
            self.key_path.unlink(missing_ok=True)
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise _unusable(self.path, error) from error
        return there

    def key(self) -> bytes:
        """The key; a new one is made where nothing was written yet.

        Raises:
            DataError: It is lost, though there is a file that needs it.
        """
        key = self.given or self._kept_key()
        if key is None and self.path.exists():
            raise self._keyless()  # a new key would make the old file unreadable for good
        return key or self._new_key()

    def _keyless(self) -> DataError:
        return DataError(
            "the key of these people's data is not here", where=str(self.key_path),
            remedy=f"Set {KEY_VARIABLE}, bring the key file back, or delete everything",
        )  # fmt: skip

    def _kept_key(self) -> bytes | None:
        path = self.key_path
        if not path.exists():
            return None
        if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise DataError(
                "others can read the key of these people's data", where=str(path),
                remedy=f"chmod 600 {path}",
            )  # fmt: skip
        return _parsed(path.read_text(encoding="ascii", errors="replace").strip())

    def _new_key(self) -> bytes:
        path = self.key_path
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        key = secrets.token_bytes(_KEY_BYTES)
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(key.hex() + "\n")
        return key


def _parsed(key: str | bytes) -> bytes:
    if isinstance(key, str) and re.fullmatch(r"[0-9a-fA-F]{64}", key):
        return bytes.fromhex(key)
    if isinstance(key, bytes) and len(key) == _KEY_BYTES:
        return key
    raise ParameterError(
        "that is no key",
        where=KEY_VARIABLE,
        remedy="Use 64 hexadecimal digits: openssl rand -hex 32",
    )


def _unusable(path: Path, error: OSError) -> DataError:
    return DataError(
        f"these people's data cannot be used: {error.strerror or type(error).__name__}",
        where=str(path), remedy="Check the folder's permissions and free space",
    )  # fmt: skip
