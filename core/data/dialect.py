"""Finds out how a text table is written: its encoding and its separator."""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from core.errors import DataError

SEPARATORS = (",", ";", "\t", "|")
SAMPLE = 1 << 17  # bytes looked at for the separator
BLOCK = 1 << 20  # bytes decoded at a time when the encoding is checked
_BOMS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# What clients' tables are written in when it is not UTF-8. The full list of charset-normalizer
# finds Mac and DOS code pages in any short file.
_LIKELY = ["cp1252", "cp1250", "cp1251", "gb18030", "big5", "shift_jis", "euc_jp", "euc_kr"]
_MAGIC = {
    b"PK\x03\x04": "an Excel workbook or a zip archive",
    b"PAR1": "a Parquet file",
    b"%PDF": "a PDF",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls)",
    b"SQLite format 3": "a SQLite database",
}

Open = Callable[[], BinaryIO]


@dataclass(frozen=True)
class Dialect:
    """How a text table is written."""

    encoding: str
    separator: str
    names: tuple[str, ...]  # the header


def sniff(
    open_: Open, name: str, *, encoding: str | None = None, separator: str | None = None
) -> Dialect:
    """Encoding, separator and header of a text table.

    Args:
        open_: Opens the uncompressed bytes from the start; called more than once.
        name: What to call the file in errors.
        encoding: Codec to insist on; detected by default.
        separator: Separator to insist on; detected by default.

    Raises:
        DataError: Empty, binary, undecodable, no separator, or a header that is none.
    """
    with open_() as stream:
        sample = stream.read(SAMPLE)
        while sample.count(b"\n") < 3 and (more := stream.read(SAMPLE)):  # a very wide table
            sample += more
        complete = not stream.read(1)
    if not sample.strip():
        raise DataError("the file is empty", where=name, remedy="Export it again with its rows")
    for magic, what in _MAGIC.items():
        if sample.startswith(magic):
            raise DataError(
                f"the file is {what}, not a text table",
                where=name,
                remedy="Give it the file ending of what it is, or export it as CSV in UTF-8",
            )
    codec = find_encoding(open_, sample, name, encoding)
    text = codecs.getincrementaldecoder(codec)("strict").decode(sample)
    lines = text.splitlines(keepends=True)
    if not complete and len(lines) > 1:
        lines.pop()  # cut off in the middle
    if not text.strip("\ufeff\r\n\t ,;|"):
        raise DataError("the file is empty", where=name, remedy="Export it again with its rows")
    found = separator or _find_separator(lines, name)
    rows = _cut(lines[:200], found)
    return Dialect(codec, found, _header(rows, found, name))


def find_encoding(open_: Open, sample: bytes, name: str, wanted: str | None = None) -> str:
    """Codec that decodes the whole file: its byte order mark's, UTF-8, or the likeliest other.

    Raises:
        DataError: Nothing decodes it, or not the codec `wanted`; names line and column.
    """
    marked = next((codec for bom, codec in _BOMS.items() if sample.startswith(bom)), None)
    codec = wanted or marked or "utf-8"
    try:
        codecs.lookup(codec)
    except LookupError:
        raise DataError(
            f"there is no encoding {codec!r}", where=name, remedy="Leave `encoding` out"
        ) from None
    controls = sum(byte < 32 and byte not in b"\t\n\r\f\x1a" for byte in sample)
    if codec not in ("utf-16", "utf-32") and controls > 0.001 * len(sample):
        raise _unreadable(name, "the bytes are no text in any common encoding")
    place = _first_undecodable(open_, codec)
    if place is None:
        return codec
    line, field, around = place
    best = _likeliest(around)
    where = f"{name}, line {line}, field {field}"
    if wanted or marked:
        hint = f"Try encoding={best!r}" if best else "Export it as CSV in UTF-8"
        raise DataError(f"a byte is not valid {codec}", where=where, remedy=hint)
    if best is None or _first_undecodable(open_, best) is not None:
        raise _unreadable(where, "the bytes are no text in any common encoding")
    return best


def _unreadable(where: str, what: str) -> DataError:
    return DataError(what, where=where, remedy="Export the table again as CSV in UTF-8")


