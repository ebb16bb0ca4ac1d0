"""The driving demo: see a road, follow what moves, play scenarios with and without the shield.

It knows a desk and nothing deeper; every session has its own pictures and shares nothing else.
"""

from __future__ import annotations

from functools import partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from apps.demos import launching

if TYPE_CHECKING:
    import gradio as gr

    from apps.demos.driving_pages.desk import Desk

__all__ = ["build", "compose", "launch"]

launch = partial(launching.launch, upload="60mb")  # a minute of a telephone's film


def build(bundle: Path | None = None) -> gr.Blocks:
    """The demo of a bundle.

    Args:
        bundle: A bundle's folder or .zip file; without one, the weights that come with the kit.

    Raises:
        BundleError: The bundle is missing, changed, or signed by a stranger.
        ModelError: The weights are missing.
    """
    from apps.demos.driving_pages.opening import open_desk

    return compose(open_desk(bundle))


def compose(desk: Desk) -> gr.Blocks:
    """The pages of the demo around opened perception."""
    import gradio as gr

    from apps.demos.driving_pages.api import add_endpoints
    from apps.demos.driving_pages.decide import decide_page
    from apps.demos.driving_pages.see import see_page
    from apps.demos.driving_pages.speed import speed_page
    from apps.demos.framing import framed

    sheet = Path(__file__).with_name("driving_pages") / "style.css"
    with framed(desk.words, partial(_header, desk), sheet=sheet) as (demo, labels, language):
        with gr.Tabs():
            with labels.make(gr.Tab, {"label": "pages.see"}, id="see"):
                chooser = see_page(desk, labels, language)
            with labels.make(gr.Tab, {"label": "pages.decide"}, id="decide"):
                decide_page(desk, labels, language)
            with labels.make(gr.Tab, {"label": "pages.speed"}, id="speed"):
                speed_page(desk, labels, language, chooser)
        add_endpoints(desk)
    return demo


def _header(desk: Desk, language: str) -> str:
    """The name of the page, and that it must not drive."""
    words = desk.words
    return (
        f"<h1>{escape(words('site.title', language))}</h1>"
        f'<p role="note" data-testid="disclaimer">{escape(words("site.lead", language))}</p>'
    )
