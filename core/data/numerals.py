"""Numbers written as text: currency signs, decimal commas, separators of thousands, per cent."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

# Longest first, so that US$ is not read as $.
SIGNS = (
    *("US$", "A$", "C$", "HK$", "NT$", "EUR", "USD", "GBP", "CHF", "CNY", "RMB", "JPY", "SEK"),
    *("NOK", "DKK", "PLN", "CZK", "HUF", "AUD", "CAD", "NZD", "HKD", "SGD", "INR", "TWD", "KRW"),
    *("BRL", "ZAR", "Rs.", "Rs", "kr", "zł", "€", "$", "£", "¥", "￥", "₹", "元", "%"),
)
_SPACES = "[ \u00a0\u202f]"
_SIGN = "|".join(re.escape(s) for s in SIGNS)
_WITH_SIGN = rf"^[-+(]*\s*(?P<before>{_SIGN})\s*[-+]?\d|\d[.,]?\s*(?P<after>{_SIGN})\)?$"


@dataclass(frozen=True)
class Numeral:
    """How a column writes its numbers; `thousands` of one space stands for any space."""

    decimal: str = "."
    thousands: str = ""
    currency: str = ""


PLAIN = Numeral()
_CONVENTIONS = (
    PLAIN,
    Numeral(".", ","),
    Numeral(",", "."),
    Numeral(",", " "),
    Numeral(".", " "),
    Numeral(".", "'"),
    Numeral(".", "’"),
    Numeral(",", ""),
)


def infer_numeral(values: pd.Series, *, comma: bool = False) -> tuple[Numeral, pd.Series]:
    """The convention that reads most values, and which of them it reads.

    Args:
        values: Distinct texts, stripped, none missing.
        comma: Whether other columns of the table write decimal commas, so that 1.234 is 1234.

    Returns:
        The convention and a boolean Series, True where the value is a number.
    """
    found = values.str.extract(_WITH_SIGN)
    signs = found["before"].fillna(found["after"]).dropna()
    currency = str(signs.mode().iloc[0]) if len(signs) else ""
    dotted = values.str.contains(r"\d\.\d", regex=True)
    money = bool(currency) and currency != "%"
    thousands = r"^\D*\d{1,3}(?:\.\d{3})+\D*$"
    order = list(_CONVENTIONS)
    if (comma or money) and dotted.any() and values[dotted].str.contains(thousands).all():
        order.insert(0, Numeral(",", "."))
    best, best_read = PLAIN, pd.Series(False, index=values.index)
    for convention in order:
        candidate = Numeral(convention.decimal, convention.thousands, currency)
        read = pd.Series(~read_numbers(values, candidate)[1], index=values.index)
        if read.sum() > best_read.sum():
            best, best_read = candidate, read
        if best_read.all():
            break
    return best, best_read


def read_numbers(values: pd.Series, numeral: Numeral) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of texts: ((n,) float64 with NaN, (n,) bool where a text is no number)."""
    text = pc.utf8_trim_whitespace(_arrow(values))
    if numeral == PLAIN:
        try:
            return _floats(pc.cast(text, pa.float64())), np.zeros(len(values), bool)
        except pa.ArrowInvalid:
            pass
    clean = text
    if numeral.currency:
        clean = pc.replace_substring_regex(
            clean, rf"\s*{re.escape(numeral.currency)}\s*", "", max_replacements=1
        )
    clean = pc.replace_substring_regex(clean, r"^\((.*)\)$|^(.*\d)-$", r"-\1\2")
    clean = pc.if_else(pc.match_substring_regex(clean, _pattern(numeral)), clean, None)
    if numeral.thousands:
        clean = pc.replace_substring_regex(clean, _class(numeral.thousands), "")
    if numeral.decimal != ".":
        clean = pc.replace_substring(clean, numeral.decimal, ".")
    clean = pc.replace_substring_regex(clean, r"^\+", "")
    bad = pc.and_(pc.is_valid(text), pc.is_null(clean))
    return _floats(pc.cast(clean, pa.float64())), bad.to_numpy(zero_copy_only=False)


def plain_numbers(frame: pd.DataFrame) -> pd.DataFrame:
    """Text columns that hold nothing but plain numbers as int64 or float64.

    Codes with leading zeros stay text, and so do numbers such as 1.234 in a table that writes
    decimal commas elsewhere, for they may be thousands.
    """
    texts = {c: _arrow(frame[c]) for c in frame if frame[c].dtype == "str"}
    comma = any(
        _all_match(a, r"^[-+]?[\d.]*\d,\d{1,2}$|^[-+]?[\d.]+$", ",") for a in texts.values()
    )
    columns = {}
    for name, text in texts.items():
        coded = pc.any(pc.match_substring_regex(text, r"^[-+]?0\d")).as_py()
        grouped = comma and _all_match(text, r"^[-+]?\d{1,3}(\.\d{3})*$", ".")
        if coded or grouped or text.null_count == len(text):
            continue
        for kind in (pa.int64(), pa.float64()):
            try:
                columns[name] = pc.cast(text, kind).to_pandas()
                break
            except pa.ArrowInvalid:
                continue
    typed = {c: columns[c].to_numpy() if c in columns else frame[c] for c in frame}
    return pd.DataFrame(typed, index=frame.index)


def _all_match(text: pa.Array, pattern: str, mark: str) -> bool:
    """Whether every value matches, and one at least holds the mark."""
    marked = pc.any(pc.match_substring(text, mark)).as_py()
    return bool(marked) and bool(pc.all(pc.match_substring_regex(text, pattern)).as_py())


def _pattern(numeral: Numeral) -> str:
    group = rf"\d{{1,3}}(?:{_class(numeral.thousands)}\d{{3}})+|" if numeral.thousands else ""
    point = re.escape(numeral.decimal)
    number = rf"(?:{group}\d+)(?:{point}\d*)?|{point}\d+"
    return rf"^[-+]?(?:(?:{number})(?:[eE][-+]?\d+)?|(?i:inf|infinity|nan))$"


def _class(thousands: str) -> str:
    return _SPACES if thousands == " " else re.escape(thousands)


def _arrow(values: pd.Series) -> pa.Array:
    array = pa.array(values, from_pandas=True)
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    return array.cast(pa.string())


def _floats(array: pa.Array) -> np.ndarray:
    return np.asarray(array.to_numpy(zero_copy_only=False), dtype=np.float64)
