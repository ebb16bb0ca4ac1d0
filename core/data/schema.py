"""Tells what every column of a table is, and turns raw tables into typed ones the same way."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import orjson
import pandas as pd

from core.data.dates import read_dates
from core.data.numerals import Numeral, read_numbers
from core.errors import DataError

# Words for "missing" in any column; as written, for `none` is an honest category.
MISSING = {"?", "na", "n/a", "#n/a", "nan", "-nan", "null", "<na>", "#null!", "nil", "nat"}
# ... and in a column whose other values are numbers or dates.
NO_NUMBER = {
    *(
        "none",
        "-",
        "--",
        "---",
        ".",
        "..",
        "missing",
        "unknown",
        "n.a.",
        "n.v.",
        "n/v",
        "not available",
    ),
    *("k.a.", "k. a.", "keine angabe", "unbekannt", "fehlt", "无", "未知", "缺失", "不详"),
}

_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?([eE][-+]?\d+)?")

Kind = Literal["number", "category", "date", "boolean", "text", "identifier", "constant"]


@dataclass(frozen=True)
class ColumnSchema:
    """What one column holds and how its raw values are read.

    Typed columns come out as: number and boolean float64 (0/1), date datetime64[us], everything
    else `str`; missing is NaN or NaT. Words such as yes/no stay categories, as the client wrote
    them; only true/false is boolean.
    """

    name: str
    kind: Kind
    missing_codes: tuple[str, ...] = ()  # raw values that mean missing, numbers as text
    decimal: str = "."
    thousands: str = ""
    currency: str = ""  # sign to strip before reading a number: €, $, EUR, ... or %
    date_format: str = ""  # strptime, or ISO8601
    minimum: float | str | None = None  # of the data behind the schema; dates as ISO text
    maximum: float | str | None = None
    categories: tuple[str, ...] = ()  # most frequent first, at most 50
    note: str = ""  # what a reader should check, e.g. an ambiguous date format


@dataclass(frozen=True)
class TableSchema:
    """Every column of a table, in order."""

    columns: tuple[ColumnSchema, ...]

    def __getitem__(self, name: str) -> ColumnSchema:
        """The column of that name; raises KeyError."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    def names(self, *kinds: Kind) -> tuple[str, ...]:
        """Names of the columns of these kinds, or of all."""
        return tuple(c.name for c in self.columns if not kinds or c.kind in kinds)

    def table(self) -> pd.DataFrame:
        """One row a column, for showing."""
        rows = [
            {
                "column": c.name,
                "kind": c.kind,
                "minimum": "" if c.minimum is None else c.minimum,
                "maximum": "" if c.maximum is None else c.maximum,
                "categories": ", ".join(c.categories[:5]),
                "missing codes": ", ".join(c.missing_codes),
                "read as": _reading(c),
                "note": c.note,
            }
            for c in self.columns
        ]
        return pd.DataFrame(rows)

    def to_json(self) -> str:
        """JSON text that `from_json` reads back."""
        return orjson.dumps([asdict(c) for c in self.columns], option=orjson.OPT_INDENT_2).decode()

    @classmethod
    def from_json(cls, text: str) -> TableSchema:
        """The schema written by `to_json`."""
        rows: list[dict[str, Any]] = orjson.loads(text)
        for row in rows:
            row["missing_codes"] = tuple(row["missing_codes"])
            row["categories"] = tuple(row["categories"])
        return cls(tuple(ColumnSchema(**row) for row in rows))


def _reading(column: ColumnSchema) -> str:
    """How raw values are read, in words."""
    if column.kind == "date":
        return column.date_format
    signs = [column.currency, f"thousands {column.thousands!r}" if column.thousands else ""]
    signs.append("decimal comma" if column.decimal == "," else "")
    return ", ".join(s for s in signs if s)


def infer_schema(frame: pd.DataFrame, corrections: Mapping[str, str] | None = None) -> TableSchema:
    """What every column holds, guessed from names and values.

    Args:
        frame: A raw table as `read_table` returns it.
        corrections: By column: number, category, date:%d.%m.%Y, boolean, text, identifier,
            missing:96,98 (codes that mean missing; `missing:` for none), drop, keep; several
            joined by semicolons.

    Raises:
        ParameterError: A correction names no column or says nothing known.
    """
    from core.data.detect import detect_schema

    return detect_schema(frame, corrections or {})


def apply_schema(frame: pd.DataFrame, schema: TableSchema) -> pd.DataFrame:
    """The schema's columns, typed, in its order; other columns are left out.

    Every cell is read by itself, so that one applicant and a million get the same.

    Raises:
        DataError: A column is absent, or a cell is no number or date or is infinite; names the
            row (counted from 1 after the header) and column.
    """
    absent = [c.name for c in schema.columns if c.name not in frame.columns]
    if absent:
        raise DataError(
            f"column {absent[0]!r} is absent",
            where=f"{len(absent)} of {len(schema.columns)} columns",
            remedy="Give the table the columns the model was trained on",
        )
    typed = {c.name: _typed(frame[c.name], c) for c in schema.columns}
    return pd.DataFrame(typed, index=frame.index)


