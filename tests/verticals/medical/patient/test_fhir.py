from __future__ import annotations

import base64
import gzip
import time

import orjson
import pytest

from core.errors import DataError
from verticals.medical.data import SAMPLES
from verticals.medical.patient.fhir import read_patient

LOINC = "http://loinc.org"
SUBJECT = {"reference": "urn:uuid:00000000-0000-4000-8000-000000000001"}


def test_reads_every_fact_of_the_sample_patients(shared_medical) -> None:
    facts = orjson.loads((shared_medical / "fhir" / "facts.json").read_bytes())
    assert len(facts) == 18
    for expected in facts:
        summary = read_patient(shared_medical / "fhir" / expected["file"])
        assert [c.name for c in summary.conditions] == expected["active_conditions"]
        assert [m.name for m in summary.medicines] == expected["active_medications"]
        assert list(summary.allergies) == expected["allergies"]
        assert str(summary.birth_date) == expected["birthDate"]
        assert summary.gender == expected["gender"]
        assert summary.resources == expected["types"]
        assert summary.warnings == ()
        for code, lab in expected["latest_labs"].items():
            read = summary.labs[code]
            assert (read.name, read.unit) == (lab["name"], lab["unit"])
            assert round(read.value, 4) == lab["value"]
            assert read.taken.isoformat() == lab["date"]
        # Over the facts: the parts of blood pressure, which are components of one observation.
        assert set(summary.labs) - set(expected["latest_labs"]) <= {"8480-6", "8462-4"}


def test_every_medicine_of_the_sample_patients_has_its_generic_names(shared_medical) -> None:
    for file in (shared_medical / "fhir").glob("*.json.gz"):
        for medicine in read_patient(file).medicines:
            assert medicine.ingredients, medicine.name


def test_a_large_bundle_is_read_in_well_under_a_second(shared_medical) -> None:
    file = max((shared_medical / "fhir").glob("*.json.gz"), key=lambda p: p.stat().st_size)
    read_patient(file)  # imports and the lexicon are paid once
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        read_patient(file)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.6  # 0.1 s on a free core


@pytest.mark.parametrize("file", sorted(SAMPLES.glob("*.json")), ids=lambda p: p.stem)
def test_the_made_up_patients_are_valid_and_whole(file) -> None:
    summary = read_patient(file)
    assert summary.warnings == ()
    assert summary.conditions
    assert summary.reports[0].text
    assert all(m.ingredients for m in summary.medicines)
    assert {"8480-6", "38483-4"} <= set(summary.labs)


def test_a_proposed_medicine_is_not_one_that_is_taken() -> None:
    taken = {g for m in read_patient(SAMPLES / "atrial_fibrillation.json").medicines
             for g in m.ingredients}  # fmt: skip
    assert "warfarin" in taken
    assert "ibuprofen" not in taken


def test_the_small_record(record) -> None:
    summary = read_patient(record())
    assert [c.name for c in summary.conditions] == ["Gout"]
    assert summary.medicines[0].ingredients == ("allopurinol",)
    assert summary.allergies == ("Penicillin",)
    assert summary.labs["2160-0"].value == 1.1
    assert summary.reports[0].text == "No erosion."
    assert summary.warnings == ()


def test_dict_bytes_text_and_file_say_the_same(record, tmp_path) -> None:
    raw = orjson.dumps(record())
    plain, packed = tmp_path / "p.json", tmp_path / "p.json.gz"
    plain.write_bytes(b"\xef\xbb\xbf" + raw)
    packed.write_bytes(gzip.compress(raw, mtime=0))
    summary = read_patient(record())
    for source in (raw, gzip.compress(raw, mtime=0), raw.decode(), plain, str(packed)):
        assert read_patient(source) == summary


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        ({"clinicalStatus": {"coding": [{"code": "resolved"}]}}, False),
        ({"clinicalStatus": {"coding": [{"code": "remission"}]}}, False),
        ({"clinicalStatus": {"coding": [{"code": "recurrence"}]}}, True),
        ({"verificationStatus": {"coding": [{"code": "refuted"}]}}, False),
        ({"verificationStatus": {"coding": [{"code": "provisional"}]}}, True),
        ({"clinicalStatus": None, "abatementDateTime": "2020"}, False),
        ({"clinicalStatus": None}, True),
    ],
)
def test_which_conditions_are_true_today(record, resources, change, kept) -> None:
    resources["Condition"] |= change
    for empty in [k for k, v in change.items() if v is None]:
        del resources["Condition"][empty]
    assert bool(read_patient(record()).conditions) == kept


