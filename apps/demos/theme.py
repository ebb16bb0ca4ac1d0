"""How the demos look: calm colours, one local font, a style sheet beside this file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gradio.themes.base import Base


_CHINESE = ("PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "Noto Sans SC")


def head() -> str:
    """What goes into the head of every demo's page: its style sheet, as it is written.

    Gradio's own `css` argument rewrites selectors, and wrongly inside media queries.
    """
    sheet = Path(__file__).with_name("style.css").read_text(encoding="utf-8")
    return (
        '<meta name="referrer" content="no-referrer">'
        '<link rel="icon" href="data:,">'
        f"<style>{sheet}</style>"
    )


def theme() -> Base:
    """A Gradio theme with fonts from the installed package and from the system only."""
    import gradio as gr
    from gradio.themes.utils import colors, fonts, sizes

    accent = colors.Color(
        "#f0f6fa", "#dceaf3", "#b9d4e6", "#8db8d4", "#5a95bc", "#2f769f", "#1f5f86", "#194c6c",
        "#163e58", "#12324a", "#0c2233", name="casekit",
    )  # fmt: skip
    base = gr.themes.Base(
        primary_hue=accent,
        neutral_hue=colors.slate,
        radius_size=sizes.radius_md,
        font=(fonts.LocalFont("IBM Plex Sans"), *_CHINESE, "system-ui", "sans-serif"),
        font_mono=(fonts.LocalFont("IBM Plex Mono"), "ui-monospace", "monospace"),
    )
    return base.set(
        body_background_fill="#f6f7f8",
        body_background_fill_dark="#12181f",
        block_border_width="0px",
        block_shadow="none",
        block_background_fill="transparent",
        block_background_fill_dark="transparent",
        block_padding="0px",
        block_label_background_fill="transparent",
        block_title_text_weight="500",
        block_title_text_size="*text_sm",
        block_info_text_size="*text_xs",
        input_background_fill="#ffffff",
        input_background_fill_dark="#1a222b",
        input_border_color="#ccd4dc",
        input_border_color_dark="#3a4653",
        input_border_color_focus="*primary_600",
        input_border_width="1px",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        button_primary_background_fill_dark="*primary_500",
        button_primary_text_color="white",
        slider_color="*primary_600",
    )
