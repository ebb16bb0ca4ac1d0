import io

import pandas as pd
import pytest

from apps.demos.finance_pages import batch
from core.errors import CasekitError


@pytest.fixture
def table(desk):
    return pd.DataFrame(desk.examples)


def test_answers_come_in_the_order_of_the_rows(desk, table):
    answers = desk.predictor.predict_table(table)
    back = pd.read_csv(io.BytesIO(batch.answers_csv(table, answers, desk, "en")))
    assert list(back["answer_pd"]) == pytest.approx([o["pd"] for o in desk.manifest.golden.outputs])
    assert list(back["credit_amount"]) == list(table["credit_amount"])


def test_a_spreadsheet_runs_nothing_of_the_clients_text(desk, table):
    table["purpose"] = ["=HYPERLINK(1)", "+1", "car"]
    answers = desk.predictor.predict_table(table)
    back = pd.read_csv(io.BytesIO(batch.answers_csv(table, answers, desk, "en")))
    assert list(back["purpose"]) == ["'=HYPERLINK(1)", "'+1", "car"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [("a.csv", b"", ""), ("a.csv", b"x,y\n", ""), ("a.csv", b"\x00\x01\x02PK", ""),
     ("a.exe", b"x\n1\n", "not a CSV")],
)  # fmt: skip
def test_a_broken_file_ends_in_one_line(desk, tmp_path, name, content, words):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(CasekitError, match=words) as caught:
        desk.predictor.predict_table(batch.read_applicants(path, desk, "en"))
    assert "\n" not in str(caught.value)


def test_too_many_rows_are_refused(desk, tmp_path, monkeypatch):
    monkeypatch.setattr(batch, "MOST_ROWS", 2)
    path = tmp_path / "a.csv"
    path.write_text("x\n1\n2\n3\n")
    with pytest.raises(CasekitError, match="more than 2 rows"):
        batch.read_applicants(path, desk, "en")


def test_the_page_escapes_what_the_file_said(desk, table):
    html = batch._answers_html(desk.predictor.predict_table(table), desk, "en")
    assert "<script" not in html
    assert "3 applicants" in html
