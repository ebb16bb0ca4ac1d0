"""The voice demo: a home on a floor plan that hears, understands, acts, answers and says why.

It knows an assistant and nothing deeper; every visitor has a home of their own.
"""

from __future__ import annotations

from functools import partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

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

    from apps.demos.voice_pages.api import add_endpoints
    from apps.demos.voice_pages.microphone import microphone
    from apps.demos.voice_pages.screen import new_screen
    from apps.demos.voice_pages.talk import talk_page
    from apps.demos.words import LANGUAGES, PREFERRED_LANGUAGE, Labels

    labels = Labels(desk.words)
    sheet = Path(__file__).with_name("voice_pages") / "style.css"
    with gr.Blocks(
        title=desk.words("site.title", "en"), analytics_enabled=False, delete_cache=(600, 3600)
    ) as demo:
        gr.HTML(f"<style>{sheet.read_text(encoding='utf-8')}</style>", elem_classes="ck-sheet")
        screen = new_screen(desk, labels.first, microphone(desk, labels))
        with gr.Row(elem_classes="ck-top"):
            labels.make(
                gr.HTML, {"value": lambda lang: _header(desk, lang)}, elem_classes="ck-brand"
            )
            language = labels.make(
                gr.Radio,
                {"label": "site.language"},
                choices=[(name, code) for code, name in LANGUAGES.items()],
                value=labels.first,
                elem_id="language",
                elem_classes="ck-pills",
                container=False,
                scale=0,
                min_width=170,
            )
        with gr.Tabs(elem_id="pages") as tabs:
            with labels.make(gr.Tab, {"label": "pages.talk"}, id="talk"):
                talk_page(desk, labels, language, screen)
            with labels.make(gr.Tab, {"label": "pages.why"}, id="why"):
                screen.why.render()
            with labels.make(gr.Tab, {"label": "pages.devices"}, id="devices"):
                screen.devices.render()
            with labels.make(gr.Tab, {"label": "pages.history"}, id="history"):
                screen.history.render()
        del tabs
        add_endpoints(desk)
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        language.change(labels.update, language, labels.components, **quiet)
        demo.load(None, None, language, js=PREFERRED_LANGUAGE, **quiet)
        demo.load(None, js=_CLOCK, **quiet)
    return demo


def _header(desk: Desk, language: str) -> str:
    """The name of the page, and that it keeps what it hears to itself."""
    words = desk.words
    return (
        f"<h1>{escape(words('site.title', language))}</h1>"
        f'<p role="note">{escape(words("site.lead", language))}</p>'
    )
