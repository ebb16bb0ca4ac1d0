"""What one visitor has on screen, and how all of it is written anew after an exchange."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from apps.demos.voice_pages.explaining import empty_html
from apps.demos.voice_pages.knowing import people_html, progress_html
from apps.demos.voice_pages.listing import devices_html, history_html
from apps.demos.voice_pages.microphone import microphone
from apps.demos.voice_pages.plan import plan_html
from apps.demos.voice_pages.reply import reply_html, welcome_html
from apps.demos.voice_pages.view import View

if TYPE_CHECKING:
    from apps.demos.voice_pages.desk import Desk
    from apps.demos.voice_pages.visits import Visit
    from apps.demos.words import Labels

KEPT_S = 1800  # seconds after which a silent visitor's conversation is over


@dataclass(frozen=True)
class Screen:
    """Gradio components that events write to; each visitor sees their own values."""

    key: Any  # State of the visit's key
    reply: Any  # HTML: the last exchange
    plan: Any  # HTML: the home
    history: Any  # HTML
    devices: Any  # HTML
    people: Any  # HTML: who is enrolled, and what was taught
    progress: Any  # HTML: how far a voice is learned
    speaker: Any  # Dropdown: who speaks, of those who are enrolled
    answer: Any  # HTML: the spoken answer
    why: Any  # HTML
    microphone: Any  # tells when an answer is there
    fix: Any  # Column: what was meant
    told: Any  # HTML: what was remembered
    pages: Any  # the tabs

    @property
    def shown(self) -> list[Any]:
        """What `drawn` gives values for, in its order."""
        return [
            self.key, self.reply, self.plan, self.history, self.devices, self.people,
            self.progress, self.speaker, self.told, self.fix,
        ]  # fmt: skip


def new_screen(desk: Desk, labels: Labels) -> Screen:
    """The components; all but the state are placed by the pages with `.render()`.

    Args:
        desk: Opened parts.
        labels: Makes components that follow the language.
    """
    import gradio as gr

    def over(key: str | None) -> None:
        desk.visits.close(key)

    language = labels.first
    _, reply, plan, history, devices, people, progress, *_ = drawn(None, None, desk, language)
    return Screen(
        # Gradio copies what it is given, and a method with all that hangs on it: a function is not.
        key=gr.State(None, time_to_live=KEPT_S, delete_callback=over),
        reply=gr.HTML(reply, render=False, elem_id="reply", js_on_load=CLICKS),
        plan=gr.HTML(plan, render=False, elem_id="plan"),
        history=gr.HTML(history, render=False),
        devices=gr.HTML(devices, render=False),
        people=gr.HTML(people, render=False, elem_id="people", js_on_load=CLICKS),
        progress=gr.HTML(progress, render=False, elem_id="progress"),
        speaker=labels.make(
            gr.Dropdown, {"label": "home.speaker"}, choices=_speakers(None, desk, language),
            value="", min_width=140, elem_id="speaker", render=False,
        ),
        answer=gr.HTML(render=False, elem_id="answer"),
        why=gr.HTML(empty_html(desk, language), render=False, elem_id="why"),
        microphone=microphone(desk, labels),
        fix=gr.Column(visible=False, render=False, elem_classes="ck-card", elem_id="fix"),
        told=gr.HTML(render=False, elem_id="told", js_on_load=CLICKS),
        pages=gr.Tabs(render=False, elem_id="pages"),
    )  # fmt: skip


# Buttons inside what is written anew: `say` carries words, an act what it is about.
CLICKS = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (!button) return;
  if (button.dataset.say) trigger('say', { text: button.dataset.say });
  const act = ['why', 'wrong', 'forget', 'undo'].find((name) => name === button.dataset.act);
  if (act) trigger(act, { value: button.dataset.value });
});
"""


def drawn(key: str | None, visit: Visit | None, desk: Desk, language: str) -> list[Any]:
    """Values of `Screen.shown`.

    Args:
        key: The visit's key.
        visit: The conversation; None before it has begun.
        desk: Opened parts.
        language: Of the page.
    """
    import gradio as gr

    home, words = desk.parts.home, desk.words
    last = visit.last if visit else None
    states = visit.states if visit else desk.visits.first_states
    changed = {change.entity for change in last.changes} if last else set()
    room = visit.room if visit else desk.visits.first_room
    view = View(home, states, words, language, changed, room)
    return [
        key,
        reply_html(last, desk, language) if last else welcome_html(desk, language),
        plan_html(view),
        history_html(visit.exchanges if visit else [], desk, language),
        devices_html(home, states, words, language),
        people_html(visit, words, language),
        progress_html(len(visit.clips) if visit else 0, words, language),
        gr.update(choices=_speakers(visit, desk, language)),
        "",
        gr.update(visible=False),
    ]


def _speakers(visit: Visit | None, desk: Desk, language: str) -> list[tuple[str, str]]:
    """Who may be chosen to speak."""
    names = visit.people.names if visit else ()
    return [(desk.words("home.anybody", language), ""), *((name, name) for name in names)]
