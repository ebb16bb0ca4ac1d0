"""The manifest's one form, and what it refuses."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.deployment.manifest import Manifest, check_path
from core.deployment.parity import largest_difference
from core.deployment.results import Measurement
from core.errors import BundleError


def test_bytes_round_trip_and_do_not_depend_on_order(tiny_manifest: Manifest) -> None:
    payload = tiny_manifest.to_bytes()
    again = Manifest.from_bytes(payload)
    assert again == tiny_manifest
    assert again.to_bytes() == payload
    turned = dict(reversed(json.loads(payload).items()))
    assert Manifest.model_validate(turned).to_bytes() == payload


def test_schemas_are_those_of_the_models(tiny_manifest: Manifest) -> None:
    assert tiny_manifest.input_schema["additionalProperties"] is False
    assert tiny_manifest.input_schema["properties"]["age"]["minimum"] == 18
    assert set(tiny_manifest.output_schema["properties"]) == {"risk", "decision", "reasons"}


def test_numbers_that_are_not_finite_are_refused(tiny_manifest: Manifest) -> None:
    bad = Measurement.model_construct(
        metric="roc_auc", value=math.nan, low=None, high=None, n=1, split="test", model="m",
        baseline=None, baseline_model=None,
    )  # fmt: skip
    with pytest.raises(BundleError):
        tiny_manifest.model_copy(update={"measurements": [bad]}).to_bytes()


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"format": 2}, "format"),
        ({"unknown": 1}, "unknown"),
        ({"files": {"../x.txt": "0" * 64}}, "files"),
        ({"files": {"x.txt": "short"}}, "files"),
        ({"files": {"x.txt": "0" * 64, "X.txt": "0" * 64}}, "files"),
        ({"case": ""}, "case"),
    ],
)
def test_what_a_manifest_must_not_say(
    tiny_manifest: Manifest, change: dict[str, object], place: str
) -> None:
    fields = json.loads(tiny_manifest.to_bytes()) | change
    with pytest.raises(BundleError, match=place):
        Manifest.from_bytes(json.dumps(fields).encode())


@given(st.text(max_size=30).map(lambda text: text + ".txt"))
def test_accepted_paths_stay_inside(path: str) -> None:
    try:
        check_path(path)
    except ValueError:
        return
    assert not path.startswith(("/", "."))
    assert ".." not in path.split("/")
    assert path.isascii()


JSON = st.recursive(
    st.none() | st.booleans() | st.text(max_size=5) | st.floats(allow_nan=False, width=32),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@given(JSON)
def test_nothing_differs_from_itself(value: object) -> None:
    assert largest_difference(value, value) == 0.0


def test_differences_are_the_largest_over_all_numbers() -> None:
    assert largest_difference([{"a": 1, "b": [2.0]}], [{"a": 1.25, "b": [1.5]}]) == 0.5


@pytest.mark.parametrize(
    ("one", "other", "place"),
    [
        ({"a": "x"}, {"a": "y"}, "a"),
        ({"a": 1}, {"b": 1}, "golden"),
        ([1, 2], [1], "golden"),
        ({"a": [{"b": True}]}, {"a": [{"b": 1}]}, r"a\[0\]\.b"),
        ([None], [0.0], r"\[0\]"),
        ([1.0], [math.inf], r"\[0\]"),
    ],
)
def test_other_differences_are_errors(one: object, other: object, place: str) -> None:
    with pytest.raises(BundleError, match=place):
        largest_difference(one, other)
