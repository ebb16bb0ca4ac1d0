"""The encrypted file: another key, a changed byte, a lost key, a crash half-way."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import DataError, ParameterError
from verticals.voice.people import store
from verticals.voice.people.store import KEY_VARIABLE, Vault

KEY, OTHER = "ab" * 32, "cd" * 32


@given(content=st.binary(max_size=10_000))
def test_what_was_written_is_read(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    vault = Vault.open(tmp_path_factory.mktemp("vault"), key=KEY)
    assert vault.read() is None
    vault.write(content)
    assert Vault.open(vault.folder, key=bytes.fromhex(KEY)).read() == content


def test_another_key_or_a_changed_byte_is_noticed(tmp_path: Path) -> None:
    vault = Vault.open(tmp_path, key=KEY)
    vault.write(b"content")
    with pytest.raises(DataError, match="another key"):
        Vault.open(tmp_path, key=OTHER).read()
    whole = vault.path.read_bytes()
    for position in (0, 20, len(whole) // 2, len(whole) - 1):
        changed = bytearray(whole)
        changed[position] ^= 1
        vault.path.write_bytes(changed)
        with pytest.raises(DataError, match="changed"):
            vault.read()
    for length in (0, 5, 25, len(whole) - 1):
        vault.path.write_bytes(whole[:length])
        with pytest.raises(DataError, match="changed"):
            vault.read()


def test_a_key_of_its_own_is_this_users_alone(tmp_path: Path, casekit_home: Path) -> None:
    vault = Vault.open(tmp_path / "people")
    vault.write(b"content")
    assert vault.key_path.is_relative_to(casekit_home)
    assert vault.key_path.stat().st_mode & 0o777 == 0o600
    assert vault.path.stat().st_mode & 0o777 == 0o600
    assert Vault.open(tmp_path / "people").read() == b"content"
    if os.name == "posix":
        vault.key_path.chmod(0o644)
        with pytest.raises(DataError, match="chmod 600"):
            vault.read()
    vault.key_path.unlink()
    with pytest.raises(DataError, match="not here"):
        vault.read()
    assert vault.destroy()
    assert vault.read() is None


def test_a_lost_key_is_not_replaced_over_the_old_file(tmp_path: Path) -> None:
    vault = Vault.open(tmp_path)
    vault.write(b"content")
    vault.key_path.unlink()
    with pytest.raises(DataError, match="not here"):
        vault.write(b"new")


def test_the_key_may_come_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    vault = Vault.open(tmp_path)
    vault.write(b"content")
    assert not vault.key_path.exists()
    monkeypatch.setenv(KEY_VARIABLE, "secret")
    with pytest.raises(ParameterError, match="64 hexadecimal"):
        Vault.open(tmp_path)


def test_a_crash_leaves_the_old_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vault = Vault.open(tmp_path, key=KEY)
    vault.write(b"old")

    def full(_path: Path, _content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store, "write_atomically", full)
    with pytest.raises(DataError, match="No space left"):
        vault.write(b"new")
    assert vault.read() == b"old"


def test_two_writings_differ_and_lengths_tell_nothing(tmp_path: Path) -> None:
    vault = Vault.open(tmp_path, key=KEY)
    vault.write(b"a")
    first = vault.path.read_bytes()
    vault.write(b"a" * 1000)
    assert len(vault.path.read_bytes()) == len(first)
    vault.write(b"a")
    assert vault.path.read_bytes() != first
