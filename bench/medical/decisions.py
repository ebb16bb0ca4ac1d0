"""Which orders are warned of, which are left in peace, and how long a CDS Hooks call takes.

    python -m bench.medical.decisions

The pairs are the developers' (ONC high priority: must alert; ONC non-interruptive: must not
interrupt), where they lie beside the checkout; the calls are those of the made-up patients.
"""

from __future__ import annotations

import csv
import time
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from bench.machine import machine, write_result
from verticals.medical.data import SAMPLES, sample_patients
from verticals.medical.decisions.cards import cards_for
from verticals.medical.decisions.hooks import HookRequest, read_call
from verticals.medical.decisions.service import cards
from verticals.medical.patient.drugs import DrugNames
from verticals.medical.patient.record import Medicine, PatientSummary

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "medical" / "ddi"
ORDERS = ("Ibuprofen 400 MG Oral Tablet", "Amoxicillin 500 MG", "Digoxin 0.125 MG Oral Tablet")
CALLS = 200


def main() -> None:
    """Measure both; write bench/results/medical_decisions.json."""
    result: dict[str, Any] = {"machine": machine("fhir.resources", "rapidfuzz", "pydantic")}
    result["calls"] = calls()
    result["headline"] = {
        "CDS Hooks call without passages, ms (p95)": result["calls"]["ms_p95"],
    }
    if SHARED.is_dir():
        result["pairs"] = {
            name: pairs(SHARED / f"onc_{name}_pairs.tsv")
            for name in ("high_priority", "non_interruptive")
        }
        result["headline"] |= {
            "ONC high-priority pairs that alert, share": result["pairs"]["high_priority"]["grave"],
            "ONC non-interruptive pairs that interrupt, share": result["pairs"]["non_interruptive"][
                "grave"
            ],
        }
    write_result("medical_decisions", result)


def pairs(file: Path) -> dict[str, float]:
    """Share of pairs, one medicine taken and the other ordered, that a grave card answers."""
    names = DrugNames.open()
    grave = told = rows = 0
    with file.open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            taken = Medicine(name=row["drug_a"], ingredients=names.find(row["drug_a"]))
            found = cards_for(PatientSummary(medicines=(taken,)), (row["drug_b"],))
            grave += any(card.indicator != "info" for card in found)
            told += bool(found)
            rows += 1
    return {"pairs": rows, "grave": round(grave / rows, 4), "any_card": round(told / rows, 4)}


def calls() -> dict[str, float]:
    """Milliseconds from a parsed body to cards, over the made-up patients and three orders."""
    bodies = [body(name, order) for name in sample_patients() for order in ORDERS]
    for given in bodies:
        cards(read_call(HookRequest.model_validate(given)))
    seconds = []
    for number in range(CALLS):
        start = time.perf_counter()
        cards(read_call(HookRequest.model_validate(bodies[number % len(bodies)])))
        seconds.append(time.perf_counter() - start)
    return {
        "calls": CALLS,
        "ms_median": round(1e3 * float(np.median(seconds)), 1),
        "ms_p95": round(1e3 * float(np.quantile(seconds, 0.95)), 1),
    }


def body(patient: str, order: str) -> dict[str, Any]:
    """An order-select call for a made-up patient."""
    bundle = orjson.loads((SAMPLES / f"{patient}.json").read_bytes())
    person = next(
        e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == "Patient"
    )
    draft = {
        "resourceType": "MedicationRequest", "id": "d", "status": "draft", "intent": "order",
        "subject": {"reference": f"Patient/{person['id']}"},
        "medicationCodeableConcept": {"text": order},
    }  # fmt: skip
    return {
        "hook": "order-select",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {
            "userId": "Practitioner/1", "patientId": person["id"],
            "selections": ["MedicationRequest/d"],
            "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": draft}]},
        },
        "prefetch": {"patient": person, "medications": bundle, "conditions": None,
                     "allergies": None, "observations": None},
    }  # fmt: skip


if __name__ == "__main__":
    main()
