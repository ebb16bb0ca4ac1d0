"""The encoders, opened once, and recordings of people."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from core.data.audio import read_audio
from verticals.voice.people.voices import Voices


@pytest.fixture(scope="session")
def voices(tmp_path_factory: pytest.TempPathFactory) -> Voices:
    """Opened once for all tests, with a cache of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CASEKIT_HOME", str(tmp_path_factory.mktemp("home")))
        return Voices.open()


@pytest.fixture(scope="session")
def spoken() -> Callable[..., dict[str, list[np.ndarray]]]:
    """Reads clips of people: spoken(folder, people=3, each=4), each (n,) float32 at 16 kHz."""
    return _spoken


def _spoken(folder: Path, *, people: int, each: int) -> dict[str, list[np.ndarray]]:
    lines = (folder / "speakers.jsonl").read_text(encoding="utf-8").splitlines()
    files: dict[str, list[str]] = {}
    for row in map(json.loads, lines):
        files.setdefault(row["speaker"], []).append(row["file"])
    enough = [names for names in files.values() if len(names) >= each][:people]
    with tarfile.open(folder / "speakers.tar") as tar:
        return {
            names[0].split("/")[0]: [read_audio(_bytes(tar, name)) for name in names[:each]]
            for names in enough
        }


def _bytes(tar: tarfile.TarFile, name: str) -> bytes:
    stream = tar.extractfile(name)
    assert stream is not None
    return stream.read()
