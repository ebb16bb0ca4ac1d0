"""What stands around every demo's pages: its name, the choice of language, and the switch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apps.demos.words import LANGUAGES, PREFERRED_LANGUAGE, Labels, Words

if TYPE_CHECKING:
    import gradio as gr


@contextmanager
def framed(
    words: Words, header: Callable[[str], str], *, sheet: Path | None = None
) -> Iterator[tuple[gr.Blocks, Labels, Any]]:
    """The demo whose pages are built inside; yields it, its labels and the choice of language.

    Args:
        words: Texts; "site.title" and "site.language" among them.
        header: HTML at the top of the page, by language.
        sheet: A style sheet of the demo's own.
    """
    import gradio as gr

    labels = Labels(words)
    with gr.Blocks(
        title=words("site.title", "en"), analytics_enabled=False, delete_cache=(600, 3600)
    ) as demo:
        if sheet:
            text = sheet.read_text(encoding="utf-8")
            gr.HTML(f"<style>{text}</style>", elem_classes="ck-sheet")
        with gr.Row(elem_classes="ck-top"):
            labels.make(gr.HTML, {"value": header}, elem_classes="ck-brand")
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
        yield demo, labels, language
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        language.change(labels.update, language, labels.components, **quiet)
        demo.load(None, None, language, js=PREFERRED_LANGUAGE, **quiet)
