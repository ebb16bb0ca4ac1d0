"""Finds personal data in tables and takes it out.

Patterns are those of presidio's recognisers, used without a language model: names of people are
known by the column's name only. Values never leave this module.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import pandas as pd

from core.data.schema import as_text

Action = Literal["drop", "mask"]

_SAMPLE = 400  # distinct values looked at in a column
_MOSTLY = 0.5  # share of personal values from which the column as a whole is personal
# What the recognisers could possibly find: without such a value they are not even imported.
_CANDIDATE = (
    r"@|(?:\d[\s()./-]{0,2}){7,}|\b[A-Z]{2}\d{2} ?[\dA-Z]{4}|\b\d{1,3}(?:\.\d{1,3}){3}\b"
    r"|(?:[0-9A-Fa-f]{2}[:-]){5}|(?:[0-9a-f]{1,4}:){3,}"
)
_DATE_OR_NUMBER = (
    r"^\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:[T ].*)?$|^\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}(?: .*)?$"
    r"|^\D{0,4}[-+]?(?:\d{1,3}(?:[., ']\d{3})+|\d{1,9})?(?:[.,]\d*)?(?:[eE][-+]?\d+)?\s?\D{0,3}$"
)
_KINDS = {
    "EMAIL_ADDRESS": "email",
    "PHONE_NUMBER": "phone",
    "IBAN_CODE": "IBAN",
    "CREDIT_CARD": "credit card",
    "US_SSN": "social security number",
    "IP_ADDRESS": "IP address",
    "MAC_ADDRESS": "MAC address",
    "CN_ID_CARD": "identity card",
    "CN_MOBILE": "phone",
}
# By the words of a column's name, in English, German and Chinese.
_HINTS = {
    "name": {
        *("name", "surname", "lastname", "firstname", "forename", "fullname", "givenname"),
        *("familyname", "middlename", "maidenname", "vorname", "nachname", "familienname"),
        *("姓名", "名字", "客户姓名"),
    },
    "email": {"email", "mail", "emailaddress", "邮箱", "电子邮件"},
    "phone": {
        *("phone", "telephone", "mobile", "cellphone", "tel", "telefon", "handy", "fax"),
        *("phonenumber", "telefonnummer", "handynummer", "mobilnummer", "电话", "手机", "手机号"),
    },
    "address": {
        *("address", "addr", "street", "strasse", "straße", "anschrift", "adresse"),
        *("hausnummer", "地址", "住址", "家庭住址"),
    },
    "birth date": {
        *("birthdate", "birthday", "dob", "birth", "dateofbirth", "geburtsdatum", "geburtstag"),
        *("geboren", "出生日期", "生日"),
    },
    "national id": {
        *("ssn", "passport", "passportno", "nationalid", "taxid", "socialsecurity", "steuerid"),
        *("personalausweis", "ausweisnummer", "reisepass", "iban", "身份证", "身份证号"),
    },
}
_NOT_A_PERSON = {
    *("company", "employer", "product", "bank", "branch", "file", "state", "city", "country"),
    *("job", "firma", "arbeitgeber", "type", "email", "ip", "mac", "status", "produkt", "count"),
}


@dataclass(frozen=True)
class PersonalColumn:
    """A column that holds personal data; never any of its values."""

    column: str
    kinds: tuple[str, ...]  # e.g. email, phone, name
    share: float  # of the sampled values that hold personal data, 0 to 1
    action: Action


def find_personal(frame: pd.DataFrame) -> tuple[PersonalColumn, ...]:
    """Columns that hold personal data, by pattern of their values or by their name.

    A column that is personal as a whole is to be dropped; free text that mentions some is to be
    masked. Looks at up to 400 distinct values a column.
    """
    found = (_column(str(name), frame[name]) for name in frame)
    return tuple(f for f in found if f is not None)


def remove_personal(frame: pd.DataFrame, found: tuple[PersonalColumn, ...]) -> pd.DataFrame:
    """The table without the personal columns, and with personal data in free text masked."""
    clean = frame.drop(columns=[f.column for f in found if f.action == "drop"])
    for personal in found:
        if personal.action == "mask":
            texts = clean[personal.column].astype("str")
            masks = {text: redact(text) for text in texts.dropna().unique()}
            clean[personal.column] = texts.map(masks)
    return clean


def redact(text: str) -> str:
    """The text with emails, phones, cards, accounts and addresses replaced by <kind>."""
    spans = _spans(text)
    for start, end, kind in sorted(spans, reverse=True):
        text = f"{text[:start]}<{kind}>{text[end:]}"
    return text


def _column(name: str, values: pd.Series) -> PersonalColumn | None:
    text = _texts(values)
    if text is None or text.empty:
        return None
    step = max(len(text) // _SAMPLE, 1)
    sample = text.iloc[::step]
    candidates = sample[sample.str.contains(_CANDIDATE) & ~sample.str.match(_DATE_OR_NUMBER)]
    hits = [{kind for _, _, kind in _spans(value)} for value in candidates]
    hits = [kinds for kinds in hits if kinds]
    kinds = {kind for found in hits for kind in found}
    share = len(hits) / len(sample)
    hinted = _hinted(name, values, len(text))
    if hinted:
        return PersonalColumn(name, tuple(sorted({hinted, *kinds})), max(share, 0.0), "drop")
    if share >= _MOSTLY:
        # An address that is the whole value; inside longer text the text may be worth keeping.
        words = float(sample.str.count(r"\s+").mean()) + 1
        free = words > 6
        return PersonalColumn(name, tuple(sorted(kinds)), share, "mask" if free else "drop")
    if share > 0 and not pd.api.types.is_numeric_dtype(values.dtype):
        return PersonalColumn(name, tuple(sorted(kinds)), share, "mask")
    return None


def _texts(values: pd.Series) -> pd.Series | None:
    """Distinct values as text; of numbers only those long enough to be a card or a phone."""
    if pd.api.types.is_bool_dtype(values.dtype):
        return None
    if pd.api.types.is_float_dtype(values.dtype) or pd.api.types.is_integer_dtype(values.dtype):
        whole = values.dropna()
        if whole.empty or whole.min() < 1e9 or not (whole.head(100) % 1 == 0).all():
            return pd.Series(whole.unique()[:_SAMPLE], dtype="str")
        return pd.Series(whole.astype("int64").unique(), dtype="str")
    return pd.Series(as_text(values).dropna().unique(), dtype="str")


def _hinted(name: str, values: pd.Series, distinct: int) -> str:
    """Kind of personal data the column's name speaks of, if its values vary as such data do."""
    rows = int(values.notna().sum())
    if rows == 0 or distinct < min(10, rows) or distinct < 0.05 * rows:
        return ""
    split = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    words = [w for w in re.split(r"[\W_]+", split.lower()) if w]
    joined = {"".join(words[i:j]) for i in range(len(words)) for j in range(i + 1, i + 4)}
    if joined & _NOT_A_PERSON - {"email"} and not joined & (_HINTS["name"] - {"name"}):
        return ""
    for kind, hints in _HINTS.items():
        numeric = pd.api.types.is_numeric_dtype(values.dtype)
        if joined & hints and not (numeric and kind in ("name", "email", "address")):
            return kind
    return ""


