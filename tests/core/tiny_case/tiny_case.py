"""A client's own case in one module: a logistic score whose weights are a JSON file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

WEIGHTS = {"income": -0.0001, "age": -0.01, "intercept": 1.0}


class TinyParameters(BaseModel):
    """Nothing to set."""


class TinyInput(BaseModel):
    """One applicant."""

    model_config = ConfigDict(extra="forbid")

    income: float = Field(ge=0, le=1e7)
    age: int = Field(ge=18, le=120)
    purpose: Literal["car", "home"] = "car"
    note: str | None = Field(None, max_length=50)


class TinyReason(BaseModel):
    """One reason."""

    model_config = ConfigDict(extra="forbid")

    text: str
    effect: float


class TinyOutput(BaseModel):
    """One answer."""

    model_config = ConfigDict(extra="forbid")

    risk: float = Field(ge=0, le=1)
    decision: Literal["approve", "decline"]
    reasons: list[TinyReason] = []


class TinyPredictor:
    """Scores rows; `slow` seconds are slept before each answer."""

    input_model = TinyInput
    output_model = TinyOutput

    def __init__(self, weights: dict[str, float], slow: float = 0.0) -> None:
        self.weights, self.slow = weights, slow

    def predict(self, inputs: list[BaseModel]) -> list[BaseModel]:
        """One answer an applicant."""
        if self.slow:
            import time

            time.sleep(self.slow)
        frame = pd.DataFrame([row.model_dump() for row in inputs])
        answers = self.predict_table(frame).to_dict(orient="records")
        return [TinyOutput.model_validate(answer) for answer in answers]

    def predict_table(self, frame: pd.DataFrame, *, reasons: bool = True) -> pd.DataFrame:
        """One output row per input row."""
        income = pd.to_numeric(frame["income"]).to_numpy(dtype=float)  # text, from a CSV
        age = pd.to_numeric(frame["age"]).to_numpy(dtype=float)
        w = self.weights
        z = np.clip(w["intercept"] + w["income"] * income + w["age"] * age, -500, 500)
        risk = 1 / (1 + np.exp(-z))
        answer = pd.DataFrame({"risk": risk}, index=frame.index)
        answer["decision"] = np.where(risk < 0.5, "approve", "decline")
        if reasons:
            answer["reasons"] = [
                [{"text": "income", "effect": float(v)}] for v in w["income"] * income
            ]
        return answer


def open_predictor(folder: Path, manifest: Any) -> TinyPredictor:
    """The predictor behind a bundle's folder."""
    return TinyPredictor(json.loads((folder / "weights.json").read_text()))


def _step(*_: Any) -> None:
    """Every other step: not needed here."""


load = check = split = fit = evaluate = pack = _step
PARAMETERS = {"tiny": TinyParameters}
NOTEBOOKS = {"tiny": Path(__file__)}
