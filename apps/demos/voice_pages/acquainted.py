"""The people whom one visitor introduced, and what they taught; gone with the visit.

What is known lies in an encrypted file whose key never leaves the memory of this process.
"""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from verticals.voice.people.people import People
from verticals.voice.people.store import Vault
from verticals.voice.people.voices import THRESHOLD

if TYPE_CHECKING:
    import numpy as np

    from verticals.voice.command import Command
    from verticals.voice.people.learned import Lesson
    from verticals.voice.people.permissions import Permissions, Role
    from verticals.voice.people.voices import Voices


class Acquainted:
    """Tells a visitor's people apart; what an assistant asks of `Knowing`, and what pages ask."""

    def __init__(self, voices: Callable[[], Voices]) -> None:
        """Begin with nobody.

        Args:
            voices: Opens the speaker encoders, which all visitors share; called at the first
                enrolment.
        """
        self._voices = voices
        self._folder = tempfile.TemporaryDirectory(prefix="casekit-people-")
        self._vault = Vault.open(self._folder.name, key=secrets.token_bytes(32))
        self._people = People(self._vault)
        self.alike: float | None = None  # of the last voice to the most similar one

    @property
    def names(self) -> tuple[str, ...]:
        """Who is enrolled."""
        return self._people.names

    @property
    def lessons(self) -> tuple[Lesson, ...]:
        """What was taught, oldest first."""
        return self._people.lessons

    def who(self, sound: np.ndarray) -> str | None:
        """The enrolled person who speaks in (n,) float32 at 16 kHz; None if unknown."""
        found = self._people.score(sound)
        best = max(found, key=found.__getitem__, default=None)
        self.alike = None if best is None else found[best]
        return best if best is not None and found[best] >= THRESHOLD else None

    def allowed(self, speaker: str | None, command: Command) -> bool:
        """Whether they may give a command; before anybody is enrolled, everybody may."""
        return self._people.allowed(speaker, command)

    def rewrite(self, text: str, *, speaker: str | None = None) -> str:
        """What a sentence means by what was taught."""
        return self._people.rewrite(text, speaker=speaker)

    def permissions(self, name: str | None) -> Permissions:
        """What somebody may do; None, like any other name, for whom nobody enrolled."""
        return self._people.permissions(name if name in self.names else None)

    def enrol(self, name: str, clips: Sequence[np.ndarray], role: Role) -> None:
        """Learn a voice from three clips.

        Raises:
            CasekitError: The clips are not of one person, or no encoder is installed.
        """
        self._people = People(self._vault, self._voices())
        self._people.enrol(name, clips, role=role)

    def learn(self, heard: str, meant: str, *, speaker: str | None) -> Lesson:
        """Learn from a correction; of somebody who is not enrolled, for everybody.

        Raises:
            DataError: There is nothing that can be learned.
        """
        return self._people.learn(heard, meant, speaker=speaker if speaker in self.names else None)

    def unlearn(self, number: str) -> bool:
        """Take back the lesson at a place in `lessons`; says whether there was one."""
        lessons = self.lessons
        if not number.isdecimal() or int(number) >= len(lessons):
            return False
        return self._people.unlearn(lessons[int(number)])

    def forget(self, name: str) -> bool:
        """Delete everything of a person; says whether they were enrolled."""
        return self._people.forget(name)

    def close(self) -> None:
        """Delete everything of everybody."""
        self._folder.cleanup()
