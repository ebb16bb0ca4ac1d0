"""What does not fit a patient is found by its class, its dose of kidney, and its name."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from verticals.medical.decisions.contraindications import find_contraindications, read_rules
from verticals.medical.patient.drugs import DrugNames
from verticals.medical.patient.record import Condition, Lab, Medicine, PatientSummary

DAY = datetime(2024, 5, 1, tzinfo=UTC)


def patient(
    *, conditions: tuple[str, ...] = (), allergies: tuple[str, ...] = (),
    egfr: float | None = None, potassium: float | None = None, takes: tuple[str, ...] = (),
) -> PatientSummary:  # fmt: skip
    labs = {}
    for code, value, unit in (("33914-3", egfr, "mL/min"), ("2823-3", potassium, "mmol/L")):
        if value is not None:
            labs[code] = Lab(loinc=code, name=code, value=value, unit=unit, taken=DAY)
    return PatientSummary(
        birth_date=date(1960, 1, 1), gender="female", labs=labs, allergies=allergies,
        conditions=tuple(Condition(name=name) for name in conditions),
        medicines=tuple(Medicine(name=m, ingredients=(m,)) for m in takes),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("summary", "order", "level", "reason"),
    [
        (patient(allergies=("Allergy to penicillin",)), "Augmentin", "critical", "allergy"),
        (patient(allergies=("Allergy to penicillin",)), "cephalexin", "warning", "allergy"),
        (patient(allergies=("Amoxicillin",)), "amoxicillin", "critical", "allergy"),
        (patient(allergies=("sulfa",)), "Bactrim", "critical", "allergy"),
        (patient(allergies=("sulfa",)), "furosemide", "info", "allergy"),
        (patient(allergies=("Ibuprofen",)), "naproxen", "critical", "allergy"),
        (patient(allergies=("Allergy to penicillin",)), "azithromycin", None, ""),
        (patient(allergies=("Ciprofloxacin",)), "amoxicillin", None, ""),
        (patient(allergies=("Peanut",)), "amoxicillin", None, ""),
        (patient(egfr=28), "metformin", "critical", "eGFR 28"),
        (patient(egfr=40), "Glucophage", "warning", "eGFR 40"),
        (patient(egfr=45), "metformin", None, ""),
        (patient(egfr=29), "dabigatran", "critical", "eGFR 29"),
        (patient(egfr=50), "celecoxib", "warning", "eGFR 50"),
        (patient(egfr=90), "ibuprofen", None, ""),
        (patient(potassium=5.3), "spironolactone", "critical", "potassium 5.3"),
        (patient(potassium=5.6), "losartan", "warning", "potassium 5.6"),
        (patient(potassium=5.0), "spironolactone", None, ""),
        (patient(conditions=("Pregnancy, 24 weeks",)), "lisinopril", "critical", "pregnancy"),
        (patient(conditions=("Pregnancy, 24 weeks",)), "valproate", "critical", "pregnancy"),
        (patient(conditions=("History of pregnancy",)), "lisinopril", None, ""),
        (patient(conditions=("Chronic congestive heart failure",)), "diclofenac", "critical",
         "heart failure"),
        (patient(conditions=("Asthma",)), "propranolol", "critical", "Asthma"),
        (patient(conditions=("Family history of asthma",)), "propranolol", None, ""),
        (patient(), "metformin", None, ""),
    ],
)  # fmt: skip
def test_an_order_is_judged_by_the_record(
    summary: PatientSummary, order: str, level: str | None, reason: str
) -> None:
    found = find_contraindications(summary, [order])
    if level is None:
        assert found == []
        return
    assert found[0].level == level
    assert reason.lower() in found[0].reason.lower()
    assert found[0].advice


def test_without_orders_what_is_taken_is_checked_and_graver_comes_first() -> None:
    summary = patient(egfr=28, potassium=5.2, takes=("metformin", "spironolactone", "paracetamol"))
    found = find_contraindications(summary)
    assert [item.level for item in found] == sorted(
        (item.level for item in found), key=["critical", "warning", "info"].index
    )
    assert {item.medicine for item in found} == {"metformin", "spironolactone"}
    assert find_contraindications(summary, ["aspirin"]) == []


def test_every_rule_names_medicines_that_the_lexicon_knows() -> None:
    names, rules = DrugNames.open(), read_rules()
    for rule in (*rules.renal, *rules.potassium, *rules.pregnancy, *rules.conditions, *rules.cross):
        for drug in rule.drugs:
            known = (
                names.members(drug.removeprefix("class: "))
                if drug.startswith("class: ")
                else names.find(drug)
            )
            assert known, drug
        assert not rule.allergy or names.members(rule.allergy)
