"""Tells FHIR R4 from DSTU2, STU3 and R5 by what their resources look like.

A bundle does not say its version, so names and shapes that only one version has decide.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from core.errors import DataError

Resource = Mapping[str, Any]

# Resources that another version has and R4 has not (their pages "R3 diff", "R4 diff" on hl7.org).
_KINDS = {
    "MedicationOrder": "DSTU2", "DiagnosticOrder": "DSTU2", "Conformance": "DSTU2",
    "DeviceUseRequest": "DSTU2", "Order": "DSTU2",
    "OrderResponse": "DSTU2", "ImagingObjectSelection": "DSTU2",
    "ProcedureRequest": "STU3 or older", "ReferralRequest": "STU3 or older",
    "EligibilityRequest": "STU3 or older", "EligibilityResponse": "STU3 or older",
    "BodySite": "STU3 or older", "ImagingManifest": "STU3", "ProcessRequest": "STU3 or older",
    "ProcessResponse": "STU3 or older", "Sequence": "STU3",
    "MedicationUsage": "R5", "ImagingSelection": "R5", "GenomicStudy": "R5", "DeviceUsage": "R5",
    "DeviceDispense": "R5", "EncounterHistory": "R5", "NutritionIntake": "R5", "Transport": "R5",
    "RequestOrchestration": "R5", "InventoryItem": "R5", "InventoryReport": "R5",
    "ActorDefinition": "R5", "ArtifactAssessment": "R5", "Requirements": "R5", "TestPlan": "R5",
    "ConditionDefinition": "R5", "DeviceAssociation": "R5", "FormularyItem": "R5",
    "BiologicallyDerivedProductDispense": "R5", "Permission": "R5",
}  # fmt: skip

# (type, what only that version writes there, its version, the field)
_SHAPES: tuple[tuple[str, Callable[[Resource], bool], str, str], ...] = (
    ("Condition", lambda r: "patient" in r, "DSTU2", "patient"),
    ("Condition", lambda r: isinstance(r.get("clinicalStatus"), str), "STU3 or older",
     "clinicalStatus"),
    ("Condition", lambda r: "participant" in r, "R5", "participant"),
    ("AllergyIntolerance", lambda r: "substance" in r, "DSTU2", "substance"),
    ("AllergyIntolerance", lambda r: isinstance(r.get("clinicalStatus"), str), "STU3 or older",
     "clinicalStatus"),
    ("AllergyIntolerance", lambda r: isinstance(r.get("type"), Mapping), "R5", "type"),
    ("AllergyIntolerance", lambda r: "participant" in r, "R5", "participant"),
    ("MedicationRequest", lambda r: "medication" in r, "R5", "medication"),
    ("MedicationRequest", lambda r: isinstance(r.get("requester"), Mapping)
     and "agent" in r["requester"], "STU3", "requester"),
    ("MedicationStatement", lambda r: "medication" in r, "R5", "medication"),
    ("MedicationStatement", lambda r: "taken" in r, "STU3", "taken"),
    ("MedicationStatement", lambda r: "wasNotTaken" in r, "DSTU2", "wasNotTaken"),
    ("Medication", lambda r: "doseForm" in r, "R5", "doseForm"),
    ("Encounter", lambda r: isinstance(r.get("class"), str), "DSTU2", "class"),
    ("Encounter", lambda r: isinstance(r.get("class"), list), "R5", "class"),
    ("Observation", lambda r: "comments" in r, "DSTU2", "comments"),
    ("Observation", lambda r: isinstance(r.get("category"), Mapping), "DSTU2", "category"),
    ("Observation", lambda r: "triggeredBy" in r, "R5", "triggeredBy"),
    ("Observation", lambda r: "context" in r, "STU3", "context"),
    ("Condition", lambda r: "context" in r, "STU3", "context"),
    ("Procedure", lambda r: "context" in r, "STU3", "context"),
    ("Procedure", lambda r: "occurrenceDateTime" in r or "occurrencePeriod" in r, "R5",
     "occurrence[x]"),
    ("MedicationRequest", lambda r: "context" in r, "STU3", "context"),
    ("DiagnosticReport", lambda r: "context" in r, "STU3", "context"),
    ("Encounter", lambda r: "actualPeriod" in r, "R5", "actualPeriod"),
    ("Immunization", lambda r: "wasNotGiven" in r, "DSTU2", "wasNotGiven"),
    ("Immunization", lambda r: "notGiven" in r, "STU3", "notGiven"),
    ("Patient", lambda r: "animal" in r, "STU3 or older", "animal"),
    ("ImagingStudy", lambda r: "uid" in r, "STU3 or older", "uid"),
)  # fmt: skip
_DECLARED = {"1.": "DSTU2", "3.": "STU3", "5.": "R5", "6.": "R6"}


def check_version(
    bundle: Resource, entries: Sequence[tuple[int, str, Resource]], where: str
) -> None:
    """Refuse what was written for another version of FHIR.

    A single odd resource does not condemn a bundle: every resource of its type must be odd alike.

    Args:
        bundle: The bundle itself.
        entries: (index, resourceType, resource) of its entries.
        where: File, for the message.

    Raises:
        DataError: Not R4; names the entry and field that tell.
    """
    found = _declared(bundle) or _named(entries) or _shaped(entries)
    if found:
        version, place = found
        raise DataError(
            f"this is FHIR {version}, not R4",
            where=f"{where}: {place}",
            remedy="Export it as R4 (4.0.1), or convert it first",
        )


def _declared(bundle: Resource) -> tuple[str, str] | None:
    meta = bundle.get("meta")
    tags = [("fhirVersion", bundle.get("fhirVersion"))]
    if isinstance(meta, Mapping):
        tags.append(("meta.fhirVersion", meta.get("fhirVersion")))
    for place, value in tags:
        if isinstance(value, str):
            for prefix, version in _DECLARED.items():
                if value.startswith(prefix):
                    return version, place
    return None


def _named(entries: Sequence[tuple[int, str, Resource]]) -> tuple[str, str] | None:
    for index, kind, _ in entries:
        if kind in _KINDS:
            return _KINDS[kind], f"entry {index}: resourceType {kind}"
    return None


def _shaped(entries: Sequence[tuple[int, str, Resource]]) -> tuple[str, str] | None:
    of_kind = Counter(kind for _, kind, _ in entries)
    for kind, odd, version, field in _SHAPES:
        hits = [index for index, k, r in entries if k == kind and odd(r)]
        if hits and len(hits) == of_kind[kind]:
            return version, f"entry {hits[0]}: {kind}.{field}"
    return None
