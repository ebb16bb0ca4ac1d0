"""Reads the developers' recordings: a tar of files and a line of JSON for each."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np

from core.data.audio import read_audio

DATA = Path(__file__).parents[3] / "shared" / "data" / "voice"


def read_tar(name: str) -> list[tuple[dict[str, Any], np.ndarray]]:
    """The rows of NAME.jsonl, each with its sound: (n,) float32 at 16 kHz."""
    lines = (DATA / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    rows = {row["file"]: row for row in map(json.loads, lines)}
    found = []
    with tarfile.open(DATA / f"{name}.tar") as tar:
        for member in tar:
            stream = tar.extractfile(member) if member.name in rows else None
            if stream is not None:
                found.append((rows[member.name], read_audio(stream.read())))
    return found
