"""Tells what every column of a table is, and turns raw tables into typed ones the same way."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

import orjson
import pandas as pd

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
        return next((c for c in self.columns if c.name == name), None) or _unknown(name)

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
        lists = ("missing_codes", "categories")
        return cls(
            tuple(
                ColumnSchema(**{k: tuple(v) if k in lists else v for k, v in row.items()})
                for row in orjson.loads(text)
            )
        )


def _unknown(name: str) -> ColumnSchema:
    raise KeyError(name)


def _reading(column: ColumnSchema) -> str:
    """How raw values are read, in words."""
    if column.kind == "date":
        return column.date_format
    signs = [column.currency, f"thousands {column.thousands!r}" if column.thousands else ""]
    signs.append("decimal comma" if column.decimal == "," else "")
    return ", ".join(s for s in signs if s)
