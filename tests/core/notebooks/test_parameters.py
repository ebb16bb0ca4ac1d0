"""Parameters, as a notebook's cell and as a command line write them."""

from __future__ import annotations

from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from core.errors import ParameterError
from core.notebooks.parameters import parse_values, validate


class Some(BaseModel):
    """A bit of everything."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data: str = "example"
    protected: tuple[str, ...] = ()
    budget: Literal["quick", "standard"] | float = "quick"
    positive: str | int | None = None
    columns: dict[str, str] = {}
    seed: int = Field(0, ge=0, description="Seed of every random choice.")


def test_a_notebooks_globals_are_read_and_its_imports_passed_over() -> None:
    cell = {"data": "x.csv", "protected": ["age"], "_": 1, "In": [], "re": pytest, "__name__": "m"}
    assert validate(Some, cell) == Some(data="x.csv", protected=("age",))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"protectd": ["age"]}, r"unknown parameter 'protectd'.*Did you mean 'protected'"),
        ({"seed": -1}, r"seed = -1: .*greater than or equal to 0.*Seed of every random choice"),
        ({"budget": "fast"}, r"budget = 'fast'.*'quick'"),
        ({"seed": "one", "data": 5}, r"also wrong: (seed|data)"),
    ],
)
def test_what_is_wrong_is_named(values: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=message) as caught:
        validate(Some, values)
    assert "\n" not in str(caught.value)


def test_values_of_a_command_line_take_the_type_their_parameter_has() -> None:
    pairs = ["data=2016.csv", "protected=age,sex", "budget=120", "positive=1", "seed=7",
             'columns={"opened": "date:%d.%m.%Y"}']  # fmt: skip
    read = parse_values(Some, pairs)
    assert validate(Some, read) == Some(
        data="2016.csv", protected=("age", "sex"), budget=120.0, positive=1, seed=7,
        columns={"opened": "date:%d.%m.%Y"},
    )  # fmt: skip
    assert parse_values(Some, ["data=123"]) == {"data": "123"}, "a path may look like a number"


@pytest.mark.parametrize("pair", ["budget", "=quick"])
def test_a_word_without_an_equals_sign_is_refused(pair: str) -> None:
    with pytest.raises(ParameterError, match="is not name=value"):
        parse_values(Some, [pair])
