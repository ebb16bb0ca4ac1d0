"""The table of perception errors: written, read, refused with the field named."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from core.errors import DataError
from verticals.driving.deciding.perception_error import (
    DEFAULT,
    KEYS,
    PerceptionError,
    errors_of,
    read_errors,
    write_errors,
)  # fmt: skip


def test_it_comes_back_as_written(tmp_path: Path) -> None:
    write_errors(DEFAULT, tmp_path / "errors.json")
    assert read_errors(tmp_path / "errors.json") == DEFAULT


def test_the_loops_get_the_same_numbers() -> None:
    table = errors_of(DEFAULT)
    assert table.found[1, 1, 0].tolist() == DEFAULT.found["vulnerable night clear"]
    assert table.found[0, 0, 1].tolist() == DEFAULT.found["vehicle day partly"]


def test_a_missing_key_a_short_list_and_a_falling_edge_are_refused() -> None:
    good = DEFAULT.model_dump()
    for change, named in (
        ({"found": {k: v for k, v in good["found"].items() if k != KEYS[0]}}, KEYS[0]),
        ({"side_sigma_m": [0.1]}, "side_sigma_m"), ({"edges_m": [20, 10, 60, 90, 150]}, "edges_m"),
    ):  # fmt: skip
        with pytest.raises(ValidationError, match=named):
            PerceptionError.model_validate({**good, **change})


def test_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    path = tmp_path / "errors.json"
    path.write_text('{"source": "x"}')
    with pytest.raises(DataError, match="edges_m"):
        read_errors(path)
