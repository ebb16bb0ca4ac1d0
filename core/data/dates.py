"""Dates written as text, in the formats that clients' exports use."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

_DAY = (
    *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y年%m月%d日", "%Y%m%d"),
    *("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y"),
    *("%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%d-%m-%y", "%y-%m-%d"),
    *("%d %b %Y", "%d-%b-%Y", "%d-%b-%y", "%d%b%Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y"),
    *("%b-%Y", "%b %Y", "%B %Y", "%Y-%m", "%m/%Y", "%Y年%m月"),
)
_TIMES = ("ISO8601", *(f"{day} {clock}" for day in _DAY[5:10] for clock in ("%H:%M", "%H:%M:%S")))
_SAMPLE = 2000  # distinct values that formats are tried on


def infer_date_format(values: pd.Series) -> tuple[str, float, str]:
    """Format that reads most values, the share it reads, and a note on what is ambiguous.

    Args:
        values: Distinct texts, stripped, none missing.

    Returns:
        ("", 0.0, "") when none looks like a date.
    """
    step = max(len(values) // _SAMPLE, 1)
    sample = values.iloc[::step]
    like = sample.str.contains(
        r"^\d{8}$|\d[-/.年]\d|[A-Za-z]{3,9}[-, ]+\d{2,4}|^\d{1,2}[A-Za-z]{3}\d{4}$"
    )
    if like.mean() < 0.5 or not sample.str.len().between(6, 35).mean() > 0.5:
        return "", 0.0, ""
    shares = {f: _share(sample, f) for f in (*_DAY, *_TIMES)}
    top = max(shares.values())
    if top == 0:
        return "", 0.0, ""
    best = [f for f, share in shares.items() if share == top]
    choice = best[0]
    other = _swapped(choice)
    if other == choice or other not in best:
        return choice, top, ""
    # Day and month are both possible. Monthly data says which: its day never changes.
    if pd.to_datetime(sample, format=choice, errors="coerce").dt.month.nunique() == 1 < len(sample):
        choice, other = other, choice
    return choice, top, f"day and month are ambiguous: read as {choice}, could be {other}"


def read_dates(values: pd.Series, date_format: str) -> tuple[np.ndarray, np.ndarray]:
    """Dates of raw values: ((n,) datetime64[us] with NaT, (n,) bool where a value is none).

    Besides `date_format`, unambiguous ISO dates and ready date objects are read.
    """
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return _naive(values), np.zeros(len(values), bool)
    present = values.notna().to_numpy()
    if values.dtype == object:
        ready = values.map(lambda v: isinstance(v, dt.date))
        values = values.where(~ready, values.map(str))
    elif pd.api.types.is_numeric_dtype(values.dtype):  # 20240131
        whole = pd.Series(np.where(present, values.fillna(0), 0).astype(np.int64), values.index)
        values = whole.astype("str").where(present)
    text = values.astype("str").str.strip()
    chosen = date_format or "ISO8601"
    parsed = pd.to_datetime(text, format=chosen, errors="coerce", utc=chosen == "ISO8601")
    result = _naive(parsed)
    left = present & np.isnat(result)
    if left.any() and chosen != "ISO8601":
        iso = text[left].where(text[left].str.contains(r"^\d{4}-\d{2}-\d{2}"))
        result[left] = _naive(pd.to_datetime(iso, format="ISO8601", errors="coerce", utc=True))
    return result, present & np.isnat(result)


def _naive(values: pd.Series) -> np.ndarray:
    """UTC without a zone, in microseconds."""
    if getattr(values.dtype, "tz", None) is not None:
        values = values.dt.tz_convert("UTC").dt.tz_localize(None)
    return np.array(values.to_numpy(dtype="datetime64[us]"))


def _share(values: pd.Series, date_format: str) -> float:
    try:
        parsed = pd.to_datetime(
            values, format=date_format, errors="coerce", utc=date_format == "ISO8601"
        )
    except ValueError:
        return 0.0
    sane = parsed.dt.year.between(1900, 2262) | (parsed.dt.year == 9999)
    return float(sane.mean())


def _swapped(date_format: str) -> str:
    """The format with day and month exchanged."""
    return date_format.replace("%d", "\0").replace("%m", "%d").replace("\0", "%m")
