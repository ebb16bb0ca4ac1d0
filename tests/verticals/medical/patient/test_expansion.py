from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from verticals.medical.data import SAMPLES
from verticals.medical.patient.expansion import expand
from verticals.medical.patient.fhir import read_patient
from verticals.medical.patient.person import age, described, kidney_function, pregnant
from verticals.medical.patient.record import Condition, Lab, PatientSummary


@pytest.fixture(scope="module")
def older() -> PatientSummary:
    return read_patient(SAMPLES / "atrial_fibrillation.json")


@pytest.fixture(scope="module")
def expecting() -> PatientSummary:
    return read_patient(SAMPLES / "pregnancy.json")


def test_adds_what_bears_on_an_anticoagulant(older) -> None:
    expanded = expand("Which anticoagulant is preferred for atrial fibrillation?", older)
    facts = " | ".join(expanded.facts)
    for told in ("72-year-old woman", "Atrial fibrillation", "kidney disease", "eGFR", "warfarin"):
        assert told in facts
    for not_told in ("Osteoarthritis", "acetaminophen", "Cholesterol"):
        assert not_told not in facts
    assert all(fact in expanded.question for fact in expanded.facts)
    assert expanded.question.startswith("Which anticoagulant is preferred")


def test_an_nsaid_brings_kidneys_and_warfarin(older) -> None:
    facts = expand("Is ibuprophen safe for her?", older).facts
    assert any(f.startswith("eGFR 37") for f in facts)
    assert "takes warfarin" in facts
    assert "takes acetaminophen" not in facts


def test_an_antibiotic_brings_pregnancy_and_the_allergy(expecting) -> None:
    facts = expand("Which antibiotic treats a urinary tract infection?", expecting).facts
    assert {"pregnant", "Allergy to penicillin", "Urinary tract infection"} <= set(facts)
    assert "takes labetalol" not in facts
    assert "Allergy to penicillin" in expand("Can she have cephalexin?", expecting).facts
    assert "Allergy to penicillin" not in expand("Is labetalol safe?", expecting).facts


@pytest.mark.parametrize("question", ["What is the capital of France?", "How is psoriasis cured?"])
def test_what_touches_nothing_stays_as_it_is(older, question) -> None:
    expanded = expand(question, older)
    assert expanded.question == question
    assert expanded.facts == ()


def test_the_search_keeps_most_of_its_weight_on_the_question(older) -> None:
    question = "Is ibuprofen safe?"
    search = expand(question, older).search
    assert search.count(question) == 3
    assert "warfarin" in search
    assert "eGFR" not in search  # the kidney disease says it
    assert expand("Is it cold in Paris?", older).search == "Is it cold in Paris?"
    assert expand("ibuprofen? " * 30, older).search.count("ibuprofen") == 30


def test_an_empty_record_adds_nothing() -> None:
    assert expand("Is warfarin safe?", PatientSummary()).facts == ()


def test_is_deterministic_and_short(shared_medical) -> None:
    for file in sorted((shared_medical / "fhir").glob("*.json.gz")):
        summary = read_patient(file)
        first = expand("Is naproxen safe with diabetes and hypertension?", summary)
        assert first == expand("Is naproxen safe with diabetes and hypertension?", summary)
        assert len(first.facts) <= 10


def test_a_similarity_finds_what_the_lexicon_does_not(older) -> None:
    def near(question, texts):
        return [0.9 if "Osteoarthritis" in t else 0.1 for t in texts]

    facts = expand("Worn joints: which exercise?", older, similarity=near).facts
    assert "Osteoarthritis of knee" in facts
    assert not any("Atrial" in f for f in facts)


def lab(code: str, value: float, unit: str, year: int = 2024) -> Lab:
    taken = datetime(year, 6, 1, tzinfo=UTC)
    return Lab(loinc=code, name="Creatinine", value=value, unit=unit, taken=taken)


# Inker 2021, by its equation: 142 · min(Scr/κ, 1)^α · max(Scr/κ, 1)^-1.2 · 0.9938^age (· 1.012)
@pytest.mark.parametrize(
    ("gender", "born", "value", "unit", "egfr"),
    [
        ("female", 1954, 1.48, "mg/dL", 142 * (1.48 / 0.7) ** -1.2 * 0.9938**70 * 1.012),
        ("male", 1984, 0.9, "mg/dL", 142 * 0.9938**40),
        ("male", 1984, 0.9 * 88.42, "umol/L", 142 * 0.9938**40),
    ],
)
def test_kidney_function_is_ckd_epi_2021(gender, born, value, unit, egfr) -> None:
    labs = {"2160-0": lab("2160-0", value, unit)}
    summary = PatientSummary(birth_date=date(born, 1, 1), gender=gender, labs=labs)
    kidneys = kidney_function(summary)
    assert kidneys is not None
    assert kidneys.egfr == pytest.approx(egfr, abs=0.06)
    assert kidneys.method == "CKD-EPI 2021"


def test_kidney_function_of_a_child_or_in_unknown_units_is_as_reported() -> None:
    labs = {"2160-0": lab("2160-0", 0.5, "mg/dL"), "33914-3": lab("33914-3", 88.0, "mL/min")}
    child = PatientSummary(birth_date=date(2014, 1, 1), gender="male", labs=labs)
    found = kidney_function(child)
    assert found is not None
    assert (found.egfr, found.method, found.stage) == (88.0, "as reported", "G2")
    odd = PatientSummary(birth_date=date(1960, 1, 1), labs={"2160-0": lab("2160-0", 1, "furlong")})
    assert kidney_function(odd) is None


@pytest.mark.parametrize(
    ("born", "gender", "told"),
    [
        (date(1952, 6, 2), "male", "71-year-old man"),
        (date(1952, 6, 1), "male", "72-year-old man"),
        (date(2014, 1, 1), "female", "10-year-old girl"),
        (date(1930, 1, 1), "female", "woman of 90 or more"),
        (date(2023, 1, 1), "", "infant"),
        (None, "female", "woman"),
        (None, "", ""),
        (date(2030, 1, 1), "other", ""),
    ],
)
def test_age_and_sex_in_words(born, gender, told) -> None:
    labs = {"2160-0": lab("2160-0", 1, "mg/dL")}
    assert described(PatientSummary(birth_date=born, gender=gender, labs=labs)) == told


def test_age_needs_a_day() -> None:
    assert age(PatientSummary(birth_date=date(1960, 1, 1))) is None
    assert age(PatientSummary(birth_date=date(1960, 1, 1)), date(2000, 1, 1)) == 40


@pytest.mark.parametrize(
    ("name", "now"),
    [
        ("Normal pregnancy", True),
        ("Gestational diabetes", True),
        ("History of pregnancy", False),
        ("Miscarriage in first trimester", False),
        ("Tubal ectopic pregnancy", False),
    ],
)
def test_who_is_pregnant(name, now) -> None:
    assert pregnant(PatientSummary(conditions=(Condition(name=name),))) == now
