"""Errors as a service answers them (RFC 9457): the field and the remedy, never the value sent."""

from __future__ import annotations

import difflib
import typing
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import Response
from pydantic import BaseModel, Field, ValidationError
from pydantic_core import ErrorDetails
from pydantic_core.core_schema import ErrorType

MEDIA_TYPE = "application/problem+json"
MOST_FIELDS = 20  # listed in one answer
LONGEST_NAME = 64  # of a field that the caller made up

# Their messages are made from the value, or by a case's own code that may do so.
_TELLING = {"value_error", "assertion_error", "union_tag_invalid"}
_KNOWN = frozenset(typing.get_args(ErrorType)) - _TELLING


class FieldProblem(BaseModel):
    """What is wrong with one field."""

    field: str = Field(description="Path inside the body, as in inputs[0].age.")
    problem: str
    remedy: str = ""


class Problem(BaseModel):
    """An error, in the form of RFC 9457."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    remedy: str = ""
    errors: list[FieldProblem] = []


class ProblemError(Exception):
    """Ends a request with a problem."""

    def __init__(
        self,
        status: int,
        detail: str,
        remedy: str = "",
        *,
        errors: list[FieldProblem] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.problem = Problem(
            title=HTTPStatus(status).phrase,
            status=status,
            detail=detail,
            remedy=remedy,
            errors=errors or [],
        )
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """The problem as an HTTP answer."""
        return Response(
            self.problem.model_dump_json(),
            status_code=self.problem.status,
            media_type=MEDIA_TYPE,
            headers=self.headers,
        )


def invalid(error: ValidationError, fields: tuple[str, ...]) -> ProblemError:
    """What pydantic found, without any of the values it found it in.

    Args:
        error: The validation error.
        fields: Names that an input may have, for the nearest one to a misspelt name.
    """
    found = error.errors(include_url=False, include_input=False, include_context=False)
    return ProblemError(
        422,
        f"{len(found)} field(s) are not valid",
        "Correct the fields listed; GET /v1/example shows a valid body",
        errors=[_field_problem(detail, fields) for detail in found[:MOST_FIELDS]],
    )


def _field_problem(detail: ErrorDetails, fields: tuple[str, ...]) -> FieldProblem:
    """One finding of pydantic in our words where theirs could tell a value."""
    kind, where = detail["type"], path_of(detail["loc"])
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(str(detail["loc"][-1])[:LONGEST_NAME], fields, n=1)
        remedy = f"Did you mean {near[0]!r}?" if near else "Leave it out"
        return FieldProblem(field=where, problem="There is no such field", remedy=remedy)
    if kind not in _KNOWN:
        return FieldProblem(field=where, problem="The value breaks a rule of this field")
    remedy = "Add it" if kind == "missing" else ""
    return FieldProblem(field=where, problem=detail["msg"], remedy=remedy)


def path_of(location: tuple[int | str, ...]) -> str:
    """A place in the body as a path: `inputs[0].age`."""
    parts: list[Any] = [
        f"[{part}]" if isinstance(part, int) else f".{part[:LONGEST_NAME]}" for part in location
    ]
    return "".join(parts).lstrip(".")
