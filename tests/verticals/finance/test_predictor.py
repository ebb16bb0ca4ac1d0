"""The credit predictor: one applicant and a table say the same, and nothing slips through."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from core.data.schema import ColumnSchema, TableSchema, apply_schema
from core.errors import DataError
from verticals.finance.applicants import typed_applicants, typed_table
from verticals.finance.model import CreditModel
from verticals.finance.policy import Policy
from verticals.finance.predictor import CreditPredictor, open_predictor
from verticals.finance.reasons import draft_mapping
from verticals.finance.stages import Fitted


@pytest.fixture(scope="module")
def predictor(small_fitted: Fitted) -> CreditPredictor:
    model, schema = small_fitted.champion, small_fitted.split.checked.schema
    return CreditPredictor(model, schema, draft_mapping(model.columns), Policy(0.35, {}))


@pytest.fixture(scope="module")
def applicants(small_fitted: Fitted) -> pd.DataFrame:
    return small_fitted.split.checked.frame[list(small_fitted.champion.columns)].iloc[:60]


def inputs(predictor: CreditPredictor, frame: pd.DataFrame) -> list[Any]:
    """Applicants as the service receives them."""
    records = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return [predictor.input_model.model_validate(r) for r in records]


def test_one_applicant_and_a_table_say_the_same(
    predictor: CreditPredictor, applicants: pd.DataFrame
) -> None:
    table = predictor.predict_table(applicants)
    quick = predictor.predict_table(applicants, reasons=False)
    np.testing.assert_allclose(quick["pd"], table["pd"], atol=1e-9)
    for i, one in enumerate(inputs(predictor, applicants)):
        (answer,) = predictor.predict([one])
        line = table.iloc[i]
        assert answer.pd == pytest.approx(line["pd"], abs=1e-12)  # type: ignore[attr-defined]
        assert answer.decision == line["decision"]  # type: ignore[attr-defined]
        given_ = [r.model_dump() for r in answer.reasons]  # type: ignore[attr-defined]
        assert [r["code"] for r in given_] == [r["code"] for r in line["reasons"]]


def test_answers_hang_together(predictor: CreditPredictor, applicants: pd.DataFrame) -> None:
    for answer in predictor.predict(inputs(predictor, applicants)):
        found = answer.model_dump()
        assert found["pd_low"] <= found["pd"] <= found["pd_high"]
        assert len(found["reasons"]) <= 4
        if found["decision"] == "approve":
            assert found["pd"] < 0.35
        if found["decision"] == "decline":
            assert found["pd"] >= 0.35


def test_a_table_may_have_other_columns_and_its_own_index(
    predictor: CreditPredictor, applicants: pd.DataFrame
) -> None:
    odd = applicants.assign(comment="x").set_axis(range(1000, 1000 + len(applicants)))
    found = predictor.predict_table(odd[["job", "comment", "debt", "income"]])
    assert list(found.index) == list(odd.index)
    np.testing.assert_array_equal(found["pd"], predictor.predict_table(applicants)["pd"])


def test_many_rows_score_as_few_do(predictor: CreditPredictor, applicants: pd.DataFrame) -> None:
    # Beyond some thousands of rows the trees answer from tables, and on every processor.
    many = pd.concat([applicants] * 400, ignore_index=True)
    few = predictor.predict_table(applicants, reasons=False)["pd"].to_numpy()
    found = predictor.predict_table(many, reasons=False)["pd"].to_numpy()
    np.testing.assert_allclose(found, np.tile(few, 400), atol=1e-12)
    reasons = predictor.predict_table(many)["reasons"]
    assert list(reasons[:60]) == list(reasons[-60:])


@pytest.mark.parametrize(
    "wrong",
    [{"income": "plenty"}, {"incme": 1.0}, {"income": float("nan")}, {"job": "x" * 500}],
)
def test_what_is_no_applicant_is_refused(predictor: CreditPredictor, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        predictor.input_model.model_validate({"income": 1.0, "debt": 1.0, "job": "own"} | wrong)


def test_a_missing_column_is_named(predictor: CreditPredictor, applicants: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="debt"):
        predictor.predict_table(applicants.drop(columns="debt"))


def test_a_folder_opens_to_the_same_predictor(
    predictor: CreditPredictor, applicants: pd.DataFrame, tmp_path: Path
) -> None:
    predictor.model.save(tmp_path / "model")
    (tmp_path / "schema.json").write_text(predictor.schema.to_json(), encoding="utf-8")
    (tmp_path / "reasons.yaml").write_text(predictor.mapping.to_yaml(), encoding="utf-8")
    policy = vars(predictor.policy) | {"language": "en"}
    (tmp_path / "policy.json").write_bytes(orjson.dumps(policy))
    opened = open_predictor(tmp_path, None)  # type: ignore[arg-type]
    pd.testing.assert_frame_equal(
        opened.predict_table(applicants), predictor.predict_table(applicants), atol=1e-12
    )
    assert isinstance(opened.model, CreditModel)


SCHEMA = TableSchema(
    (
        ColumnSchema("n", "number", missing_codes=("-1", "none", "999.5")),
        ColumnSchema("c", "category", missing_codes=("?", "9")),
        ColumnSchema("t", "text"),
    )
)
numbers = st.one_of(st.none(), st.sampled_from([-1.0, 999.5, 0.0]), st.floats(-1e9, 1e9))
words = st.one_of(
    st.none(), st.sampled_from(["?", " 9 ", "9.0", "1", "1.00", "+2.0", "", "  ", "1.5", "-3.0"]),
    st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), max_size=5),
)  # fmt: skip
records = st.lists(st.fixed_dictionaries({"n": numbers, "c": words, "t": words}), min_size=1)


@settings(max_examples=150, deadline=None)
@given(rows=records)
def test_the_quick_way_types_as_the_schema_does(rows: list[dict[str, Any]]) -> None:
    frame = pd.DataFrame(rows, columns=["n", "c", "t"])
    expected = apply_schema(frame, SCHEMA)
    found = typed_applicants(rows, SCHEMA)
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)
    assert found["c"].dtype == "str"


@settings(max_examples=40, deadline=None)
@given(rows=records, seed=st.integers(0, 99))
def test_a_large_table_is_typed_as_the_schema_does(rows: list[dict[str, Any]], seed: int) -> None:
    small = pd.DataFrame(rows, columns=["n", "c", "t"]).astype({"c": "str", "t": "str"})
    at = np.random.default_rng(seed).integers(0, len(small), 70 + 25 * len(small))
    frame = small.iloc[at]  # an index with repeats, too
    pd.testing.assert_frame_equal(
        typed_table(frame, SCHEMA), apply_schema(frame, SCHEMA), check_dtype=False
    )


def test_errors_of_a_large_table_name_the_row() -> None:
    frame = pd.DataFrame({"n": ["1"] * 500, "c": ["a"] * 500, "t": ["b"] * 500}, dtype="str")
    frame.loc[321, "n"] = "much"
    with pytest.raises(DataError) as said:
        typed_table(frame, SCHEMA)
    assert "row 322" in str(said.value)


def test_dates_and_truth_values_take_the_schemas_way() -> None:
    schema = TableSchema(
        (ColumnSchema("d", "date", date_format="ISO8601"), ColumnSchema("b", "boolean"))
    )
    rows = [{"d": date(2024, 2, 29), "b": True}, {"d": None, "b": None}]
    expected = apply_schema(pd.DataFrame(rows), schema)
    pd.testing.assert_frame_equal(typed_applicants(rows, schema), expected)
