"""The home notebook's parameters cell, as one checked model."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Language = Literal["en", "zh"]
Budget = Literal["quick", "standard", "thorough"]


class HomeParameters(BaseModel):
    """What a consultant sets to run the voice case for a client's home."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data: str = Field(
        default="requests",
        description="requests (the embedded home's own sentences, spoken by made voices), or a "
        "folder of recordings with recordings.jsonl: file, text, speaker, expected commands.",
    )
    home: str | None = Field(
        default=None,
        description="The home's rooms and devices as YAML, ours or Home Assistant's; "
        "None for the embedded home.",
    )
    wake_phrase: str = Field(
        default="hey juniper",
        min_length=4,
        max_length=40,
        pattern=r"^[A-Za-z]+( [A-Za-z]+){0,3}$",
        description="What wakes it: one to four English words; a detector is trained from the "
        "text alone.",
    )
    request: str = Field(
        default="turn on the kitchen lights and lock the back door",
        description="The sentence that the notebook speaks, hears, does and explains.",
    )
    recogniser: str = Field(
        default="whisper-tiny.en",
        description="Speech recogniser: whisper-tiny.en, a hub name or a folder with weights.",
    )
    budget: Budget = Field(
        default="standard",
        description="quick (a look: a dozen requests, a hasty wake word), standard (minutes) or "
        "thorough (a wake word from twice the speech); your own recordings are always heard whole.",
    )
    error_cost: float = Field(
        default=4.0,
        gt=0,
        description="How many questions back a wrong action is worth; the assistant asks more "
        "often when it is high.",
    )
    endpoint: str | None = Field(
        default=None,
        description="URL of an OpenAI-compatible endpoint for what neither grammar nor model "
        "understands (its key in CASEKIT_LLM_KEY).",
    )
    threads: int = Field(
        default=2, ge=1, le=64, description="Processor threads; 1 for a small box."
    )
    seed: int = Field(default=20261123, ge=0, description="Seed of every random choice.")
    out: str = Field(default="runs", description="Folder that receives the run.")
    language: Language = Field(default="en", description="Language of the report.")
