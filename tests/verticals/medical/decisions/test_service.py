from __future__ import annotations

import json
import logging
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from verticals.medical.answer import Answer, Evidence
from verticals.medical.decisions.hooks import HookRequest, read_call
from verticals.medical.decisions.service import SERVICES, cards, outcome_file

ORDER, VIEW = "/cds-services/casekit-order-select", "/cds-services/casekit-patient-view"


def test_discovery_lists_what_the_protocol_asks_for(cds) -> None:
    services = cds.get("/cds-services").json()["services"]
    assert {s["hook"] for s in services} == {"patient-view", "order-select"}
    for service in services:
        assert set(service) == {"hook", "id", "title", "description", "prefetch"}
        assert "{{context.patientId}}" in service["prefetch"]["medications"]
        assert service["id"] in SERVICES


def well_formed(card: dict[str, Any]) -> bool:
    """By the card's definition in CDS Hooks 2.0."""
    links = all(link["type"] in ("absolute", "smart") for link in card.get("links", ()))
    return (
        0 < len(card["summary"]) < 140
        and card["indicator"] in ("info", "warning", "critical")
        and bool(card["source"]["label"])
        and bool(card["uuid"])
        and links
    )


def test_an_nsaid_with_warfarin_is_answered_by_a_grave_card(cds, call) -> None:
    answer = cds.post(ORDER, json=call("atrial_fibrillation", "Ibuprofen 400 MG Oral Tablet"))
    assert answer.status_code == 200
    cards = answer.json()["cards"]
    assert all(well_formed(c) for c in cards)
    assert len({c["uuid"] for c in cards}) == len(cards)
    grave = [c for c in cards if c["indicator"] in ("warning", "critical")]
    assert any("warfarin" in c["summary"].lower() for c in grave)
    assert any("egfr 37" in f"{c['summary']} {c['detail']}".lower() for c in grave)


def test_penicillin_is_answered_by_the_allergy(cds, call) -> None:
    cards = cds.post(ORDER, json=call("pregnancy", "Amoxicillin 500 MG")).json()["cards"]
    grave = [c for c in cards if c["indicator"] != "info"]
    assert any("allerg" in f"{c['summary']} {c['detail']}".lower() for c in grave)


def test_a_harmless_order_does_not_interrupt(cds, call) -> None:
    cards = cds.post(ORDER, json=call("pregnancy", "Acetaminophen 500 MG")).json()["cards"]
    assert all(c["indicator"] == "info" for c in cards)


def test_the_gravest_card_comes_first(cds, call) -> None:
    cards = cds.post(VIEW, json=call("heart_failure")).json()["cards"]
    rank = [("critical", "warning", "info").index(c["indicator"]) for c in cards]
    assert rank == sorted(rank)


def test_what_was_not_sent_is_said(cds, call) -> None:
    body = call("pregnancy", "Acetaminophen 500 MG")
    del body["prefetch"]["allergies"]
    cards = cds.post(ORDER, json=body).json()["cards"]
    assert any("Not checked: allergies" in c["summary"] for c in cards)


def test_without_the_patient_it_is_412(cds, call) -> None:
    body = call()
    del body["prefetch"]["patient"]
    answer = cds.post(VIEW, json=body)
    assert answer.status_code == 412
    assert answer.headers["content-type"] == "application/problem+json"
    assert "patient not sent" in answer.json()["detail"]
    assert answer.json()["remedy"]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"hook": "order-sign"}, 400),
        ({"hookInstance": "no uuid"}, 422),
        ({"context": {}}, 422),
        ({"prefetch": []}, 422),
        ({"prefetch": {"patient": {"resourceType": "Patient"}, "medications": {
            "resourceType": "Bundle", "entry": [{"resource": {
                "resourceType": "MedicationStatement", "medication": {}}}]}}}, 422),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_and_no_value_told(cds, call, change, status) -> None:
    answer = cds.post(VIEW, json=call() | change)
    assert answer.status_code == status
    assert answer.json()["detail"]
    assert "Muster" not in answer.text


