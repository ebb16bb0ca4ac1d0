"""Takes personal data out of what is logged or sent to an endpoint.

Follows the Safe Harbor list (45 CFR 164.514(b)(2)): names, places smaller than a state, dates
beyond the year, numbers and identifiers. Patterns find what looks personal; a record's own
`identifiers` find the rest. Free text may still hold what neither knows: a nickname, a rare job.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from core.data.privacy import redact
from verticals.medical.patient.bundle import LIMIT_BYTES, open_bundle

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_STREET = (
    r"(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Court|Ct|Boulevard|Blvd|Place|Pl|Square|Sq"
    r"|Terrace|Parkway|Highway|Way|Alley|Arcade|Circle|Crescent|Row|Walk|Close|Gardens|Quay)"
)
_NAME = r"[A-ZÀ-Þ][\w'’-]+"
_NUMBERED = (
    r"\b(MRN|(?:medical )?record (?:number|no\.?)|patient (?:id|number|no\.?)"
    r"|passport(?: number| no\.?)?|account (?:number|no\.?))[ :#]*(?=\w*\d)[\w-]{4,}"
)
# (pattern, what stands instead); the first ones are the surest, and digits go before words do.
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, flags), instead)
    for pattern, flags, instead in (
        (r"\b(?:urn:uuid:)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.I, "<id>"),
        (r"\b\d{3}-\d{2}-\d{4}\b", 0, "<social security number>"),
        (r"(?<![\d.])(?:\+?\d{1,3}[ .-])?\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}(?!\d)", 0, "<phone>"),
        (r"\b((?:19|20)\d\d)-\d\d(?:-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:?\d\d)?)?)?\b", 0, r"\1"),
        (r"\b((?:19|20)\d\d)[/.]\d{1,2}[/.]\d{1,2}\b", 0, r"\1"),
        (r"\b\d{1,2}[/.-]\d{1,2}[/.-]((?:19|20)\d\d)\b", 0, r"\1"),
        (r"\b\d{1,2}/\d{1,2}/\d\d\b", 0, "<date>"),
        (rf"\b{_DAY}(?: of)? {_MONTH},? ((?:19|20)\d\d)\b", re.I, r"\1"),
        (rf"\b{_MONTH} {_DAY},? ((?:19|20)\d\d)\b", re.I, r"\1"),
        (rf"\b{_MONTH} ((?:19|20)\d\d)\b", re.I, r"\1"),
        (rf"\b(?:{_DAY} {_MONTH}|{_MONTH} {_DAY})(?!\w)", re.I, "<date>"),
        (_NUMBERED, re.I, r"\1 <id>"),
        (rf"\b\d{{1,6}}[A-Z]? (?:{_NAME} ){{1,3}}{_STREET}\b\.?(?: (?:Apt|Unit|Suite) \w+)?", 0,
         "<address>"),
        (r"\b([A-Z]{2}) \d{5}(?:-\d{4})?\b", 0, r"\1 <postcode>"),
        (rf"\b(?:Mr|Mrs|Ms|Miss|Dr|Prof)\.? (?:{_NAME}|[A-Z]\.)(?: (?:{_NAME}|[A-Z]\.)){{0,2}}", 0,
         "<name>"),
        (r"\b(?:9\d|1[01]\d)([ -]years?[ -]old)\b", re.I, r"90 or more\1"),
    )
)  # fmt: skip
_PERSONAL = "<personal>"
_PEOPLE = {"Patient", "RelatedPerson", "Practitioner", "Person"}
_SHORT = 5  # letters; a shorter name in lower case is too often a word ("may", "hope")


def replace_personal(text: str, known: Sequence[str] = ()) -> str:
    """The text with names, addresses, numbers, identifiers and dates beyond the year replaced.

    Args:
        text: To be logged or sent.
        known: What must not survive whatever it looks like, from `identifiers`.
    """
    for value in sorted(set(known), key=lambda v: (-len(v), v)):
        text = _matches(value).sub(_PERSONAL, text)
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    # The recognisers cost seconds to import: only if there is something for them to find.
    digits = sum(c.isdigit() for c in text)
    return redact(text) if "@" in text or digits >= 6 or text.count(":") >= 5 else text


def identifiers(
    source: Path | str | bytes | Mapping[str, Any], *, limit_bytes: int = LIMIT_BYTES
) -> tuple[str, ...]:
    """Everything in a record that names its people: for `replace_personal`, never to be shown.

    Names, addresses below the state, phones, mail, identifiers and birth dates of the patient, of
    contacts and of practitioners.

    Raises:
        DataError: The record is no FHIR R4 bundle of one patient.
    """
    found: set[str] = set()
    for entry in open_bundle(source, limit_bytes=limit_bytes).entries:
        if entry.kind in _PEOPLE:
            found |= set(_of_person(entry.data))
        elif entry.kind == "Organization":
            found |= {v for a in _listed(entry.data.get("address")) for v in _of_address(a)}
    return tuple(sorted(v for v in found if len(v) > 1))


def _of_person(person: Mapping[str, Any]) -> Iterator[str]:
    yield from _texts(person.get("id"), person.get("birthDate"))
    for name in (*_listed(person.get("name")), *_under(person, "contact", "name")):
        yield from _of_name(name)
    for address in (*_listed(person.get("address")), *_under(person, "contact", "address")):
        yield from _of_address(address)
    for numbered in ("identifier", "telecom"):
        for item in (*_listed(person.get(numbered)), *_under(person, "contact", numbered)):
            yield from _texts(item.get("value"))
    for extension in _listed(person.get("extension")):
        if isinstance(extension.get("valueAddress"), Mapping):
            yield from _of_address(extension["valueAddress"])
        if "name" in str(extension.get("url")).lower():  # such as the mother's maiden name
            yield from _parts(extension.get("valueString"))


def _of_name(name: Mapping[str, Any]) -> Iterator[str]:
    """Every part of a HumanName but titles, and the name as a whole."""
    given = name.get("given")
    parts = [name.get("family"), *(given if isinstance(given, list) else ())]
    for part in (*parts, name.get("text")):
        yield from _parts(part)


def _parts(name: object) -> Iterator[str]:
    """A name, and each word of it."""
    for text in _texts(name):
        yield text
        yield from (word for word in re.split(r"[\s,]+", text) if len(word.strip(".")) > 1)


def _of_address(address: Mapping[str, Any]) -> Iterator[str]:
    line = address.get("line")
    yield from _texts(*(line if isinstance(line, list) else ()))
    yield from _texts(*(address.get(k) for k in ("text", "city", "district", "postalCode")))


def _under(person: Mapping[str, Any], group: str, key: str) -> list[Mapping[str, Any]]:
    return [v for item in _listed(person.get(group)) for v in _listed(item.get(key))]


def _listed(value: object) -> list[Mapping[str, Any]]:
    """Objects in a list, or the object itself; nothing of anything else."""
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, Mapping)]


def _texts(*values: object) -> Iterator[str]:
    yield from (v.strip() for v in values if isinstance(v, str) and v.strip())


def _matches(value: str) -> re.Pattern[str]:
    """The value as a whole word, its spaces of any width; short names only as they are written."""
    spaced = r"\s+".join(re.escape(word) for word in value.split())
    if value.isalpha() and len(value) < _SHORT:
        spaced = "|".join(sorted({spaced, spaced.upper(), spaced.capitalize()}))
        return re.compile(rf"(?<!\w)(?:{spaced})(?!\w)")
    return re.compile(rf"(?<!\w){spaced}(?!\w)", re.IGNORECASE)
