"""Finds pinned weights and data: explicit path, local cache, installed package, then the hub.

Nothing found is ever imported or executed, and nothing is handed out whose SHA-256 differs.
"""

from __future__ import annotations

import difflib
import hashlib
import importlib.metadata
import importlib.util
import os
import shutil
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from core.errors import ModelError


@dataclass(frozen=True)
class Asset:
    """One pinned file, or a pinned folder of files."""

    name: str
    file: str  # path inside the installed package; a folder if `bytes` counts many files
    bytes: int
    sha256: str  # of the file; of a folder, see `tree_digest`
    licence: str
    attribution: str
    package: str = ""  # pip package that carries it
    version: str = ""
    hub: str = ""  # Hugging Face repository that carries it
    hub_file: str = ""
    parts: tuple[str, ...] = ()  # of a folder: the files that matter; empty for all
    joined: tuple[str, ...] = ()  # files inside packages that, one after the other, make this one


def assets() -> dict[str, Asset]:
    """Every pinned asset by name."""
    text = Path(__file__).with_name("assets.toml").read_text(encoding="utf-8")
    return {name: _asset(name, entry) for name, entry in tomllib.loads(text).items()}


def _asset(name: str, entry: dict[str, Any]) -> Asset:
    fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in entry.items()}
    return Asset(name=name, **fields)


def asset(name: str) -> Asset:
    """The pin of that name.

    Raises:
        ModelError: Not pinned; names the nearest.
    """
    return _pin(name, assets())


def resolve(
    name: str, *, path: str | Path | None = None, pins: Mapping[str, Asset] | None = None
) -> Path:
    """Local file or folder of an asset, checked against its SHA-256.

    Args:
        name: Name of the asset, or of the hub repository that carries it.
        path: A copy of it somewhere else; nothing else is tried then.
        pins: Pins to use instead of those in assets.toml.

    Raises:
        ModelError: Not pinned, not found anywhere, or its bytes differ from the pin.
    """
    pin = _pin(name, assets() if pins is None else pins)
    if path is not None:
        return _verified(Path(path), pin, "the given path")
    cached = cache_folder() / pin.name / Path(pin.file).name
    if cached.exists():
        return _verified(cached, pin, "the local cache")
    installed = _installed(pin, cached)
    if installed is not None:
        return _verified(installed, pin, f"the package {pin.package} {_version(pin.package)}")
    if pin.hub:
        return _verified(_from_hub(pin), pin, f"the hub repository {pin.hub}")
    raise ModelError(f"{name} is not on this machine", remedy=_alternative(pin))


def cache_folder() -> Path:
    """$CASEKIT_HOME/models, or ~/.cache/casekit/models."""
    home = os.environ.get("CASEKIT_HOME")
    return (Path(home) if home else Path.home() / ".cache" / "casekit") / "models"


def _pin(name: str, pins: Mapping[str, Asset]) -> Asset:
    if name in pins:
        return pins[name]
    for pin in pins.values():
        if pin.hub and pin.hub == name:
            return pin
    close = difflib.get_close_matches(name, pins, n=1)
    hint = f"Did you mean {close[0]!r}?" if close else f"There are: {', '.join(sorted(pins))}"
    raise ModelError(f"no asset is called {name!r}", remedy=hint)


def _installed(pin: Asset, cached: Path) -> Path | None:
    """What pip packages carry of it."""
    if pin.joined:
        return _joined(pin, cached)
    return _in_package(pin.file) if pin.package else None


def _in_package(path: str) -> Path | None:
    """A file of an installed package, by its path from there, found without importing it."""
    top = path.partition("/")[0]
    spec = importlib.util.find_spec(top)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        file = Path(folder).parent / path
        if file.exists():
            return file
    return None


def _joined(pin: Asset, target: Path) -> Path | None:
    """The file that several packages carry in parts, joined once into the cache."""
    parts = [_in_package(part) for part in pin.joined]
    if None in parts:
        return None
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.{os.getpid()}.partial")
    with partial.open("wb") as sink:
        for part in parts:
            with cast("Path", part).open("rb") as stream:
                shutil.copyfileobj(stream, sink)
    try:
        _verified(partial, pin, f"the packages {pin.package}")
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return target


def _from_hub(pin: Asset) -> Path:
    import huggingface_hub

    try:
        if pin.parts:
            return Path(huggingface_hub.snapshot_download(pin.hub, allow_patterns=list(pin.parts)))
        return Path(huggingface_hub.hf_hub_download(pin.hub, pin.hub_file or Path(pin.file).name))
    except Exception as error:
        # Which exception says "no network" differs between versions of the hub's client.
        raise ModelError(
            f"{pin.name} is not on this machine and the hub did not answer "
            f"({type(error).__name__})",
            where=pin.hub,
            remedy=_alternative(pin),
        ) from None


def _alternative(pin: Asset) -> str:
    cached = cache_folder() / pin.name / Path(pin.file).name
    pip = "pip install 'casekit[offline]', or put" if pin.package else "Put"
    return f"{pip} the file at {cached}"


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "(unknown version)"


def _verified(file: Path, pin: Asset, place: str) -> Path:
    if not file.exists():
        raise ModelError(f"{pin.name} is not there", where=str(file), remedy="Check the path")
    digest = tree_digest(file, pin.parts) if file.is_dir() else _digest(file)
    if digest != pin.sha256:
        wanted = f"pip install '{pin.package}=={pin.version}'" if pin.package else "fetch it again"
        raise ModelError(
            f"{pin.name} from {place} is not the pinned file: SHA-256 "
            f"{digest[:12]}… instead of {pin.sha256[:12]}…",
            where=str(file),
            remedy=f"Remove it and {wanted}",
        )
    return file


def tree_digest(folder: Path, parts: tuple[str, ...] = ()) -> str:
    """SHA-256 over the files of a folder: one line of relative path and SHA-256 each, sorted.

    Args:
        folder: Where they are.
        parts: Relative paths that count; all but Python's own caches if empty.
    """
    found = parts or tuple(
        file.relative_to(folder).as_posix()
        for file in folder.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    )
    lines = [
        f"{part} {_digest(folder / part)}\n" for part in sorted(found) if (folder / part).is_file()
    ]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
