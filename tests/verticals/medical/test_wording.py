"""Questions that can be taken, and those that get a clear refusal."""

from __future__ import annotations

import contextlib
import gzip
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import DataError
from verticals.medical.wording import LONGEST, check_question


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("  \n\t ", "empty"),
        ("?!… 12", "empty"),
        ("x " * LONGEST, "at most 2,000"),
        ("¿Cuál es el tratamiento de la hipertensión en el embarazo?", "another language"),
        ("Welche Antikoagulation ist bei Vorhofflimmern die beste?", "another language"),
        ("房颤患者应该用哪种抗凝药？", "another language"),
    ],
)
def test_each_bad_question_is_told_what_to_do(text: str, says: str) -> None:
    with pytest.raises(DataError) as caught:
        check_question(text)
    assert says in str(caught.value)
    assert caught.value.remedy


def test_a_megabyte_is_refused_at_once() -> None:
    with pytest.raises(DataError, match="1,048,576"):
        check_question("a" * 2**20)


def test_spaces_and_forms_of_letters_do_not_matter() -> None:
    assert check_question("  Does ﬁbrosis\n regress? ") == "Does fibrosis regress?"


@given(st.text(max_size=300))
def test_any_text_is_taken_or_refused(text: str) -> None:
    with contextlib.suppress(DataError):
        assert check_question(text).strip()


def test_no_english_question_of_the_sets_is_refused(shared_medical: Path) -> None:
    claims = (shared_medical / "scifact/claims_train.jsonl").read_bytes().splitlines()
    with gzip.open(shared_medical / "pubmedqa/pqal_dev500.jsonl.gz") as lines:
        asked = [orjson.loads(line)["question"] for line in lines]
    for question in [*(orjson.loads(line)["text"] for line in claims), *asked]:
        check_question(question)
