"""Streams delimited text as parts whose every column is text, and refuses ragged rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO

import pandas as pd
import pyarrow as pa
from pyarrow import csv

from core.data.dialect import Dialect
from core.errors import DataError

_BLOCK = 1 << 22  # bytes parsed at a time


def delimited_parts(
    open_: Callable[[], BinaryIO], dialect: Dialect, name: str, rows: int
) -> Iterator[pd.DataFrame]:
    """Parts of `rows` rows (the last may be shorter), every column `str`, empty is missing.

    Args:
        open_: Opens the uncompressed bytes.
        dialect: How the text is written.
        name: What to call the file in errors.
        rows: Rows of a part.

    Raises:
        DataError: A row has too few or too many fields, or a quote never closes.
    """
    width = len(dialect.names)
    names = [field or f"unnamed_{i + 1}" for i, field in enumerate(dialect.names)]
    ragged: list[tuple[int, int]] = []

    def refuse(row: csv.InvalidRow) -> str:
        ragged.append((row.number - 1, row.actual_columns))
        return "error"

    waiting: list[pa.RecordBatch] = []
    count, header = 0, True
    with open_() as stream:
        try:
            # The header is read as a row, so that names need not be known to pyarrow.
            reader = csv.open_csv(
                pa.PythonFile(stream, mode="r"),
                csv.ReadOptions(
                    use_threads=False,  # rows are numbered only without
                    block_size=_BLOCK,
                    encoding=dialect.encoding,
                    column_names=[f"f{i}" for i in range(width)],
                ),
                csv.ParseOptions(
                    delimiter=dialect.separator,
                    newlines_in_values=True,
                    invalid_row_handler=refuse,
                ),
                csv.ConvertOptions(
                    column_types={f"f{i}": pa.string() for i in range(width)},
                    strings_can_be_null=True,
                    null_values=[""],
                ),
            )
            for batch in reader:
                body = batch.slice(1) if header and batch.num_rows else batch
                header = header and not batch.num_rows
                waiting.append(body)
                count += body.num_rows
                while count >= rows:
                    table = pa.Table.from_batches(waiting)
                    yield _frame(table.slice(0, rows), names)
                    waiting = table.slice(rows).to_batches()
                    count -= rows
        except pa.ArrowInvalid as error:
            raise _explain(str(error), ragged, width, name) from None
    if count:
        yield _frame(pa.Table.from_batches(waiting), names)


def _frame(table: pa.Table, names: list[str]) -> pd.DataFrame:
    return table.rename_columns(names).to_pandas()


def _explain(message: str, ragged: list[tuple[int, int]], width: int, name: str) -> DataError:
    if ragged:
        row, fields = ragged[0]
        few = "fewer" if fields < width else "more"
        return DataError(
            f"row {row} has {fields} fields, {few} than the {width} of the header",
            where=f"{name}, row {row} after the header, column {min(fields, width) + 1}",
            remedy="Quote fields that hold the separator or a line break, or repair that row",
        )
    if "straddling" in message:
        return DataError(
            "a quoted field is never closed",
            where=name,
            remedy='Look for a lone " and close, double or remove it',
        )
    return DataError(
        f"the rows cannot be parsed: {message.splitlines()[0][:80]}",
        where=name,
        remedy="Export the table again as CSV in UTF-8",
    )
