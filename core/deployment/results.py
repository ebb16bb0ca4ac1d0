"""`results.json`: what one run measured, as a public contract.

Reports, README tables, cards and leaderboards are rendered from it and from nothing else.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Split = Literal["train", "validation", "public", "private", "test", "time", "backtest"]


class Measurement(BaseModel):
    """One metric of one model on one split, beside its baseline."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    metric: str = Field(description="Name of the metric, in lower snake case, e.g. roc_auc.")
    value: float
    low: float | None = Field(None, description="Lower end of the 95% confidence interval.")
    high: float | None = Field(None, description="Upper end of the 95% confidence interval.")
    n: int = Field(description="Number of observations behind the value.")
    split: Split = Field(description="Which data the model was measured on.")
    model: str
    baseline: float | None = Field(None, description="The same metric of the baseline model.")
    baseline_model: str | None = Field(None, description="Which model the baseline is.")


class Results(BaseModel):
    """Everything one run measured, and what it takes to run it again."""

    model_config = ConfigDict(extra="forbid")

    case: str
    run_id: str
    parameters: dict[str, Any]
    seed: int
    versions: dict[str, str] = Field(description="Python, casekit and the libraries that matter.")
    data: dict[str, Any] = Field(description="At least `fingerprint` (SHA-256) and `rows`.")
    results: list[Measurement]
    timings: dict[str, float] = Field(description="Seconds by step.")
    bundle: str | None = Field(None, description="Path of the bundle, relative to results.json.")
