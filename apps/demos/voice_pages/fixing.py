"""The correction: what was meant instead, done at once, remembered, and taken back by a button."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from apps.demos.voice_pages.events import with_event
from apps.demos.voice_pages.icons import icon
from apps.demos.voice_pages.knowing import people_html, taught_text
from apps.demos.voice_pages.reply import problem_html
from apps.demos.voice_pages.speaking import note
from core.errors import CasekitError

if TYPE_CHECKING:
    from apps.demos.voice_pages.acts import Acts
    from apps.demos.voice_pages.desk import Desk
    from apps.demos.voice_pages.screen import Screen
    from apps.demos.words import Labels
    from verticals.voice.command import Turn
    from verticals.voice.people.learned import Lesson

_TOLD, _ANSWER = -4, -2  # places from the end of what an exchange writes
_TO_PANEL = """() => { const panel = document.getElementById('fix');
  panel?.scrollIntoView({behavior: 'smooth', block: 'nearest'});
  panel?.querySelector('#meant textarea, #meant input')?.focus({preventScroll: true}); }"""
_QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


def fix_panel(desk: Desk, labels: Labels, form: list[Any], screen: Screen, acts: Acts) -> list[Any]:
    """Build the panel below the exchange; the events after which an answer is there.

    Args:
        desk: Opened parts.
        labels: Makes components that follow the language.
        form: Components of key, language and speaker.
        screen: What the visitor has on screen.
        acts: What the page's buttons do.
    """
    import gradio as gr

    devices = [(e.name, e.id) for e in desk.parts.home.entities if e.domain != "person"]
    screen.fix.render()
    with screen.fix:
        labels.make(gr.HTML, {"value": lambda lang: _lead(desk, lang)})
        taken = gr.HTML()
        device = labels.make(
            gr.Dropdown, {"label": "fix.device"}, choices=devices, value=None,
            elem_id="meant-device",
        )  # fmt: skip
        meant = labels.make(
            gr.Textbox, {"label": "fix.sentence"}, max_length=300, max_lines=1, elem_id="meant"
        )
        with gr.Row(elem_classes="ck-actions"):
            do = labels.make(gr.Button, {"value": "fix.do"}, variant="primary")
            close = labels.make(gr.Button, {"value": "fix.close"})
    fixes = Fixes(desk, acts)
    key, lang, _ = form
    opened = [screen.fix, taken, device, meant, screen.told]
    screen.reply.wrong(fixes.opened, [key, lang], opened, **_QUIET).then(
        None, js=_TO_PANEL, **_QUIET
    )
    device.input(fixes.suggested, [key, device], meant, **_QUIET)
    close.click(lambda: gr.update(visible=False), None, screen.fix, **_QUIET)
    undone = [screen.told, screen.people]
    screen.told.undo(with_event(fixes.undone), [key, lang], undone, **_QUIET)
    done = [*screen.shown, screen.answer, screen.microphone]
    return [
        happens(fixes.corrected, [*form, meant], done, **_QUIET)
        for happens in (do.click, meant.submit)
    ]


class Fixes:
    """What the buttons of the panel do; it holds nothing of a visitor."""

    def __init__(self, desk: Desk, acts: Acts) -> None:
        self._desk, self._acts = desk, acts

    def opened(self, key: str | None, lang: str) -> list[Any]:
        """The panel, with what was heard."""
        import gradio as gr

        _, visit = self._desk.visits.of(key)
        last, words = visit.last, self._desk.words
        text = words("fix.heard", lang, text=last.turn.transcript.text) if last else ""
        said = f'<p class="ck-quiet">{escape(text)}</p>'
        return [gr.update(visible=last is not None), said, None, "", ""]

    def suggested(self, key: str | None, chosen: str | None) -> str:
        """The sentence that was heard, with the chosen device in it."""
        _, visit = self._desk.visits.of(key)
        device = self._desk.parts.home.by_id.get(chosen or "")
        if device is None or visit.last is None:
            return ""
        return with_device(visit.last.turn, device.name)

    def corrected(self, key: str | None, lang: str, who: str | None, text: str) -> list[Any]:
        """Do what was meant, and remember it for the person whose words they were."""
        key, visit = self._desk.visits.of(key)
        last = visit.last
        if last is None or not visit.assistant.understand(text).commands:
            return self._refused(key, lang, note(self._desk.words("fix.unclear", lang)))
        speaker = who or last.turn.speaker
        try:
            lesson = visit.people.learn(last.turn.transcript.text, text, speaker=speaker)
        except CasekitError as error:
            return self._refused(key, lang, problem_html(error, self._desk, lang))
        told = _remembered(lesson, visit.people.lessons.index(lesson), self._desk, lang)
        shown = self._acts.said(key, lang, speaker, text)
        shown[_TOLD] = told
        return shown

    def undone(self, key: str | None, lang: str, data: dict[str, Any]) -> list[Any]:
        """Take back the lesson just learned."""
        _, visit = self._desk.visits.of(key)
        visit.people.unlearn(str(data.get("value", "")))
        words = self._desk.words
        return [note(words("people.undone", lang)), people_html(visit, words, lang)]

    def _refused(self, key: str, lang: str, told: str) -> list[Any]:
        """The panel stays open, and says why."""
        import gradio as gr

        shown = [*self._acts.again(key, lang)[:-1], gr.update(), gr.update()]
        shown[_TOLD:_ANSWER] = [told, gr.update(visible=True)]
        return shown


def with_device(turn: Turn, name: str) -> str:
    """What was heard with another device's name in the place of the one understood.

    Args:
        turn: The exchange that went wrong.
        name: Of the device that was meant.
    """
    for command in (*turn.understood.commands, *turn.understood.alternatives):
        for slot in command.slots:
            if slot.name in ("name", "area") and 0 <= slot.start < slot.end <= len(command.text):
                text = command.text
                return f"{text[: slot.start]}{name}{text[slot.end :]}"
    return f"turn on the {name}"


def _remembered(lesson: Lesson, number: int, desk: Desk, language: str) -> str:
    """What was learned, and a button that takes it back."""
    words = desk.words
    text = words("fix.learned", language, lesson=taught_text(lesson, words, language))
    undo = words("people.undo", language)
    return (
        f'<p class="ck-told" role="status" data-testid="learned">{icon("yes")}'
        f"<span>{escape(text)}</span>"
        f'<button type="button" class="ck-act" data-act="undo" data-value="{number}">'
        f"{escape(undo)}</button></p>"
    )


def _lead(desk: Desk, language: str) -> str:
    words = desk.words
    return (
        f"<h3>{escape(words('fix.title', language))}</h3>"
        f'<p class="ck-quiet">{escape(words("fix.lead", language))}</p>'
    )
