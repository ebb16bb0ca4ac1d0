"""How notebooks show things, so that a second run shows the very same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

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
    import io

    from IPython.display import Image

    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return Image(buffer.getvalue(), embed=True)


def _rounded(value: Any, decimals: int) -> Any:
    if not isinstance(value, float):
        return value
    text = f"{value:,.{0 if abs(value) >= 1000 else decimals}f}"
    return text[1:] if text.startswith("-") and not text.strip("-0.,") else text
