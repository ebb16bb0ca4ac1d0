"""What the page that sees does: look, draw anew, explain; it holds nothing of a visitor."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apps.demos.driving_pages.film import film_html
from apps.demos.driving_pages.looking import Looked, look
from apps.demos.driving_pages.saying import (
    against_html,
    headline_html,
    name_of,
    second_html,
    table_html,
)
from apps.demos.driving_pages.scenes import scene
from apps.demos.driving_pages.stage import FIRST_LAYERS, stage_html
from apps.demos.driving_pages.taking import problem_html, taken
from core.errors import CasekitError
from verticals.driving.frame import OBJECTS

if TYPE_CHECKING:
    from apps.demos.driving_pages.desk import Desk, Reason
    from verticals.driving.frame import Boxes2D

KEPT_S = 1800  # seconds after which what a visitor showed is forgotten
Chosen = tuple[int, "Reason"] | None  # an object's row, and why it is seen


class Acts:
    """Handlers of the page's events."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def first(self, language: str) -> list[str]:
        """What stands on the page in the beginning: headline, picture, objects, film."""
        return self._drawn(self._desk.first, 0, FIRST_LAYERS, language, None)

    def uploaded(self, language: str, layers: list[str], kind: str, file: str) -> list[Any]:
        """A visitor's own picture or clip; its file is deleted once it is read."""
        path, remarks = Path(file), list[str]()

        def looked() -> Looked:
            source, pictures = taken(path, remarks)
            return look(self._desk.runtimes.eye(kind), kind, pictures, source, remarks=remarks)

        try:
            return self._shown(looked, layers, language)
        finally:
            path.unlink(missing_ok=True)

    def scene(
        self, language: str, layers: list[str], kind: str, weather: str, number: float | None
    ) -> list[Any]:
        """A street."""
        return self._rendered(language, layers, kind, weather, number, drive=False)

    def drive(
        self, language: str, layers: list[str], kind: str, weather: str, number: float | None
    ) -> list[Any]:
        """Some seconds of one."""
        return self._rendered(language, layers, kind, weather, number, drive=True)

    def again(
        self, language: str, layers: list[str], kind: str, looked: Looked | None
    ) -> list[Any]:
        """The same pictures on another runtime."""
        before = looked or self._desk.first

        def anew() -> Looked:
            return look(self._desk.runtimes.eye(kind), kind, before.pictures, before.source,
                        camera=before.camera, remarks=list(before.remarks))  # fmt: skip

        return self._shown(anew, layers, language)

    def redrawn(
        self, looked: Looked | None, language: str, layers: list[str], at: float, reason: Chosen
    ) -> list[Any]:
        """The same in another language or with other layers: headline to film, and the reason."""
        seen = looked or self._desk.first
        row = _row(seen, at)
        return [
            *self._drawn(seen, row, layers, language, reason),
            self._reason_html(seen, row, language, reason),
        ]

    def moved(
        self, looked: Looked | None, language: str, layers: list[str], at: float, reason: Chosen
    ) -> list[Any]:
        """Another moment of the clip; a reason stays only where it belongs."""
        seen = looked or self._desk.first
        if not seen.film:  # the slider was set anew for a single picture
            return [reason, *self._still(seen, 0, layers, language, reason),
                    self._reason_html(seen, 0, language, reason)]  # fmt: skip
        return [None, *self._still(seen, _row(seen, at), layers, language, None), ""]

    def explained(
        self, looked: Looked | None, language: str, layers: list[str], at: float, row: object
    ) -> Iterator[list[Any]]:
        """Why an object is seen: reason, picture, text; first that it takes a while."""
        import gradio as gr

        yield [gr.skip(), gr.skip(), _note(self._desk.words("why.busy", language))]
        seen = looked or self._desk.first
        number, words = _row(seen, at), self._desk.words
        moment, found, text = seen.moments[number], None, ""
        if self._desk.explain is None:
            text = _note(words("why.not_here", language))
        elif isinstance(row, int) and row in moment.shown:
            boxes = moment.seen.sight.boxes
            kind = OBJECTS[int(boxes.classes[row])]
            try:
                found = row, self._desk.explain(moment.image, boxes.xyxy[row], kind)
                text = self._reason_html(seen, number, language, found)
            except CasekitError as error:
                text = problem_html(error, words, language)
        yield [found, self._picture(seen, number, layers, language, found), text]

    def _rendered(
        self, language: str, layers: list[str], kind: str, weather: str, number: float | None, *,
        drive: bool,
    ) -> list[Any]:  # fmt: skip
        def looked() -> Looked:
            camera, pictures = scene(int(number or 1), weather, drive=drive)
            return look(self._desk.runtimes.eye(kind), kind, pictures,
                        "drive" if drive else "scene", camera=camera)  # fmt: skip

        return self._shown(looked, layers, language)

    def _shown(self, look_at: Callable[[], Looked], layers: list[str], language: str) -> list[Any]:
        """Look, and all that shows it: state, reason, headline to film, slider, text."""
        import gradio as gr

        try:
            looked = look_at()
        except CasekitError as error:
            told = problem_html(error, self._desk.words, language)
            return [gr.skip(), gr.skip(), told, *(gr.skip() for _ in range(4)), ""]
        at = looked.riskiest
        slider = gr.update(value=at, maximum=max(len(looked.moments) - 1, 1), visible=looked.film)
        drawn = self._drawn(looked, at, layers, language, None)
        return [looked, None, *drawn, slider, ""]

    def _drawn(
        self, looked: Looked, at: int, layers: Collection[str], language: str, reason: Chosen
    ) -> list[str]:
        still = self._still(looked, at, layers, language, reason)
        return [*still, film_html(looked, layers, self._desk.words, language)]

    def _still(
        self, looked: Looked, at: int, layers: Collection[str], language: str, reason: Chosen
    ) -> list[str]:
        words = self._desk.words
        return [
            headline_html(looked, at, words, language),
            self._picture(looked, at, layers, language, reason),
            table_html(looked, at, words, language, why=self._desk.explain is not None),
        ]

    def _picture(
        self, looked: Looked, at: int, layers: Collection[str], language: str, reason: Chosen
    ) -> str:
        """The picture, and below it what the truth and a second network say."""
        moment, words, others, notes = looked.moments[at], self._desk.words, None, ""
        if "truth" in layers:
            text = escape(words("say.no_truth", language))
            notes += against_html(moment, words, language) or f'<p class="ck-quiet">{text}</p>'
        if "second" in layers:
            try:
                others = self._desk.second(moment.image)
                notes += self._merged(moment.seen.sight.boxes, moment.shown, others, language)
            except CasekitError as error:
                notes += problem_html(error, words, language)
        drawn = stage_html(moment, layers, words, language, others=others, reason=reason)
        return drawn + notes

    def _merged(self, boxes: Boxes2D, shown: Iterable[int], others: Boxes2D, language: str) -> str:
        import numpy as np

        from verticals.driving.perception.second_opinion import merge, taken

        rows = np.array(list(shown), np.intp)
        return second_html(merge(taken(boxes, rows), others), self._desk.words, language)

    def _reason_html(self, looked: Looked, at: int, language: str, reason: Chosen) -> str:
        """Why an object is seen, in words, with what speaks for the explanation itself."""
        if reason is None:
            return ""
        row, found = reason
        words = self._desk.words
        name = name_of(looked.moments[at], row, words, language)
        title = escape(words("why.title", language, what=name))
        lead = escape(words("why.lead", language))
        tone = "" if found.holds else " ck-caution"
        return (
            f'<section class="ck-card{tone}" data-testid="why"><h3>{title}</h3>'
            f"<p>{escape(found.sentences[language])}</p>"
            f'<p class="ck-quiet">{lead}</p></section>'
        )


def _row(looked: Looked, at: float | None) -> int:
    """A moment that exists."""
    return min(max(int(at or 0), 0), len(looked.moments) - 1) if looked.film else 0


def _note(text: str) -> str:
    return (
        f'<section class="ck-card"><p class="ck-quiet" role="status">{escape(text)}</p></section>'
    )
