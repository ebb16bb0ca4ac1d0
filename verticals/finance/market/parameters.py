"""The market case's parameters cell, as one checked model."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

MarketBudget = Literal["quick", "standard"]
Method = Literal["hs", "garch_normal", "garch_t", "gjr_t", "fhs"]

WINDOW = 500
REFIT = 20
SEED = 20261123


class MarketParameters(BaseModel):
    """What a consultant sets to run the market case on a client's prices."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data: str = Field(
        "stocks",
        description="stocks, sp500_index, sp500, nasdaq, wti, or a path or URL of a table of "
        "prices: a date column and one column an asset, or date, asset, price.",
    )
    date: str | None = Field(None, description="Column of the date; found by itself by default.")
    assets: tuple[str, ...] = Field((), description="Assets to hold; all by default.")
    weights: dict[str, float] = Field(
        {}, description="Today's share of each asset in value; equal by default. They sum to 1."
    )
    missing: Literal["refuse", "drop"] = Field(
        "refuse", description="What to do with days on which some asset has no price."
    )
    until: str | None = Field(None, description="Last day to use, as 2018-12-31; all by default.")
    method: Method = Field(
        "fhs", description="Method whose figures lead: filtered historical simulation by default."
    )
    level: Annotated[float, Field(ge=0.9, le=0.995)] = Field(
        0.99, description="Confidence level of the value at risk in charts and backtests."
    )
    horizon: Annotated[int, Field(ge=2, le=20)] = Field(
        10, description="Trading days of the longer horizon, beside one day."
    )
    days: Annotated[int, Field(ge=250, le=5000)] = Field(
        1000, description="Last trading days that the forecasts are tested on."
    )
    window: Annotated[int, Field(ge=250, le=5000)] = Field(
        WINDOW, description="Trading days that a volatility model learns from."
    )
    refit: Annotated[int, Field(ge=1, le=250)] = Field(
        REFIT, description="Trading days between two fits of a volatility model."
    )
    cost: Annotated[float, Field(ge=0, le=500)] = Field(
        10.0, description="Cost of a trade in basis points of the traded value."
    )
    max_weight: Annotated[float, Field(gt=0, le=1)] = Field(
        0.15, description="Largest share of one asset in a new allocation."
    )
    references: tuple[Literal["sp500", "nasdaq", "wti", "sp500_index"], ...] = Field(
        ("sp500", "nasdaq"), description="Public indices backtested beside the portfolio."
    )
    budget: MarketBudget = Field("quick", description="quick or standard (more simulations).")
    seed: int = Field(SEED, ge=0, description="Seed of every random choice.")
    out: str = Field("runs", description="Folder that receives the run.")
    language: Literal["en", "zh"] = Field("en", description="Language of report and verdicts.")

    @model_validator(mode="after")
    def _weights_fit_assets(self) -> MarketParameters:
        unknown = sorted(set(self.weights) - set(self.assets)) if self.assets else []
        if unknown:
            raise ValueError(f"weights name {unknown[0]!r}, which is not among the assets")
        if self.weights and not all(math.isfinite(w) for w in self.weights.values()):
            raise ValueError("weights must be finite numbers")
        if self.weights and abs(sum(self.weights.values()) - 1) > 1e-6:
            raise ValueError(f"weights sum to {sum(self.weights.values()):g}, not 1")
        return self

    @property
    def paths(self) -> int:
        """Simulated paths a day in the backtest of the longer horizon."""
        return 1000 if self.budget == "quick" else 10_000
