"""Small tables as HTML, every cell escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape


class Markup(str):
    """HTML that this program wrote itself; everything else is escaped."""

    __slots__ = ()


def html_table(
    head: Sequence[str], rows: Sequence[Sequence[object]], *, numbers: Sequence[int] = ()
) -> str:
    """A table that scrolls sideways where the screen is narrow.

    Args:
        head: Names of the columns.
        rows: Cells; anything but `Markup` is escaped.
        numbers: Positions of columns that hold numbers, aligned right.
    """

    def cell(tag: str, position: int, value: object) -> str:
        side = ' class="ck-right"' if position in numbers else ""
        text = value if isinstance(value, Markup) else escape(str(value))
        scope = ' scope="col"' if tag == "th" else ""
        return f"<{tag}{side}{scope}>{text}</{tag}>"

    top = "".join(cell("th", i, name) for i, name in enumerate(head))
    body = "".join(
        f"<tr>{''.join(cell('td', i, value) for i, value in enumerate(row))}</tr>" for row in rows
    )
    return (
        f'<div class="ck-scroll" tabindex="0"><table class="ck-table"><thead><tr>{top}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )
