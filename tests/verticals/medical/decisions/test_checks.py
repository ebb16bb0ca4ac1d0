"""The checks of checks.yaml, written so that a clinician can read and add to them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from verticals.medical.decisions.cards import cards_for
from verticals.medical.patient.drugs import DrugNames
from verticals.medical.patient.record import Condition, Lab, Medicine, PatientSummary

CHECKS = yaml.safe_load(Path(__file__).with_name("checks.yaml").read_text(encoding="utf-8"))
TAKEN_ON = datetime(2026, 6, 1, tzinfo=UTC)


def patient(check: dict[str, Any]) -> PatientSummary:
    """The patient of a check."""
    names, labs = DrugNames.open(), {}
    if "creatinine" in check:
        labs["2160-0"] = Lab(loinc="2160-0", name="Creatinine", value=check["creatinine"],
                             unit="mg/dL", taken=TAKEN_ON)  # fmt: skip
    return PatientSummary(
        birth_date=check.get("born"),
        gender=check.get("sex", ""),
        conditions=tuple(Condition(name=c) for c in check.get("conditions", ())),
        medicines=tuple(
            Medicine(name=m, ingredients=names.ingredients(m)) for m in check.get("taken", ())
        ),
        allergies=tuple(check.get("allergies", ())),
        labs=labs,
    )


@pytest.mark.parametrize("check", CHECKS, ids=[c["name"] for c in CHECKS])
def test_says_what_a_clinician_expects(check: dict[str, Any]) -> None:
    cards = cards_for(patient(check), (check["order"],))
    grave = [c for c in cards if c.indicator in ("warning", "critical")]
    if not check["grave"]:
        assert [c.summary for c in grave] == []
        return
    told = [f"{c.summary} {c.detail}".lower() for c in grave]
    assert any(all(word in text for word in check["says"]) for text in told), told
