"""What the credit model answers for one applicant."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Reason(BaseModel):
    """One principal reason, in words an applicant understands."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str = Field(description="Stable code of the reason.")
    text: str = Field(description="The reason as it goes into a notice.")
    features: list[str] = Field(description="Columns behind the reason.")
    effect: float = Field(description="Log-odds of default added against the reference.")


class CreditAnswer(BaseModel):
    """Probability of default with its interval, the decision and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pd: float = Field(ge=0, le=1, description="Probability of default.")
    pd_low: float = Field(ge=0, le=1, description="Lower end of the 90% interval.")
    pd_high: float = Field(ge=0, le=1, description="Upper end of the 90% interval.")
    points: float = Field(description="Points on the score scale: higher is safer.")
    decision: Literal["approve", "refer", "decline"]
    reasons: list[Reason] = Field(
        default_factory=list, description="Up to four principal reasons, strongest first."
    )
