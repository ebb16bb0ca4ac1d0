"""Calls of the CDS service, as an electronic health record makes them."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from core.serving.case_routes import RouteTools
from core.serving.problems import ProblemError
from verticals.medical.data import SAMPLES
from verticals.medical.decisions.service import service_routes

_KEYS = {
    "medications": "MedicationRequest", "conditions": "Condition",
    "allergies": "AllergyIntolerance", "observations": "Observation",
}  # fmt: skip


@pytest.fixture(scope="session")
def cds() -> TestClient:
    """The service without keys or limits, and without a corpus."""
    app = FastAPI(exception_handlers={ProblemError: lambda _, error: error.response()})

    async def run(work: Callable[[], Any]) -> Any:
        return await asyncio.to_thread(work)

    tools = RouteTools(SimpleNamespace(), (), lambda request: request.body(), run)
    service_routes(app, tools)
    return TestClient(app)


@pytest.fixture
def call() -> Callable[..., dict[str, Any]]:
    """The body of a call for a made-up patient, with the medicines being ordered."""

    def body(patient: str = "atrial_fibrillation", *orders: str) -> dict[str, Any]:
        bundle = orjson.loads((SAMPLES / f"{patient}.json").read_bytes())
        resources = [e["resource"] for e in bundle["entry"]]
        person = next(r for r in resources if r["resourceType"] == "Patient")
        prefetch: dict[str, Any] = {"patient": person}
        for key, kind in _KEYS.items():
            found = [{"resource": r} for r in resources if r["resourceType"] == kind]
            prefetch[key] = {"resourceType": "Bundle", "type": "searchset", "entry": found}
        drafts = [
            {"resourceType": "MedicationRequest", "id": f"d{i}", "status": "draft",
             "intent": "order", "subject": {"reference": f"Patient/{person['id']}"},
             "medicationCodeableConcept": {"text": name}}
            for i, name in enumerate(orders)
        ]  # fmt: skip
        context = {"userId": "Practitioner/1", "patientId": person["id"]}
        if orders:
            listed = [{"resource": d} for d in drafts]
            context |= {
                "selections": [f"MedicationRequest/{d['id']}" for d in drafts],
                "draftOrders": {"resourceType": "Bundle", "entry": listed},
            }  # fmt: skip
        return copy.deepcopy(
            {
                "hook": "order-select" if orders else "patient-view",
                "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
                "context": context,
                "prefetch": prefetch,
            }
        )

    return body
