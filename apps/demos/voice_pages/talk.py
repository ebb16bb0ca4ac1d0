"""The page that listens: microphone, text and recordings in; the exchange and the home beside."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from apps.demos.voice_pages.acts import LONGEST_TEXT, Acts
from apps.demos.voice_pages.events import with_data
from apps.demos.voice_pages.explaining import empty_html
from apps.demos.voice_pages.fixing import fix_panel
from apps.demos.voice_pages.icons import icon

if TYPE_CHECKING:
    from apps.demos.voice_pages.desk import Desk
    from apps.demos.voice_pages.screen import Screen
    from apps.demos.words import Labels

EXAMPLES = (
    "turn off the kitchen lights and lock the front door",
    "make the bedside lamp blue",
    "and the living room too",
    "unlock the front door",
    "set a timer for 10 minutes",
    "activate movie night",
    "what's the weather like tomorrow",
)
_QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
_PRESSED = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (button?.dataset.say) trigger('say', { text: button.dataset.say });
  if (button?.dataset.clip) trigger('clip', { number: Number(button.dataset.clip) });
});
"""
# On a phone the exchange lies below the form: bring it into view.
_TO_REPLY = """() => { if (window.innerWidth < 900)
  document.getElementById('reply').scrollIntoView({behavior: 'smooth', block: 'start'}); }"""


def talk_page(desk: Desk, labels: Labels, language: Any, screen: Screen) -> None:
    """Build the page inside the current tab.

    Args:
        desk: Opened parts.
        labels: Makes components that follow the language.
        language: The component that holds the language.
        screen: What the visitor has on screen.
    """
    import gradio as gr

    with gr.Row(elem_classes="ck-split ck-talk"):
        with gr.Column(scale=6, min_width=300):
            screen.microphone.render()
            with gr.Row(elem_classes="ck-typing"):
                text = labels.make(
                    gr.Textbox, {"label": "speak.type", "placeholder": "speak.placeholder"},
                    max_length=LONGEST_TEXT, max_lines=1, elem_id="sentence", scale=5,
                )  # fmt: skip
                send = labels.make(
                    gr.Button, {"value": "speak.send"}, variant="primary", scale=0, min_width=96
                )
            screen.reply.render()
            screen.answer.render()
            screen.told.render()
            acts, form = Acts(desk), [screen.key, language, screen.speaker]
            fixed = fix_panel(desk, labels, form, screen, acts)
            examples = labels.make(
                gr.HTML, {"value": lambda lang: _examples(desk, lang)}, js_on_load=_PRESSED,
                elem_id="examples",
            )  # fmt: skip
            room, upload = _settings(desk, labels, screen)
        with gr.Column(scale=6, min_width=320, elem_classes="ck-card ck-home ck-sticky"):
            with gr.Row(elem_classes="ck-home-bar"):
                gr.HTML(f"<h3>{escape(desk.parts.home.name)}</h3>")
                reset = labels.make(
                    gr.Button, {"value": "home.reset"}, size="sm", scale=0, min_width=90,
                    elem_id="reset",
                )  # fmt: skip
            screen.plan.render()
    shown = [*screen.shown, screen.answer, screen.microphone]
    for fix in fixed:
        fix.then(acts.spoken, [screen.key, language], screen.answer, **_QUIET)
    for happens, act, inputs, outputs in (
        (send.click, acts.typed, [*form, text], [*shown, text]),
        (text.submit, acts.typed, [*form, text], [*shown, text]),
        (screen.reply.say, with_data(acts.answered), form, shown),
        (examples.say, with_data(acts.pressed), form, shown),
        (examples.clip, with_data(acts.played), form, shown),
        (screen.microphone.heard, with_data(acts.heard), form, shown),
        (upload.upload, acts.uploaded, [*form, upload], shown),
    ):
        happens(act, inputs, outputs, **_QUIET).then(
            acts.spoken, [screen.key, language], screen.answer, **_QUIET
        )
        happens(None, js=_TO_REPLY, **_QUIET)
    screen.reply.why(
        lambda lang: [gr.update(selected="why"), empty_html(desk, lang, busy=True)],
        language,
        [screen.pages, screen.why],
        **_QUIET,
    ).then(acts.explained, [screen.key, language], screen.why, **_QUIET)
    room.input(acts.moved, [screen.key, language, room], screen.shown, **_QUIET)
    reset.click(acts.reset, [screen.key, language], [*screen.shown, screen.answer], **_QUIET)
    language.change(acts.again, [screen.key, language], [*screen.shown, screen.why], **_QUIET)


def _settings(desk: Desk, labels: Labels, screen: Screen) -> tuple[Any, Any]:
    """Where the microphone is, who speaks, and a recording in place of the microphone."""
    import gradio as gr

    rooms = [(area.name, area.id) for area in desk.parts.home.areas]
    with gr.Row(elem_classes="ck-settings"):
        room = labels.make(
            gr.Dropdown, {"label": "home.room"}, choices=rooms, value=desk.visits.first_room,
            min_width=140, elem_id="room",
        )  # fmt: skip
        screen.speaker.render()
        upload = labels.make(
            gr.UploadButton, {"label": "speak.upload"}, file_types=["audio"], size="sm",
            elem_id="recording", scale=0, min_width=140,
        )  # fmt: skip
    return room, upload


def _examples(desk: Desk, language: str) -> str:
    """Sentences to press, and recordings of made-up people."""
    words = desk.words
    typed = "".join(
        f'<button type="button" class="ck-act" data-say="{escape(text)}">{escape(text)}</button>'
        for text in EXAMPLES
    )
    clips = "".join(
        f'<button type="button" class="ck-act" data-clip="{n}">{icon("media_player")}'
        f"{escape(clip.text)}</button>"
        for n, clip in enumerate(desk.clips)
    )
    spoken = (
        f'<h4>{escape(words("speak.clips", language))}</h4><p class="ck-row-of">{clips}</p>'
        if clips else ""
    )  # fmt: skip
    title = escape(words("speak.examples", language))
    return (
        f'<details class="ck-try" open><summary>{title}</summary>'
        f'<p class="ck-row-of">{typed}</p>{spoken}</details>'
    )
