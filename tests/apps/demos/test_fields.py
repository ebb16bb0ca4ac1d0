import pandas as pd
import pytest

from apps.demos.finance_pages.fields import applicant_of, form_fields, form_values, readable
from core.errors import DataError


def test_every_kind_of_input_gets_its_control(desk):
    kinds = {field.name: field.kind for field in desk.fields}
    assert kinds == {
        "duration_in_month": "number",
        "credit_amount": "number",
        "age_in_years": "number",
        "purpose": "choice",
        "telephone": "yesno",
        "since": "date",
    }


def test_usual_values_come_from_the_reference_sample(desk):
    field = next(f for f in desk.fields if f.name == "age_in_years")
    inside = desk.reference["age_in_years"].between(field.low, field.high)
    assert field.whole
    assert inside.mean() >= 0.97


def test_an_applicant_survives_the_form(desk):
    for applicant in desk.examples:
        form = form_values(desk.fields, applicant)
        assert applicant_of(desk.fields, form) == applicant


def test_a_bad_date_names_its_field(desk):
    form = form_values(desk.fields, desk.examples[0])
    form[-1] = "last spring"
    with pytest.raises(DataError, match="since"):
        applicant_of(desk.fields, form)


def test_a_schema_with_many_examples_lets_others_be_typed():
    many = {"properties": {"city": {"anyOf": [{"type": "string"}, {"type": "null"}],
                                    "examples": [f"c{i}" for i in range(20)]}}}  # fmt: skip
    few = {"properties": {"city": {"type": "string", "enum": ["a", "b"]}}}
    empty = pd.DataFrame()
    assert form_fields(many, empty)[0].open
    assert not form_fields(few, empty)[0].open
    assert form_fields(few, empty)[0].choices == ("a", "b")


def test_names_become_words():
    assert readable("duration_in_month") == "Duration in month"
    assert readable("") == ""


def test_values_are_shown_in_the_readers_language(desk):
    purpose = next(f for f in desk.fields if f.name == "purpose")
    assert ("教育", "education") in purpose.options(desk.words, "zh")
    assert purpose.label(desk.words, "zh") == "贷款用途"
