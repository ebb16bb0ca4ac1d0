from __future__ import annotations

import re

import orjson
import pytest

from verticals.medical.data import SAMPLES
from verticals.medical.patient.bundle import open_bundle
from verticals.medical.patient.expansion import expand
from verticals.medical.patient.fhir import read_patient
from verticals.medical.patient.privacy import identifiers, replace_personal


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("seen 2021-03-11 and 11/29/1949", "seen 2021 and 1949"),
        ("born November 29th, 1949 or 29 Nov 1949", "born 1949 or 1949"),
        ("on 2021-03-11T14:01:57+00:00 there", "on 2021 there"),
        ("back on May 5", "back on <date>"),
        ("lives at 616 Daugherty Arcade, MA 01545", "lives at <address>, MA <postcode>"),
        ("Dr. Smith saw Mrs Jane Doe", "<name> saw <name>"),
        ("MRN: 12345678", "MRN <id>"),
        ("call 555-186-2275", "call <phone>"),
        ("SSN 999-30-7608", "SSN <social security number>"),
        ("id 44ec4447-9e2c-4eb9-bd4f-0bdb416b806e", "id <id>"),
        ("a 97-year-old woman", "a 90 or more-year-old woman"),
        ("mail jane@example.com", "mail <email>"),
    ],
)
def test_replaces_what_names_a_person(text: str, instead: str) -> None:
    assert replace_personal(text) == instead


@pytest.mark.parametrize(
    "text",
    [
        "Is apixaban 5 mg twice daily better than warfarin (INR 2.6) at CHA2DS2-VASc 4?",
        "BP 138/82 mmHg, eGFR 37 mL/min/1.73 m2, a 72-year-old woman",
        "ARISTOTLE (2011): hazard ratio 0.79, 95% CI 0.66-0.95; doi 10.1056/NEJMoa1107039",
        "May metformin be continued? It may harm. Take 1 tablet every 8 hours for 10 days.",
    ],
)
def test_leaves_clinical_text_alone(text: str) -> None:
    assert replace_personal(text) == text


def test_a_short_name_is_not_every_word_like_it() -> None:
    known = ("May", "Hope")
    assert replace_personal("Ms. May may hope; MAY", known) == "Ms. <personal> may hope; <personal>"


def personal(bundle: bytes) -> list[str]:
    """What of a patient must not survive, read without the code under test."""
    patient = next(
        e["resource"]
        for e in orjson.loads(bundle)["entry"]
        if e["resource"]["resourceType"] == "Patient"
    )
    name, address = patient["name"][0], patient["address"][0]
    values = [name["family"], *name["given"], *address["line"], address["city"]]
    values += [patient["id"], patient["birthDate"], address["postalCode"]]
    values += [i["value"] for i in patient["identifier"]]
    return values + [t["value"] for t in patient["telecom"]]


def note(bundle: bytes) -> str:
    """A letter that says all of it, over what the record holds."""
    summary = read_patient(bundle)
    said = ", ".join(personal(bundle))
    facts = "; ".join(expand("Is ibuprofen safe with these conditions?", summary).facts)
    listed = "; ".join(c.name for c in summary.conditions)
    return f"Letter about {said}. {said.upper()}. {facts}. {listed}. {summary.reports}"


def test_nothing_of_the_patient_survives_in_what_would_be_sent(shared_medical) -> None:
    import gzip

    files = sorted((shared_medical / "fhir").glob("*.json.gz"))
    assert len(files) == 18
    for file in files:
        bundle = gzip.decompress(file.read_bytes())
        sent = replace_personal(note(bundle), identifiers(bundle))
        for value in personal(bundle):
            assert not re.search(rf"(?<!\w){re.escape(value)}(?!\w)", sent, re.IGNORECASE), file


@pytest.mark.parametrize("file", sorted(SAMPLES.glob("*.json")), ids=lambda p: p.stem)
def test_nothing_of_the_made_up_patients_survives(file) -> None:
    sent = replace_personal(note(file.read_bytes()), identifiers(file))
    assert not [v for v in personal(file.read_bytes()) if v.lower() in sent.lower()]


def test_the_summary_and_the_facts_name_nobody(shared_medical) -> None:
    for file in sorted((shared_medical / "fhir").glob("*.json.gz")):
        summary = read_patient(file)
        facts = " ".join(expand("What treats hypertension with warfarin?", summary).facts)
        told = summary.model_dump_json(exclude={"birth_date"}) + facts
        patient = open_bundle(file).patient.data
        for value in (patient["name"][0]["family"], patient["id"], patient["birthDate"]):
            assert value not in told