def _first_undecodable(open_: Open, codec: str) -> tuple[int, int, bytes] | None:
    """Line and field (from 1) of the first byte `codec` refuses, and bytes around it."""
    decoder = codecs.getincrementaldecoder(codec)("strict")
    lines, tail = 1, b""
    with open_() as stream:
        while True:
            block = stream.read(BLOCK)
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                pending = len(error.object) - len(block)  # bytes kept back from the last block
                before = block[: max(error.start - pending, 0)]
                line = (tail + before).rpartition(b"\n")[2]
                separators = max((line.count(s.encode()) for s in SEPARATORS), default=0)
                around = tail[-BLOCK:] + block + stream.read(BLOCK)
                start = max(len(tail[-BLOCK:]) + len(before) - BLOCK // 2, 0)
                sample = around[start : start + BLOCK]
                return lines + before.count(b"\n"), separators + 1, sample
            if not block:
                return None
            lines += block.count(b"\n")
            tail = block


def _likeliest(sample: bytes) -> str | None:
    """Codec of bytes that are not UTF-8, by charset-normalizer; Western Europe wins a tie."""
    import charset_normalizer

    # ASCII lines say nothing about the codec and drown the ones that do
    telling = b"\n".join(line for line in sample.split(b"\n") if not line.isascii())[:65536]
    results = charset_normalizer.from_bytes(telling, cp_isolation=_LIKELY)
    best = results.best()
    if best is None:
        return None
    tied = [r for r in results if r.chaos <= best.chaos + 0.05]
    if any("cp1252" in r.could_be_from_charset for r in tied):
        western = telling.decode("cp1252", errors="replace")
        if all(c.isalpha() or c in "€£§°²³µ½¼‚„“”‘’–—…·«»\xa0" for c in western if ord(c) > 127):
            return "cp1252"
    return best.encoding


def _find_separator(lines: list[str], name: str) -> str:
    """The separator that cuts most lines into as many fields as the header has."""
    scores = []
    for separator in SEPARATORS:
        widths = [len(row) for row in _cut(lines[:1000], separator) if row]
        if not widths:
            continue
        usual, count = Counter(widths).most_common(1)[0]
        if usual > 1:
            agrees = widths[0] == usual or len(widths) <= 2
            scores.append((agrees, round(count / len(widths), 1), usual, separator))
    if scores:
        return max(scores)[-1]
    head = [line.rstrip("\r\n") for line in lines[:200] if line.strip()]
    if all(re.fullmatch(r"[\w.+%-]*", line) for line in head):
        return ","  # one plain column
    others = [s for s in "^~:#/& " if all(s in line for line in head)]
    hint = f"It looks like {others[0]!r}: pass separator={others[0]!r}" if others else ""
    raise DataError(
        "no separator found: comma, semicolon, tab and | do not cut the rows into columns",
        where=f"{name}, line 1",
        remedy=hint or "Pass `separator`, or export it as CSV",
    )


def _cut(lines: list[str], separator: str) -> list[list[str]]:
    """Lines cut into fields, up to a field too long to be one."""
    rows = []
    try:
        for row in csv.reader(lines, delimiter=separator):
            rows.append(row)  # noqa: PERF402 - keeps what came before the error
    except csv.Error:
        return rows
    return rows


def _header(rows: list[list[str]], separator: str, name: str) -> tuple[str, ...]:
    """Column names from the first row; raises DataError where they cannot be names."""
    body = Counter(len(row) for row in rows[1:] if row)
    header = next((row for row in rows if row), [])
    names = tuple(field.strip().lstrip("\ufeff") for field in header)
    place = f"{name}, line 1"
    if body and len(names) != (usual := body.most_common(1)[0][0]) and body[usual] > 1:
        raise DataError(
            f"the header has {len(names)} fields but most rows have {usual} "
            f"(separator {separator!r})",
            where=place,
            remedy="Give header and rows the same separator and number of fields",
        )
    twice = [field for field, count in Counter(names).items() if count > 1]
    if twice:
        raise DataError(
            f"{len(twice)} column name(s) occur twice, first {twice[0]!r}",
            where=f"{place}, column {names.index(twice[0]) + 1}",
            remedy="Give every column its own name",
        )
    if len(names) > 1 and all(re.fullmatch(r"[-+]?\d+([.,]\d+)?", field) for field in names):
        raise DataError(
            "the first line holds values, not column names",
            where=place,
            remedy="Add a header line",
        )
    return names
