"""How notebooks show things, so that a second run shows the very same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    from IPython.display import HTML, Image, Markdown
    from matplotlib.figure import Figure


def show_table(table: pd.DataFrame, rows: int = 12, decimals: int = 3) -> HTML:
    """A table's first rows, rounded; an index is shown if it says more than the row's number."""
    from IPython.display import HTML

    if not isinstance(table.index, pd.RangeIndex):
        table = table.reset_index()
    shown = table.head(rows).rename(columns=lambda c: str(c).replace("_", " "))
    shown = shown.map(lambda value: _rounded(value, decimals))
    more = f"<p>{len(table) - rows} more rows.</p>" if len(table) > rows else ""
    return HTML(shown.to_html(index=False, border=0, na_rep="", justify="left") + more)


def show_text(text: str) -> Markdown:
    """A sentence as an output of its own, not as something printed."""
    from IPython.display import Markdown

    return Markdown(text)


def show_figure(figure: Figure) -> Image:
    """A matplotlib figure as a PNG without metadata."""
    from IPython.display import Image

    from core.evaluation.figures import png

    return Image(png(figure), embed=True)


def show_picture(picture: NDArray[np.uint8], quality: int = 82) -> Image:
    """A picture, (h, w, 3) RGB, as a JPEG: photographs stay small in it."""
    from io import BytesIO

    from IPython.display import Image
    from PIL import Image as Pictures

    buffer = BytesIO()
    Pictures.fromarray(picture).save(buffer, "JPEG", quality=quality)
    return Image(buffer.getvalue(), format="jpeg", embed=True)


def _rounded(value: Any, decimals: int) -> Any:
    if value is pd.NA:
        return ""
    if not isinstance(value, float) or pd.isna(value):
        return value
    text = f"{value:,.{0 if abs(value) >= 1000 else decimals}f}"
    return text[1:] if text.startswith("-") and not text.strip("-0.,") else text
