"""`results.json` is a public contract: its schema is in the repository."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from core.deployment import results
from core.deployment.results import Measurement, Results


def test_the_schema_in_the_repository_is_the_models_own() -> None:
    stored = Path(results.__file__).with_name("results.schema.json")
    assert json.loads(stored.read_text(encoding="utf-8")) == Results.model_json_schema()


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_measurement_is_a_finite_number(value: float) -> None:
    with pytest.raises(ValidationError):
        Measurement(metric="roc_auc", value=value, n=1, split="test", model="m")


def test_the_contract_holds_the_promised_fields() -> None:
    wanted = {"case", "run_id", "parameters", "seed", "versions", "data", "results", "timings",
              "bundle"}  # fmt: skip
    assert set(Results.model_fields) == wanted
    assert {"metric", "value", "low", "high", "n", "split", "model", "baseline"} <= set(
        Measurement.model_fields
    )
