"""Reads tables from local paths, URLs and databases, whole or in bounded memory.

CSV and TSV (also compressed), Excel, Parquet, JSON lines and anything SQLAlchemy reaches. It
keeps what it reads as it is: what a column means is for `core.data.schema` to say.
"""

from __future__ import annotations

import difflib
import hashlib
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import urlsplit

import pandas as pd

from core.data.dialect import Dialect, sniff
from core.errors import DataError

_EXCEL = (".xlsx", ".xlsm")
_PACKED = (".gz", ".bz2", ".xz", ".zip", ".zst")


def read_table(
    source: str | Path,
    *,
    encoding: str | None = None,
    separator: str | None = None,
    rows: int | None = None,
) -> pd.DataFrame:
    """The whole table. Text columns that hold plain numbers come as numbers.

    Args:
        source: Path or fsspec URL of CSV, TSV, Excel (`book.xlsx::Sheet2`), Parquet or JSON
            lines, `.gz` and the like included; or `sqlite:///book.db::table_or_query`.
        encoding: Codec of a text table; detected by default.
        separator: Separator of a text table; detected by default.
        rows: Read only so many.

    Raises:
        DataError: Cannot be read; names file, row and column and never holds a password.
    """
    size = rows or 1 << 62
    chunks = list(_chunks(str(source), min(size, 200_000), encoding, separator, rows))
    frame = pd.concat(chunks, ignore_index=True) if len(chunks) > 1 else chunks[0]
    frame = frame.head(rows) if rows else frame
    return _plain_numbers(frame) if table_format(source) == "csv" else frame


def iter_table(
    source: str | Path,
    *,
    rows: int = 100_000,
    encoding: str | None = None,
    separator: str | None = None,
) -> Iterator[pd.DataFrame]:
    """The table in parts of at most `rows` rows, with running row numbers as index.

    Columns of CSV stay text, so that no part is read differently from another;
    `core.data.schema.apply_schema` types them. Memory holds one part (Excel: the whole sheet).

    Raises:
        DataError: As `read_table`.
    """
    start = 0
    for chunk in _chunks(str(source), rows, encoding, separator, None):
        chunk.index = pd.RangeIndex(start, start + len(chunk))
        start += len(chunk)
        yield chunk


def table_format(source: str | Path) -> str:
    """csv, excel, parquet, jsonl or sql, by the ending of the name."""
    text = str(source)
    if re.match(r"^[\w+]+://.*::", text, re.DOTALL) and not _is_file_url(text):
        return "sql"
    path = text.partition("::")[0] if "::" in text else text
    path = urlsplit(path).path if "://" in path else path
    suffixes = [s.lower() for s in Path(path).suffixes]
    if suffixes and suffixes[-1] in _PACKED:
        suffixes.pop()
    last = suffixes[-1] if suffixes else ""
    known = {".parquet": "parquet", ".pq": "parquet", ".jsonl": "jsonl", ".ndjson": "jsonl"}
    return "excel" if last in _EXCEL else known.get(last, "csv")


def safe_source(source: str | Path) -> str:
    """The source as it may be shown and logged: no user, password, token or query."""
    # up to the last @, for a password may hold anything; better too much than too little
    text = re.sub(r"(?<=://)\S*@", "***@", str(source))
    head, mark, item = text.partition("::")
    if "://" in head:
        head = re.sub(r"\?.*$", "?***", head, flags=re.DOTALL)
    return head + mark + item


def fingerprint(source: str | Path | pd.DataFrame) -> str:
    """SHA-256 of a file's bytes as they are stored, or of a table's names, types and values.

    Raises:
        DataError: The file cannot be read.
    """
    if isinstance(source, pd.DataFrame):
        return _frame_fingerprint(source)
    if table_format(source) == "sql":
        return _frame_fingerprint(read_table(source))
    digest = hashlib.sha256()
    with _opened(str(source).partition("::")[0], compression=None) as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _frame_fingerprint(frame: pd.DataFrame) -> str:
    digest = hashlib.sha256(repr([(str(c), str(t)) for c, t in frame.dtypes.items()]).encode())
    plain = frame.apply(lambda c: c.map(repr) if c.dtype == object else c)  # lists do not hash
    digest.update(pd.util.hash_pandas_object(plain, index=False).to_numpy().tobytes())
    return digest.hexdigest()


def _chunks(
    source: str, rows: int, encoding: str | None, separator: str | None, limit: int | None
) -> Iterator[pd.DataFrame]:
    """Parts of at most `rows` rows; raises DataError when there is none."""
    kind = table_format(source)
    name = source_name(source)
    seen = 0
    if kind == "csv":
        parts = _csv_parts(source, name, rows, encoding, separator)
    elif kind == "sql":
        from core.data.databases import sql_parts

        parts = sql_parts(source, rows)
    else:
        parts = {"excel": _excel_parts, "parquet": _parquet_parts, "jsonl": _jsonl_parts}[kind](
            source, name, rows
        )
    for part in parts:
        part.columns = [str(c) for c in part.columns]
        if not part.columns.is_unique:
            twice = part.columns[part.columns.duplicated()][0]
            raise DataError(
                f"the column name {twice!r} occurs twice",
                where=name,
                remedy="Give every column its own name",
            )
        if len(part):
            seen += len(part)
            yield part
        if limit and seen >= limit:
            return
    if not seen:
        raise DataError(
            "the table has a header but no rows" if kind == "csv" else "the table has no rows",
            where=name,
            remedy="Export it again with its rows",
        )


