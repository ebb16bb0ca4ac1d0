"""What the voice case passes around: words heard, commands understood, what came of them."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Word(_Frozen):
    """One word heard."""

    text: str
    start_s: float
    end_s: float
    probability: float = Field(description="How sure the recogniser is, 0 to 1")


class Transcript(_Frozen):
    """What was heard; empty text where nobody spoke."""

    text: str
    words: tuple[Word, ...] = ()
    confidence: float = Field(default=1.0, description="Mean word probability, 0 to 1")
    alternatives: tuple[str, ...] = Field(default=(), description="Other readings, best first")


class Slot(_Frozen):
    """A part of a sentence that fills a role."""

    name: str = Field(description="What it fills, such as name, area, brightness, duration")
    value: str | float = Field(description="Its meaning, such as 'kitchen' or 20.0")
    start: int = Field(default=-1, description="First character in the sentence; -1: not in it")
    end: int = Field(default=-1, description="One past the last character")


class Command(_Frozen):
    """One thing to do or to tell."""

    intent: str = Field(description="Home Assistant's name where it has one, such as HassTurnOn")
    slots: tuple[Slot, ...] = ()
    entities: tuple[str, ...] = Field(default=(), description="Ids of the devices meant")
    text: str = Field(default="", description="The part of the sentence that says it")
    confidence: float = 1.0
    source: Literal["grammar", "model", "context", "endpoint"] = "grammar"
    risky: bool = Field(default=False, description="Asks before it is done: locks, garage, alarm")

    def slot(self, name: str) -> str | float | None:
        """The value of a slot, if it was said."""
        return next((slot.value for slot in self.slots if slot.name == name), None)


class Understood(_Frozen):
    """What a sentence asks for."""

    status: Literal["understood", "confirm", "unsure", "rejected"]
    commands: tuple[Command, ...] = ()
    question: str = Field(default="", description="What to ask back: a confirmation, did you mean")
    alternatives: tuple[Command, ...] = Field(default=(), description="What it may have meant")


class Outcome(_Frozen):
    """What came of a command."""

    command_id: str
    intent: str
    entities: tuple[str, ...] = ()
    status: Literal["done", "unchanged", "answered", "waiting", "refused", "failed"]
    says: str = Field(description="The sentence to say to the person")
    reason: str = Field(default="", description="Why it was refused or failed")


class Turn(_Frozen):
    """One exchange: heard, understood, done, said."""

    transcript: Transcript
    speaker: str | None = Field(default=None, description="Who spoke, if enrolled and recognised")
    understood: Understood
    outcomes: tuple[Outcome, ...] = ()
    reply: str = Field(default="", description="What the assistant says")
    seconds: dict[str, float] = Field(
        default={}, exclude=True, description="By stage; never part of an answer that is compared"
    )
