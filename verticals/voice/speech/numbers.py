"""Writes out what is not a word: numbers, times, units and signs, as English speaks them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unicode_rbnf import RbnfEngine

_SIGNS = {
    "%": " percent", "°c": " degrees celsius", "°f": " degrees fahrenheit", "°": " degrees",
    "&": " and ", "+": " plus ", "=": " equals ", "€": " euros", "$": " dollars", "£": " pounds",
}  # fmt: skip
_UNITS = {
    "km": "kilometres", "m": "metres", "cm": "centimetres", "mm": "millimetres", "kg": "kilograms",
    "g": "grams", "l": "litres", "ml": "millilitres", "kwh": "kilowatt hours", "w": "watts",
    "kw": "kilowatts", "min": "minutes", "h": "hours", "s": "seconds", "mph": "miles per hour",
    "km/h": "kilometres per hour", "hpa": "hectopascals",
}  # fmt: skip
_SHORT = {
    "mr": "mister", "mrs": "missus", "dr": "doctor", "st": "street", "vs": "versus", "tv": "t v",
    "ac": "a c", "pm": "p m", "am": "a m", "ok": "okay", "etc": "et cetera", "usb": "u s b",
}  # fmt: skip
_TIME = re.compile(r"\b(\d{1,2}):(\d{2})\b")
_MONEY = re.compile(r"([$€£])\s?(\d[\d,]*(?:\.\d+)?)")
_ORDINAL = re.compile(r"\b(\d+)(?:st|nd|rd|th)\b")
_MEASURE = re.compile(r"(\d)\s?(km/h|kwh|hpa|mph|km|cm|mm|kg|ml|kw|min|m|g|l|w|h|s)\b", re.I)
_NUMBER = re.compile(r"-?\d+(?:,\d{3})*(?:\.\d+)?")


def spelled_out(text: str) -> str:
    """The sentence in words alone, its punctuation kept.

    >>> spelled_out("Set it to 21.5°C at 7:30")
    'Set it to twenty one point five degrees celsius at seven thirty'
    """
    out = _TIME.sub(_time, text)
    out = _MONEY.sub(r"\2 \1", out)
    out = _MEASURE.sub(lambda m: f"{m[1]} {_UNITS[m[2].lower()]}", out)
    out = _ORDINAL.sub(lambda m: _words(int(m[1]), ordinal=True), out)
    out = _NUMBER.sub(_number, out)
    for sign, words in _SIGNS.items():
        out = re.sub(r"\s*" + re.escape(sign), words, out, flags=re.I)
    out = re.sub(r"\b([A-Za-z]{2,3})\b\.?", lambda m: _SHORT.get(m[1].lower(), m[0]), out)
    return re.sub(r"\s+", " ", out).strip()


def number_words(value: float) -> str:
    """A number in words, without hyphens: 21.5 is twenty one point five."""
    if value == int(value):
        return _words(int(value))
    whole, _, part = f"{value:.10g}".partition(".")
    digits = " ".join(_words(int(d)) for d in part)
    sign = "minus " if value < 0 else ""
    return f"{sign}{_words(abs(int(whole)))} point {digits}"


def _time(found: re.Match[str]) -> str:
    hour, minute = int(found[1]), int(found[2])
    if hour > 24 or minute > 59:
        return found[0]
    if minute == 0:
        return f"{_words(hour)} o'clock" if 0 < hour <= 12 else f"{_words(hour)} hundred"
    return f"{_words(hour)} {'oh ' if minute < 10 else ''}{_words(minute)}"


def _number(found: re.Match[str]) -> str:
    written = found[0].replace(",", "")
    if len(written) > 15:  # a serial number is read digit by digit
        return " ".join(_words(int(d)) for d in written if d.isdigit())
    return number_words(float(written))


def _words(value: int, *, ordinal: bool = False) -> str:
    from unicode_rbnf import FormatPurpose

    purpose = FormatPurpose.ORDINAL if ordinal else FormatPurpose.CARDINAL
    words = _engine().format_number(value, purpose).text
    return words.replace("-", " ").replace("\u00ad", "").replace(",", "")


@lru_cache(maxsize=1)
def _engine() -> RbnfEngine:
    from unicode_rbnf import RbnfEngine

    return RbnfEngine.for_language("en")