def test_an_invalid_resource_is_left_out_with_its_place_and_field(record) -> None:
    broken = {"resourceType": "Observation", "status": "final", "code": "Secret"}
    summary = read_patient(record(broken, {"resourceType": "Condition", "subject": 7}))
    assert summary.labs["2160-0"].value == 1.1
    assert "Observation at entry 7 left out: code is not valid" in summary.warnings[0]
    assert "Condition at entry 8" in summary.warnings[1]
    assert "Secret" not in "".join(summary.warnings)


def test_somebody_elses_resources_are_left_out(record) -> None:
    other = {"resourceType": "Condition", "code": {"text": "Malaria"},
             "subject": {"reference": "Patient/999"}}  # fmt: skip
    summary = read_patient(record(other))
    assert [c.name for c in summary.conditions] == ["Gout"]
    assert "its subject is not this patient" in summary.warnings[0]


def test_the_latest_value_counts_and_the_first_of_two_at_once(record, resources) -> None:
    def creatinine(value: float, when: str) -> dict:
        new = {"value": value, "unit": "mg/dL"}
        return resources["Observation"] | {"valueQuantity": new, "effectiveDateTime": when}

    later = creatinine(2.0, "2024-03-05T10:00:00+02:00")
    same, older = creatinine(3.0, "2024-03-05T08:00:00Z"), creatinine(4.0, "2023")
    assert read_patient(record(later, same, older)).labs["2160-0"].value == 2.0
    void = creatinine(9.0, "2025-01-01") | {"status": "entered-in-error"}
    assert read_patient(record(void)).labs["2160-0"].value == 1.1


def test_parts_of_a_panel_and_bounds_are_measurements_too(record) -> None:
    part = {"code": {"coding": [{"system": LOINC, "code": "8480-6"}]},
            "valueQuantity": {"value": 140, "unit": "mm[Hg]", "comparator": ">"}}  # fmt: skip
    panel = {"resourceType": "Observation", "status": "final", "code": {"text": "Pressure"},
             "effectiveDateTime": "2024", "component": [part], "subject": SUBJECT}  # fmt: skip
    lab = read_patient(record(panel)).labs["8480-6"]
    assert (lab.value, lab.comparator) == (140, ">")


def test_report_texts_are_kept_whatever_form_they_have(record) -> None:
    def document(kind: str, data: bytes) -> dict:
        attached = {"contentType": kind, "data": base64.b64encode(data).decode()}
        return {"resourceType": "DocumentReference", "status": "current", "subject": SUBJECT,
                "type": {"text": kind}, "content": [{"attachment": attached}]}  # fmt: skip

    narrative = {"resourceType": "DiagnosticReport", "status": "final", "subject": SUBJECT,
                 "code": {"text": "CT"}, "text": {"status": "generated", "div":
                 '<div xmlns="http://www.w3.org/1999/xhtml"><p>Small &amp; old</p>infarct</div>'},
                 }  # fmt: skip
    html = document("text/html", b"<p>Liver</p><script>no()</script> normal")
    summary = read_patient(record(html, document("application/pdf", b"%PDF"), narrative))
    texts = {r.title: r.text for r in summary.reports}
    assert texts["text/html"] == "Liver\nnormal"
    assert texts["CT"] == "Small & old\ninfarct"
    assert "application/pdf was not read" in summary.warnings[0]


def test_an_expected_child_is_a_condition(record) -> None:
    said = {"resourceType": "Observation", "status": "final", "subject": SUBJECT,
            "code": {"coding": [{"system": LOINC, "code": "82810-3"}]},
            "effectiveDateTime": "2024-03-01",
            "valueCodeableConcept": {"coding": [{"code": "77386006"}]}}  # fmt: skip
    assert "Pregnant" in [c.name for c in read_patient(record(said)).conditions]


