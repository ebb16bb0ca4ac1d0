"""What the page of people does: a voice is learned or forgotten, a lesson taken back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from apps.demos.voice_pages.ear import LONGEST_S
from apps.demos.voice_pages.reply import problem_html
from apps.demos.voice_pages.screen import drawn
from apps.demos.voice_pages.speaking import note
from core.errors import CasekitError, ParameterError
from verticals.voice.people.enrolment import ENROLMENTS

if TYPE_CHECKING:
    from apps.demos.voice_pages.desk import Desk
    from apps.demos.voice_pages.visits import Visit
    from verticals.voice.people.permissions import Role

_CLIPS = 5  # the most that are kept of one voice
_SPEAKER = -4  # place of the speaker, from the end of what is written


class Enrolling:
    """What the buttons do; it holds nothing of a visitor. All give `Screen.shown` and a note."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def heard(self, key: str | None, lang: str, data: dict[str, Any]) -> list[Any]:
        """The microphone has recorded a clip."""

        def add(visit: Visit) -> None:
            visit.clips.append(self._desk.ear.take(str(data.get("recording", ""))))

        return self._tried(key, lang, add)

    def uploaded(self, key: str | None, lang: str, files: Sequence[str]) -> list[Any]:
        """Recordings in place of the microphone; they are deleted once they are read."""
        from core.data.audio import read_audio

        def add(visit: Visit) -> None:
            for file in files[:_CLIPS]:
                visit.clips.append(read_audio(Path(file), max_seconds=LONGEST_S))

        try:
            return self._tried(key, lang, add)
        finally:
            for file in files:
                Path(file).unlink(missing_ok=True)

    def again(self, key: str | None, lang: str) -> list[Any]:
        """The clips recorded so far are forgotten."""
        return self._tried(key, lang, lambda visit: visit.clips.clear())

    def learned(self, key: str | None, lang: str, name: str, role: str) -> list[Any]:
        """Learn the voice of the clips."""
        words = self._desk.words

        def learn(visit: Visit) -> None:
            if not name.strip():
                raise ParameterError(words("enrol.nameless", lang), where="name")
            if len(visit.clips) < ENROLMENTS:
                raise ParameterError(words("enrol.few", lang), where="clips")
            visit.people.enrol(name, visit.clips, cast("Role", role))
            visit.clips.clear()

        return self._tried(key, lang, learn, words("enrol.done", lang, name=name.strip()))

    def forgotten(self, key: str | None, lang: str, data: dict[str, Any]) -> list[Any]:
        """Delete everything of a person."""
        name = str(data.get("value", ""))
        told = self._desk.words("people.forgotten", lang, name=name)
        shown = self._tried(key, lang, lambda visit: visit.people.forget(name), told)
        shown[_SPEAKER]["value"] = ""  # who was chosen may be gone
        return shown

    def undone(self, key: str | None, lang: str, data: dict[str, Any]) -> list[Any]:
        """Take back a lesson."""
        number, told = str(data.get("value", "")), self._desk.words("people.undone", lang)
        return self._tried(key, lang, lambda visit: visit.people.unlearn(number), told)

    def _tried(self, key: str | None, lang: str, act: Any, told: str = "") -> list[Any]:
        """Do it, and everything that shows it, or say why not."""
        key, visit = self._desk.visits.of(key)
        said = note(told) if told else ""
        try:
            with visit.lock:
                act(visit)
        except CasekitError as error:
            said = problem_html(error, self._desk, lang)
        finally:
            del visit.clips[:-_CLIPS]
        return [*drawn(key, visit, self._desk, lang), said]
