"""A patient's record for one session: read once, kept in memory, never on disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from core.errors import DataError

if TYPE_CHECKING:
    from verticals.medical.patient.record import PatientSummary

LARGEST = 25 * 2**20  # bytes of a FHIR bundle


@dataclass(frozen=True)
class Record:
    """A FHIR bundle and what was read from it."""

    bundle: Mapping[str, Any]
    summary: PatientSummary


def read_record(path: Path) -> Record:
    """The record of a FHIR R4 bundle.

    Raises:
        DataError: Too large, not JSON, or no R4 bundle of one patient; names the field.
    """
    from verticals.medical.patient.fhir import read_patient

    if path.stat().st_size > LARGEST:
        raise DataError(
            f"the file has more than {LARGEST // 2**20} MB",
            where=path.name,
            remedy="Export one patient only",
        )
    payload = path.read_bytes()
    summary = read_patient(payload)
    return Record(orjson.loads(payload), summary)
