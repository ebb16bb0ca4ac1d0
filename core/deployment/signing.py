"""Who made a bundle: one Ed25519 key per user, and the public keys that user trusts."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import stat
from collections.abc import Iterable
from pathlib import Path

import orjson
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from core.errors import BundleError

# Signed before the payload: a signature on a bundle can never pass for one on anything else.
_PURPOSE = b"casekit bundle v1\n"
_PUBLIC = re.compile(r"[0-9a-f]{64}")
_SIGNATURE = re.compile(r"[0-9a-f]{128}")


def casekit_home() -> Path:
    """Where this user's keys live: $CASEKIT_HOME, by default ~/.config/casekit."""
    return Path(os.environ.get("CASEKIT_HOME") or Path.home() / ".config" / "casekit")


def own_key() -> Ed25519PrivateKey:
    """This user's signing key, made on first use and readable by this user alone.

    Raises:
        BundleError: The key file is readable by others, or is not an Ed25519 key.
    """
    path = _key_path()
    if not path.exists():
        _create_key(path)
    return _read_private(path)


def public_key(key: Ed25519PrivateKey) -> str:
    """The public half of a key: 64 hexadecimal digits."""
    return key.public_key().public_bytes_raw().hex()


def sign(payload: bytes, key: Ed25519PrivateKey | None = None) -> bytes:
    """The content of `signature.json` for a manifest's bytes, by `key` or this user's own."""
    key = own_key() if key is None else key
    return _canonical(public_key(key), key.sign(_PURPOSE + payload).hex())


def verify(payload: bytes, signature: bytes) -> str:
    """Check a signature against the bytes it was made for.

    Args:
        payload: The manifest's bytes.
        signature: The content of `signature.json`.

    Returns:
        The signer's public key; whether to trust it is the caller's question.

    Raises:
        BundleError: The signature is damaged, or was made for other bytes.
    """
    try:
        fields = orjson.loads(signature)
        signer, value = fields["key"], fields["signature"]
        # Exactly the bytes `sign` writes: a second spelling of one signature is refused too.
        spelled = _PUBLIC.fullmatch(signer) and _SIGNATURE.fullmatch(value)
        if not spelled or signature != _canonical(signer, value):
            raise ValueError("not as written")
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(signer)).verify(
            bytes.fromhex(value), _PURPOSE + payload
        )
    except (ValueError, KeyError, TypeError, InvalidSignature) as error:
        raise BundleError(
            "the signature does not match the manifest: the bundle was changed or damaged",
            remedy="Get it again from whoever made it",
        ) from error
    return str(signer)


def trusted_keys(trust: Iterable[str | Path] = ()) -> frozenset[str]:
    """Public keys whose bundles may be opened.

    Args:
        trust: More keys for this call: 64 hexadecimal digits or files that hold them.

    Returns:
        The user's own key if there is one, the keys of the folder `trusted`, those named in
        $CASEKIT_TRUST (separated by commas), and `trust`.
    """
    named = [part.strip() for part in os.environ.get("CASEKIT_TRUST", "").split(",")]
    keys = {read_public_key(key) for key in [*filter(None, named), *trust]}
    keys |= {read_public_key(path) for path in sorted(_trusted_folder().glob("*.pub"))}
    if _key_path().exists():
        keys.add(public_key(_read_private(_key_path())))
    return frozenset(keys)


def trust_key(key: str | Path) -> str:
    """Trust a signer from now on; returns its public key."""
    public = read_public_key(key)
    folder = _trusted_folder()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / f"{public[:16]}.pub").write_text(public + "\n", encoding="ascii")
    return public


def read_public_key(key: str | Path) -> str:
    """A public key given as 64 hexadecimal digits or as a file that holds them.

    Raises:
        BundleError: It is neither.
    """
    text = str(key).strip().lower()
    if not _PUBLIC.fullmatch(text):
        try:
            text = Path(key).read_text(encoding="ascii").strip().lower()
        except (OSError, ValueError):
            text = ""
    if not _PUBLIC.fullmatch(text):
        raise BundleError(
            "this is not a public key",
            where=str(key)[:80],
            remedy="Give 64 hexadecimal digits, or a file that holds them",
        )
    return text


def _canonical(signer: str, value: str) -> bytes:
    """The one way to write a signature down."""
    fields = {"algorithm": "Ed25519", "key": signer, "signature": value}
    return orjson.dumps(fields, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)


def _key_path() -> Path:
    """Where the user's private key lies."""
    return casekit_home() / "keys" / "signing.pem"


def _trusted_folder() -> Path:
    """Where the public keys lie that the user trusts."""
    return casekit_home() / "keys" / "trusted"


def _create_key(path: Path) -> None:
    """Write a new key, complete or not at all; of two processes that try at once, one wins."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        # Unlike a rename, a link never replaces: if another process was first, its key stays.
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(partial)
    finally:
        partial.unlink(missing_ok=True)


def _read_private(path: Path) -> Ed25519PrivateKey:
    """Read the user's key, if nobody else can."""
    if os.name == "posix" and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise BundleError(
            "your signing key can be read by others",
            where=str(path),
            remedy=f"Run: chmod 600 {path}",
        )
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BundleError(
            "your signing key cannot be read",
            where=str(path),
            remedy="Restore it, or move it away to have a new one made",
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise BundleError("your signing key is not an Ed25519 key", where=str(path))
    return key
