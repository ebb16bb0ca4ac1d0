"""Files of a folder as rows."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from core.data.folders import iter_files
from core.errors import DataError


def test_files_come_in_order_of_their_names_with_their_bytes(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    wanted = {"a.wav": b"one", "b/c.WAV": b"two", "z.wav": b""}
    for name, content in wanted.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / ".hidden.wav").write_bytes(b"no")
    (tmp_path / "notes.txt").write_text("no")
    (frame,) = iter_files(tmp_path, field="audio", suffixes=(".wav",))
    decoded = {f: base64.b64decode(a) for f, a in zip(frame["file"], frame["audio"], strict=True)}
    assert decoded == wanted
    assert list(decoded) == sorted(decoded)


def test_few_are_held_at_once(tmp_path: Path) -> None:
    for number in range(40):
        (tmp_path / f"{number:02}.wav").write_bytes(b"x")
    parts = [len(part) for part in iter_files(tmp_path, field="audio", suffixes=(".wav",))]
    assert sum(parts) == 40
    assert max(parts) <= 16


def test_an_empty_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"\.wav"):
        list(iter_files(tmp_path, field="audio", suffixes=(".wav",)))
