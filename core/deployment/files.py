"""Files of a bundle on disk: placed for good, listed without following links, hashed, sniffed."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from pathlib import Path

from core.deployment.manifest import MAX_FILES, check_path
from core.errors import BundleError


def list_files(folder: Path) -> dict[str, int]:
    """Sizes in bytes of every file, by path.

    Raises:
        BundleError: There is a link, a device or another special file: none is followed.
    """
    sizes: dict[str, int] = {}
    for parent, directories, names in os.walk(folder):
        for name in [*directories, *names]:
            path = Path(parent, name)
            status = path.lstat()
            if stat.S_ISREG(status.st_mode):
                sizes[path.relative_to(folder).as_posix()] = status.st_size
            elif not stat.S_ISDIR(status.st_mode):
                raise BundleError("a bundle holds plain files only", where=str(path))
        if len(sizes) > MAX_FILES + 2:
            raise BundleError(f"more than {MAX_FILES} files", where=str(folder))
    return sizes


def digest_of(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def refuse_unsafe(path: Path, name: str) -> None:
    """Refuse a pickle or an archive behind a harmless name."""
    with path.open("rb") as file:
        head = file.read(4)
    pickled = len(head) >= 2 and head[0] == 0x80 and head[1] in range(2, 6)
    if pickled or head == b"PK\x03\x04":
        raise BundleError(
            f"the content is {'a pickle' if pickled else 'an archive'}, which may run code",
            where=name,
            remedy="Save it in the model's native format, ONNX or safetensors",
        )


def place(folder: Path, name: str, content: Path | bytes) -> str:
    """Write one file to disk for good; returns its SHA-256."""
    try:
        check_path(name)
    except ValueError as error:
        raise BundleError(str(error), where=name, remedy="Save it in a safe format") from error
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        place_bytes(path, content)
    else:
        shutil.copyfile(content, path)
        sync(path)
    refuse_unsafe(path, name)
    return digest_of(path)


def place_bytes(path: Path, content: bytes) -> None:
    """Write bytes to disk for good."""
    path.write_bytes(content)
    sync(path)


def sync(path: Path) -> None:
    """Wait until a file or a folder's list of names is on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
