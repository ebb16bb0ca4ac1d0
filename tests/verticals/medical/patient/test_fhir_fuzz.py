from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import DataError
from verticals.medical.patient.fhir import read_patient
from verticals.medical.patient.privacy import identifiers
from verticals.medical.patient.record import PatientSummary

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8),
    st.sampled_from(["Patient", "Bundle", "1e999", "2024-02-31", "#x", "active", "9" * 400]),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["coding", "text", "code", "resourceType", "value"])
                      | st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of everything inside."""
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items if isinstance(value, (dict, list)) else ():
        found += places(inner, (*path, key)) if isinstance(inner, (dict, list)) else [(*path, key)]
    return found


def changed(bundle: Any, draw: Callable[..., Any]) -> Any:
    """A good bundle with some values deleted, replaced, wrapped or put deeper."""
    for _ in range(draw(st.integers(1, 4))):
        paths = places(bundle)
        if not paths:
            break
        *way, last = draw(st.sampled_from(paths))
        holder = bundle
        for key in way:
            holder = holder[key]
        action = draw(st.sampled_from(["delete", "replace", "wrap", "nest", "add"]))
        if action == "delete":
            del holder[last]
        elif action == "replace":
            holder[last] = draw(VALUES)
        elif action == "wrap":
            holder[last] = [holder[last]]
        elif action == "nest":
            holder[last] = {"extension": holder[last]}
        elif isinstance(holder, dict):
            holder[draw(st.text(min_size=1, max_size=6))] = draw(VALUES)
    return bundle


def outcome(source: Any) -> None:
    try:
        assert isinstance(read_patient(source), PatientSummary)
    except DataError as refused:
        error = refused
    else:
        return
    assert error.where
    assert error.remedy


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_any_change_gives_a_summary_or_a_data_error(
    whole_record: bytes, data: st.DataObject
) -> None:
    bundle = changed(orjson.loads(whole_record), data.draw)
    outcome(bundle)
    with contextlib.suppress(DataError):
        assert all(isinstance(v, str) for v in identifiers(bundle))


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_any_cut_or_broken_byte_gives_a_summary_or_a_data_error(
    whole_record: bytes, data: st.DataObject
) -> None:
    raw = bytearray(whole_record)
    cut = data.draw(st.integers(0, len(raw)))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] = data.draw(st.integers(0, 255))
    outcome(bytes(raw))
    outcome(bytes(raw[:cut]))


@settings(max_examples=100, deadline=None)
@given(VALUES)
def test_any_value_gives_a_data_error(value: Any) -> None:
    if isinstance(value, dict):
        outcome(value)
        outcome({"resourceType": "Bundle", "entry": [{"resource": value}]})
