"""Where sentences begin and end: offsets into the text, nothing rewritten.

A bullet and a row of a table are units of their own; headings and rulers are none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_BLANK = re.compile(r"\n[ \t]*(?=\n)")
# A line that starts a unit of its own: bullet, numbered item, table row, heading, quotation.
_STARTS = re.compile(r"\n(?=[ \t]*(?:[-*+•] |\d{1,2}[.)] |\||#{1,6} |> ))")
_SKIPPED = re.compile(r"#{1,6} |[\s|:=*_-]*$")
_MARK = re.compile(r"(?:[-*+•]|\d{1,2}[.)]|>|\|)[ \t]+")
# An end: a stop, perhaps closing brackets or references, then space, then what can begin.
_END = re.compile(r"[.!?][\"'”’)\]]*(?:\[\d+(?:[,–-]\d+)*\])?(?=\s+[\"'“‘(\[]?[A-Z0-9α-ωΑ-Ω*])")
_ABBREVIATIONS = (  # lower case, without the last stop
    "vs e.g i.e etc al fig figs eq no nos ca cf dr mr mrs ms prof st approx resp ref refs vol ed "
    "eds sp spp subsp var incl excl dept univ inc ltd "
    "jr sr jan feb mar apr jun jul aug sep sept oct nov dec"
)
_ALWAYS = "vs e.g i.e fig figs eq cf dr mr mrs ms prof"  # those that no sentence ends with
# Words that begin a sentence: "vitamin C. The", "Smith et al. We", "500 mg i.v. In".
_OPENER = re.compile(
    r"\s+[\"“‘(\[]?(?:The|This|These|Those|We|Our|In|It|Its|An?|There|However|After|All|Both|For"
    r"|From|To|When|While|Here|They|Thus|Results|Conclusions?|Methods)\b"
)
_DOTTED = re.compile(r"(?:[a-z]\.)+[a-z]")  # "C.I", "i.v", "U.S", as their last stop is cut off
_LAST_WORD = re.compile(r"[A-Za-z][A-Za-z.]*$")


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Sentences of a text, in order, without white space at their ends.

    Args:
        text: Plain text or Markdown.

    Returns:
        (start, end) of every sentence, so that `text[start:end]` is the sentence.
    """
    return [span for block in _blocks(text) for span in _sentences(text, *block)]


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    """Paragraphs, bullets and rows."""
    cuts = sorted({m.end() for m in _BLANK.finditer(text)} | {
        m.end() for m in _STARTS.finditer(text)
    })  # fmt: skip
    for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        at = _stripped(text, start, end)
        if at is None:
            continue
        if text[at[0]] == "#" and _SKIPPED.match(text, at[0]):  # a heading ends with its line
            line = text.find("\n", *at)
            rest = None if line < 0 else _stripped(text, line, at[1])
            if rest:
                yield rest
        elif not _SKIPPED.fullmatch(text, *at):
            yield at


def _sentences(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    mark = _MARK.match(text, start, end)
    first = mark.end() if mark else start
    if text[start] == "|":  # a row is read as a whole
        yield start, end
        return
    for found in _END.finditer(text, first, end):
        opens = _OPENER.match(text, found.end()) is not None
        if _is_abbreviation(text, first, found.start(), found.group(), opens=opens):
            continue
        span = _stripped(text, first, found.end())
        if span:
            yield span
        first = found.end()
    span = _stripped(text, first, end)
    if span:
        yield span


def _is_abbreviation(text: str, start: int, stop: int, end: str, *, opens: bool) -> bool:
    """Whether the stop belongs to the word before it; `opens` if a sentence can begin after it."""
    if end[0] != ".":
        return False
    word = _LAST_WORD.search(text, max(start, stop - 20), stop)
    if word is None:
        return False
    letters = word.group().lower()
    if opens:
        return letters in _ALWAYS.split()
    # A single capital is an initial: "J. Smith"; "E. coli" is no end, as its second word is small.
    initial = len(word.group()) == 1 and word.group().isupper()
    return initial or bool(_DOTTED.fullmatch(letters)) or letters in _ABBREVIATIONS.split()


def _stripped(text: str, start: int, end: int) -> tuple[int, int] | None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return (start, end) if start < end else None
