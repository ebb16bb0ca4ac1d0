"""A small signed bundle of the tiny case."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import pytest

from core.deployment.bundle import write_bundle
from core.deployment.manifest import DataRecord, Manifest, promise


@pytest.fixture
def tiny_manifest(tiny_case: ModuleType) -> Manifest:
    """A manifest that lists no files yet."""
    inputs = [
        tiny_case.TinyInput(income=1000.5, age=30),
        tiny_case.TinyInput(income=52_000, age=61, purpose="home", note="second"),
    ]
    return Manifest(
        case="tiny",
        task="the risk of one applicant",
        measurements=[],
        data=DataRecord(fingerprint="0" * 64, rows=2),
        **promise(tiny_case.TinyPredictor(tiny_case.WEIGHTS), inputs),
    )


@pytest.fixture
def tiny_files(tiny_case: ModuleType) -> dict[str, bytes]:
    """The files of the tiny bundle."""
    return {
        "weights.json": json.dumps(tiny_case.WEIGHTS).encode(),
        "docs/card.md": b"# Card\n",
    }


@pytest.fixture(params=["folder", "zip"])
def tiny_bundle(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    tiny_manifest: Manifest,
    tiny_files: dict[str, bytes],
) -> Path:
    """A signed bundle on disk, once as a folder and once as one file."""
    target = tmp_path / ("bundle.zip" if request.param == "zip" else "bundle")
    return write_bundle(target, manifest=tiny_manifest, files=tiny_files)


@pytest.fixture
def folder_bundle(tmp_path: Path, tiny_manifest: Manifest, tiny_files: dict[str, bytes]) -> Path:
    """A signed bundle as a folder."""
    return write_bundle(tmp_path / "folder", manifest=tiny_manifest, files=tiny_files)


@pytest.fixture
def zip_bundle(tmp_path: Path, tiny_manifest: Manifest, tiny_files: dict[str, bytes]) -> Path:
    """A signed bundle as one file."""
    return write_bundle(tmp_path / "file.zip", manifest=tiny_manifest, files=tiny_files)
