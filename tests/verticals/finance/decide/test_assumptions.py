"""Assumptions: on screen with their sources, checked, and changeable."""

from __future__ import annotations

import pytest

from core.errors import ParameterError
from verticals.finance.decide import read_assumptions


def test_every_number_is_on_screen_with_unit_and_source():
    found = read_assumptions()
    table = found.table().set_index("assumption")
    numbers = {k for k, v in found.model_dump().items() if isinstance(v, float | int)}
    assert set(table.index) == numbers
    assert (table[["unit", "source", "comment"]].map(len) > 3).all(axis=None)
    assert all(s.source for s in found.scenarios.values())


def test_a_change_is_named_as_the_users(tmp_path):
    assert read_assumptions(lgd=0.6).table().set_index("assumption").loc["lgd", "source"] == (
        "set by the user"
    )
    own = tmp_path / "own.yaml"
    own.write_text("lgd: 0.7\nbands: [0.1, 0.2]\n", encoding="utf-8")
    found = read_assumptions(own)
    assert (found.lgd, found.bands) == (0.7, (0.1, 0.2))
    assert found.margin == read_assumptions().margin


@pytest.mark.parametrize(
    ("change", "where"),
    [({"lgd": 1.5}, "lgd"), ({"lgdd": 0.4}, "lgdd"), ({"margin": "x"}, "margin")],
)
def test_a_wrong_entry_is_named(change, where):
    with pytest.raises(ParameterError) as caught:
        read_assumptions(**change)
    assert caught.value.where == where


def test_a_scenario_is_one_thing():
    both = {"x": {"quantile": 0.9, "logit_shift": 1.0, "source": "s"}}
    with pytest.raises(ParameterError, match="either"):
        read_assumptions(scenarios=both)
