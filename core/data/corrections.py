"""What a person may say about a column against what was detected."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from core.errors import ParameterError

KINDS = ("number", "category", "date", "boolean", "text", "identifier")
_WORDS = (*KINDS, "drop", "keep", "missing")
_EXAMPLES = "number, category, date:%d.%m.%Y, text, drop, keep, missing:96,98"


@dataclass(frozen=True)
class Correction:
    """One column's correction; several are joined by semicolons: `number;missing:-999`."""

    kind: str = ""  # empty: as detected
    date_format: str = ""
    missing: tuple[str, ...] | None = None  # None: as detected; (): no value means missing
    drop: bool = False
    keep: bool = False  # use it although something speaks against it


def parse_corrections(
    corrections: Mapping[str, str], columns: Iterable[str]
) -> dict[str, Correction]:
    """Corrections by column.

    Raises:
        ParameterError: A column or a word that does not exist; names the nearest.
    """
    names = [str(c) for c in columns]
    for name in corrections:
        if name not in names:
            raise ParameterError(
                f"there is no column {name!r}", where="columns", remedy=nearest(name, names)
            )
    return {name: _parse(name, text) for name, text in corrections.items()}


def nearest(name: str, names: Iterable[str]) -> str:
    """`Did you mean 'x'?`, or the names there are."""
    every = [str(n) for n in names]
    lower = {n.lower(): n for n in every}
    close = difflib.get_close_matches(name.lower(), lower, n=1, cutoff=0.6)
    if close:
        return f"Did you mean {lower[close[0]]!r}?"
    more = ", ..." if len(every) > 12 else ""
    return f"There are: {', '.join(every[:12])}{more}"


def _parse(name: str, text: str) -> Correction:
    fields: dict[str, object] = {}
    for part in filter(None, (p.strip() for p in text.split(";"))):
        word, _, argument = part.partition(":")
        word = word.strip().lower()
        if word not in _WORDS:
            close = difflib.get_close_matches(word, _WORDS, n=1)
            hint = f"Did you mean {close[0]!r}? " if close else ""
            raise ParameterError(
                f"{word!r} is no correction",
                where=f"columns, {name!r}",
                remedy=f"{hint}Allowed: {_EXAMPLES}",
            )
        if word in ("drop", "keep"):
            fields[word] = True
        elif word == "missing":
            codes = (code.strip() for code in argument.split(","))
            fields["missing"] = tuple(code for code in codes if code)
        else:
            fields["kind"] = word
            if word == "date":
                fields["date_format"] = argument.strip()
    return Correction(**fields)  # type: ignore[arg-type]
