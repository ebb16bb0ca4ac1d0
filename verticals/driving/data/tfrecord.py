"""TFRecord files without TensorFlow: length, checksum, bytes, checksum, again and again.

A checksum is CRC-32C, turned and shifted so that a CRC of data with CRCs in it stays a good one
(the format's "masked" CRC).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from core.errors import DataError

MOST_BYTES = 512 * 1024 * 1024  # of one record
_REMEDY = "Copy or download the file again"


def read_records(path: Path) -> Iterator[bytes]:
    """The records of a file, one in memory at a time.

    Raises:
        DataError: It cannot be read, is cut off, or a checksum is wrong; names the record.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", where=str(path)) from None
    with file:
        number = 0
        while head := file.read(12):
            number += 1
            where = f"{path}, record {number}"
            if len(head) < 12:
                raise _cut(where)
            length, check = struct.unpack("<QI", head)
            _same(head[:8], check, where, "length")
            if length > MOST_BYTES:
                raise DataError(f"it is {length:,} bytes long, too many", where=where)
            data, tail = file.read(length), file.read(4)
            if len(data) < length or len(tail) < 4:
                raise _cut(where)
            _same(data, struct.unpack("<I", tail)[0], where, "content")
            yield data


def masked_crc(data: bytes) -> int:
    """The checksum of some bytes as the format stores it."""
    import google_crc32c

    crc = int(google_crc32c.value(data))
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def _same(data: bytes, check: int, where: str, what: str) -> None:
    if masked_crc(data) != check:
        raise DataError(f"the checksum of its {what} is wrong", where=where, remedy=_REMEDY)


def _cut(where: str) -> DataError:
    return DataError("the file ends in the middle of it", where=where, remedy=_REMEDY)
