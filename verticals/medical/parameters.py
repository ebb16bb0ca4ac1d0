"""The literature notebook's parameters cell, as one checked model."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Language = Literal["en", "zh"]


class LiteratureParameters(BaseModel):
    """What a consultant sets to run the medical case on a client's literature."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data: str = Field(
        "guidelines",
        description="guidelines (embedded summaries), or a path or URL: PubMed XML (.xml, "
        ".xml.gz), JSON lines, a BEIR folder, a folder of Markdown, HTML, PDF or text; "
        "or eutils:QUERY to search PubMed when connected.",
    )
    questions: str | None = Field(
        None,
        description="Questions with the documents that answer them: YAML, JSON lines or a BEIR "
        "folder. Without it the embedded corpus has its own; others are judged by their titles.",
    )
    question: str = Field(
        "Are direct oral anticoagulants recommended over warfarin in atrial fibrillation?",
        description="The question that the notebook answers and explains.",
    )
    patient: str | None = Field(
        "atrial_fibrillation",
        description="The patient it is asked for: a FHIR R4 bundle (.json, .json.gz), the name "
        "of a made-up sample, or None.",
    )
    encoder: str = Field(
        "minilm", description="Sentence encoder: minilm, a hub name or a folder with weights."
    )
    generator: str | None = Field(
        None,
        description="Who words the answer: nobody (verbatim quotes only), smollm2, or the URL "
        "of an OpenAI-compatible endpoint (its key in CASEKIT_LLM_KEY).",
    )
    error_cost: float = Field(
        4.0,
        gt=0,
        description="How many times worse an unfounded answer is than a withheld one; "
        "sets when the model abstains.",
    )
    seed: int = Field(20261123, ge=0, description="Seed of every random choice.")
    out: str = Field("runs", description="Folder that receives the run.")
    language: Language = Field("en", description="Language of the report.")
