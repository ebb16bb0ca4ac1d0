"""The voice demo: a home on a floor plan that hears, understands, acts, answers and says why.

It knows an assistant and nothing deeper; every visitor has a home of their own.
"""

from __future__ import annotations

from functools import partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from apps.demos import launching

if TYPE_CHECKING:
    import gradio as gr

    from apps.demos.voice_pages.desk import Desk

__all__ = ["build", "compose", "launch"]

launch = partial(launching.launch, upload="25mb")  # half a minute of the largest format
_CLOCK = """() => { setInterval(() => {
  for (const clock of document.querySelectorAll('[data-left]')) {
    const left = Math.max(0, Number(clock.dataset.left) - 1);
    clock.dataset.left = left;
    const two = (n) => String(n).padStart(2, '0');
    const hours = Math.floor(left / 3600), rest = left % 3600;
    clock.textContent = (hours ? hours + ':' + two(Math.floor(rest / 60))
      : String(Math.floor(rest / 60))) + ':' + two(rest % 60);
  }
}, 1000); }"""


def build(bundle: Path | None = None) -> gr.Blocks:
    """The demo of a bundle.

    Args:
        bundle: A bundle's folder or .zip file; without one, the newest finished voice run under
            ./runs or in casekit's own folder, and if there is none the embedded home.

    Raises:
        BundleError: The bundle is missing, changed, or signed by a stranger.
        ModelError: The recogniser is not installed.
    """
    from apps.demos.voice_pages.opening import find_bundle, open_desk

    return compose(open_desk(bundle or find_bundle()))


def compose(desk: Desk) -> gr.Blocks:
    """The pages of the demo around opened parts."""
    import gradio as gr

    from apps.demos.framing import framed
    from apps.demos.voice_pages.api import add_endpoints
    from apps.demos.voice_pages.measured import measured_html
    from apps.demos.voice_pages.people_page import people_page
    from apps.demos.voice_pages.screen import new_screen
    from apps.demos.voice_pages.talk import talk_page

    sheet = Path(__file__).with_name("voice_pages") / "style.css"
    with framed(desk.words, partial(_header, desk), sheet=sheet) as (demo, labels, language):
        screen = new_screen(desk, labels)
        screen.pages.render()
        with screen.pages:
            with labels.make(gr.Tab, {"label": "pages.talk"}, id="talk"):
                talk_page(desk, labels, language, screen)
            with labels.make(gr.Tab, {"label": "pages.why"}, id="why"):
                screen.why.render()
            with labels.make(gr.Tab, {"label": "pages.people"}, id="people"):
                people_page(desk, labels, language, screen)
            with labels.make(gr.Tab, {"label": "pages.devices"}, id="devices"):
                screen.devices.render()
            with labels.make(gr.Tab, {"label": "pages.history"}, id="history"):
                screen.history.render()
            measured = desk.manifest is not None
            with labels.make(gr.Tab, {"label": "pages.model"}, id="model", visible=measured):
                labels.make(gr.HTML, {"value": lambda lang: measured_html(desk, lang)})
        add_endpoints(desk)
        demo.load(None, js=_CLOCK, show_progress="hidden", api_visibility="private")
    return demo


def _header(desk: Desk, language: str) -> str:
    """The name of the page, and that it keeps what it hears to itself."""
    words = desk.words
    return (
        f"<h1>{escape(words('site.title', language))}</h1>"
        f'<p role="note">{escape(words("site.lead", language))}</p>'
    )
