"""The parameters cell of the driving notebook on decisions, as a checked model."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Language = Literal["en", "zh"]
Budget = Literal["quick", "standard", "thorough"]
Road = Literal["motorway", "merge", "street", "intersection"]


class DecisionParameters(BaseModel):
    """What a consultant sets to judge who decides: a policy, its shield, and their scenarios."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data: str = Field(
        default="library",
        description="library (the scenarios that come with the case), or a YAML file of your own "
        "scenarios.",
    )
    road: Road = Field(
        default="motorway",
        description="Where the live training drives: motorway, merge, street or intersection.",
    )
    policy: str = Field(
        default="shipped",
        description="shipped, or a folder with one policy for each road, as fit_policy saves them.",
    )
    budget: Budget = Field(
        default="quick",
        description="How long the live training learns: quick (half a minute), standard (ten "
        "minutes) or thorough (an hour).",
    )
    episodes: int = Field(
        default=100, ge=20, le=100_000,
        description="Episodes that every driver drives on every road, from seeds never trained on.",
    )  # fmt: skip
    level: float = Field(
        default=0.05, gt=0, lt=0.5, description="Level of the test in the gate between two drivers."
    )
    language: Language = Field(default="en", description="Language of the report: en or zh.")
    seed: int = Field(default=0, ge=0, lt=1_000_000, description="Everything follows from it.")
    out: str = Field(default="runs", description="Folder that receives the run's folder.")
