"""What a caller asks and what comes back: the input and output models of the medical predictor."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Direction = Literal["supports", "contradicts", "no difference", "unclear"]
Grade = Literal[
    "guideline", "systematic review", "randomised trial", "cohort study", "case report", "other"
]
GRADES: tuple[Grade, ...] = (
    "guideline", "systematic review", "randomised trial", "cohort study", "case report", "other",
)  # fmt: skip
DISCLAIMER = (
    "Information for clinicians. It does not decide, and it may be wrong: verify the source."
)


class Filters(BaseModel):
    """Which documents may answer; a field left empty does not filter."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    year_from: int | None = Field(
        default=None, ge=1800, le=2200, description="First year of publication."
    )
    year_to: int | None = Field(
        default=None, ge=1800, le=2200, description="Last year of publication."
    )
    grades: tuple[Grade, ...] = Field(default=(), description="Kinds of evidence; empty for all.")
    organisations: tuple[str, ...] = Field(
        default=(), description="Guideline bodies; empty for all."
    )


class Question(BaseModel):
    """A clinical question, for one patient or for none."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    question: str = Field(description="In English, up to 2,000 characters.")
    patient: dict[str, Any] | None = Field(
        default=None, description="FHIR R4 bundle of the patient."
    )
    filters: Filters | None = Field(
        default=None, description="Which documents may answer; none for all."
    )
    limit: int = Field(default=5, ge=1, le=20, description="Most pieces of evidence to return.")


class Evidence(BaseModel):
    """One verbatim quotation: `quote` is `document text[start:end]`, character for character."""

    model_config = ConfigDict(extra="forbid")

    quote: str
    document: str = Field(description="Identifier of the document in the corpus.")
    start: int = Field(ge=0, description="First character of the quote in the document's text.")
    end: int = Field(ge=0, description="One past the last character.")
    section: str = ""
    title: str
    year: int | None = None
    journal: str = ""
    organisation: str = ""
    doi: str = ""
    pmid: str = ""
    link: str = ""
    note: str = ""
    grade: Grade
    direction: Direction = Field(description="What it says of the question, by the kit's model.")
    direction_probability: float = Field(ge=0, le=1)
    support: float = Field(ge=0, le=1, description="Probability that it bears on the question.")


class Pico(BaseModel):
    """Population, intervention, comparison and outcome, where found; empty where not."""

    model_config = ConfigDict(extra="forbid")

    population: str = ""
    intervention: str = ""
    comparison: str = ""
    outcome: str = ""


class Answer(BaseModel):
    """Evidence for a question, or the reason why there is none."""

    model_config = ConfigDict(extra="forbid")

    status: Literal["answered", "abstained"]
    reason: str = Field(
        default="", description="Why it abstains, in a sentence; empty if answered."
    )
    confidence: float = Field(ge=0, le=1, description="Probability that the corpus answers it.")
    evidence: list[Evidence] = Field(default=[], description="Best grade first.")
    nearest: list[Evidence] = Field(
        default=[],
        description="When it abstains: the closest passages, not good enough to answer with.",
    )
    agreement: dict[str, int] = Field(default={}, description="Documents by direction.")
    conflict: bool = Field(default=False, description="Whether documents contradict one another.")
    pico: Pico | None = Field(default=None, description="Of the question and its best evidence.")
    facts_used: list[str] = Field(
        default=[], description="Facts of the patient that shaped the search."
    )
    generated: str = Field(
        default="", description="A model's wording, each sentence verified; optional."
    )
    dropped: int = Field(
        default=0, ge=0, description="Generated sentences dropped for lack of support."
    )
    warnings: list[str] = []
    disclaimer: str = DISCLAIMER
