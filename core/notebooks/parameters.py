"""Checks a notebook's parameters before anything runs: names, types, ranges."""

from __future__ import annotations

import contextlib
import difflib
import json
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from core.errors import ParameterError

Parameters = TypeVar("Parameters", bound=BaseModel)


def validate(model: type[Parameters], values: Mapping[str, Any]) -> Parameters:
    """The parameters as a checked model.

    Args:
        model: Pydantic model that documents every parameter.
        values: By name. A notebook may hand over its `globals()`: names that start with an
            underscore and values that are no literals are passed over.

    Raises:
        ParameterError: A name is unknown (the nearest known one is offered), or a value is of
            the wrong type or out of range (the field and what it allows are named).
    """
    known = set(model.model_fields)
    given = {k: v for k, v in values.items() if k in known or _is_parameter(k, v)}
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            guess = f"Did you mean {near[0]!r}? " if near else ""
            raise ParameterError(
                f"unknown parameter {name!r}", where=f"parameter {name}",
                remedy=f"{guess}Known: {', '.join(sorted(known))}",
            )  # fmt: skip
    try:
        return model.model_validate(given)
    except ValidationError as error:
        problems = error.errors(include_url=False)
        first = problems[0]
        name = str(first["loc"][0]) if first["loc"] else "parameters"
        field = model.model_fields.get(name)
        others = {str(p["loc"][0]) for p in problems if p["loc"]} - {name}
        more = f" (also wrong: {', '.join(sorted(others))})" if others else ""
        raise ParameterError(
            f"{name} = {first['input']!r}: {_lower(first['msg'])}{more}",
            where=f"parameter {name}",
            remedy=(field.description or "") if field else "",
        ) from error


def parse_values(model: type[BaseModel], pairs: list[str]) -> dict[str, Any]:
    """Parameters written as `name=value` on a command line.

    Args:
        model: Says what each parameter may be: a value is read as JSON if that fits, else as
            text, else as text separated by commas.
        pairs: Such as `budget=quick` or `protected=age,sex`.

    Raises:
        ParameterError: A pair has no equals sign.
    """
    out: dict[str, Any] = {}
    for pair in pairs:
        name, sign, text = pair.partition("=")
        if not sign or not name:
            raise ParameterError(
                f"{pair!r} is not name=value", where="-p", remedy="Write e.g. -p budget=quick"
            )
        out[name.strip()] = _read(model.model_fields.get(name.strip()), text)
    return out


def _read(field: FieldInfo | None, text: str) -> Any:
    """The reading of a text that a field accepts; the text itself if it accepts none."""
    readings: list[Any] = [text, text.split(",")]
    with contextlib.suppress(ValueError):
        readings.insert(0, json.loads(text))
    if field is None:
        return readings[0]
    checker: TypeAdapter[Any] = TypeAdapter(field.annotation)  # type: ignore[arg-type]
    for reading in readings:
        try:
            checker.validate_python(reading)
        except ValidationError:
            continue
        return reading
    return readings[0]


def _is_parameter(name: str, value: Any) -> bool:
    """Whether a notebook's global looks like a parameter rather than an import or a result."""
    plain = (str, int, float, bool, list, tuple, dict, type(None))
    # IPython's own names: In, Out, exit, quit.
    return not name.startswith("_") and type(value) in plain and name not in ("In", "Out")


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
