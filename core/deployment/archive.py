"""A bundle's folder as one `.zip` file of which every single bit is determined by its content.

Files are stored uncompressed, in order, with fixed dates and modes. So sizes cannot lie (no zip
bombs), and an archive that differs anywhere from the one its content gives is refused.
"""

from __future__ import annotations

import shutil
import stat
import struct
import zipfile
from collections.abc import Iterable
from pathlib import Path

from core.deployment.manifest import MANIFEST, SIGNATURE, check_path
from core.errors import BundleError

# What reading a damaged or hostile archive raises, besides zipfile's own error.
_DAMAGE = (zipfile.BadZipFile, RuntimeError, ValueError, EOFError, OSError, struct.error)
_UNIX = 3
_EPOCH = (1980, 1, 1, 0, 0, 0)


def pack_folder(folder: Path, names: Iterable[str], target: Path) -> None:
    """Write files of a folder into one archive.

    Args:
        folder: Where the files lie.
        names: Their paths inside the folder; all others stay out.
        target: The archive to write; replaced if it exists.
    """
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(names):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system = _UNIX
            entry.external_attr = (stat.S_IFREG | 0o644) << 16
            entry.file_size = (folder / name).stat().st_size
            with (folder / name).open("rb") as source, archive.open(entry, "w") as sink:
                shutil.copyfileobj(source, sink, 2**20)


def unpack(source: Path, folder: Path, *, max_files: int, max_bytes: int) -> None:
    """Read an archive written by `pack_folder` into an empty folder.

    Args:
        source: The archive.
        folder: An empty folder that nobody else can write to.
        max_files: How many files it may hold.
        max_bytes: How large the archive may be.

    Raises:
        BundleError: It is not such an archive, or too large; files may already lie in `folder`.
    """
    if source.stat().st_size > max_bytes:
        raise BundleError(
            f"the archive is larger than {max_bytes / 2**30:.3g} GiB", where=str(source)
        )
    try:
        with zipfile.ZipFile(source) as archive:
            names = [entry.filename for entry in archive.infolist()]
            if len(names) > max_files or len(set(names)) < len(names):
                raise zipfile.BadZipFile("too many files, or one file twice")
            for entry in archive.infolist():
                _extract(archive, entry, folder)
        rebuilt = folder / ".rebuilt.zip"
        pack_folder(folder, names, rebuilt)
        if not _same(source, rebuilt):
            raise zipfile.BadZipFile("not as casekit writes it")
        rebuilt.unlink()
    except _DAMAGE as error:
        raise BundleError(
            f"the archive is damaged, changed, or was not written by casekit: {error}",
            where=str(source),
            remedy="Get it again from whoever made it, as the original .zip or as a folder",
        ) from error


def _extract(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path) -> None:
    """Copy one stored file out, never outside the folder."""
    if entry.filename not in (MANIFEST, SIGNATURE):
        check_path(entry.filename)
    if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits:
        raise zipfile.BadZipFile(f"{entry.filename!r} is not stored plainly")
    path = folder / entry.filename
    path.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(entry) as source, path.open("xb") as sink:
        shutil.copyfileobj(source, sink, 2**20)


def _same(one: Path, other: Path) -> bool:
    """Whether two files hold the same bytes; unlike filecmp, remembers nothing."""
    if one.stat().st_size != other.stat().st_size:
        return False
    with one.open("rb") as a, other.open("rb") as b:
        while block := a.read(2**20):
            if block != b.read(len(block)):
                return False
    return True
