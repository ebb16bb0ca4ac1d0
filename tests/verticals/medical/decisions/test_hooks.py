from __future__ import annotations

import pytest

from core.errors import DataError
from verticals.medical.decisions.hooks import HookRequest, MissingPrefetchError, read_call


def read(body):
    return read_call(HookRequest.model_validate(body))


def test_reads_the_patient_and_the_selected_orders(call) -> None:
    found = read(call("atrial_fibrillation", "Ibuprofen 400 MG Oral Tablet"))
    assert found.orders == ("Ibuprofen 400 MG Oral Tablet",)
    assert "warfarin" in {g for m in found.summary.medicines for g in m.ingredients}
    assert found.summary.labs["38483-4"].value == 1.48
    assert found.unknown == ()
    assert not found.summary.warnings


def test_a_draft_that_is_not_selected_counts_as_taken(call) -> None:
    body = call("pregnancy", "Ibuprofen 400 MG", "Aspirin 81 MG")
    body["context"]["selections"] = ["MedicationRequest/d0"]
    found = read(body)
    assert found.orders == ("Ibuprofen 400 MG",)
    assert "Aspirin 81 MG" in [m.name for m in found.summary.medicines]


def test_a_draft_may_point_to_its_medicine(call) -> None:
    body = call("pregnancy", "x")
    draft = body["context"]["draftOrders"]["entry"][0]["resource"]
    del draft["medicationCodeableConcept"]
    draft["medicationReference"] = {"reference": "#m"}
    draft["contained"] = [{"resourceType": "Medication", "id": "m", "code": {"text": "Lithium"}}]
    assert read(body).orders == ("Lithium",)
    draft["medicationReference"] = {"reference": "Medication/7", "display": "Digoxin"}
    assert read(body).orders == ("Digoxin",)


@pytest.mark.parametrize("key", ["patient", "medications"])
@pytest.mark.parametrize("how", ["absent", "error"])
def test_what_cannot_be_done_without(call, key, how) -> None:
    body = call()
    if how == "absent":
        del body["prefetch"][key]
    else:
        body["prefetch"][key] = {"resourceType": "OperationOutcome", "issue": []}
    with pytest.raises(MissingPrefetchError, match=key):
        read(body)


def test_null_means_none_and_absence_means_unknown(call) -> None:
    body = call()
    body["prefetch"]["medications"] = None
    del body["prefetch"]["allergies"]
    found = read(body)
    assert found.summary.medicines == ()
    assert found.unknown == ("allergies",)


def test_another_patient_is_refused(call) -> None:
    body = call()
    body["context"]["patientId"] = "somebody-else"
    with pytest.raises(DataError, match="not the patient of the context"):
        read(body)


def test_a_patient_that_a_search_brought_along_is_not_a_second_one(call) -> None:
    body = call()
    body["prefetch"]["conditions"]["entry"].append({"resource": body["prefetch"]["patient"]})
    body["prefetch"]["conditions"]["entry"].append(
        {"resource": {"resourceType": "OperationOutcome"}}
    )
    assert read(body).summary.conditions
