"""What the drawings look at: a home, how its devices stand, and in which language to say so."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from apps.demos.voice_pages.states import States, state_text
from apps.demos.words import Words
from verticals.voice.home.model import Entity, Home


@dataclass(frozen=True)
class View:
    """What is looked at."""

    home: Home
    states: States
    words: Words
    language: str
    changed: Collection[str] = ()
    room: str | None = None  # in which the microphone is

    def say(self, key: str) -> str:
        """A text of the demo."""
        return self.words(key, self.language)

    def text(self, device: Entity) -> str:
        """A device's present state in words."""
        return state_text(device, self.states[device.id], self.words, self.language)
