"""What one visitor has on screen, and how all of it is written anew after an exchange."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from apps.demos.voice_pages.listing import devices_html, history_html
from apps.demos.voice_pages.plan import plan_html
from apps.demos.voice_pages.reply import reply_html, welcome_html
from apps.demos.voice_pages.view import View

if TYPE_CHECKING:
    from apps.demos.voice_pages.desk import Desk
    from apps.demos.voice_pages.visits import Visit

KEPT_S = 1800  # seconds after which a silent visitor's conversation is over


@dataclass(frozen=True)
class Screen:
    """Gradio components that events write to; each visitor sees their own values."""

    key: Any  # State of the visit's key
    reply: Any  # HTML: the last exchange
    plan: Any  # HTML: the home
    history: Any  # HTML
    devices: Any  # HTML
    answer: Any  # HTML: the spoken answer
    why: Any  # HTML
    microphone: Any  # tells when an answer is there
    fix: Any  # Column: what was meant

    @property
    def shown(self) -> list[Any]:
        """What `drawn` gives values for, in its order."""
        return [self.key, self.reply, self.plan, self.history, self.devices]


def new_screen(desk: Desk, language: str, microphone: Any) -> Screen:
    """The components; all but the state are placed by the pages with `.render()`.

    Args:
        desk: Opened parts.
        language: In which the page is built.
        microphone: The component that hears.
    """
    import gradio as gr

    def over(key: str | None) -> None:
        desk.visits.close(key)

    _, reply, plan, history, devices = drawn(None, None, desk, language)
    return Screen(
        # Gradio copies what it is given, and a method with all that hangs on it: a function is not.
        key=gr.State(None, time_to_live=KEPT_S, delete_callback=over),
        reply=gr.HTML(reply, render=False, elem_id="reply", js_on_load=_CLICKS),
        plan=gr.HTML(plan, render=False, elem_id="plan"),
        history=gr.HTML(history, render=False),
        devices=gr.HTML(devices, render=False),
        answer=gr.HTML(render=False, elem_id="answer"),
        why=gr.HTML(render=False, elem_id="why"),
        microphone=microphone,
        fix=gr.Column(visible=False, render=False, elem_classes="ck-card", elem_id="fix"),
    )


# Buttons inside what is written anew: `say` carries words, the others only that they were pressed.
_CLICKS = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (!button) return;
  if (button.dataset.say) trigger('say', { text: button.dataset.say });
  if (button.dataset.act === 'why') trigger('why', {});
  if (button.dataset.act === 'wrong') trigger('wrong', {});
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
    ]
