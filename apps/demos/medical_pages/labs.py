"""Laboratory values beside the limits that are usual in adults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from apps.demos.finance_pages.tables import Markup, html_table

if TYPE_CHECKING:
    from apps.demos.words import Words
    from verticals.medical.patient.record import Lab

_MARGIN = 0.75  # of the usual range, shown on either side of it
_SYNONYMS = {"{score}": "", "{nominal}": "", "10*3/uL": "10³/µL", "10*6/uL": "10⁶/µL",
             "mm[Hg]": "mmHg", "Cel": "°C", "kg/m2": "kg/m²", "mL/min/{1.73_m2}": "mL/min/1.73 m²",
             "mL/min": "mL/min"}  # fmt: skip


@dataclass(frozen=True)
class Range:
    """Usual limits of one measurement; None where a side has no limit."""

    names: Mapping[str, str]  # by language
    units: tuple[str, ...]
    low: float | None
    high: float | None


@cache
def usual_ranges(gender: str = "") -> dict[str, Range]:
    """Limits by LOINC code, for a FHIR gender where they differ by it."""
    import yaml

    read = yaml.safe_load(Path(__file__).with_name("ranges.yaml").read_text(encoding="utf-8"))
    return {code: _range(entry | entry.get(gender, {})) for code, entry in read["ranges"].items()}


def _range(entry: dict[str, object]) -> Range:
    names = {"en": str(entry["en"]), "zh": str(entry["zh"])}
    low, high = entry.get("low"), entry.get("high")
    units = entry["units"]
    return Range(
        names,
        tuple(str(u) for u in units) if isinstance(units, list) else (str(units),),
        None if low is None else float(str(low)),
        None if high is None else float(str(high)),
    )


def labs_html(labs: Mapping[str, Lab], gender: str, words: Words, language: str) -> str:
    """A table of the latest values: those with known limits first, each on its scale."""
    known = usual_ranges(gender)
    judged = [lab for lab in labs.values() if _limits(lab, known)]
    others = [lab for lab in labs.values() if not _limits(lab, known)]
    judged.sort(key=lambda lab: list(known).index(lab.loinc))
    out = _table(judged, known, words, language)
    if others:
        fold = escape(words("lab.others", language, n=len(others)))
        table = _table(sorted(others, key=lambda lab: lab.name), {}, words, language)
        out += f'<details class="ck-details"><summary>{fold}</summary>{table}</details>'
    return out


def _limits(lab: Lab, known: Mapping[str, Range]) -> Range | None:
    """The limits of a value, if they are of its unit."""
    found = known.get(lab.loinc)
    return found if found and lab.unit in found.units else None


def _table(labs: list[Lab], known: Mapping[str, Range], words: Words, language: str) -> str:
    if not labs:
        return ""
    columns = ["name", "value", "scale", "taken"] if known else ["name", "value", "taken"]
    rows = []
    for lab in labs:
        limits = known.get(lab.loinc)
        name = limits.names.get(language, lab.name) if limits else lab.name
        value = f"{lab.value:g} {_SYNONYMS.get(lab.unit, lab.unit)}".strip()
        scale = [Markup(range_bar(lab.value, limits, words, language))] if limits else []
        rows.append([name, value, *scale, f"{lab.taken:%Y-%m-%d}"])
    heads = [words(f"lab.{column}", language) for column in columns]
    return html_table(heads, rows, numbers=(1,))


def range_bar(value: float, limits: Range, words: Words, language: str) -> str:
    """The value as a dot on its scale, the usual range as a band, and a word if it is outside."""
    low, high = limits.low, limits.high
    width = (high or 0) - (low or 0) if low is not None and high is not None else (high or low or 1)
    bottom = min(value, (low if low is not None else 0) - (_MARGIN * width if low else 0))
    top = max(value, (high if high is not None else (low or 0) + width) + _MARGIN * width)
    span = (top - bottom) or 1.0

    def at(number: float) -> float:
        return 100 * (number - bottom) / span

    left, right = at(low if low is not None else bottom), at(high if high is not None else top)
    below, above = low is not None and value < low, high is not None and value > high
    state = "low" if below else "high" if above else "usual"
    text = {
        (True, True): f"{low:g}–{high:g}" if low is not None and high is not None else "",
        (False, True): f"≤ {high:g}" if high is not None else "",
        (True, False): f"≥ {low:g}" if low is not None else "",
    }.get((low is not None, high is not None), "")
    word = words(f"lab.{state}", language)
    spoken = escape(words("lab.spoken", language, state=word, range=text))
    return (
        f'<div class="ck-lab ck-lab-{state}"><div class="ck-track" role="img" '
        f'aria-label="{spoken}"><div class="ck-usual" style="left:{left:.1f}%;'
        f'width:{max(right - left, 1):.1f}%"></div>'
        f'<div class="ck-dot" style="left:{at(value):.1f}%"></div></div>'
        f'<span class="ck-num">{escape(text)}</span>'
        f'<span class="ck-state">{escape(word)}</span></div>'
    )
