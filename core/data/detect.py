"""Guesses what a column holds from its name and values; every guess can be corrected."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping

import numpy as np
import pandas as pd

from core.data.corrections import Correction, parse_corrections
from core.data.dates import infer_date_format, read_dates
from core.data.numerals import PLAIN, Numeral, infer_numeral, read_numbers
from core.data.schema import (
    MISSING,
    NO_NUMBER,
    ColumnSchema,
    Kind,
    TableSchema,
    as_text,
    coded,
)
from core.data.sentinels import sentinel_codes

_ID_NAME = re.compile(
    r"(?i)(^|[_\W])(id|ids|uuid|guid|key|nr|no|num|number|index|row|编号|序号)([_\W]|$)"
    r"|(?-i:[a-z](Id|ID|Nr|No)$)|^unnamed|(?i:(customer|client|loan|account|contract|member)id$)"
)
_ID_ONLY = re.compile(r"(?i)(^|[_\W])(id|uuid|编号)$|(?-i:[a-z](Id|ID)$)|(customer|client|loan)id$")
_MOSTLY = 0.8  # share of numbers above which a few texts are mistakes rather than categories
_STRANGERS = 3  # ... and how many different such texts there may be
_LONGEST = 50  # categories kept for showing


def detect_schema(frame: pd.DataFrame, corrections: Mapping[str, str]) -> TableSchema:
    """Schema of a raw table; see `core.data.schema.infer_schema`."""
    given = parse_corrections(corrections, map(str, frame.columns))
    comma = any(_writes_comma(frame[c]) for c in frame)
    found = (
        _detect(str(name), frame[name], given.get(str(name), Correction()), comma)
        for name in frame.columns
        if not given.get(str(name), Correction()).drop
    )
    return TableSchema(tuple(found))


def _writes_comma(values: pd.Series) -> bool:
    """Whether a column writes decimal commas, as in 12,5."""
    if values.dtype != "str":
        return False
    head = values.dropna().head(200).str.strip()
    return len(head) > 0 and bool(
        head.str.contains(r"^\D{0,4}[\d.]*\d,\d{1,2}\D{0,4}$").mean() > 0.5
    )


def _detect(name: str, values: pd.Series, given: Correction, comma: bool) -> ColumnSchema:
    raw = _raw_kind(values)
    if raw == "object":
        values, raw = as_text(values), "str"
    if given.kind:
        return _corrected(name, values, raw, given, comma)
    if raw == "boolean":
        return ColumnSchema(name, "boolean", given.missing or ())
    if raw == "date":
        return _date(name, values, "ISO8601", given)
    if raw == "number":
        return _number(name, values, given)
    return _text(name, values, given, comma)


def _raw_kind(values: pd.Series) -> str:
    if pd.api.types.is_bool_dtype(values.dtype):
        return "boolean"
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return "date"
    if pd.api.types.is_numeric_dtype(values.dtype):
        return "number"
    if values.dtype != object:
        return "str"
    types = {type(v) for v in values.dropna()}
    if types and all(issubclass(t, dt.date) for t in types):
        return "date"
    return "boolean" if types == {bool} else "object"


def _corrected(
    name: str, values: pd.Series, raw: str, given: Correction, comma: bool
) -> ColumnSchema:
    """A column whose kind a person has named."""
    if given.kind == "number" and raw in ("number", "boolean"):
        return _number(name, values.astype(float), given, may_be_id=False)
    counts = as_text(values).value_counts()
    codes = _codes(counts, MISSING, given)
    distinct = _distinct(counts, codes)
    if given.kind == "number":
        wide = _codes(counts, MISSING | NO_NUMBER, given)
        distinct = _distinct(counts, wide)
        numeral, _ = infer_numeral(distinct, comma=comma)
        return _number_text(name, values, wide, numeral, given)
    if given.kind == "date":
        wide = _codes(counts, MISSING | NO_NUMBER, given)
        guess, _, note = infer_date_format(_distinct(counts, wide))
        chosen = given.date_format or guess or "ISO8601"
        note = "" if given.date_format else note
        return _date(name, values, chosen, given, note=note, codes=wide)
    shown = tuple(distinct[:_LONGEST]) if given.kind == "category" else ()
    return ColumnSchema(name, given.kind, codes, categories=shown)  # type: ignore[arg-type]


def _number(
    name: str, values: pd.Series, given: Correction, *, may_be_id: bool = True
) -> ColumnSchema:
    """A column that came as numbers."""
    array = values.to_numpy(dtype=np.float64, na_value=np.nan)
    present = array[~np.isnan(array)]
    unique = np.unique(present)
    if len(unique) <= 1 and (len(unique) == 0 or len(present) == len(array)) and not given.keep:
        return ColumnSchema(name, "constant", categories=tuple(as_text(values).dropna()[:1]))
    whole = bool(np.isfinite(unique).all()) and bool((unique == np.round(unique)).all())
    if whole and may_be_id and not given.keep:
        if len(unique) > 1 and unique[0] >= 19000101 and unique[-1] <= 21001231:
            days = pd.to_datetime(
                pd.Series(unique.astype(np.int64)).astype("str"), format="%Y%m%d", errors="coerce"
            )
            if days.notna().all():
                return _date(name, values, "%Y%m%d", given, note="numbers read as dates")
        if _is_identifier(name, present, unique):
            return ColumnSchema(name, "identifier", note=_id_note(present, unique))
    codes = sentinel_codes(array) if given.missing is None else map(float, given.missing)
    return _finish_number(name, array, tuple(_digits(c) for c in codes), PLAIN, given)


def _is_identifier(name: str, present: np.ndarray, unique: np.ndarray) -> bool:
    """Whole numbers that only name rows: counted through, or unique under an id's name."""
    if len(present) < 20:
        return False
    share = len(unique) / len(present)
    counted = share == 1 and unique[-1] - unique[0] == len(unique) - 1
    named = bool(_ID_NAME.search(name)) and share >= 0.9
    repeats = bool(_ID_ONLY.search(name)) and share >= 0.2 and len(unique) >= 50  # customers
    return counted or named or repeats


