"""The medical demo: a clinical question, one patient, cited evidence, and why.

It knows a reader and nothing deeper; every session has its own patient and shares nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apps.demos import launching

if TYPE_CHECKING:
    import gradio as gr

    from apps.demos.medical_pages.desk import Desk
    from apps.demos.medical_pages.session import Session
    from apps.demos.words import Labels

__all__ = ["build", "compose", "launch"]

launch = partial(launching.launch, upload="25mb")  # as large as a whole record gets


def build(bundle: Path | None = None) -> gr.Blocks:
    """The demo of a bundle.

    Args:
        bundle: A bundle's folder or .zip file; without one, the newest finished medical run under
            ./runs or in casekit's own folder, and if there is none the embedded guidelines are
            read once, with progress on the terminal.

    Raises:
        BundleError: The bundle is missing, changed, or signed by a stranger.
    """
    from apps.demos.medical_pages.finding import find_bundle
    from apps.demos.medical_pages.opening import open_desk

    return compose(open_desk(bundle or find_bundle()))


def compose(desk: Desk) -> gr.Blocks:
    """The pages of the demo around an opened bundle."""
    import gradio as gr

    from apps.demos.framing import framed
    from apps.demos.medical_pages.api import add_endpoints
    from apps.demos.medical_pages.ask import ask_page
    from apps.demos.medical_pages.explaining import why_page
    from apps.demos.medical_pages.patient import patient_bar, patient_page
    from apps.demos.medical_pages.quality import quality_page
    from apps.demos.medical_pages.session import new_session

    pages: dict[str, Callable[[Desk, Labels, Any, Session], None]] = {
        "ask": ask_page,
        "patient": patient_page,
        "why": why_page,
        "quality": quality_page,
    }
    sheet = Path(__file__).with_name("medical_pages") / "style.css"
    with framed(desk.words, partial(_header, desk), sheet=sheet) as (demo, labels, language):
        session = new_session(labels)
        patient_bar(desk, labels, language, session)
        with gr.Tabs():
            for name, page in pages.items():
                with labels.make(gr.Tab, {"label": f"pages.{name}"}, id=name):
                    page(desk, labels, language, session)
        add_endpoints(desk)
    return demo


def _header(desk: Desk, language: str) -> str:
    """The name of the page, and that it informs and does not decide."""
    words = desk.words
    return (
        f"<h1>{escape(words('site.title', language))}</h1>"
        f'<p role="note" data-testid="disclaimer">{escape(words("site.disclaimer", language))}</p>'
    )
