"""The page that sees: a photograph, a clip or a scene, and everything that is said of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apps.demos.driving_pages.events import with_row
from apps.demos.driving_pages.opening import FIRST
from apps.demos.driving_pages.scenes import NUMBERS
from apps.demos.driving_pages.seeing import KEPT_S, Acts
from apps.demos.driving_pages.stage import FIRST_LAYERS, LAYERS
from verticals.driving.data import images, video

if TYPE_CHECKING:
    from apps.demos.driving_pages.desk import Desk
    from apps.demos.words import Labels

_QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
_BUSY: dict[str, Any] = {"api_visibility": "private", "show_progress": "minimal"}
_PRESSED = """
const press = (event) => {
  const part = event.target.closest('[data-row]');
  if (part) trigger('why', { row: Number(part.dataset.row) });
};
element.addEventListener('click', press);
element.addEventListener('keydown', (event) => { if (event.key === 'Enter') press(event); });
"""
# On a phone the picture lies below the form: bring what was seen into view.
_TO_PICTURE = """() => { if (window.innerWidth < 900)
  document.getElementById('said').scrollIntoView({behavior: 'smooth', block: 'start'}); }"""


def see_page(desk: Desk, labels: Labels, language: Any) -> Any:
    """Build the page inside the current tab.

    Returns:
        The dropdown of runtimes, which gets more choices when more are made.

    Args:
        desk: Opened perception.
        labels: Makes components that follow the language.
        language: The component that holds the language.
    """
    import gradio as gr

    words, acts = desk.words, Acts(desk)
    looked, reason = (gr.State(None, time_to_live=KEPT_S) for _ in range(2))
    headline, stage, table, film = acts.first(labels.first)
    with gr.Row(elem_classes="ck-split ck-see"):
        with gr.Column(scale=4, min_width=280):
            upload, weather, number, one, drive = _sources(labels)
            layers = labels.make(
                gr.CheckboxGroup,
                {"label": "see.layers",
                 "choices": lambda lang: [(words(f"layers.{x}", lang), x) for x in LAYERS]},
                value=list(FIRST_LAYERS), elem_id="layers", elem_classes="ck-pills",
            )  # fmt: skip
            runtime = labels.make(
                gr.Dropdown,
                {"label": "see.runtime",
                 "choices": lambda lang: [(words(f"runtimes.{k}", lang), k)
                                          for k in desk.runtimes.kinds]},
                value=desk.first.runtime, elem_id="runtime", filterable=False,
            )  # fmt: skip
        with gr.Column(scale=9, min_width=320):
            said = gr.HTML(headline, elem_id="said")
            picture = gr.HTML(stage, elem_id="stage", js_on_load=_PRESSED)
            at = labels.make(
                gr.Slider, {"label": "see.moment"}, minimum=0, maximum=1, step=1, value=0,
                visible=False, elem_id="moment",
            )  # fmt: skip
            because = gr.HTML(elem_id="why")
    with gr.Row(elem_classes="ck-split ck-below"):
        with gr.Column(scale=7, min_width=320):
            objects = gr.HTML(table, elem_id="objects", js_on_load=_PRESSED)
        with gr.Column(scale=6, min_width=300):
            played = gr.HTML(film, elem_id="film")
    shown = [looked, reason, said, picture, objects, played, at, because]
    view = [looked, language, layers, at]
    for happens, act, inputs in (
        (upload.upload, acts.uploaded, [upload]),
        (one.click, acts.scene, [weather, number]),
        (drive.click, acts.drive, [weather, number]),
        (runtime.input, acts.again, [looked]),
    ):
        happens(act, [language, layers, runtime, *inputs], shown, **_BUSY).then(
            None, js=_TO_PICTURE, **_QUIET
        )
    layers.change(acts.redrawn, [*view, reason], [said, picture, objects, played, because], **_BUSY)
    at.change(acts.moved, [*view, reason], [reason, said, picture, objects, because], **_QUIET)
    for pressed in (picture, objects):
        pressed.why(with_row(acts.explained), view, [reason, picture, because],
                    concurrency_id="why", **_QUIET)  # fmt: skip
    language.change(
        acts.redrawn, [*view, reason], [said, picture, objects, played, because], **_QUIET
    )
    return runtime


def _sources(labels: Labels) -> tuple[Any, ...]:
    """What to look at: an upload, or a scene by weather and number."""
    import gradio as gr

    from verticals.driving.world.weather import WEATHERS

    words = labels.words
    with gr.Column(elem_classes="ck-card ck-sources"):
        labels.make(gr.HTML, {"value": lambda lang: f"<h3>{words('see.own', lang)}</h3>"})
        upload = labels.make(
            gr.UploadButton, {"label": "see.upload"}, elem_id="upload", variant="primary",
            file_types=[*images.SUFFIXES, *video.SUFFIXES],
        )  # fmt: skip
        labels.make(
            gr.HTML, {"value": lambda lang: f'<p class="ck-quiet">{words("see.limits", lang)}</p>'}
        )
        labels.make(gr.HTML, {"value": lambda lang: f"<h3>{words('see.scene', lang)}</h3>"})
        with gr.Row():
            weather = labels.make(
                gr.Dropdown,
                {"label": "see.weather",
                 "choices": lambda lang: [(words(f"weathers.{w}", lang), w) for w in WEATHERS]},
                value=FIRST[1], elem_id="weather", filterable=False, min_width=110,
            )  # fmt: skip
            number = labels.make(
                gr.Number, {"label": "see.number"}, value=FIRST[0], minimum=NUMBERS[0],
                maximum=NUMBERS[1], precision=0, elem_id="number", min_width=80,
            )  # fmt: skip
        with gr.Row():
            one = labels.make(gr.Button, {"value": "see.one"}, elem_id="one", min_width=100)
            drive = labels.make(gr.Button, {"value": "see.drive"}, elem_id="drive", min_width=100)
    return upload, weather, number, one, drive
