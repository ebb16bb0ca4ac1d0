"""Keys and signatures."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from core.deployment import signing
from core.errors import BundleError


def test_own_key_is_made_once_and_private(casekit_home: Path) -> None:
    first = signing.public_key(signing.own_key())
    assert signing.public_key(signing.own_key()) == first
    path = casekit_home / "keys" / "signing.pem"
    assert path.stat().st_mode & 0o777 == 0o600
    assert first in signing.trusted_keys()
    assert [p.name for p in path.parent.iterdir()] == ["signing.pem"]


def test_verifying_makes_no_key(casekit_home: Path) -> None:
    assert signing.trusted_keys() == frozenset()
    assert not casekit_home.exists()


def test_of_many_at_once_all_get_one_key() -> None:
    keys: list[str] = []
    threads = [
        threading.Thread(target=lambda: keys.append(signing.public_key(signing.own_key())))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8
    assert len(set(keys)) == 1


def test_a_key_that_others_can_read_is_refused(casekit_home: Path) -> None:
    signing.own_key()
    (casekit_home / "keys" / "signing.pem").chmod(0o644)
    with pytest.raises(BundleError, match="chmod 600"):
        signing.own_key()


def test_a_damaged_key_is_refused(casekit_home: Path) -> None:
    signing.own_key()
    (casekit_home / "keys" / "signing.pem").write_text("no key")
    with pytest.raises(BundleError, match="cannot be read"):
        signing.own_key()


KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@given(payload=st.binary(max_size=200), other=st.binary(max_size=200))
def test_a_signature_holds_for_its_payload_only(payload: bytes, other: bytes) -> None:
    signature = signing.sign(payload, KEY)
    assert signing.verify(payload, signature) == signing.public_key(KEY)
    if other != payload:
        with pytest.raises(BundleError):
            signing.verify(other, signature)


@given(junk=st.binary(max_size=300) | st.sampled_from([b"{}", b"[]", b"1", b'{"key":1}']))
def test_junk_is_no_signature(junk: bytes) -> None:
    with pytest.raises(BundleError):
        signing.verify(b"payload", junk)


def test_the_signature_is_plain_ed25519_over_a_named_purpose() -> None:
    import json

    value = bytes.fromhex(json.loads(signing.sign(b"{}", KEY))["signature"])
    public = Ed25519PublicKey.from_public_bytes(KEY.public_key().public_bytes_raw())
    public.verify(value, b"casekit bundle v1\n{}")  # raises if it were anything else


def test_public_keys_are_read_from_text_and_files(tmp_path: Path) -> None:
    name = signing.public_key(KEY)
    path = tmp_path / "key.pub"
    path.write_text(name.upper() + "\n")
    assert signing.read_public_key(name) == signing.read_public_key(path) == name
    with pytest.raises(BundleError, match="not a public key"):
        signing.read_public_key("secret")
