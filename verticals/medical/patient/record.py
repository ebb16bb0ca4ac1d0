"""A patient in a few lines: conditions, medicines, allergies, latest labs, report texts."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, Field


class Lab(BaseModel):
    """The latest value of one measurement."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    loinc: str
    name: str
    value: float
    unit: str
    taken: datetime
    comparator: str = Field(default="", description="One of < <= >= > where the value is a bound.")


class Medicine(BaseModel):
    """A medicine that the patient takes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(description="As the record writes it.")
    ingredients: tuple[str, ...] = Field(default=(), description="Generic names in lower case.")
    code: str = Field(default="", description="RxNorm code, where given.")


class Condition(BaseModel):
    """A condition that is active."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    code: str = ""
    system: str = ""
    onset: date | None = None


class Report(BaseModel):
    """The text of an imaging or other report."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    text: str
    issued: datetime | None = None


class PatientSummary(BaseModel):
    """What the record says today, without name, address or identifier.

    Texts of reports are as written and may name people: patient/privacy.py replaces that.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    birth_date: date | None = None
    gender: str = ""
    deceased: bool = False
    conditions: tuple[Condition, ...] = ()
    medicines: tuple[Medicine, ...] = ()
    allergies: tuple[str, ...] = ()
    labs: dict[str, Lab] = Field(default={}, description="By LOINC code.")
    reports: tuple[Report, ...] = ()
    resources: dict[str, int] = Field(default={}, description="Resources read, by type.")
    warnings: tuple[str, ...] = Field(default=(), description="What was left out, and why.")
