"""Finds personal data in tables and takes it out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Action = Literal["drop", "mask"]


@dataclass(frozen=True)
class PersonalColumn:
    """A column that holds personal data; never any of its values."""

    column: str
    kinds: tuple[str, ...]  # e.g. email, phone, name
    share: float  # of the sampled values that hold personal data, 0 to 1
    action: Action
