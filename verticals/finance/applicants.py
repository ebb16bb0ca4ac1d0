"""Typed rows for the credit model, fast: one applicant at a time, or large tables.

Both give exactly what `core.data.schema.apply_schema` gives; it stays the only judge of a cell.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from core.data.schema import ColumnSchema, TableSchema, apply_schema
from core.errors import DataError

FEW = 64  # applicants typed one by one
REPEATED = 20  # rows per distinct text from which texts are typed once each
_WHOLE = re.compile(r"([-+]?\d+)\.0+")  # a code is the same whether it came as 1 or as 1.0


def typed_applicants(records: Sequence[Mapping[str, Any]], schema: TableSchema) -> pd.DataFrame:
    """Rows of values that a pydantic model has already checked.

    Args:
        records: Values by column: numbers, truth values, texts and dates, None where missing.
        schema: Columns, in the order of the result.
    """
    plain = all(c.kind in ("number", "category", "text") for c in schema.columns)
    if len(records) > FEW or not plain:
        return typed_table(pd.DataFrame(list(records)), schema)
    columns: dict[str, Any] = {}
    for column in schema.columns:
        cells = [record[column.name] for record in records]
        columns[column.name] = (
            _numbers(cells, column) if column.kind == "number" else _texts(cells, column)
        )
    return pd.DataFrame(columns)


def typed_table(frame: pd.DataFrame, schema: TableSchema) -> pd.DataFrame:
    """A table's columns, typed; texts that repeat are typed once each.

    Raises:
        DataError: As `apply_schema`.
    """
    absent = any(c.name not in frame for c in schema.columns)  # said by `apply_schema`
    if len(frame) <= FEW or absent or not frame.columns.is_unique:
        return apply_schema(frame, schema)
    quick: dict[str, pd.Series] = {}
    for column in schema.columns:
        if frame[column.name].dtype != "str":
            continue
        codes, distinct = pd.factorize(frame[column.name], use_na_sentinel=False)
        if len(distinct) * REPEATED > len(frame):
            continue
        alone = pd.DataFrame({column.name: distinct})
        try:
            typed = apply_schema(alone, TableSchema((column,)))[column.name]
        except DataError:  # told below, with the row of the whole table
            continue
        quick[column.name] = typed.take(codes).set_axis(frame.index)
    rest = TableSchema(tuple(c for c in schema.columns if c.name not in quick))
    slow = apply_schema(frame, rest)
    return pd.DataFrame(
        {c.name: quick.get(c.name, slow.get(c.name)) for c in schema.columns}, index=frame.index
    )


def _numbers(cells: Sequence[float | None], column: ColumnSchema) -> np.ndarray:
    values = np.array([np.nan if cell is None else cell for cell in cells], dtype=float)
    codes = [float(c) for c in column.missing_codes if _is_number(c)]
    if codes:
        values[np.isin(values, codes)] = np.nan
    return values


def _texts(cells: Sequence[str | None], column: ColumnSchema) -> pd.Series:
    texts = [None if cell is None else cell.strip() for cell in cells]
    if column.kind == "category":
        texts = [t and _WHOLE.sub(r"\1", t) if t and _WHOLE.fullmatch(t) else t for t in texts]
    known = [None if not t or t in column.missing_codes else t for t in texts]
    return pd.Series(known, dtype="str")


def _is_number(code: str) -> bool:
    try:
        float(code)
    except ValueError:
        return False
    return True
