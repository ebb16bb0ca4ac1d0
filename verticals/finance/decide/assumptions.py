"""What data cannot tell and decisions rest on: read from YAML, checked, and shown as a table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.errors import ParameterError

DEFAULTS = Path(__file__).with_name("assumptions.yaml")

Share = Annotated[float, Field(ge=0, le=1)]
Amount = Annotated[float, Field(gt=0)]


class Scenario(BaseModel):
    """A state of the economy: a quantile of Vasicek's factor, or a shift of log-odds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    quantile: float | None = Field(None, gt=0, lt=1, description="One minus how rare the year is.")
    logit_shift: float | None = Field(None, description="Added to every loan's log-odds.")
    stressed: bool = Field(True, description="False keeps the PD as it is.")
    lgd_factor: float = Field(1.0, gt=0, description="Factor on LGD, which stays at most 1.")
    source: str

    @model_validator(mode="after")
    def _one_way(self) -> Scenario:
        if (self.quantile is None) == (self.logit_shift is None):
            raise ValueError("a scenario needs either quantile or logit_shift")
        return self


class Assumptions(BaseModel):
    """The numbers; units as in assumptions.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    lgd: Annotated[float, Field(gt=0, le=1)]
    margin: Amount
    exposure: Amount
    conversion: Annotated[float, Field(gt=0, le=2)]
    application_cost: Share
    capacity: Annotated[float, Field(gt=0, le=1)]
    horizon_years: Amount
    maturity_years: Annotated[float, Field(gt=0, le=50)]
    discount_rate: Share
    funding_rate: Share
    operating_cost: Share
    hurdle_rate: Share
    capital_ratio: Share
    sicr_ratio: Annotated[float, Field(ge=1)]
    sicr_increase: Share
    sicr_backstop: Share
    loss_budget: Amount
    most_limit: Amount
    bands: tuple[Annotated[float, Field(gt=0, lt=1)], ...]
    scenarios: dict[str, Scenario]
    notes: dict[str, dict[str, str]] = Field({}, description="Unit, source and comment by name.")

    @model_validator(mode="after")
    def _ascending(self) -> Assumptions:
        if list(self.bands) != sorted(set(self.bands)):
            raise ValueError("bands must ascend")
        return self

    @property
    def break_even(self) -> float:
        """PD at which a loan neither earns nor loses: margin / (margin + LGD)."""
        return self.margin / (self.margin + self.lgd)

    def table(self) -> pd.DataFrame:
        """Assumption, value, unit, source and comment: what a reader has to agree with."""
        rows = [{"assumption": k, "value": getattr(self, k), **v} for k, v in self.notes.items()]
        return pd.DataFrame(rows, columns=["assumption", "value", "unit", "source", "comment"])


def read_assumptions(path: Path | None = None, **changes: Any) -> Assumptions:
    """Assumptions of a YAML file like the shipped one.

    Args:
        path: The file; by default the shipped one. It may hold some of the entries only.
        **changes: Values that go before the file's, such as lgd=0.6; their source is the user.

    Raises:
        ParameterError: An entry is unknown, missing or out of range.
    """
    state = yaml.safe_load(DEFAULTS.read_text(encoding="utf-8"))
    if path is not None:
        state |= yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    for name, value in changes.items():
        note = state[name] if isinstance(state.get(name), dict) and "value" in state[name] else {}
        state[name] = {**note, "value": value, "source": "set by the user"} if note else value
    plain, notes = {}, {}
    for name, entry in state.items():
        if isinstance(entry, dict) and "value" in entry:
            plain[name] = entry["value"]
            notes[name] = {k: entry.get(k, "") for k in ("unit", "source", "comment")}
        else:
            plain[name] = entry
    try:
        return Assumptions(**plain, notes=notes)
    except ValidationError as error:
        first = error.errors()[0]
        raise ParameterError(
            f"an assumption is wrong: {first['msg']}",
            where=".".join(str(part) for part in first["loc"]) or str(path or "assumptions"),
            remedy="Compare with the shipped assumptions.yaml",
        ) from None
