"""One form field per input of the model, read from the bundle's schema and reference sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from core.errors import DataError

if TYPE_CHECKING:
    from apps.demos.words import Words

Kind = Literal["number", "choice", "yesno", "date"]

OPEN_CHOICES = 20  # a schema lists at most this many examples: beyond, others may be typed


@dataclass(frozen=True)
class Field:
    """How one input is asked for.

    Attributes:
        name: The client's column.
        kind: Which control asks for it.
        choices: Known values of a choice, most frequent first.
        open: Whether a choice may be something else.
        whole: Whether a number has no decimals.
        low: 1st percentile of a number in the reference sample.
        high: 99th percentile.
    """

    name: str
    kind: Kind
    choices: tuple[str, ...] = ()
    open: bool = False
    whole: bool = False
    low: float | None = None
    high: float | None = None

    def label(self, words: Words, language: str) -> str:
        """The column in words: a translated name if there is one, else the name made readable."""
        key = f"fields.{self.name}"
        return words(key, language) if words.has(key) else readable(self.name)

    def hint(self, words: Words, language: str) -> str:
        """What is usual, for numbers."""
        if self.low is None or self.high is None:
            return ""
        return words("form.usual", language, low=short(self.low), high=short(self.high))

    def unusual(self, value: Any, words: Words, language: str) -> str:
        """What to say of a number that the model has hardly seen; nothing of any other value."""
        if self.low is None or self.high is None or not isinstance(value, int | float):
            return ""
        if self.low <= value <= self.high:
            return ""
        return words(
            "unusual.item",
            language,
            field=self.label(words, language),
            value=short(value),
            low=short(self.low),
            high=short(self.high),
        )

    def options(self, words: Words, language: str) -> list[tuple[str, str]]:
        """(label, value) of every choice."""
        if self.kind == "yesno":
            return [(words(f"form.{value}", language), value) for value in ("yes", "no")]
        return [(value_label(value, words, language), value) for value in self.choices]


def readable(name: str) -> str:
    """A column name as words: `duration_in_month` → "Duration in month"."""
    text = " ".join(name.replace("_", " ").replace(".", " ").split())
    return text[:1].upper() + text[1:] if text else name


def value_label(value: Any, words: Words, language: str) -> str:
    """A value as the page shows it, translated if there is a translation."""
    if pd.isna(value):
        return words("form.unknown", language)
    if isinstance(value, bool):
        return words("form.yes" if value else "form.no", language)
    if isinstance(value, int | float):
        return short(value)
    key = f"values.{value}"
    return words(key, language) if words.has(key) else str(value)


def short(number: float) -> str:
    """A number without needless digits: 1,234 or 0.25."""
    if number == round(number) or abs(number) >= 1000:
        return f"{number:,.0f}"
    return f"{number:.3g}"


def form_fields(schema: Mapping[str, Any], reference: pd.DataFrame) -> tuple[Field, ...]:
    """The fields of a form.

    Args:
        schema: JSON schema of one input.
        reference: Rows the model knows, for usual values and for choices a schema does not list.
    """
    return tuple(
        _field(name, definition, reference.get(name))
        for name, definition in schema.get("properties", {}).items()
    )


def _field(name: str, definition: Mapping[str, Any], known: pd.Series | None) -> Field:
    variants = [definition, *definition.get("anyOf", [])]
    types = {v.get("type") for v in variants}
    if any(v.get("format") == "date" for v in variants):
        return Field(name, "date")
    if "boolean" in types:
        return Field(name, "yesno")
    if types & {"number", "integer"}:
        values = pd.to_numeric(known, errors="coerce").dropna() if known is not None else None
        if values is None or values.empty:
            return Field(name, "number", whole="integer" in types)
        low, high = values.quantile([0.01, 0.99])
        whole = bool((values == values.round()).all())
        return Field(name, "number", whole=whole, low=float(low), high=float(high))
    choices = next((v["enum"] for v in variants if "enum" in v), None)
    listed = choices or definition.get("examples") or ()
    if not listed and known is not None:
        listed = known.dropna().astype(str).value_counts().index[: OPEN_CHOICES + 1]
    options = tuple(str(c) for c in listed)
    return Field(name, "choice", options, open=not choices and len(options) >= OPEN_CHOICES)


def applicant_of(fields: tuple[Field, ...], values: Sequence[Any]) -> dict[str, Any]:
    """What the form holds as one input of the predictor; empty fields are unknown, None.

    Raises:
        DataError: A date cannot be read; names the field.
    """
    return {field.name: _plain(field, value) for field, value in zip(fields, values, strict=True)}


def _plain(field: Field, value: Any) -> Any:
    if value is None or value == "":
        return None
    if field.kind == "yesno":
        return value == "yes" if isinstance(value, str) else bool(value)
    if field.kind == "date":
        try:
            return pd.Timestamp(value).date().isoformat()
        except ValueError as error:
            raise DataError(
                f"{value!r} is not a date", where=field.name, remedy="Write it as YYYY-MM-DD"
            ) from error
    return value


def form_values(fields: tuple[Field, ...], applicant: Mapping[str, Any]) -> list[Any]:
    """An applicant as the controls of the form show it."""
    return [_shown(field, applicant.get(field.name)) for field in fields]


def _shown(field: Field, value: Any) -> Any:
    if pd.isna(value):
        return None
    if field.kind == "yesno":
        return "yes" if value else "no"
    if field.kind == "number" and field.whole:
        return int(value)
    return str(value) if field.kind != "number" else value
