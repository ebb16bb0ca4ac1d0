"""Reads a CDS Hooks 2.0 call: the patient from what was prefetched, the medicines being ordered.

Nothing is fetched from a FHIR server: what the client did not send is not known, and is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from core.errors import DataError
from verticals.medical.patient.bundle import open_bundle
from verticals.medical.patient.fhir import concept_text, read_patient
from verticals.medical.patient.record import PatientSummary

# What each service needs, by prefetch key; those of _NEEDED cannot be done without.
PREFETCH = {
    "patient": "Patient/{{context.patientId}}",
    "medications": "MedicationRequest?patient={{context.patientId}}&status=active",
    "conditions": "Condition?patient={{context.patientId}}&clinical-status=active",
    "allergies": "AllergyIntolerance?patient={{context.patientId}}",
    "observations": "Observation?patient={{context.patientId}}&category=laboratory,vital-signs"
    "&_sort=-date&_count=200",
}
_NEEDED = ("patient", "medications")
_MEDICINES = ("MedicationRequest", "MedicationStatement", "Medication")
_MOST_ORDERS = 50


class HookContext(BaseModel):
    """What the client is doing; fields of other hooks are ignored."""

    model_config = ConfigDict(extra="ignore")

    userId: str = Field(max_length=300)  # noqa: N815 - named by CDS Hooks
    patientId: str = Field(min_length=1, max_length=300)  # noqa: N815
    selections: list[str] = Field([], max_length=_MOST_ORDERS)  # of order-select: Type/id
    draftOrders: dict[str, Any] | None = None  # noqa: N815 - a FHIR bundle


class HookRequest(BaseModel):
    """A call of a service; fields that it does not use, such as tokens, are ignored."""

    model_config = ConfigDict(extra="ignore")

    hook: str = Field(max_length=100)
    hookInstance: UUID  # noqa: N815
    context: HookContext
    prefetch: dict[str, Any] = {}


class MissingPrefetchError(DataError):
    """What cannot be done without was not sent: a 412 in CDS Hooks."""


@dataclass(frozen=True)
class HookCall:
    """A call as the decisions need it."""

    summary: PatientSummary
    orders: tuple[str, ...]  # names of the selected medicines, as the drafts write them
    unknown: tuple[str, ...]  # prefetch keys that were not sent or could not be


def read_call(request: HookRequest) -> HookCall:
    """The patient and the orders of a call.

    Drafts that are not selected count as taken: they were ordered a moment ago.

    Raises:
        MissingPrefetchError: The patient or their medicines were not sent.
        DataError: They were sent but cannot be read, or are another patient's.
    """
    sent = {key: _resources(request.prefetch[key]) for key in PREFETCH if key in request.prefetch}
    if not sent.get("patient"):
        sent["patient"] = None
    lacking = [key for key in _NEEDED if sent.get(key) is None]
    if lacking:
        raise MissingPrefetchError(
            f"{' and '.join(lacking)} not sent",
            where="prefetch",
            remedy="Send what GET /cds-services lists under prefetch; this service fetches nothing",
        )
    # A search may have brought the patient along with what it was for.
    resources = [r for key, found in sent.items() for r in found or ()
                 if (r.get("resourceType") == "Patient") == (key == "patient")]  # fmt: skip
    bundle = {"resourceType": "Bundle", "type": "collection",
              "entry": [{"resource": r} for r in resources]}  # fmt: skip
    own = open_bundle(bundle).patient.data.get("id")
    if own is not None and own != request.context.patientId.rpartition("/")[2]:
        raise DataError(
            "the patient sent is not the patient of the context",
            where="prefetch.patient.id",
            remedy="Send the patient whom context.patientId names",
        )
    selected, drafted = _orders(request.context)
    bundle["entry"] = [*bundle["entry"], *({"resource": r} for r in drafted)]
    return HookCall(
        read_patient(bundle), selected, tuple(key for key in PREFETCH if sent.get(key) is None)
    )


def _resources(sent: object) -> list[dict[str, Any]] | None:
    """Resources in a prefetched value: none if null stands there, None if it could not be had."""
    if sent is None:
        return []
    if not isinstance(sent, dict) or sent.get("resourceType") == "OperationOutcome":
        return None
    if sent.get("resourceType") != "Bundle":
        return [sent]
    return list(_inside(sent))


def _inside(bundle: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Resources of a bundle, without what a server remarks on its own search."""
    listed = bundle.get("entry")
    for entry in listed if isinstance(listed, list) else ():
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict) and resource.get("resourceType") != "OperationOutcome":
            yield resource


def _orders(context: HookContext) -> tuple[tuple[str, ...], list[dict[str, Any]]]:
    """Names of the selected medicines, and the other drafts as if they were active."""
    drafts = [r for r in _inside(context.draftOrders or {}) if r.get("resourceType") in _MEDICINES]
    medicines = {f"Medication/{r.get('id')}": r for r in drafts}
    chosen = {s.rpartition("/")[2] for s in context.selections}
    names: dict[str, None] = {}
    others = []
    for draft in drafts:
        if draft["resourceType"] == "Medication":
            others.append(draft)
        elif str(draft.get("id")) in chosen:
            name = _name(draft, medicines)
            names |= {name: None} if name else {}
        else:
            others.append({**draft, "status": "active"})
    return tuple(names), others[:_MOST_ORDERS]


def _name(draft: Mapping[str, Any], medicines: Mapping[str, Mapping[str, Any]]) -> str:
    """What a draft orders, by its own words or by the Medication that it points to."""
    concept = draft.get("medicationCodeableConcept")
    pointer = draft.get("medicationReference")
    if concept is None and isinstance(pointer, Mapping):
        reference = str(pointer.get("reference"))
        inside = draft.get("contained")
        for held in inside if isinstance(inside, list) else ():
            if isinstance(held, Mapping) and reference == f"#{held.get('id')}":
                concept = held.get("code")
        concept = concept or medicines.get(reference, {}).get("code")
        told = pointer.get("display")
        return _concept(concept) or (told.strip() if isinstance(told, str) else "")
    return _concept(concept)


def _concept(concept: object) -> str:
    if not isinstance(concept, Mapping) or not isinstance(concept.get("coding", []), list):
        return ""
    return concept_text(concept)[:300]