def _id_note(present: np.ndarray, unique: np.ndarray) -> str:
    repeated = len(present) - len(unique)
    return f"{repeated} repeated" if repeated else "unique"


def _text(name: str, values: pd.Series, given: Correction, comma: bool) -> ColumnSchema:
    """A column that came as text: number, date, boolean, category, identifier or text."""
    text = as_text(values)
    counts = text.value_counts()
    codes = _codes(counts, MISSING, given)
    distinct = _distinct(counts, codes)
    present = int(counts[distinct].sum())
    if len(distinct) <= 1 and (present in (0, len(text))) and not given.keep:
        return ColumnSchema(name, "constant", codes, categories=tuple(distinct))
    wide = _codes(counts, MISSING | NO_NUMBER, given)
    plain = _distinct(counts, wide)
    eight = len(plain) > 1 and bool(plain.str.fullmatch(r"(19|20|21)\d{6}").all())
    date_format, share, note = infer_date_format(plain) if len(plain) else ("", 0.0, "")
    if not eight or share < 1:  # 20240131 is a date before it is a number
        numeral = _numeral(plain, counts, comma)
        if numeral is not None:
            return _number_text(name, values, wide, numeral, given)
    if date_format and share >= 0.9:
        return _date(name, values, date_format, given, note=note, codes=wide)
    if set(distinct.str.lower()) <= {"true", "false"}:
        return ColumnSchema(name, "boolean", codes)
    kind = _kind_of_words(name, distinct, present, given)
    shown = tuple(distinct[:_LONGEST]) if kind == "category" else ()
    note = "" if kind != "identifier" else _id_note(np.empty(present), np.empty(len(distinct)))
    return ColumnSchema(name, kind, codes, categories=shown, note=note)


def _numeral(plain: pd.Series, counts: pd.Series, comma: bool) -> Numeral | None:
    """How a text column writes its numbers, if it holds any.

    A few texts among many numbers are mistakes for `apply_schema` to name; codes with leading
    zeros are no numbers.
    """
    if not len(plain) or plain.str.contains(r"^[-+]?0\d").any():
        return None
    numeral, read = infer_numeral(plain, comma=comma)
    share = float(counts[plain[read.to_numpy()]].sum() / counts[plain].sum())
    strangers = int((~read).sum())
    few = strangers <= max(_STRANGERS, 0.01 * len(plain))
    mistakes = share >= _MOSTLY and few and read.sum() >= 5
    return numeral if strangers == 0 or mistakes else None


