"""Opens files and URLs of literature as bytes, and carries what could not be read."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from core.errors import DataError

MAX_RECORD = 64 << 20  # bytes; a longer record is damage or an attack
GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Skipped:
    """A record that could not be read and was left out."""

    file: str
    position: str  # "line 12", "byte 40960", "record 3", "page 2"; "" for the whole file
    reason: str


OnSkip = Callable[[Skipped], None]


@dataclass
class Meter:
    """How far a file has been read, for a progress bar."""

    read: int = 0  # bytes as they lie on the disk
    size: int = 0  # 0 where nobody knows


class _Counted(io.RawIOBase):
    """A byte stream that tells its meter how much was read."""

    def __init__(self, stream: BinaryIO, meter: Meter) -> None:
        self._stream, self._meter = stream, meter

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        self._meter.read += len(data)
        return len(data)

    def close(self) -> None:
        self._stream.close()
        super().close()


@contextmanager
def opened(path: str, meter: Meter | None = None) -> Iterator[BinaryIO]:
    """The bytes of a local file or an fsspec URL, unpacked where they are gzip.

    Args:
        path: Local path or URL. Whether it is gzip is seen by its first bytes, not by its name.
        meter: Told how far it is.

    Raises:
        DataError: Not there, not readable, or no reader for that kind of URL is installed.
    """
    raw = _Counted(_open(path), meter or Meter())
    try:
        stream = cast("BinaryIO", io.BufferedReader(raw, 1 << 18))
        if stream.peek(2)[:2] == GZIP:  # type: ignore[attr-defined]
            # Read by `read1`, an archive that breaks off still gives what came before.
            stream = cast("BinaryIO", gzip.GzipFile(fileobj=stream))
        yield stream
    finally:
        raw.close()


def blocks(stream: BinaryIO, file: str, on_skip: OnSkip, size: int = 1 << 20) -> Iterator[bytes]:
    """The stream in blocks; an archive that breaks off is reported and ends the stream."""
    position = 0
    while True:
        try:
            block = stream.read1(size) if hasattr(stream, "read1") else stream.read(size)
        except (EOFError, zlib.error, OSError) as error:
            on_skip(Skipped(file, f"byte {position} unpacked", _broken(error)))
            return
        if not block:
            return
        position += len(block)
        yield block


def lines(stream: BinaryIO, file: str, on_skip: OnSkip) -> Iterator[tuple[int, bytes]]:
    """Numbered lines, from 1, without empty ones; memory holds one block and one line."""
    number, rest, dropping = 0, b"", False
    for block in blocks(stream, file, on_skip):
        parts = (rest + block if rest else block).split(b"\n")
        rest = parts.pop()
        for part in parts:
            number += 1
            if dropping:
                dropping = False
            elif part and not part.isspace():
                yield number, part
        if len(rest) > MAX_RECORD:
            if not dropping:
                reason = f"longer than {MAX_RECORD >> 20} MiB"
                on_skip(Skipped(file, f"line {number + 1}", reason))
            rest, dropping = b"", True
    if rest and not rest.isspace() and not dropping:
        yield number + 1, rest


def text_of(path: str, file: str, on_skip: OnSkip, meter: Meter | None = None) -> str | None:
    """A whole file as text; None, and reported, where it is too long or its bytes are broken."""
    with opened(path, meter) as stream:
        try:
            data = stream.read(MAX_RECORD + 1)
        except (EOFError, zlib.error, OSError) as error:
            on_skip(Skipped(file, "", _broken(error)))
            return None
    if len(data) > MAX_RECORD:
        on_skip(Skipped(file, "", f"longer than {MAX_RECORD >> 20} MiB"))
        return None
    for codec in (
        ("utf-8-sig", "utf-16") if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else ("utf-8-sig",)
    ):
        try:
            return data.decode(codec).replace("\r\n", "\n").replace("\x00", "")
        except UnicodeDecodeError as error:
            broken = error
    on_skip(Skipped(file, f"byte {broken.start}", "not UTF-8: save the file as UTF-8"))
    return None


def size_and_stamp(path: str) -> tuple[int, str]:
    """Bytes and a mark that changes with the content; (0, "") where it is not a local file."""
    if "://" in path:
        return 0, ""
    state = Path(path).stat()
    return state.st_size, f"{state.st_size}-{state.st_mtime_ns}"


def _open(path: str) -> BinaryIO:
    try:
        if "://" not in path:
            return Path(path).open("rb", buffering=0)
        import fsspec

        return cast("BinaryIO", fsspec.open(path, "rb").open())
    except FileNotFoundError:
        raise DataError(
            "there is no such file", where=shown(path), remedy="Check the path"
        ) from None
    except PermissionError:
        raise DataError(
            "the file may not be read", where=shown(path), remedy="Ask for read access"
        ) from None
    except Exception as error:
        # A URL may hold a password, and so may whatever its library raised: say only the class.
        scheme = path.partition("://")[0]
        remedy = (
            f"pip install 'fsspec[{scheme}]', or give the path of a local copy"
            if isinstance(error, ImportError) or "rotocol not known" in str(error)
            else "Check that it is reachable, or give the path of a local copy"
        )
        what = f"the file cannot be opened ({type(error).__name__})"
        raise DataError(what, where=shown(path), remedy=remedy) from None


def shown(path: str) -> str:
    """A path as it may be shown: a URL without its user, password and query."""
    scheme, mark, rest = path.partition("://")
    if not mark:
        return path
    host, slash, tail = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{tail.partition('?')[0]}"


def _broken(error: Exception) -> str:
    if isinstance(error, EOFError | zlib.error | gzip.BadGzipFile):
        return "the compressed file is cut off or damaged: fetch it again"
    return f"the file cannot be read on ({type(error).__name__})"
