"""What the buttons of the page do: something is said, heard, moved or reset."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from apps.demos.voice_pages.ear import LONGEST_S
from apps.demos.voice_pages.explaining import empty_html, explained, why_html
from apps.demos.voice_pages.microphone import ready
from apps.demos.voice_pages.reply import problem_html
from apps.demos.voice_pages.screen import drawn
from apps.demos.voice_pages.speaking import spoken_html, wait_html
from core.errors import CasekitError

if TYPE_CHECKING:
    import numpy as np

    from apps.demos.voice_pages.desk import Desk

LONGEST_TEXT = 300


class Acts:
    """What the buttons do; it holds nothing of a visitor."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def typed(self, key: str | None, lang: str, who: str | None, text: str) -> list[Any]:
        """The words in the box; it is emptied."""
        return [*self.said(key, lang, who, text), ""]

    def said(self, key: str | None, lang: str, who: str | None, text: str) -> list[Any]:
        """Words from elsewhere on the page."""
        return self._exchange(key, lang, who, text[:LONGEST_TEXT], "typed")

    def pressed(
        self, key: str | None, lang: str, who: str | None, data: dict[str, Any]
    ) -> list[Any]:
        """The words of a button."""
        return self.said(key, lang, who, str(data.get("text", "")))

    def answered(
        self, key: str | None, lang: str, who: str | None, data: dict[str, Any]
    ) -> list[Any]:
        """The words of a button that answers a question: of whom the question was asked."""
        _, visit = self._desk.visits.of(key)
        asked = visit.last.turn.speaker if visit.last else None
        return self.pressed(key, lang, who or asked, data)

    def heard(self, key: str | None, lang: str, who: str | None, data: dict[str, Any]) -> list[Any]:
        """The recording that the microphone has finished."""
        try:
            sound = self._desk.ear.take(str(data.get("recording", "")))
        except CasekitError as error:
            return self._problem(key, lang, error)
        return self._exchange(key, lang, who, sound, "spoken")

    def played(
        self, key: str | None, lang: str, who: str | None, data: dict[str, Any]
    ) -> list[Any]:
        """An example recording."""
        clips = self._desk.clips
        return self._recording(key, lang, who, clips[int(data.get("number", 0)) % len(clips)].path)

    def uploaded(self, key: str | None, lang: str, who: str | None, file: str) -> list[Any]:
        """A visitor's own recording; its file is deleted once it is read."""
        path = Path(file)
        try:
            return self._recording(key, lang, who, path)
        finally:
            path.unlink(missing_ok=True)

    def spoken(self, key: str | None, lang: str) -> str:
        """The last reply as sound."""
        if key is None:
            return ""
        _, visit = self._desk.visits.of(key)
        last = visit.last
        return spoken_html(last.turn.reply, self._desk, lang) if last else ""

    def explained(self, key: str | None, lang: str) -> str:
        """Why the last exchange went as it did; takes seconds."""
        _, visit = self._desk.visits.of(key)
        try:
            visit.explained = explained(visit)  # without its lock: meanwhile one may go on talking
            return why_html(visit.explained, self._desk, lang)
        except CasekitError as error:
            return problem_html(error, self._desk, lang)

    def moved(self, key: str | None, lang: str, room: str | None) -> list[Any]:
        """The microphone is in another room."""
        key, visit = self._desk.visits.of(key)
        visit.move(room)
        return drawn(key, visit, self._desk, lang)

    def reset(self, key: str | None, lang: str) -> list[Any]:
        """The home as it was in the beginning."""
        key, visit = self._desk.visits.of(key)
        visit.reset()
        return [*drawn(key, visit, self._desk, lang), ""]

    def again(self, key: str | None, lang: str) -> list[Any]:
        """The same in another language."""
        if key is None:
            return [*drawn(None, None, self._desk, lang), empty_html(self._desk, lang)]
        key, visit = self._desk.visits.of(key)
        return [
            *drawn(key, visit, self._desk, lang), why_html(visit.explained, self._desk, lang)
        ]  # fmt: skip

    def _recording(self, key: str | None, lang: str, who: str | None, path: Path) -> list[Any]:
        from core.data.audio import read_audio

        try:
            sound = read_audio(path, max_seconds=LONGEST_S)
        except CasekitError as error:
            return self._problem(key, lang, error)
        return self._exchange(key, lang, who, sound, "played")

    def _exchange(
        self, key: str | None, lang: str, who: str | None, given: np.ndarray | str, way: str
    ) -> list[Any]:
        """One exchange, and everything that shows it."""
        key, visit = self._desk.visits.of(key)
        try:
            done = visit.exchange(given, way=way, speaker=who or None)
        except CasekitError as error:
            return self._problem(key, lang, error)
        waits = wait_html(done.turn.reply, self._desk, lang)
        return [*drawn(key, visit, self._desk, lang), waits, ready()]

    def _problem(self, key: str | None, lang: str, error: CasekitError) -> list[Any]:
        key, visit = self._desk.visits.of(key)
        shown = drawn(key, visit, self._desk, lang)
        shown[1] = problem_html(error, self._desk, lang)
        return [*shown, "", ready()]
