"""Labels that stay sealed: encrypted in the competition's folder, the key somewhere else.

Whoever holds the folder alone cannot read them. Whoever holds both could: this keeps honest people
honest and shows every change; it is no defence against the organiser.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from core.deployment.run import write_atomically
from core.deployment.signing import casekit_home
from core.errors import DataError

_SALT_BYTES = 32


def seal(folder: Path, competition: str, part: str, payload: bytes) -> str:
    """Encrypt a part's labels into the folder, and keep the key outside it.

    Args:
        folder: The competition's folder; receives `PART.sealed`.
        competition: Its identifier: keys are kept by it.
        part: public or private.
        payload: What is sealed.

    Returns:
        The commitment, to be published now: SHA-256 of a secret salt and the payload. It tells
        nothing about the labels, and none of them can be changed later without breaking it.
    """
    key, salt = Fernet.generate_key(), secrets.token_bytes(_SALT_BYTES)
    place = key_path(competition, part)
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(place, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(key)
    write_atomically(folder / f"{part}.sealed", Fernet(key).encrypt(salt + payload))
    return commitment(salt, payload)


def unseal(folder: Path, competition: str, part: str, promised: str) -> tuple[bytes, bytes]:
    """Salt and payload of a part, checked against the commitment made when it was sealed.

    Raises:
        DataError: The key is not on this machine, or the sealed file or the commitment changed.
    """
    place, sealed = key_path(competition, part), folder / f"{part}.sealed"
    if not place.is_file():
        raise DataError(
            f"the key of the {part} labels is not here", where=str(place),
            remedy="Only the machine that opened the competition can score; or set CASEKIT_HOME",
        )  # fmt: skip
    try:
        content = Fernet(place.read_bytes()).decrypt(sealed.read_bytes())
    except (InvalidToken, ValueError, FileNotFoundError) as error:
        raise _changed(sealed) from error
    salt, payload = content[:_SALT_BYTES], content[_SALT_BYTES:]
    if not hmac.compare_digest(commitment(salt, payload), promised):
        raise _changed(sealed)
    return salt, payload


def commitment(salt: bytes, payload: bytes) -> str:
    """SHA-256 of salt and payload, 64 hexadecimal digits."""
    return hashlib.sha256(salt + payload).hexdigest()


def forget_key(competition: str, part: str) -> None:
    """Throw a key away: from here on nobody opens that part again."""
    key_path(competition, part).unlink(missing_ok=True)


def key_path(competition: str, part: str) -> Path:
    """Where a part's key lies: in this user's casekit folder, never in the competition's."""
    return casekit_home() / "competitions" / competition / f"{part}.key"


def _changed(sealed: Path) -> DataError:
    return DataError(
        "the sealed labels were changed after the competition was opened", where=str(sealed),
        remedy="Restore the file and competition.json, or open a new competition",
    )  # fmt: skip
