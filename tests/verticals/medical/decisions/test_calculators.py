from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from verticals.medical.decisions.calculators import Calculated, calculate
from verticals.medical.patient.record import Condition, Lab, Medicine, PatientSummary

DAY = datetime(2024, 5, 1, tzinfo=UTC)


def labs(**values: tuple[str, float, str]) -> dict[str, Lab]:
    return {
        code: Lab(loinc=code, name=name, value=value, unit=unit, taken=DAY)
        for name, (code, value, unit) in values.items()
    }


def patient(
    *conditions: str, born: date | None = date(1950, 1, 1), gender: str = "female",
    medicines: tuple[str, ...] = (), measured: dict[str, Lab] | None = None,
) -> PatientSummary:  # fmt: skip
    return PatientSummary(
        birth_date=born, gender=gender, labs=measured or labs(weight=("29463-7", 60, "kg")),
        conditions=tuple(Condition(name=name) for name in conditions),
        medicines=tuple(Medicine(name=m, ingredients=(m,)) for m in medicines),
    )  # fmt: skip


def score(summary: PatientSummary, name: str) -> Calculated:
    return next(found for found in calculate(summary) if found.name == name)


@pytest.mark.parametrize(
    ("summary", "value"),
    [  # counted by hand after Lip (2010)
        (patient("Atrial fibrillation"), 2),  # 74 years, woman
        (patient("Atrial fibrillation", gender="male"), 1),
        (patient("Atrial fibrillation", born=date(1945, 1, 1), gender="male"), 2),
        (patient("Paroxysmal atrial flutter", "Essential hypertension", "Diabetes mellitus type 2",
                 "Chronic congestive heart failure", "History of ischemic stroke",
                 "Acute myocardial infarction", born=date(1940, 1, 1)), 9),
        (patient("Atrial fibrillation", "Pulmonary hypertension", "Prediabetes", "Heat stroke",
                 "Family history of stroke", gender="male"), 1),
        (patient("Atrial fibrillation", "Pulmonary embolism", gender="male"), 3),
    ],
)  # fmt: skip
def test_stroke_risk_counts_what_the_record_says(summary: PatientSummary, value: int) -> None:
    found = score(summary, "CHA2DS2-VASc")
    assert found.value == value
    assert found.doi == "10.1378/chest.09-1584"


def test_what_the_record_does_not_mention_is_named_as_assumed_absent() -> None:
    found = score(patient("Atrial fibrillation", "Hypertension"), "CHA2DS2-VASc")
    assert "hypertension" in found.inputs
    assert "diabetes" in found.assumed


def test_stroke_risk_needs_atrial_fibrillation() -> None:
    assert "CHA2DS2-VASc" not in {found.name for found in calculate(patient("Hypertension"))}


@pytest.mark.parametrize(
    ("summary", "value"),
    [  # after Pisters (2010)
        (patient("Atrial fibrillation", medicines=("warfarin",)), 1),
        (patient("Atrial fibrillation", medicines=("warfarin", "aspirin")), 2),
        (patient(medicines=("apixaban", "ibuprofen"), gender="male",
                 measured=labs(systolic=("8480-6", 165, "mm[Hg]"),
                               creatinine=("2160-0", 250, "umol/L"),
                               alt=("1742-6", 130, "U/L"))), 5),
    ],
)  # fmt: skip
def test_bleeding_risk_reads_medicines_pressure_and_labs(
    summary: PatientSummary, value: int
) -> None:
    assert score(summary, "HAS-BLED").value == value


def test_bleeding_risk_needs_a_reason() -> None:
    names = {found.name for found in calculate(patient(medicines=("aspirin",)))}
    assert "HAS-BLED" not in names


def test_clearance_and_fibrosis_agree_with_their_formulas() -> None:
    measured = labs(
        weight=("29463-7", 60, "kg"), creatinine=("2160-0", 88.42, "umol/L"),
        ast=("1920-8", 40, "U/L"), alt=("1742-6", 25, "U/L"), platelets=("777-3", 200, "10*3/uL"),
        height=("8302-2", 160, "cm"),
    )  # fmt: skip
    summary = patient(measured=measured)
    assert score(summary, "Creatinine clearance").value == pytest.approx(
        (140 - 74) * 60 / 72 * 0.85, abs=0.1
    )
    assert score(summary, "FIB-4").value == pytest.approx(74 * 40 / (200 * 25**0.5), abs=0.01)
    assert score(summary, "Body mass index").value == pytest.approx(60 / 1.6**2, abs=0.1)


def test_a_missing_input_is_named_and_nothing_is_made_up() -> None:
    found = score(patient(measured=labs(ast=("1920-8", 40, "U/L"))), "FIB-4")
    assert (found.value, found.missing) == (None, ("ALT", "platelets"))
    unborn = score(patient("Atrial fibrillation", born=None), "CHA2DS2-VASc")
    assert (unborn.value, unborn.missing) == (None, ("age",))


def test_a_value_in_a_foreign_unit_is_not_used() -> None:
    measured = labs(ast=("1920-8", 40, "U/L"), alt=("1742-6", 25, "ukat/L"))
    assert "ALT" in score(patient(measured=measured), "FIB-4").missing


def test_children_and_pregnancies_get_none() -> None:
    assert calculate(patient("Atrial fibrillation", born=date(2015, 1, 1))) == ()
    assert calculate(patient("Normal pregnancy", "Atrial fibrillation")) == ()
    assert calculate(PatientSummary()) == ()
