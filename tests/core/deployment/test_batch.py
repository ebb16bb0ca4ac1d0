"""Batch prediction: every row answered in order, whole or not at all, whatever the input is."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from core.deployment import batch
from core.deployment.batch import predict_stream
from core.deployment.bundle import Bundle
from core.deployment.predictor import TablePredictor
from core.errors import DataError, ModelError

ROWS = 107  # more than two parts of 50, the last one ragged


@pytest.fixture
def table() -> pd.DataFrame:
    """Applicants, with a column that the model does not know."""
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "loan": [f"L{i:03d}" for i in range(ROWS)],
            "income": rng.uniform(0, 1e5, ROWS).round(2),
            "age": rng.integers(18, 90, ROWS),
            "purpose": rng.choice(["car", "home"], ROWS),
        }
    )


def read(path: Path) -> list[dict[str, Any]]:
    """The lines of a JSONL file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def expected(tiny_case: ModuleType, table: pd.DataFrame) -> list[dict[str, Any]]:
    """What one applicant after the other is told."""
    predictor = tiny_case.TinyPredictor(tiny_case.WEIGHTS)
    rows = table[["income", "age", "purpose"]].to_dict("records")
    return [
        predictor.predict([tiny_case.TinyInput.model_validate(row)])[0].model_dump() for row in rows
    ]


class ListOnly:
    """The tiny predictor without its way of taking tables."""

    def __init__(self, tiny_case: ModuleType) -> None:
        self.inner = tiny_case.TinyPredictor(tiny_case.WEIGHTS)
        self.input_model, self.output_model = tiny_case.TinyInput, tiny_case.TinyOutput

    def predict(self, inputs: list[BaseModel]) -> list[BaseModel]:
        """As the tiny predictor."""
        return self.inner.predict(inputs)


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "tsv", "parquet", "jsonl"])
@pytest.mark.parametrize("by_table", [True, False])
def test_every_row_is_answered_in_order(
    tiny_case: ModuleType, table: pd.DataFrame, tmp_path: Path, kind: str, by_table: bool
) -> None:
    source = tmp_path / f"loans.{kind}"
    if kind == "parquet":
        table.to_parquet(source)
    elif kind == "jsonl":
        table.to_json(source, orient="records", lines=True)
    else:
        table.to_csv(source, index=False, sep="\t" if kind == "tsv" else ",")
    predictor = tiny_case.TinyPredictor(tiny_case.WEIGHTS) if by_table else ListOnly(tiny_case)
    assert isinstance(predictor, TablePredictor) == by_table
    seen: list[int] = []
    written = predict_stream(predictor, source, tmp_path / "out", rows=50, on_rows=seen.append)
    lines = read(written.path)
    assert seen == [50, 100, 107]
    assert written.rows == ROWS
    assert [line["id"] for line in lines] == list(range(ROWS))
    for line, answer in zip(lines, expected(tiny_case, table), strict=True):
        assert line["output"].keys() == answer.keys()
        assert line["output"]["risk"] == pytest.approx(answer["risk"], abs=1e-12)
        assert line["output"]["decision"] == answer["decision"]
        assert line["output"]["reasons"][0]["text"] == answer["reasons"][0]["text"]
        tiny_case.TinyOutput.model_validate(line["output"])


def test_from_a_bundle_with_ids_and_without_reasons(
    tiny_bundle: Path, table: pd.DataFrame, tmp_path: Path
) -> None:
    source = tmp_path / "loans.csv"
    table.to_csv(source, index=False)
    bundle = Bundle.open(tiny_bundle)
    written = predict_stream(
        bundle, source, tmp_path / "o", reasons=False, id_column="loan", rows=50
    )
    lines = read(written.path)
    assert [line["id"] for line in lines] == table["loan"].tolist()
    assert set(lines[0]["output"]) == {"risk", "decision"}
    with pytest.raises(DataError, match=r"no column 'lona'.*loans\.csv.*Columns: loan, income"):
        predict_stream(bundle, source, tmp_path / "o", id_column="lona")


def test_a_bad_row_names_its_place_and_leaves_no_result(
    tiny_case: ModuleType, table: pd.DataFrame, tmp_path: Path
) -> None:
    source = tmp_path / "loans.csv"
    table.astype({"age": str}).assign(age=lambda t: t["age"].where(t.index != 61, "old")).to_csv(
        source, index=False
    )
    with pytest.raises(DataError, match=r"valid integer.*loans\.csv, row 61, column age"):
        predict_stream(ListOnly(tiny_case), source, tmp_path / "out", rows=50)
    assert not (tmp_path / "out" / "predictions.jsonl").exists()
    # Run again with a corrected file: what the first attempt left does no harm.
    table.to_csv(source, index=False)
    written = predict_stream(ListOnly(tiny_case), source, tmp_path / "out", rows=50)
    assert len(read(written.path)) == ROWS
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["predictions.jsonl"]