@pytest.mark.parametrize(
    ("source", "what"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b'{"resourceType": "Bundle", "entry": [', "not valid JSON"),
        (b"<Bundle xmlns='http://hl7.org/fhir'/>", "XML"),
        (b'<!DOCTYPE x [<!ENTITY a "&b;">]><Bundle/>', "XML"),
        (b'{"resourceType": "Patient"}', "a single Patient"),
        (b"[1, 2]", "a list"),
        (b"3", "a number"),
        (b'{"resourceType": "Bundle"}', "no Patient"),
        (b'{"resourceType": "Bundle", "entry": 3}', "not a list"),
        (b"\xff\xfe{\x00", "not valid JSON"),
        (b"[" * 200_000, "not valid JSON"),
        (gzip.compress(b"{}" * 50, mtime=0)[:20], "cannot be read"),
        (gzip.compress(b" " * 2_000_000, mtime=0), "larger than"),
        ("/nowhere/patient.json", "cannot be read"),
    ],
)
def test_what_is_no_record_is_said_so(source, what) -> None:
    with pytest.raises(DataError) as error:
        read_patient(source, limit_bytes=1_000_000)
    assert what in str(error.value)
    assert error.value.where
    assert error.value.remedy


R5_MEDICINE = {"resourceType": "MedicationStatement", "status": "recorded",
               "medication": {"concept": {"text": "Warfarin"}}, "subject": SUBJECT}  # fmt: skip


@pytest.mark.parametrize(
    ("odd", "version", "place"),
    [
        ({"resourceType": "MedicationOrder"}, "DSTU2", "MedicationOrder"),
        ({"resourceType": "ProcedureRequest"}, "STU3", "ProcedureRequest"),
        (R5_MEDICINE, "R5", "MedicationStatement.medication"),
        ({"resourceType": "Encounter", "class": [{}]}, "R5", "Encounter.class"),
        ({"resourceType": "ImagingSelection"}, "R5", "ImagingSelection"),
    ],
)
def test_other_versions_are_refused_by_name(record, odd, version, place) -> None:
    with pytest.raises(DataError, match=version) as error:
        read_patient(record(odd))
    assert place in error.value.where


def test_an_stu3_condition_is_refused_but_one_odd_among_many_only_left_out(
    record, resources
) -> None:
    odd = resources["Condition"] | {"clinicalStatus": "active"}
    assert "Condition at entry 7 left out" in read_patient(record(odd)).warnings[0]
    resources["Condition"] = odd
    with pytest.raises(DataError, match="STU3"):
        read_patient(record())


def test_a_declared_version_counts(record) -> None:
    with pytest.raises(DataError, match="R5"):
        read_patient(record() | {"meta": {"fhirVersion": "5.0.0"}})


def test_two_patients_are_refused(resources, record) -> None:
    with pytest.raises(DataError, match="2 Patient resources"):
        read_patient(record(resources["Patient"] | {"id": "b"}))


def test_a_deep_resource_is_left_out_and_the_rest_is_read(record) -> None:
    deep: dict = {}
    for _ in range(5_000):
        deep = {"extension": [deep]}
    summary = read_patient(record({"resourceType": "Condition", **deep}))
    assert "nested deeper" in summary.warnings[0]
    assert summary.conditions[0].name == "Gout"


def test_older_layouts_are_read(resources, bundling) -> None:
    for entry in ("Condition", "MedicationRequest", "Observation"):
        resources[entry]["subject"] = {"reference": f"Patient/{resources['Patient']['id']}"}
    inside = {"resourceType": "Medication", "id": "x", "code": {"text": "HCTZ 25 MG"}}
    resources["MedicationRequest"] |= {"contained": [inside],
                                       "medicationReference": {"reference": "#x"}}  # fmt: skip
    summary = read_patient(bundling(*resources.values()) | {"type": "collection"})
    assert summary.medicines[0].ingredients == ("hydrochlorothiazide",)
    assert summary.conditions
    assert not summary.warnings
