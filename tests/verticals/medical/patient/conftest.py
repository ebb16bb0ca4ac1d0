"""A small bundle to read, change and break."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import orjson
import pytest

_LOINC = "http://loinc.org"
_PATIENT = "urn:uuid:00000000-0000-4000-8000-000000000001"

_ENTRIES: list[dict[str, Any]] = [
    {"resourceType": "Patient", "id": "00000000-0000-4000-8000-000000000001",
     "name": [{"family": "Muster", "given": ["Testa"]}], "gender": "female",
     "birthDate": "1960-05-01"},
    {"resourceType": "Condition", "clinicalStatus": {"coding": [{"code": "active"}]},
     "code": {"text": "Gout"}, "subject": {"reference": _PATIENT}},
    {"resourceType": "MedicationRequest", "status": "active", "intent": "order",
     "subject": {"reference": _PATIENT},
     "medicationReference": {"reference": "urn:uuid:m"}},
    {"resourceType": "Medication", "id": "m", "code": {"text": "Allopurinol 100 MG Oral Tablet"}},
    {"resourceType": "AllergyIntolerance", "patient": {"reference": _PATIENT},
     "clinicalStatus": {"coding": [{"code": "active"}]}, "code": {"text": "Penicillin"}},
    {"resourceType": "Observation", "status": "final", "subject": {"reference": _PATIENT},
     "code": {"coding": [{"system": _LOINC, "code": "2160-0"}], "text": "Creatinine"},
     "effectiveDateTime": "2024-03-01", "valueQuantity": {"value": 1.1, "unit": "mg/dL"}},
    {"resourceType": "DiagnosticReport", "status": "final", "subject": {"reference": _PATIENT},
     "code": {"text": "Hand X-ray"}, "conclusion": "No erosion.",
     "effectiveDateTime": "2024-03-02"},
]  # fmt: skip


def _bundle_of(*resources: dict[str, Any]) -> dict[str, Any]:
    """A transaction bundle of the resources, each with a urn:uuid."""
    entries = [{"fullUrl": f"urn:uuid:{r.get('id', i)}", "resource": r}
               for i, r in enumerate(resources)]  # fmt: skip
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


@pytest.fixture(scope="session")
def whole_record() -> bytes:
    """A good bundle as JSON."""
    return orjson.dumps(_bundle_of(*_ENTRIES))


@pytest.fixture(scope="session")
def bundling() -> Callable[..., dict[str, Any]]:
    """Makes a transaction bundle of resources."""
    return _bundle_of


@pytest.fixture
def resources() -> dict[str, dict[str, Any]]:
    """Resources of one patient by type, free to be changed."""
    return {r["resourceType"]: r for r in copy.deepcopy(_ENTRIES)}


@pytest.fixture
def record(resources) -> Callable[..., dict[str, Any]]:
    """A bundle of the patient's resources and of more."""
    return lambda *more: _bundle_of(*resources.values(), *more)
