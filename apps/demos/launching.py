"""Open a demo on this machine: its look, its limits, and nothing that leaves the machine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import gradio as gr

LARGEST_UPLOAD = "5mb"


def launch(
    demo: gr.Blocks,
    *,
    host: str = "127.0.0.1",
    port: int | None = None,
    auth: Sequence[tuple[str, str]] | None = None,
    browser: bool = False,
    block: bool = True,
    upload: str = LARGEST_UPLOAD,
) -> str:
    """Serve a demo; returns its address.

    Args:
        demo: What a demo's `build` returned.
        host: Address to listen on; 0.0.0.0 shows the demo to the whole network.
        port: Port, or None for the first free one from 7860.
        auth: (user, password) pairs that may enter; None lets everybody in.
        browser: Whether to open the page in the default browser.
        block: Whether to stay until the demo is stopped.
        upload: Largest file that is taken, e.g. "5mb".
    """
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    from apps.demos.theme import head, theme

    settings: dict[str, Any] = {
        "server_name": host,
        "server_port": port,
        "auth": list(auth) if auth else None,
        "inbrowser": browser,
        "prevent_thread_lock": True,
        "share": False,
        "ssr_mode": False,
        "mcp_server": False,
        "quiet": True,
        "show_error": False,  # an unexpected error may hold client data
        "footer_links": [],
        "max_file_size": upload,
        "theme": theme(),
        "head": head(),
    }
    _, url, _ = demo.launch(**settings)
    if block:
        demo.block_thread()
    return url