def _spans(text: str) -> list[tuple[int, int, str]]:
    """(start, end, kind) of personal data in a text, without overlaps, the surest first."""
    hits = [
        (hit.score, hit.start, hit.end, _KINDS[hit.entity_type])
        for recognizer in _recognizers()
        for hit in recognizer.analyze(text, recognizer.supported_entities, None) or []
    ]
    chosen: list[tuple[int, int, str]] = []
    for _, start, end, kind in sorted(hits, key=lambda h: (-h[0], h[1] - h[2])):
        if all(end <= s or start >= e for s, e, _ in chosen):
            chosen.append((start, end, kind))
    return chosen


@cache
def _recognizers() -> tuple[Any, ...]:
    """Presidio's pattern recognisers that need neither a language model nor the network."""
    logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)
    import tldextract
    from presidio_analyzer import Pattern, PatternRecognizer
    from presidio_analyzer import predefined_recognizers as known

    # Presidio's own check of a domain downloads the list of public suffixes; this one uses the
    # copy inside the package.
    suffixes = tldextract.TLDExtract(cache_dir=None, suffix_list_urls=())

    class OfflineEmail(known.EmailRecognizer):
        def validate_result(self, pattern_text: str) -> bool:
            return bool(suffixes(pattern_text).top_domain_under_public_suffix)

    class ChineseIdCard(PatternRecognizer):
        """GB 11643-1999: 17 digits and a check digit modulo 11."""

        def validate_result(self, pattern_text: str) -> bool:
            weights = [pow(2, 17 - i, 11) for i in range(17)]
            total = sum(w * int(d) for w, d in zip(weights, pattern_text[:17], strict=True))
            return "10X98765432"[total % 11] == pattern_text[17].upper()

    return (
        OfflineEmail(),
        known.IbanRecognizer(),
        known.CreditCardRecognizer(),
        known.UsSsnRecognizer(),
        known.IpRecognizer(),
        known.MacAddressRecognizer(),
        ChineseIdCard(
            "CN_ID_CARD", patterns=[Pattern("card", r"(?<!\d)\d{17}[\dXx](?![\dXx])", 0.3)]
        ),
        PatternRecognizer(
            "CN_MOBILE", patterns=[Pattern("mobile", r"(?<!\d)1[3-9]\d{9}(?!\d)", 0.5)]
        ),
        known.PhoneRecognizer(supported_regions=("US", "GB", "DE", "FR", "IN", "CN")),
    )
