from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from html import unescape
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.demos.medical_pages.desk import Desk
from apps.demos.medical_pages.labs import Range, labs_html, range_bar, usual_ranges
from apps.demos.medical_pages.records import LARGEST, Record, read_record
from apps.demos.medical_pages.summary import nobody_html, person, summary_html
from core.errors import DataError
from verticals.medical.patient.record import Condition, Lab, Medicine, PatientSummary, Report

NOW = datetime(2024, 5, 1, 8, tzinfo=UTC)


def lab(loinc: str, value: float, unit: str, name: str = "As recorded") -> Lab:
    return Lab(loinc=loinc, name=name, value=value, unit=unit, taken=NOW)


def summary(evil: str) -> PatientSummary:
    labs = [lab("33914-3", 28, "mL/min"), lab("2823-3", 4.1, "mmol/L"), lab("1", 7, "kg", evil),
            lab("718-7", 10.2, "g/L")]  # fmt: skip
    return PatientSummary(
        birth_date=date(1950, 2, 3), gender="female",
        conditions=(Condition(name=f"AF {evil}", code="49436004", onset=date(2019, 1, 1)),),
        medicines=(Medicine(name=evil), Medicine(name="Eliquis", ingredients=("apixaban",))),
        allergies=(evil,), labs={entry.loinc: entry for entry in labs},
        reports=(Report(title=evil, text=evil, issued=NOW),), warnings=(evil,),
    )  # fmt: skip


def words_of(html: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_record_is_all_there_and_none_of_it_is_markup(
    desk: Desk, evil: str, language: str
) -> None:
    html = summary_html(desk, Record({}, summary(evil)), language)
    assert not re.search(r"<(script|img)\b", html)
    for part in ("AF", "49436004", "2019", "Eliquis apixaban", "28", "2024-05-01",
                 "Warfarin and aspirin: bleeding", "CHA2DS2-VASc", evil):  # fmt: skip
        assert part in words_of(html), part
    assert desk.words("site.disclaimer", language) in html


def test_scores_say_what_they_rest_on_and_what_is_missing(desk: Desk, evil: str) -> None:
    text = words_of(summary_html(desk, Record({}, summary(evil)), "en"))
    assert "CHA2DS2-VASc 4 High risk of stroke. From the record: age: 74" in text
    assert "Not in the record, taken as absent: diabetes" in text
    assert "FIB-4 not possible From the record: age: 74 Missing: ALT, platelets" in text


def test_urgent_cards_come_with_their_level_in_words(desk: Desk, evil: str) -> None:
    text = words_of(summary_html(desk, Record({}, summary(evil)), "en"))
    assert text.index("Serious") < text.index("Caution")


@pytest.mark.parametrize(("days", "years"), [(-1, 70), (0, 70), (1, 69)])
def test_age_counts_birthdays_that_have_been(desk: Desk, days: int, years: int) -> None:
    day = date.today() + timedelta(days)
    born = date(day.year - 70, day.month, min(day.day, 28) if day.month == 2 else day.day)
    if day.year != date.today().year:
        pytest.skip("the birthday lies in another year")
    shown = person(PatientSummary(birth_date=born, gender="male"), desk.words, "en")
    assert shown == f"Man, {years} years"


def test_little_is_said_where_little_is_known(desk: Desk) -> None:
    assert person(PatientSummary(deceased=True), desk.words, "en") == "deceased"
    assert person(PatientSummary(), desk.words, "zh") == "患者"


def test_a_value_is_judged_only_in_the_unit_of_its_limits(desk: Desk, evil: str) -> None:
    html = labs_html(summary(evil).labs, "female", desk.words, "en")
    text = words_of(html)
    assert "eGFR 28 mL/min low ≥ 60" in text
    assert "Potassium 4.1 mmol/L usual 3.5–5" in text
    assert "Other measurements: 2" in text  # a weight, and haemoglobin in g/L
    assert "10.2 g/L" in text


def test_limits_may_differ_by_sex() -> None:
    assert usual_ranges("female")["2085-9"].low == 50
    assert usual_ranges("male")["2085-9"].low == 40
    assert usual_ranges("")["2085-9"].low == 40


@pytest.mark.parametrize("gender", ["", "female", "male", "other"])
def test_limits_are_in_order_and_named_in_both_languages(gender: str) -> None:
    for code, limits in usual_ranges(gender).items():
        assert re.fullmatch(r"\d{1,6}-\d", code)
        assert limits.low is not None or limits.high is not None
        if limits.low is not None and limits.high is not None:
            assert limits.low < limits.high
        assert limits.names["zh"] != limits.names["en"]


@given(
    st.floats(-1e4, 1e4), st.one_of(st.none(), st.floats(0, 100)),
    st.one_of(st.none(), st.floats(100.5, 1000)),
)  # fmt: skip
def test_dot_and_band_stay_on_the_scale(
    value: float, low: float | None, high: float | None
) -> None:
    if low is None and high is None:
        return
    html = range_bar(value, Range({}, ("",), low, high))
    places = [float(x) for x in re.findall(r"left:(-?[\d.]+)%", html)]
    assert all(-0.1 <= x <= 100.1 for x in places), html


def test_nobody_is_said_plainly(desk: Desk) -> None:
    assert "No patient is chosen" in nobody_html(desk.words, "en")
    assert nobody_html(desk.words, "zh") == summary_html(desk, None, "zh")


def test_a_record_is_read_with_what_the_engine_needs(record_file: Path) -> None:
    record = read_record(record_file)
    assert record.bundle["resourceType"] == "Bundle"
    assert record.summary.labs["33914-3"].value == 28
    assert "Doe" not in record.summary.model_dump_json()


def test_a_file_too_large_or_no_record_is_refused(tmp_path: Path) -> None:
    large, wrong = tmp_path / "large.json", tmp_path / "wrong.json"
    with large.open("wb") as file:
        file.truncate(LARGEST + 1)
    wrong.write_text('{"resourceType": "Pat')
    with pytest.raises(DataError, match=r"large\.json"):
        read_record(large)
    with pytest.raises(DataError):
        read_record(wrong)


@pytest.mark.parametrize(
    ("value", "comparator", "state"),
    [(3.4, "", "low"), (3.5, "", "usual"), (3.5, "<", "low"), (5.0, ">", "high"),
     (5.0, "<=", "usual"), (5.1, "", "high")],
)  # fmt: skip
def test_a_bound_lies_beyond_its_value(value: float, comparator: str, state: str) -> None:
    assert Range({}, ("",), 3.5, 5.0).state(value, comparator) == state
