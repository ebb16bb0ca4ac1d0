"""The credit case's parameters cell, as one checked model."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Budget = Literal["quick", "standard", "thorough"] | Annotated[float, Field(gt=0)]
Language = Literal["en", "zh"]


class CreditParameters(BaseModel):
    """What a consultant sets to run the credit case on a client's book."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data: str = Field(
        "german_credit",
        description="german_credit, give_me_some_credit, or a path or URL of CSV, TSV, Excel, "
        "Parquet, JSON lines or a database (sqlite:///book.db::table).",
    )
    target: str | None = Field(None, description="Column that says whether a loan went bad.")
    positive: str | int | float | bool | None = Field(
        None, description="Value of the target that means bad; by default the rarer one of two."
    )
    time: str | None = Field(None, description="Column of the application date, for time splits.")
    group: str | None = Field(None, description="Column of the customer, kept on one side.")
    fold: str | None = Field(
        None, description="Column of an agreed split: -1 is the sealed test, others are folds."
    )
    protected: tuple[str, ...] = Field(
        (), description="Columns used to check fairness, never to decide."
    )
    proxies: tuple[str, ...] = Field(
        (), description="Columns that stand in for a protected one: never named as a reason."
    )
    reasons: str | None = Field(
        None,
        description="YAML file with the confirmed wording of reasons; the reasons.yaml of an "
        "earlier bundle is a start. Without it a draft is made from the column names.",
    )
    exposure: str | None = Field(None, description="Column of the amount at risk.")
    columns: dict[str, str] = Field(
        {},
        description="Corrections of what was detected: number, category, date, text, drop; "
        "for example {'opened': 'date:%d.%m.%Y'}.",
    )
    budget: Budget = Field("quick", description="quick, standard, thorough, or seconds.")
    seed: int = Field(20261123, ge=0, description="Seed of every random choice.")
    out: str = Field("runs", description="Folder that receives the run.")
    language: Language = Field("en", description="Language of report and reasons.")
