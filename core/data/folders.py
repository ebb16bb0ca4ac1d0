"""Files of a folder as rows: one recording or picture a row, its bytes as base64 text."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

NAME = "file"
_AT_ONCE = 16  # files held in memory together


def iter_files(
    folder: str | Path, *, field: str, suffixes: tuple[str, ...]
) -> Iterator[pd.DataFrame]:
    """The files of a folder and of those in it, in the order of their names.

    Args:
        folder: Where they are; hidden files and other kinds of files are passed over.
        field: Name of the column that receives the bytes.
        suffixes: Which files count, such as (".wav", ".flac").

    Yields:
        Tables of a few rows: `file` (path inside the folder) and the field.

    Raises:
        DataError: No such file is there, or one cannot be read.
    """
    import pandas as pd

    place = Path(folder)
    found = sorted(
        path for path in place.rglob("*")
        if path.suffix.lower() in suffixes and path.is_file() and not path.name.startswith(".")
    )  # fmt: skip
    if not found:
        raise DataError(
            "no file to read is in the folder", where=str(place),
            remedy=f"Put {', '.join(suffixes)} files there",
        )  # fmt: skip
    for start in range(0, len(found), _AT_ONCE):
        rows = [(path.relative_to(place).as_posix(), _bytes(path))
                for path in found[start : start + _AT_ONCE]]  # fmt: skip
        yield pd.DataFrame(rows, columns=[NAME, field])


def _bytes(path: Path) -> str:
    try:
        return base64.b64encode(path.read_bytes()).decode()
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", where=str(path)) from None