def as_text(values: pd.Series) -> pd.Series:
    """Values as stripped `str`, whole numbers without a point, empty as missing."""
    if values.dtype == "str":
        text = values.str.strip()
    elif pd.api.types.is_float_dtype(values.dtype):
        array = values.to_numpy(dtype=np.float64, na_value=np.nan)
        known = array[~np.isnan(array)]
        if np.isfinite(known).all() and (known == np.round(known)).all():
            whole = pd.Series(np.nan_to_num(array).astype(np.int64), index=values.index)
            return whole.astype("str").mask(np.isnan(array))
        text = values.map(_cell_text).astype("str")
    elif values.dtype == object:
        text = values.map(_cell_text).astype("str")
    else:
        return values.astype("str")
    return text.mask(text == "")


def _cell_text(cell: object) -> object:
    if cell is None or cell is pd.NaT or (isinstance(cell, float) and np.isnan(cell)):
        return np.nan
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def coded(values: pd.Series, codes: tuple[str, ...]) -> np.ndarray:
    """(n,) bool: where a raw value is one of the codes for missing."""
    if not codes:
        return np.zeros(len(values), bool)
    if pd.api.types.is_numeric_dtype(values.dtype):
        numbers = [float(c) for c in codes if _NUMBER.fullmatch(c)]
        return values.isin(numbers).to_numpy(dtype=bool)
    return values.isin(codes).to_numpy(dtype=bool)


def _typed(values: pd.Series, column: ColumnSchema) -> np.ndarray | pd.Series:
    if column.kind == "number":
        return _read_number(values, column)
    if column.kind == "boolean":
        return _read_boolean(values, column)
    if column.kind == "date":
        raw = as_text(values) if values.dtype == "str" else values
        dates, bad = read_dates(
            raw.mask(coded(as_text(raw), column.missing_codes)), column.date_format
        )
        bad &= ~_says_missing(values, bad)
        if bad.any():
            form = "a date" if column.date_format == "ISO8601" else f"a date {column.date_format}"
            raise _bad_cell(values, bad, column, form, "date:%d.%m.%Y")
        return dates
    text = as_text(values)
    if column.kind == "category":  # a code is the same whether it came as 1 or as 1.0
        text = text.str.replace(r"^([-+]?\d+)\.0+$", r"\1", regex=True)
    return text.mask(coded(text, column.missing_codes)) if column.missing_codes else text


def _read_number(values: pd.Series, column: ColumnSchema) -> np.ndarray:
    if pd.api.types.is_numeric_dtype(values.dtype):
        array = values.to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
    else:
        text = as_text(values)
        text = text.mask(coded(text, column.missing_codes)) if column.missing_codes else text
        array, bad = read_numbers(text, Numeral(column.decimal, column.thousands, column.currency))
        bad &= ~_says_missing(text, bad)
        if bad.any():
            raise _bad_cell(values, bad, column, "a number", "category")
    numbers = [float(c) for c in column.missing_codes if _NUMBER.fullmatch(c)]
    if numbers:
        array[np.isin(array, numbers)] = np.nan
    if np.isinf(array).any():
        row = int(np.flatnonzero(np.isinf(array))[0])
        raise DataError(
            f"{int(np.isinf(array).sum())} cell(s) are infinite",
            where=f"row {row + 1}, column {column.name!r}",
            remedy="Repair the division or overflow behind it, or leave the cell empty",
        )
    return array


def _says_missing(values: pd.Series, bad: np.ndarray) -> np.ndarray:
    """(n,) bool: where a cell that could not be read is a word for missing."""
    words = np.zeros(len(values), bool)
    if bad.any():
        words[bad] = as_text(values[bad]).str.lower().isin(MISSING | NO_NUMBER)
    return words


def _read_boolean(values: pd.Series, column: ColumnSchema) -> np.ndarray:
    words = {"true": 1.0, "false": 0.0, "1": 1.0, "0": 0.0, "yes": 1.0, "no": 0.0}
    text = as_text(values)
    text = text.mask(coded(text, column.missing_codes)).str.lower()
    array = text.map(words).to_numpy(dtype=np.float64, na_value=np.nan)
    bad = np.isnan(array) & text.notna().to_numpy()
    if bad.any():
        raise _bad_cell(values, bad, column, "true or false", "category")
    return array


def _bad_cell(
    values: pd.Series, bad: np.ndarray, column: ColumnSchema, wanted: str, instead: str
) -> DataError:
    row = int(np.flatnonzero(bad)[0])
    cell = str(values.iloc[row]).strip()
    # A stray cell may be somebody's data: show it only where it cannot be.
    plain = len(cell) <= 16 and cell.isascii() and not re.search(r"@|\d{5}", cell)
    shown = repr(cell) if plain else f"a text of {len(cell)} characters"
    count = int(bad.sum())
    more = f" (and {count - 1} more cells)" if count > 1 else ""
    hint = f"missing:{cell}" if plain else "category"
    return DataError(
        f"{shown} is not {wanted}{more}",
        where=f"row {row + 1}, column {column.name!r}",
        remedy=f"Correct the cell, or set columns={{{column.name!r}: {hint!r}}} to read it as "
        f"missing, or {instead!r}",
    )
