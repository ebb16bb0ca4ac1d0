"""Laboratory values beside the limits that are usual in adults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from apps.demos.finance_pages.tables import html_table

if TYPE_CHECKING:
    from apps.demos.words import Words
    from verticals.medical.patient.record import Lab

_MARGIN = 0.75  # of the usual range, shown on either side of it
_SYNONYMS = {"{score}": "", "{nominal}": "", "{INR}": "", "10*3/uL": "10³/µL", "10*6/uL": "10⁶/µL",
             "mm[Hg]": "mmHg", "Cel": "°C", "kg/m2": "kg/m²", "mL/min/{1.73_m2}": "mL/min/1.73 m²",
             "mL/min": "mL/min"}  # fmt: skip


@dataclass(frozen=True)
class Range:
    """Usual limits of one measurement; None where a side has no limit."""

    names: Mapping[str, str]  # by language
    units: tuple[str, ...]
    low: float | None
    high: float | None

    def state(self, value: float, comparator: str = "") -> str:
        """low, usual or high; a value that is only a bound lies beyond it."""
        if self.low is not None and (value < self.low or (comparator == "<" and value == self.low)):
            return "low"
        beyond = comparator == ">" and value == self.high
        return "high" if self.high is not None and (value > self.high or beyond) else "usual"

    @property
    def text(self) -> str:
        """The limits as they are printed beside a value."""
        if self.low is None:
            return f"≤ {self.high:g}"
        return f"≥ {self.low:g}" if self.high is None else f"{self.low:g}–{self.high:g}"


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
    """The latest values: those with known limits first, each on its scale."""
    known = usual_ranges(gender)
    judged = [lab for lab in labs.values() if _limits(lab, known)]
    others = [lab for lab in labs.values() if not _limits(lab, known)]
    judged.sort(key=lambda lab: list(known).index(lab.loinc))
    rows = "".join(_row(lab, known[lab.loinc], words, language) for lab in judged)
    out = f'<ul class="ck-labs">{rows}</ul>' if rows else ""
    if others:
        fold = escape(words("lab.others", language, n=len(others)))
        heads = [words(f"lab.{column}", language) for column in ("name", "value", "taken")]
        cells = [(lab.name, _value(lab), f"{lab.taken:%Y-%m-%d}") for lab in others]
        table = html_table(heads, sorted(cells), numbers=(1,))
        out += f'<details class="ck-details"><summary>{fold}</summary>{table}</details>'
    return out


def _limits(lab: Lab, known: Mapping[str, Range]) -> Range | None:
    """The limits of a value, if they are of its unit."""
    found = known.get(lab.loinc)
    return found if found and lab.unit in found.units else None


def _value(lab: Lab) -> str:
    return f"{lab.comparator}{lab.value:g} {_SYNONYMS.get(lab.unit, lab.unit)}".strip()


def _row(lab: Lab, limits: Range, words: Words, language: str) -> str:
    """Name, value with the word for it, scale, and day."""
    name = limits.names.get(language, lab.name)
    state = limits.state(lab.value, lab.comparator)
    word = words(f"lab.{state}", language)
    return (
        f'<li class="ck-lab-{state}"><span>{escape(name)}</span>'
        f'<span class="ck-value"><strong>{escape(_value(lab))}</strong> '
        f'<span class="ck-state">{escape(word)}</span></span>'
        f"{range_bar(lab.value, limits)}"
        f'<span class="ck-num">{escape(limits.text)}</span>'
        f'<span class="ck-num">{lab.taken:%Y-%m-%d}</span></li>'
    )


def range_bar(value: float, limits: Range) -> str:
    """The value as a dot on its scale, the usual range as a band; silent for screen readers."""
    low = 0.0 if limits.low is None else limits.low
    high = low * (1 + _MARGIN) if limits.high is None else limits.high
    width = (high - low) or 1.0
    bottom = min(value, low - _MARGIN * width) if limits.low is not None else min(value, 0.0)
    top = max(value + 0.1 * width, high + _MARGIN * width)

    def at(number: float) -> float:
        return 100 * (number - bottom) / (top - bottom)

    left = at(low if limits.low is not None else bottom)
    right = at(high if limits.high is not None else top)
    return (
        f'<div class="ck-track" aria-hidden="true"><div class="ck-usual" style="left:{left:.1f}%;'
        f'width:{max(right - left, 1):.1f}%"></div>'
        f'<div class="ck-dot" style="left:{at(value):.1f}%"></div></div>'
    )