def test_unknown_services_and_broken_bodies(cds) -> None:
    assert cds.post("/cds-services/other", json={}).status_code == 404
    assert cds.post("/cds-services/other/feedback", json={}).status_code == 404
    assert cds.post(VIEW, content=b"{").status_code == 400
    assert cds.get("/cds-services/casekit-patient-view").status_code == 405


def test_outcomes_are_kept_without_personal_data(cds) -> None:
    outcome = {
        "card": "4e0a3a1e-3283-4575-ab82-028d55fe2719",
        "outcome": "overridden",
        "outcomeTimestamp": "2026-11-23T10:00:00Z",
        "overrideReason": {
            "reason": {"code": "monitored", "system": "urn:x"},
            "userComment": "Dr. Smith knows, call 555-186-2275",
        },
    }
    answer = cds.post(f"{VIEW}/feedback", json={"feedback": [outcome]})
    assert answer.status_code == 200
    kept = json.loads(outcome_file().read_text())
    assert kept["outcome"] == "overridden"
    assert kept["overrideReason"]["userComment"] == "<name> knows, call <phone>"
    bad = {"feedback": [outcome | {"outcome": "maybe"}]}
    assert cds.post(f"{VIEW}/feedback", json=bad).status_code == 422


def test_nothing_of_the_patient_is_logged(cds, call, caplog) -> None:
    with caplog.at_level(logging.DEBUG):
        cds.post(ORDER, json=call("atrial_fibrillation", "Ibuprofen 400 MG"))
        cds.post(VIEW, json=call() | {"prefetch": {"patient": {"name": "Muster"}}})
    assert "Muster" not in caplog.text
    assert "1954" not in caplog.text


def evidence(quote: str) -> Evidence:
    return Evidence(
        quote=quote, document="g/1", start=0, end=len(quote), title="Acute kidney injury",
        grade="guideline", direction="unclear", direction_probability=0.4, support=0.9,
        organisation="KDIGO", doi="10.1/x", link="https://doi.org/10.1/x", note="summary",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("quote", "shown"),
    [
        ("Avoid ibuprofen in chronic kidney disease.", True),
        ("Avoid every nsaid there.", True),
        ("Use ice packs.", False),
    ],
)
def test_a_guideline_is_cited_only_if_it_names_the_order(monkeypatch, call, quote, shown) -> None:
    found = Answer(status="answered", confidence=0.9, evidence=[evidence(quote)])
    monkeypatch.setattr("verticals.medical.answering.answer", lambda *_: found)
    body = call("atrial_fibrillation", "Ibuprofen 400 MG Oral Tablet")
    told = cards(read_call(HookRequest.model_validate(body)), engine=object())  # type: ignore[arg-type]
    cited = [c for c in told if c.source.label.startswith("KDIGO, doi")]
    assert bool(cited) == shown
    for card in cited:
        assert f"> {quote}" in card.detail
        assert card.source.url == "https://doi.org/10.1/x"
        assert card.indicator == "info"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["resourceType", "entry", "resource", "id", "code", "text", "coding"]),
        inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_any_body_is_answered(cds, call, data) -> None:
    body = call("atrial_fibrillation", "Ibuprofen 400 MG")
    for _ in range(data.draw(st.integers(1, 3))):
        holder: Any = data.draw(st.sampled_from([body, body["context"], body["prefetch"]]))
        if isinstance(holder, dict) and holder:
            holder[data.draw(st.sampled_from(sorted(holder)))] = data.draw(VALUES)
        body.setdefault("context", {})
        if not isinstance(body["context"], dict) or not isinstance(body["prefetch"], dict):
            break
    assert cds.post(ORDER, json=body).status_code in (200, 400, 412, 422)


def test_a_warm_call_takes_well_under_300_ms(cds, call) -> None:
    body = call("heart_failure", "Ibuprofen 400 MG", "Digoxin 0.125 MG")
    cds.post(ORDER, json=body)
    seconds = []
    for _ in range(20):
        start = time.perf_counter()
        cds.post(ORDER, json=body)
        seconds.append(time.perf_counter() - start)
    assert np.median(seconds) < 0.3  # p95 46 ms on a free core: bench/medical/decisions.py
