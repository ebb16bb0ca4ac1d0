"""How far two answers lie apart: numbers by difference, everything else must be equal."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from core.errors import BundleError


def largest_difference(expected: Any, actual: Any, where: str = "") -> float:
    """The largest absolute difference between two JSON values of the same shape.

    Args:
        expected: What was recorded: numbers, texts, lists and objects, nested.
        actual: What came out now.
        where: Path of the value inside the answer, for errors.

    Returns:
        The largest difference over all numbers; 0 if there are none. Not-a-number equals itself.

    Raises:
        BundleError: A text, a truth value, a length or a field differs, or a number is not finite
            on one side only; names the place, as in `[2].reasons[0].code`.
    """
    if _is_number(expected) and _is_number(actual):
        if float(expected) == float(actual) or (math.isnan(expected) and math.isnan(actual)):
            return 0.0
        difference = abs(float(expected) - float(actual))
        if math.isfinite(difference):
            return difference
    elif isinstance(expected, Mapping) and isinstance(actual, Mapping):
        if expected.keys() == actual.keys():
            parts = [(expected[k], actual[k], f"{where}.{k}") for k in expected]
            return max((largest_difference(*part) for part in parts), default=0.0)
    elif _is_list(expected) and _is_list(actual):
        if len(expected) == len(actual):
            pairs = enumerate(zip(expected, actual, strict=True))
            return max(
                (largest_difference(e, a, f"{where}[{i}]") for i, (e, a) in pairs), default=0.0
            )
    elif type(expected) is type(actual) and expected == actual:
        return 0.0
    raise BundleError(
        f"the answer is {_short(actual)}, recorded was {_short(expected)}",
        where=where.lstrip(".") or "golden answers",
        remedy="Use the versions the bundle was made with (casekit bundle show), or pack it again",
    )


def _is_number(value: Any) -> bool:
    """Whether a JSON value is a number: a truth value is not one."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_list(value: Any) -> bool:
    """Whether a JSON value is a list: a text is not one."""
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _short(value: Any) -> str:
    """A value as an error shows it."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