def _kind_of_words(name: str, distinct: pd.Series, present: int, given: Correction) -> Kind:
    """Category, identifier or free text, by repetition and length."""
    unique = len(distinct) / max(present, 1)
    words = float(distinct.str.count(r"\s+").mean() + 1) if len(distinct) else 0.0
    names_rows = unique >= 0.9 or _names_customers(name, distinct, unique)
    if present >= 20 and names_rows and not given.keep:
        return "identifier" if words < 1.5 else "text"
    return "text" if len(distinct) > 50 and unique > 0.3 and words >= 3 else "category"


def _names_customers(name: str, distinct: pd.Series, share: float) -> bool:
    return bool(_ID_ONLY.search(name)) and share >= 0.2 and len(distinct) >= 50


def _number_text(
    name: str, values: pd.Series, codes: tuple[str, ...], numeral: Numeral, given: Correction
) -> ColumnSchema:
    """A column of numbers written as text, missing words and sentinel numbers taken out."""
    text = as_text(values)
    array, _ = read_numbers(text.mask(coded(text, codes)), numeral)
    if given.missing is None:
        codes = (*codes, *(_digits(c) for c in sentinel_codes(array)))
    return _finish_number(name, array, codes, numeral, given)


def _finish_number(
    name: str, array: np.ndarray, codes: tuple[str, ...], numeral: Numeral, given: Correction
) -> ColumnSchema:
    numbers = [float(c) for c in codes if re.fullmatch(r"[-+]?[\d.]+(e[-+]?\d+)?", c)]
    rest = array[np.isfinite(array) & ~np.isin(array, numbers)]
    notes = []
    if codes and given.missing is None:
        notes.append(f"read as missing: {', '.join(codes)}")
    if numeral.currency:
        notes.append(f"{numeral.currency} stripped")
    return ColumnSchema(
        name,
        "number",
        codes,
        decimal=numeral.decimal,
        thousands=numeral.thousands,
        currency=numeral.currency,
        minimum=float(rest.min()) if len(rest) else None,
        maximum=float(rest.max()) if len(rest) else None,
        note="; ".join(notes),
    )


def _date(
    name: str,
    values: pd.Series,
    date_format: str,
    given: Correction,
    *,
    note: str = "",
    codes: tuple[str, ...] = (),
) -> ColumnSchema:
    text = as_text(values) if values.dtype == "str" else values
    clean = text.mask(coded(text, codes)) if codes else text
    dates, _ = read_dates(clean, date_format)
    far = dates >= np.datetime64("2900-01-01")
    if far.any() and given.missing is None:  # 9999-12-31 is how systems write "never"
        ends = tuple(as_text(clean[far]).unique())
        if len(ends) <= 2:
            codes, dates = (*codes, *ends), np.where(far, np.datetime64("NaT"), dates)
            note = "; ".join(filter(None, (note, f"read as missing: {', '.join(ends)}")))
    known = dates[~np.isnat(dates)]
    first, last = (str(known.min())[:10], str(known.max())[:10]) if len(known) else (None, None)
    return ColumnSchema(
        name, "date", codes, date_format=date_format, minimum=first, maximum=last, note=note
    )


def _codes(counts: pd.Series, words: set[str], given: Correction) -> tuple[str, ...]:
    """Values of a text column that mean missing, as they are written."""
    if given.missing is not None:
        return given.missing
    return tuple(v for v in counts.index if v.lower() in words)


def _distinct(counts: pd.Series, codes: tuple[str, ...]) -> pd.Series:
    """Distinct values but the missing codes, most frequent first."""
    index = counts.index[~counts.index.isin(codes)]
    return pd.Series(index, dtype="str")


def _digits(code: float) -> str:
    return str(int(code)) if float(code).is_integer() else repr(float(code))