def source_name(source: str | Path) -> str:
    """The short name of a source for errors: file name, or URL without secrets."""
    text = safe_source(source)
    return text if "://" in text else Path(text.partition("::")[0]).name


def _csv_parts(
    source: str, name: str, rows: int, encoding: str | None, separator: str | None
) -> Iterator[pd.DataFrame]:
    """Parts of a text table, every column text."""
    from core.data.delimited import delimited_parts

    def open_() -> BinaryIO:
        return _open(source, compression="infer")

    with _explained(source):
        dialect: Dialect = sniff(open_, name, encoding=encoding, separator=separator)
        yield from delimited_parts(open_, dialect, name, rows)


def _excel_parts(source: str, name: str, rows: int) -> Iterator[pd.DataFrame]:
    path, _, sheet = source.partition("::")
    with _opened(path) as stream:
        try:
            frame = pd.read_excel(
                stream, sheet_name=sheet or 0, keep_default_na=False, na_values=[""]
            )
        except (ValueError, KeyError, OSError, EOFError) as error:
            raise _broken(name, "Excel workbook", error) from None
    for start in range(0, len(frame), rows):
        yield frame.iloc[start : start + rows]


def _parquet_parts(source: str, name: str, rows: int) -> Iterator[pd.DataFrame]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with _opened(source) as stream:
        try:
            for batch in pq.ParquetFile(stream).iter_batches(batch_size=rows):
                part = batch.to_pandas(ignore_metadata=True)
                yield part[[c for c in part if not str(c).startswith("__index_level_")]]
        except (pa.ArrowInvalid, OSError) as error:
            raise _broken(name, "Parquet file", error) from None


def _jsonl_parts(source: str, name: str, rows: int) -> Iterator[pd.DataFrame]:
    import orjson

    kept: list[dict[str, Any]] = []
    with _opened(source) as stream:
        for number, line in enumerate(stream, 1):
            if not line.strip():
                continue
            try:
                row = orjson.loads(line)
            except orjson.JSONDecodeError as error:
                row = f"not JSON ({error.msg})"
            if not isinstance(row, dict):
                raise DataError(
                    row if isinstance(row, str) else "the line is no JSON object",
                    where=f"{name}, line {number}",
                    remedy='Write one object a line, {"column": value, ...}, in UTF-8',
                )
            kept.append(row)
            if len(kept) == rows:
                yield pd.DataFrame.from_records(kept)
                kept = []
    if kept:
        yield pd.DataFrame.from_records(kept)


def _broken(name: str, what: str, error: Exception) -> DataError:
    detail = str(error).splitlines()[0][:160] if str(error) else type(error).__name__
    return DataError(
        f"the {what} cannot be read: {detail}",
        where=name,
        remedy="Open it in the program that wrote it and save it again",
    )


def _plain_numbers(frame: pd.DataFrame) -> pd.DataFrame:
    """Text columns that hold nothing but plain numbers as numbers."""
    from core.data.numerals import plain_numbers

    return plain_numbers(frame)


def _is_file_url(text: str) -> bool:
    head = text.partition("::")[0].lower()
    return head.endswith((*_EXCEL, *_PACKED)) and not head.startswith("sqlite")


def _open(source: str, *, compression: str | None) -> BinaryIO:
    import fsspec

    return cast("BinaryIO", fsspec.open(source, "rb", compression=compression).open())


@contextmanager
def _opened(source: str, *, compression: str | None = "infer") -> Iterator[BinaryIO]:
    with _explained(source), _open(source, compression=compression) as stream:
        yield stream


@contextmanager
def _explained(source: str) -> Iterator[None]:
    """Turns what opening and reading may raise into one DataError without secrets."""
    name = source_name(source)
    try:
        yield
    except DataError:
        raise
    except FileNotFoundError:
        raise DataError("there is no such file", where=name, remedy=_nearest(source)) from None
    except IsADirectoryError:
        raise DataError("this is a folder", where=name, remedy="Name one file in it") from None
    except PermissionError:
        raise DataError(
            "the file may not be read", where=name, remedy="Ask for read access"
        ) from None
    except Exception as error:
        if "://" not in source and not isinstance(error, (OSError, EOFError, zlib.error)):
            raise
        # A URL may hold a password, and so may whatever its library raised: say only the class.
        scheme = urlsplit(source).scheme
        if isinstance(error, ImportError) or "rotocol not known" in str(error):
            what = f"no reader for {scheme}:// is installed"
            remedy = f"pip install 'fsspec[{scheme}]', or download the file and give its path"
        else:
            what = f"the file cannot be read ({type(error).__name__})"
            remedy = "Check that it is complete and reachable, or give a local copy"
        raise DataError(what, where=name, remedy=remedy) from None


def _nearest(source: str) -> str:
    """Names the file of the same folder that was probably meant."""
    path = Path(source.partition("::")[0])
    if "://" in source or not path.parent.is_dir():
        return "Check the path"
    names = [p.name for p in path.parent.iterdir() if p.is_file()]
    close = difflib.get_close_matches(path.name, names, n=1)
    return f"Did you mean {close[0]!r}?" if close else "Check the path"
