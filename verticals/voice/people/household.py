"""What is kept of the people of a home, as it is written."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from verticals.voice.people.learned import Lesson
from verticals.voice.people.permissions import ROLES, Permissions
from verticals.voice.people.preferences import Preference
from verticals.voice.people.voices import SIZE


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Person(_Frozen):
    """What is kept of one person."""

    voice: tuple[float, ...] = Field(min_length=SIZE, max_length=SIZE, description="Of length 1")
    clips: int
    permissions: Permissions = ROLES["resident"]
    preferences: dict[str, Preference] = {}


class Household(_Frozen):
    """What the file holds."""

    people: dict[str, Person] = {}
    lessons: tuple[Lesson, ...] = ()
    unknown: Permissions = ROLES["unknown"]