def test_a_table_of_other_columns_is_refused(tiny_case: ModuleType, tmp_path: Path) -> None:
    source = tmp_path / "other.csv"
    source.write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=r"other\.csv.*It takes: age, income"):
        predict_stream(ListOnly(tiny_case), source, tmp_path / "out")


class Faulty(ListOnly):
    """A table predictor that breaks its promise."""

    def __init__(self, tiny_case: ModuleType, change: Any) -> None:
        super().__init__(tiny_case)
        self.change = change

    def predict_table(self, frame: pd.DataFrame, *, reasons: bool = True) -> pd.DataFrame:
        """The tiny predictor's answers, changed."""
        return self.change(self.inner.predict_table(frame, reasons=reasons))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.iloc[1:], "106 answers to 107 rows"),
        (lambda t: t.assign(risk=2.0), r"less than or equal to 1.*\(risk\)"),
        (lambda t: t.assign(extra=1), r"\(extra\)"),
        (lambda t: t.drop(columns="decision"), r"\(decision\)"),
    ],
)
def test_a_predictor_that_breaks_its_promise_is_stopped(
    tiny_case: ModuleType, table: pd.DataFrame, tmp_path: Path, change: Any, message: str
) -> None:
    source = tmp_path / "loans.parquet"
    table.to_parquet(source)
    with pytest.raises(ModelError, match=message):
        predict_stream(Faulty(tiny_case, change), source, tmp_path / "out")


SCALAR = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8)
NESTED = SCALAR | st.lists(SCALAR | st.just("\x1e"), max_size=4)


@given(values=st.lists(NESTED | st.dictionaries(st.text(max_size=3), NESTED, max_size=3)))
def test_cells_are_the_json_of_their_values(values: Sequence[Any]) -> None:
    assert [json.loads(cell) for cell in batch._encode_list(values)] == values
    assert [json.loads(cell) for cell in batch._encode_list(["\x1e", *values])][1:] == values


@given(values=st.lists(st.floats(width=64), max_size=30))
def test_numbers_keep_every_bit_and_missing_ones_are_null(values: list[float]) -> None:
    cells = [json.loads(cell) for cell in batch._encode(pd.Series(values, dtype=float))]
    assert cells == [v if np.isfinite(v) else None for v in values]


@given(values=st.lists(st.text(max_size=5) | st.none(), max_size=30))
def test_texts_and_categories_keep_their_values(values: list[str | None]) -> None:
    for dtype in ("str", "category", object):
        cells = batch._encode(pd.Series(values, dtype=dtype))
        assert [json.loads(cell) for cell in cells] == values


def test_other_columns_are_written_as_json_too() -> None:
    frame = pd.DataFrame({"when": pd.to_datetime(["2026-01-31", None]), "yes": [True, False]})
    frame["count"] = pd.array([1, None], dtype="Int64")
    cells = {name: [json.loads(c) for c in batch._encode(frame[name])] for name in frame}
    assert cells["yes"] == [True, False]
    assert cells["count"] == [1, None]
    assert cells["when"][0].startswith("2026-01-31")
    assert cells["when"][1] is None


def test_a_percent_sign_in_a_column_name_is_a_percent_sign(
    tiny_case: ModuleType, tmp_path: Path
) -> None:
    class Percent(ListOnly):
        output_model: type[BaseModel]

        def predict_table(self, frame: pd.DataFrame, *, reasons: bool = True) -> pd.DataFrame:
            return pd.DataFrame({"100% s": range(len(frame))})

    predictor = Percent(tiny_case)
    predictor.output_model = type("Open", (BaseModel,), {})
    source = tmp_path / "x.csv.gz"
    source.write_bytes(gzip.compress(b"income,age\n1,20\n2,30\n"))
    written = predict_stream(predictor, source, tmp_path / "out")
    assert read(written.path)[1] == {"id": 1, "output": {"100% s": 1}}


class Clip(BaseModel):
    """A file as base64 text."""

    audio: str


class Size(BaseModel):
    """How long it is."""

    bytes: int


class Measuring:
    """Says how long a file is."""

    input_model = Clip
    output_model = Size
    file_field = "audio"
    file_suffixes = (".wav",)

    def predict(self, inputs: list[BaseModel]) -> list[BaseModel]:
        return [Size(bytes=len(base64.b64decode(i.audio))) for i in inputs]


def test_a_folder_of_files_is_answered_file_by_file(tmp_path: Path) -> None:
    source = tmp_path / "in"
    (source / "deep").mkdir(parents=True)
    for number in range(20):
        (source / f"{number:02}.wav").write_bytes(b"x" * number)
    (source / "deep" / "a.wav").write_bytes(b"yy")
    written = predict_stream(Measuring(), source, tmp_path / "out")
    lines = [json.loads(line) for line in written.path.read_bytes().splitlines()]
    assert written.rows == 21
    assert lines[7] == {"id": "07.wav", "output": {"bytes": 7}}
    assert lines[-1] == {"id": "deep/a.wav", "output": {"bytes": 2}}
