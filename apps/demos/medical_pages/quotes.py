"""A quotation in its context, as HTML whose text is the document's to the letter.

Nothing of a document becomes markup. Marks that Markdown left in a text are dimmed or hidden by
the style sheet and stay in the page, so that what is copied is what was quoted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import urlsplit

from apps.demos.medical_pages.desk import Word

REACH = 220  # characters of context on either side
_FAINT = 0.08  # share of the strongest weight below which a word is not shaded
_MARKS = re.compile(
    r"(?P<rule>^[ \t]*(?:\|?[ \t]*:?-{2,}[-:| \t]*|```.*)$\n?)|(?P<cell>[ \t]*\|[ \t]*)"
    r"|(?P<mark>\*\*|`|^[ \t]*#{1,6}[ \t]+|^[ \t]*>[ \t]?|(?<=\n)\n+)",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Place:
    """Where a quotation lies in a text, and how much of the text around it is shown."""

    start: int
    end: int
    first: int
    last: int


def place(text: str, start: int, end: int, reach: int = REACH) -> Place:
    """The quotation with whole words, and where possible whole lines, around it."""
    first, last = max(0, start - reach), min(len(text), end + reach)
    if first:
        line = text.find("\n", first, start)
        space = text.find(" ", first, start)
        first = line + 1 if line >= 0 else space + 1 if space >= 0 else start
    if last < len(text):
        line = text.rfind("\n", end, last)
        space = text.rfind(" ", end, last)
        last = line if line >= 0 else space if space >= 0 else end
    while first < start and text[first].isspace():
        first += 1
    while last > end and text[last - 1].isspace():
        last -= 1
    return Place(start, end, first, last)


def quotation(text: str, start: int, end: int, words: Sequence[Word] = ()) -> str:
    """The quote, marked, between the words before and after it.

    Args:
        text: The whole document.
        start: First character of the quote.
        end: One past its last.
        words: Weights by place in `text`; shades the words of the quote.
    """
    at = place(text, start, end)
    before, after = text[at.first : start], text[end : at.last]
    opening = "<span>… </span>" if text[: at.first].strip() else ""
    closing = "<span> …</span>" if text[at.last :].strip() else ""
    return (
        f'<blockquote class="ck-passage">{opening}{verbatim(before)}'
        f'<mark class="ck-quote" data-testid="quote">{shaded(text, start, end, words)}</mark>'
        f"{verbatim(after)}{closing}</blockquote>"
    )


def shaded(text: str, start: int, end: int, words: Sequence[Word]) -> str:
    """A stretch of a text with its words shaded by how much they carried."""
    inside = [
        w
        for w in words
        if start <= w.start < w.end <= end and any(c.isalnum() for c in text[w.start : w.end])
    ]
    top = max((abs(w.weight) for w in inside), default=0.0) or 1.0
    out, done = [], start
    for word in sorted(inside, key=lambda w: w.start):
        share = abs(word.weight) / top
        if word.start < done or share < _FAINT:
            continue
        kind = "ck-for" if word.weight > 0 else "ck-against"
        out.append(verbatim(text[done : word.start]))
        out.append(
            f'<span class="ck-w {kind}" style="--w:{share:.2f}">'
            f"{verbatim(text[word.start : word.end])}</span>"
        )
        done = word.end
    return "".join(out) + verbatim(text[done:end])


def verbatim(text: str) -> str:
    """A text escaped, its Markdown marks wrapped so that the style sheet can quieten them."""
    out, done = [], 0
    for found in _MARKS.finditer(text):
        out.append(escape(text[done : found.start()]))
        kind = "ck-cell" if found.lastgroup == "cell" else "ck-hidden"
        out.append(f'<span class="{kind}">{escape(found[0])}</span>')
        done = found.end()
    return "".join(out) + escape(text[done:])


def plain(text: str) -> str:
    """A text in one line without Markdown's marks, for a table's cell."""
    marks = _MARKS.sub(lambda m: " · " if m.lastgroup == "cell" else " ", text)
    return " ".join(marks.split()).strip("·- ")


def safe_link(link: str, text: str) -> str:
    """A link that opens beside the page and says nothing of it; text alone where it is no link."""
    parts = urlsplit(link) if link.isprintable() else urlsplit("")
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        return escape(text)
    return f'<a href="{escape(link)}" target="_blank" rel="noopener noreferrer">{escape(text)}</a>'
