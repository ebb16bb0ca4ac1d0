"""Clients' tables of prices, wide or long, brought to one column an asset by date."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.data.dates import infer_date_format, read_dates
from core.data.numerals import infer_numeral, read_numbers
from core.data.schema import as_text
from core.data.sources import read_table, source_name
from core.errors import DataError, ParameterError
from verticals.finance.market.parameters import MarketParameters

_DATE_NAMES = ("date", "day", "datum", "time", "日期", "交易日", "fecha")
_CLOSES = ("adj close", "adj_close", "adjusted close", "close", "price", "收盘", "value")
_NO_PRICES = ("open", "high", "low", "volume", "turnover", "开盘", "最高", "最低", "成交量")


def read_prices(parameters: MarketParameters) -> pd.DataFrame:
    """Prices of a client's table: index of days, one float column an asset; not yet validated.

    A table that lists the newest day first is turned round; any other disorder stays, for
    `check_prices` to refuse.

    Raises:
        DataError: There is no date column or price column, or a cell is no date or number.
        ParameterError: `date` names no column.
    """
    table = read_table(parameters.data)
    table.columns = [str(c).strip() for c in table.columns]
    where = source_name(parameters.data)
    day = _date_column(table, parameters.date, where)
    dates = _dates(table[day], day, where)
    rest = table.drop(columns=day)
    names = [c for c in rest if not _is_number(rest[c])]
    if names and pd.Index(dates).has_duplicates:
        return _from_long(rest, dates, names, where)
    numbers = _prices_among([c for c in rest if c not in names])
    wanted = [a for a in (*parameters.assets, *parameters.weights) if a in rest]
    columns = wanted or numbers
    if not columns:
        raise DataError("no column holds prices", where=where, remedy="Give one column an asset")
    frame = pd.DataFrame({c: _numbers(rest[c], c, where) for c in dict.fromkeys(columns)})
    frame.index = pd.DatetimeIndex(dates, name="date")
    return frame.iloc[::-1] if _newest_first(dates) else frame


def _from_long(
    table: pd.DataFrame, dates: np.ndarray, names: list[str], where: str
) -> pd.DataFrame:
    counts = {c: pd.DataFrame({"d": dates, "a": table[c]}).duplicated().sum() for c in names}
    asset = min(counts, key=lambda c: counts[c])
    if counts[asset]:
        twice = pd.DataFrame({"d": dates, "a": table[asset]}).duplicated().to_numpy()
        row = int(np.argmax(twice))
        raise DataError(
            f"{table[asset].iloc[row]!s} has two prices on {dates[row]!s:.10}",
            where=f"{where}, row {row + 1}",
            remedy="Keep one price a day and asset",
        )
    prices = _prices_among([c for c in table if c not in names])
    if len(prices) != 1:
        raise DataError(
            f"{len(prices)} columns could be the price",
            where=where,
            remedy="Name one column price, or give one column an asset",
        )
    price = _numbers(table[prices[0]], prices[0], where)
    long = pd.DataFrame({"date": dates, "asset": as_text(table[asset]), "price": price})
    wide = long.pivot(index="date", columns="asset", values="price")
    wide.columns = [str(c) for c in wide.columns]
    return wide


def _date_column(table: pd.DataFrame, wanted: str | None, where: str) -> str:
    if wanted is not None:
        if wanted in table.columns:
            return wanted
        raise ParameterError(
            f"there is no column {wanted!r}",
            where="date",
            remedy=f"Choose among {', '.join(table.columns[:12])}",
        )
    named = [c for c in table if any(hint in str(c).lower() for hint in _DATE_NAMES)]
    for column in [*named, *[c for c in table if c not in named]]:
        values = table[column]
        if pd.api.types.is_datetime64_any_dtype(values.dtype):
            return str(column)
        if pd.api.types.is_numeric_dtype(values.dtype) and column not in named:
            continue
        texts = as_text(values).dropna()
        if len(texts) and infer_date_format(pd.Series(texts.unique()))[1] > 0.9:
            return str(column)
    raise DataError(
        "no column holds dates",
        where=where,
        remedy="Name the date column with the parameter date",
    )


def _dates(values: pd.Series, column: str, where: str) -> np.ndarray:
    texts = as_text(values).dropna()
    ready = pd.api.types.is_datetime64_any_dtype(values.dtype)
    chosen = "" if ready else infer_date_format(pd.Series(texts.unique()))[0]
    dates, bad = read_dates(values, chosen)
    wrong = bad | np.isnat(dates)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise DataError(
            f"{values.iloc[row]!s:.40} is no date",
            where=f"{where}, row {row + 1}, column {column!r}",
            remedy="Correct the cell, or remove the row",
        )
    late = dates > np.datetime64("now") + np.timedelta64(1, "D")
    if late.any():
        row = int(np.argmax(late))
        raise DataError(
            f"{dates[row]!s:.10} lies in the future",
            where=f"{where}, row {row + 1}, column {column!r}",
            remedy="Correct the date; day and month may be exchanged",
        )
    return dates.astype("datetime64[D]").astype("datetime64[us]")


def _numbers(values: pd.Series, column: str, where: str) -> np.ndarray:
    if pd.api.types.is_numeric_dtype(values.dtype):
        return values.to_numpy(dtype=np.float64, na_value=np.nan)
    texts = as_text(values)
    texts = texts.mask(texts.isin([".", "-", "NA", "N/A", "n/a", "null", "#N/A"]))
    numeral, _ = infer_numeral(pd.Series(texts.dropna().unique()))
    numbers, bad = read_numbers(texts, numeral)
    if bad.any():
        row = int(np.argmax(bad))
        raise DataError(
            f"{texts.iloc[row]!s:.40} is no price",
            where=f"{where}, row {row + 1}, column {column!r}",
            remedy="Correct the cell, or leave it empty",
        )
    return numbers


def _is_number(values: pd.Series) -> bool:
    if pd.api.types.is_numeric_dtype(values.dtype):
        return not pd.api.types.is_bool_dtype(values.dtype)
    texts = as_text(values).dropna()
    return bool(len(texts)) and bool(infer_numeral(pd.Series(texts.unique()))[1].mean() > 0.9)


def _prices_among(numbers: list[str]) -> list[str]:
    """The price columns: of open, high, low, close and volume only the (adjusted) close."""
    low = {c.lower(): c for c in numbers}
    if any(name in low for name in _NO_PRICES) or any(name in low for name in _CLOSES):
        for close in _CLOSES:
            if close in low:
                return [low[close]]
    return numbers


def _newest_first(dates: np.ndarray) -> bool:
    return len(dates) > 1 and bool((np.diff(dates) < np.timedelta64(0)).all())
