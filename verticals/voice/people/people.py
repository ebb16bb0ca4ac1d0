"""The people of a home: their voices, what they may do, what they like, what they taught.

Everything is kept in one encrypted file, and can be deleted, one person's part or all of it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from core.errors import DataError, ParameterError
from verticals.voice.command import Command
from verticals.voice.people.enrolment import voice_of
from verticals.voice.people.household import Household, Person
from verticals.voice.people.learned import MOST, Lesson, lesson, rewritten
from verticals.voice.people.permissions import ROLES, Permissions, Role
from verticals.voice.people.preferences import Preference, checked, preferred
from verticals.voice.people.store import Vault
from verticals.voice.people.voices import SIZE, THRESHOLD, Voices

_SAME = 0.85  # cosine from which a new voice is somebody's who is enrolled already
_LONGEST_NAME = 40


class People:
    """Tells who speaks and what they may have done; safe to use from several threads."""

    def __init__(self, vault: Vault, voices: Voices | None = None) -> None:
        """Use a vault; `open` makes one.

        Args:
            vault: Where everything is kept.
            voices: The speaker encoders; by default opened when a voice is first heard.
        """
        self._vault, self._voices = vault, voices
        self._lock = threading.RLock()
        self._stamp: tuple[int, int] | None = None
        self._household = Household()

    @classmethod
    def open(
        cls, folder: str | Path | None = None, *, key: str | bytes | None = None,
        voices: Voices | None = None,
    ) -> People:  # fmt: skip
        """The people of a home.

        Args:
            folder: Where their file lies; by default in this user's casekit folder.
            key: 32 bytes or 64 hexadecimal digits; by default from $CASEKIT_PEOPLE_KEY, else from
                a file of its own that only this user can read.
            voices: The speaker encoders; by default opened when a voice is first heard.

        Raises:
            DataError: The key is missing or another, or the file was changed.
            ParameterError: The key is none.
        """
        people = cls(Vault.open(folder, key=key), voices)
        people._read()
        return people

    @property
    def names(self) -> tuple[str, ...]:
        """Who is enrolled."""
        return tuple(self._read().people)

    @property
    def lessons(self) -> tuple[Lesson, ...]:
        """What was taught, oldest first."""
        return self._read().lessons

    def enrol(self, name: str, clips: Sequence[np.ndarray], *, role: Role | None = None) -> None:
        """Learn a voice; somebody enrolled before keeps what is known of them.

        Args:
            name: What the person is called.
            clips: Three or more, each (n,) float32 at 16 kHz: a sentence of about three seconds.
            role: resident, child or guest; a new person is a resident by default.

        Raises:
            DataError: Too few clips, hardly any speech, several people, or somebody else's voice.
            ParameterError: No name.
        """
        name = _name(name)
        voice = voice_of(clips, self._opened())
        with self._lock:
            before = self._read().people.get(name)
            alike = {n: c for n, c in self._cosines(voice).items() if n != name}
            if max(alike.values(), default=0.0) >= _SAME:
                raise DataError(
                    "this voice is enrolled already, under another name", where="clips",
                    remedy="Enrol the person under that name, or forget it first",
                )  # fmt: skip
            known = before or Person(voice=(0.0,) * SIZE, clips=0)
            person = known.model_copy(update={
                "voice": tuple(round(float(v), 6) for v in voice), "clips": len(clips),
                "permissions": ROLES[role] if role else known.permissions,
            })  # fmt: skip
            self._put(name, person)

    def who(self, sound: np.ndarray) -> str | None:
        """The enrolled person who speaks in (n,) float32 at 16 kHz; None if unknown."""
        found = self.score(sound)
        best = max(found, key=found.__getitem__, default=None)
        return best if best is not None and found[best] >= THRESHOLD else None

    def score(self, sound: np.ndarray) -> dict[str, float]:
        """How alike the voice is to everybody's: cosines; empty where nobody speaks."""
        if not self.names:
            return {}
        try:
            return self._cosines(self._opened().hear(sound).vector)
        except DataError:
            return {}

    def allowed(self, speaker: str | None, command: Command) -> bool:
        """Whether a person may give a command; before anybody is enrolled, everybody may."""
        household = self._read()
        if not household.people:
            return True
        person = household.people.get(speaker) if speaker is not None else None
        return (person.permissions if person else household.unknown).allow(command)

    def permissions(self, name: str | None) -> Permissions:
        """What somebody may do; None for voices that nobody enrolled."""
        household = self._read()
        return household.unknown if name is None else self._person(name).permissions

    def permit(self, name: str | None, permissions: Permissions) -> None:
        """Set what somebody may do; None for voices that nobody enrolled."""
        if name is None:
            self._change(lambda h: h.model_copy(update={"unknown": permissions}))
        else:
            self._update(name, {"permissions": permissions})

    def preferences(self, name: str) -> Mapping[str, Preference]:
        """What somebody likes, such as {"room": "study", "temperature": 20.5}."""
        return dict(self._person(name).preferences)

    def prefer(self, name: str, key: str, value: Preference | None) -> None:
        """Remember what somebody likes; None forgets it.

        Raises:
            DataError: As `checked` does.
            ParameterError: Nobody of that name is enrolled.
        """
        plain = checked(key, "" if value is None else value)
        with self._lock:
            kept = {k: v for k, v in self.preferences(name).items() if k != plain}
            self._update(name, {"preferences": kept if value is None else kept | {plain: value}})

    def learn(self, heard: str, meant: str, *, speaker: str | None = None) -> Lesson:
        """Learn from a correction, for one enrolled person or, without one, for everybody.

        Raises:
            DataError: As `lesson` does.
            ParameterError: That speaker is not enrolled.
        """
        if speaker is not None:
            self._person(speaker)
        new = lesson(heard, meant, speaker=speaker)

        def learned(household: Household) -> Household:
            same = (new.kind, new.heard, new.speaker)
            kept = [x for x in household.lessons if (x.kind, x.heard, x.speaker) != same]
            return household.model_copy(update={"lessons": (*kept, new)[-MOST:]})

        self._change(learned)
        return new

    def unlearn(self, lesson: Lesson) -> bool:
        """Take back what was taught; says whether it was known."""
        there = lesson in self.lessons
        if there:
            self._change(lambda h: h.model_copy(
                update={"lessons": tuple(x for x in h.lessons if x != lesson)}
            ))  # fmt: skip
        return there

    def rewrite(self, text: str, *, speaker: str | None = None) -> str:
        """The text as this person means it, to be understood instead of what was heard."""
        household = self._read()
        person = household.people.get(speaker) if speaker is not None else None
        own = preferred(text, person.preferences) if person else text
        return rewritten(own, household.lessons, speaker=speaker)

    def forget(self, name: str) -> bool:
        """Delete everything of a person; says whether they were enrolled."""

        def without(household: Household) -> Household:
            return household.model_copy(update={
                "people": {n: p for n, p in household.people.items() if n != name},
                "lessons": tuple(x for x in household.lessons if x.speaker != name),
            })  # fmt: skip

        there = name in self.names
        if there:
            self._change(without)
        return there

    def delete_all(self) -> None:
        """Delete everybody's data, and the key that this machine made for it."""
        with self._lock:
            self._vault.destroy()
            self._household, self._stamp = Household(), None

    def _cosines(self, voice: np.ndarray) -> dict[str, float]:
        return {n: float(np.dot(p.voice, voice)) for n, p in self._read().people.items()}

    def _opened(self) -> Voices:
        with self._lock:
            self._voices = self._voices or Voices.open()
            return self._voices

    def _person(self, name: str) -> Person:
        try:
            return self._read().people[name]
        except KeyError:
            raise ParameterError("nobody of that name is enrolled", where="name",
                                 remedy="Enrol them first") from None  # fmt: skip

    def _update(self, name: str, fields: Mapping[str, object]) -> None:
        with self._lock:
            self._put(name, self._person(name).model_copy(update=dict(fields)))

    def _put(self, name: str, person: Person) -> None:
        self._change(lambda h: h.model_copy(update={"people": {**h.people, name: person}}))

    def _change(self, change: Callable[[Household], Household]) -> None:
        """Write the household as changed; what is in memory changes only if that worked."""
        with self._lock:
            new = change(self._read())
            self._vault.write(new.model_dump_json().encode())
            self._household, self._stamp = new, self._stamped()

    def _read(self) -> Household:
        """The household as it is on disk, read again only if the file changed."""
        with self._lock:
            stamp = self._stamped()
            if stamp != self._stamp:
                content = self._vault.read()
                try:
                    read = Household.model_validate_json(content) if content else Household()
                except ValidationError:
                    raise DataError(
                        "another version of casekit wrote it", where=str(self._vault.path),
                        remedy="Use that version, or delete everything and enrol again",
                    ) from None  # fmt: skip
                self._household, self._stamp = read, stamp
            return self._household

    def _stamped(self) -> tuple[int, int] | None:
        try:
            found = self._vault.path.stat()
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_size


def forget(name: str | None, folder: str | Path | None = None) -> bool:
    """Delete everything of a person, or with None of everybody, even if the key is lost.

    What the assistant said is deleted in each case: a reply may have named them.

    Args:
        name: As enrolled.
        folder: Where their file lies; by default in this user's casekit folder.

    Returns:
        Whether there was anything.

    Raises:
        DataError: The file cannot be read, or not be deleted.
    """
    from verticals.voice.speech.cache import SpokenCache

    said = SpokenCache.open().clear()
    if name is None:
        return Vault.open(folder).destroy() or said
    return People.open(folder).forget(name)


def _name(name: str) -> str:
    plain = " ".join(name.split())
    if not plain or len(plain) > _LONGEST_NAME or not plain.isprintable():
        raise ParameterError("that is no name", where="name",
                             remedy=f"Use 1 to {_LONGEST_NAME} letters")  # fmt: skip
    return plain
