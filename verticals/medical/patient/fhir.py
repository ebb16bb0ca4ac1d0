"""Reads a FHIR R4 bundle of one patient into a summary: what is true of them today.

Each resource that is used is validated by `fhir.resources`; an invalid one is left out with a
warning that names its place and field, never its content.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from core.errors import ModelError
from verticals.medical.patient.bundle import LIMIT_BYTES, Entry, OpenedBundle, open_bundle
from verticals.medical.patient.drugs import DrugNames
from verticals.medical.patient.record import (
    Condition,
    Lab,
    Medicine,
    PatientSummary,
    Report,
)
from verticals.medical.patient.reports import report_texts

Resource = Mapping[str, Any]

# R4B differs from R4 in none of these (fhir.resources keeps R4B and dropped R4 in version 8).
_USED = {
    "Patient", "Condition", "AllergyIntolerance", "MedicationRequest", "MedicationStatement",
    "Medication", "Observation", "DiagnosticReport", "DocumentReference", "Binary",
}  # fmt: skip
_ACTIVE = {"active", "recurrence", "relapse"}
_UNTRUE = {"refuted", "entered-in-error"}
_NOT_ORDERED = {"proposal", "option"}  # intents that are no orders and no reports of use
_VOID = {"entered-in-error", "cancelled"}
_LOINC = "http://loinc.org"
_PREGNANCY_STATUS, _PREGNANT = "82810-3", "77386006"  # LOINC, SNOMED CT
_MOST_WARNINGS = 40


def read_patient(
    source: Path | str | bytes | Mapping[str, Any],
    *,
    names: DrugNames | None = None,
    limit_bytes: int = LIMIT_BYTES,
) -> PatientSummary:
    """What a record says of its patient today.

    Active are conditions and allergies by their clinical status, neither refuted nor entered in
    error, and medicines whose request or statement is active. Of every measurement with a LOINC
    code the latest value counts, parts of a panel (blood pressure) too; of two at the same time
    the first.

    Args:
        source: FHIR R4 bundle: a .json or .json.gz file, its bytes, or the parsed object.
        names: Lexicon that finds generic names; opened if not given.
        limit_bytes: Refuse a larger record, in bytes unpacked.

    Raises:
        DataError: No JSON, no bundle, another version of FHIR, no patient or several, too large;
            says where and what to do.
    """
    bundle = open_bundle(source, limit_bytes=limit_bytes)
    warnings = list(bundle.strange)
    valid = [e for e in bundle.entries if e.kind in _USED and _valid(e, bundle, warnings)]
    names = names or _lexicon(warnings)

    def of(kind: str) -> list[Entry]:
        return [e for e in valid if e.kind == kind]

    reports = report_texts(of("DiagnosticReport"), of("DocumentReference"), bundle, warnings)
    return PatientSummary(
        birth_date=_day(bundle.patient.data.get("birthDate")),
        gender=_text(bundle.patient.data.get("gender"))[:20],
        deceased=_deceased(bundle.patient.data),
        conditions=_conditions(of("Condition"), of("Observation")),
        medicines=_medicines(of("MedicationRequest"), of("MedicationStatement"), bundle, names),
        allergies=_allergies(of("AllergyIntolerance")),
        labs=_labs(of("Observation"), warnings),
        reports=tuple(Report(title=t, text=x, issued=moment(d)) for t, x, d in reports),
        resources=bundle.counts(),
        warnings=_shortened(warnings),
    )


def moment(value: object) -> datetime | None:
    """A FHIR date or dateTime as a moment; of a date, midnight UTC; None if it is neither."""
    if not isinstance(value, str):
        return None
    text = {4: f"{value}-01-01", 7: f"{value}-01"}.get(len(value), value)
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _valid(entry: Entry, bundle: OpenedBundle, warnings: list[str]) -> bool:
    """Whether a resource is R4 and about this patient; if not, a warning says why."""
    from pydantic import ValidationError

    try:
        _model(entry.kind).model_validate(entry.data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field = ".".join(str(part)[:40] for part in first["loc"]) or "as a whole"
        warnings.append(f"{entry.place} left out: {field} is not valid in R4 ({first['type']})")
        return False
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        # What fhir.resources lets through on odd contained resources and keys.
        warnings.append(f"{entry.place} left out: not valid in R4 ({type(error).__name__})")
        return False
    if entry.kind != "Patient" and bundle.foreign(entry.data):
        warnings.append(f"{entry.place} left out: its subject is not this patient")
        return False
    return True


@cache
def _model(kind: str) -> Any:
    return getattr(importlib.import_module(f"fhir.resources.R4B.{kind.lower()}"), kind)


def _lexicon(warnings: list[str]) -> DrugNames | None:
    try:
        return DrugNames.open()
    except ModelError:
        warnings.append("ingredients of medicines are unknown: the drug names are not installed")
        return None


def _conditions(conditions: list[Entry], observations: list[Entry]) -> tuple[Condition, ...]:
    found: dict[str, Condition] = {}
    for entry in conditions:
        condition, name = entry.data, concept_text(entry.data.get("code"))
        if name and _true_today(condition):
            code, system = _coding(condition.get("code"))
            onset = _day(condition.get("onsetDateTime") or condition.get("recordedDate"))
            found.setdefault(name, Condition(name=name, code=code, system=system, onset=onset))
    if _said_pregnant(observations):
        pregnant = Condition(name="Pregnant", code=_PREGNANT, system="http://snomed.info/sct")
        found.setdefault("Pregnant", pregnant)
    return tuple(found[name] for name in sorted(found))


def _true_today(resource: Resource) -> bool:
    """By clinical and verification status; without a status, unless it has abated."""
    if _codes(resource.get("verificationStatus")) & _UNTRUE:
        return False
    status = _codes(resource.get("clinicalStatus"))
    ended = any(key.startswith("abatement") for key in resource)
    return bool(status & _ACTIVE) if status else not ended


def _said_pregnant(observations: list[Entry]) -> bool:
    """Whether the latest pregnancy status (LOINC 82810-3) says pregnant."""
    said = [
        (when, _codes(o.data.get("valueCodeableConcept")))
        for o in observations
        if _loinc(o.data.get("code")) == _PREGNANCY_STATUS and (when := _taken(o.data))
    ]
    return bool(said) and _PREGNANT in max(said, key=lambda pair: pair[0])[1]


def _medicines(
    requests: list[Entry], statements: list[Entry], bundle: OpenedBundle, names: DrugNames | None
) -> tuple[Medicine, ...]:
    found: dict[str, Medicine] = {}
    for entry in (*requests, *statements):
        medicine = entry.data
        if medicine.get("status") != "active" or medicine.get("doNotPerform"):
            continue
        if entry.kind == "MedicationRequest" and medicine.get("intent") in _NOT_ORDERED:
            continue
        concept = medicine.get("medicationCodeableConcept")
        pointer = medicine.get("medicationReference") or {}
        if concept is None:
            concept = (bundle.resolve(pointer.get("reference"), medicine) or {}).get("code")
        name = concept_text(concept) or _text(pointer.get("display"))
        if name and name not in found:
            parts = names.ingredients(name) if names else ()
            found[name] = Medicine(name=name, ingredients=parts, code=_coding(concept)[0])
    return tuple(found[name] for name in sorted(found))


def _allergies(entries: list[Entry]) -> tuple[str, ...]:
    found = set()
    for entry in entries:
        substances = [r.get("substance") for r in entry.data.get("reaction") or ()]
        told = [concept_text(c) for c in (entry.data.get("code"), *substances)]
        name = next((t for t in told if t), "")
        if name and _true_today(entry.data) and not name.lower().startswith("no known"):
            found.add(name)
    return tuple(sorted(found))


def _labs(observations: list[Entry], warnings: list[str]) -> dict[str, Lab]:
    """Latest value by LOINC code."""
    latest: dict[str, Lab] = {}
    undated = 0
    for entry in observations:
        observation = entry.data
        if observation.get("status") in _VOID:
            continue
        taken = _taken(observation)
        for part in (observation, *(observation.get("component") or ())):
            code, quantity = _loinc(part.get("code")), part.get("valueQuantity")
            value = _number(quantity)
            if not code or value is None:
                continue
            if taken is None:
                undated += 1
            elif code not in latest or taken > latest[code].taken:
                latest[code] = Lab(
                    loinc=code, name=concept_text(part.get("code")), value=value,
                    unit=_text(quantity.get("unit") or quantity.get("code")), taken=taken,
                    comparator=_text(quantity.get("comparator")),
                )  # fmt: skip
    if undated:
        warnings.append(f"{undated} measurements without a date left out")
    return latest


def _taken(observation: Resource) -> datetime | None:
    period = observation.get("effectivePeriod") or {}
    moments = (
        observation.get("effectiveDateTime"), observation.get("effectiveInstant"),
        period.get("end"), period.get("start"), observation.get("issued"),
    )  # fmt: skip
    return next((when for value in moments if (when := moment(value))), None)


def concept_text(concept: Resource | None) -> str:
    """What a CodeableConcept is called: its text, else the first display, else a code."""
    if not isinstance(concept, Mapping):
        return ""
    codings = [c for c in concept.get("coding") or () if isinstance(c, Mapping)]
    told = [concept.get("text"), *(c.get("display") for c in codings)]
    told += [c.get("code") for c in codings]
    return next((t.strip() for t in told if isinstance(t, str) and t.strip()), "")


def _coding(concept: Resource | None) -> tuple[str, str]:
    """(code, system) of the first coding."""
    codings: Any = (concept.get("coding") if concept else None) or ({},)
    return _text(codings[0].get("code")), _text(codings[0].get("system"))


def _codes(concept: Resource | None) -> set[str]:
    return {_text(c.get("code")) for c in (concept or {}).get("coding") or ()} - {""}


def _loinc(concept: Resource | None) -> str:
    codings: Any = concept.get("coding") or () if concept else ()
    return next((_text(c.get("code")) for c in codings if c.get("system") == _LOINC), "")


def _number(quantity: Resource | None) -> float | None:
    try:
        value = float((quantity or {})["value"])
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    return value if math.isfinite(value) else None


def _day(value: object) -> date | None:
    when = moment(value)
    return when.date() if when else None


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _deceased(patient: Resource) -> bool:
    return patient.get("deceasedBoolean") is True or bool(_text(patient.get("deceasedDateTime")))


def _shortened(warnings: list[str]) -> tuple[str, ...]:
    more = len(warnings) - _MOST_WARNINGS
    return (*warnings[:_MOST_WARNINGS], *((f"… and {more} more",) if more > 0 else ()))
