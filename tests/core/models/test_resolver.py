"""Pinned files come from path, cache, package or hub, in that order, and only if unchanged."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from core.errors import ModelError
from core.models.resolver import Asset, asset, assets, cache_folder, resolve

CONTENT = b"weights"
SHA = hashlib.sha256(CONTENT).hexdigest()


def pin(**changes: str) -> dict[str, Asset]:
    fields = {
        "name": "tiny",
        "file": "tiny_pack/data/tiny.bin",
        "bytes": len(CONTENT),
        "sha256": SHA,
        "licence": "MIT",
        "attribution": "",
        "package": "tiny-pack",
        "version": "1.0",
    }
    return {"tiny": Asset(**(fields | changes))}  # type: ignore[arg-type]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package that must never be imported."""
    folder = tmp_path / "site" / "tiny_pack"
    (folder / "data").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise AssertionError('imported')")
    (folder / "data" / "tiny.bin").write_bytes(CONTENT)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    return folder / "data" / "tiny.bin"


def test_embedded_data_are_found_and_are_the_pinned_bytes() -> None:
    for name, known in assets().items():
        found = resolve(name)
        files = [found / part for part in known.parts] or [
            f for f in found.rglob("*") if f.is_file()
        ]
        counted = files if found.is_dir() else [found]
        assert sum(f.stat().st_size for f in counted if "__pycache__" not in f.parts) == known.bytes
        assert known.licence
        assert known.attribution
        assert known.package not in sys.modules
    assert asset("german_credit").version == "0.1.9.7"


def test_a_file_in_parts_is_joined_once_and_refused_if_a_part_differs(package: Path) -> None:
    (package.parent / "head.bin").write_bytes(CONTENT[:3])
    (package.parent / "tail.bin").write_bytes(CONTENT[3:])
    parts = ("tiny_pack/data/head.bin", "tiny_pack/data/tail.bin")
    pins = pin(file="whole.bin", joined=parts)
    whole = resolve("tiny", pins=pins)
    assert whole.read_bytes() == CONTENT
    (package.parent / "tail.bin").unlink()
    assert resolve("tiny", pins=pins) == whole
    whole.unlink()
    (package.parent / "tail.bin").write_bytes(b"other")
    with pytest.raises(ModelError, match="pinned"):
        resolve("tiny", pins=pins)
    assert not list(whole.parent.iterdir())


def test_path_before_cache_before_package(package: Path, tmp_path: Path) -> None:
    assert resolve("tiny", pins=pin()) == package
    cached = cache_folder() / "tiny" / "tiny.bin"
    cached.parent.mkdir(parents=True)
    cached.write_bytes(CONTENT)
    assert resolve("tiny", pins=pin()) == cached
    own = tmp_path / "own.bin"
    own.write_bytes(CONTENT)
    assert resolve("tiny", path=own, pins=pin()) == own
    with pytest.raises(ModelError, match="is not there"):
        resolve("tiny", path=tmp_path / "none.bin", pins=pin())


def test_one_changed_bit_is_refused_everywhere(package: Path, tmp_path: Path) -> None:
    package.write_bytes(b"weightz")
    with pytest.raises(ModelError, match="not the pinned file") as caught:
        resolve("tiny", pins=pin())
    assert "pip install 'tiny-pack==1.0'" in caught.value.remedy
    own = tmp_path / "own.bin"
    own.write_bytes(b"weight5")
    with pytest.raises(ModelError, match="not the pinned file"):
        resolve("tiny", path=own, pins=pin())


def test_the_hub_comes_last_and_is_checked_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str]] = []
    file = tmp_path / "tiny.bin"

    def download(repo: str, name: str) -> str:
        asked.append((repo, name))
        return str(file)

    monkeypatch.setitem(sys.modules, "huggingface_hub", SimpleNamespace(hf_hub_download=download))
    file.write_bytes(CONTENT)
    assert resolve("tiny", pins=pin(hub="someone/tiny")) == file
    assert asked == [("someone/tiny", "tiny.bin")]
    file.write_bytes(b"weightz")
    with pytest.raises(ModelError, match="hub repository someone/tiny"):
        resolve("tiny", pins=pin(hub="someone/tiny", hub_file="v2.bin"))
    assert asked[-1] == ("someone/tiny", "v2.bin")


def test_no_network_is_one_line_with_the_alternative() -> None:
    with pytest.raises(ModelError) as caught:  # the real client, told to be offline
        resolve("tiny", pins=pin(hub="someone/tiny"))
    line = str(caught.value)
    assert "\n" not in line
    assert "pip install 'casekit[offline]'" in line
    assert caught.value.__suppress_context__
    with pytest.raises(ModelError, match="not on this machine"):
        resolve("tiny", pins=pin())


def test_unknown_names_get_the_nearest() -> None:
    with pytest.raises(ModelError, match="Did you mean 'german_credit'"):
        asset("german_credits")
