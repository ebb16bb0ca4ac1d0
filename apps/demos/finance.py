"""The finance demo: one applicant, many applicants, the portfolio, the market, the model.

It knows a bundle and nothing deeper; every session reads the same bundle and shares nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apps.demos.launching import launch

if TYPE_CHECKING:
    import gradio as gr

    from apps.demos.finance_pages.desk import Desk
    from apps.demos.words import Labels

__all__ = ["build", "compose", "launch"]


def build(bundle: Path | None = None) -> gr.Blocks:
    """The demo of a bundle.

    Args:
        bundle: A bundle's folder or .zip file; without one, the newest finished finance run under
            ./runs or in casekit's own folder, and if there is none a quick model is trained on
            German credit once, with its progress on the terminal.

    Raises:
        BundleError: The bundle is missing, changed, or signed by a stranger.
    """
    from apps.demos.finance_pages.desk import open_desk
    from apps.demos.finance_pages.finding import find_bundle

    return compose(open_desk(bundle or find_bundle()))


def compose(desk: Desk) -> gr.Blocks:
    """The pages of the demo around an opened bundle."""
    import gradio as gr

    from apps.demos.finance_pages.api import add_endpoints
    from apps.demos.finance_pages.applicant import applicant_page
    from apps.demos.finance_pages.batch import batch_page
    from apps.demos.finance_pages.market import market_page
    from apps.demos.finance_pages.model import model_page
    from apps.demos.finance_pages.portfolio import portfolio_page
    from apps.demos.framing import framed

    pages: dict[str, Callable[[Desk, Labels, Any], None]] = {
        "applicant": applicant_page,
        "batch": batch_page,
        "portfolio": portfolio_page,
        "market": market_page,
        "model": model_page,
    }
    with framed(desk.words, partial(_header, desk)) as (demo, labels, language):
        with gr.Tabs():
            for name, page in pages.items():
                with labels.make(gr.Tab, {"label": f"tabs.{name}"}, id=name):
                    page(desk, labels, language)
        add_endpoints(desk)
    return demo


def _header(desk: Desk, language: str) -> str:
    """The name of the page and what it promises."""
    words, manifest = desk.words, desk.manifest
    built = words(
        "site.built", language, date=manifest.created[:10], rows=f"{manifest.data.rows:,}"
    )
    return (
        f"<h1>{escape(words('site.title', language))}</h1>"
        f"<p>{escape(words('site.promise', language))} <span>{escape(built)}</span></p>"
    )
