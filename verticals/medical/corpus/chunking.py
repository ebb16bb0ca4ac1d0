"""Cuts documents into the passages that are searched as one.

A short abstract stays whole. A longer text is cut where its sections end, then between blocks,
lines and sentences; every passage is a slice of the document's text, without its title.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from verticals.medical.corpus.documents import Document, Passage
from verticals.medical.corpus.markdown import FENCE, STEP
from verticals.medical.evidence.sentences import split_sentences

VERSION = "1"  # of the rules below: another one makes every stored document count as changed
# Where a text may be cut, best first.
_BREAKS = (
    re.compile(r"\n[ \t]*\n\s*"),  # between blocks
    re.compile(r"\n+"),  # between lines: list items, rows of a table
    None,  # between sentences
    re.compile(r"\s+"),
)


@dataclass(frozen=True, slots=True)
class Sizes:
    """How long passages are, in words."""

    whole: int = 300  # a text up to this length is one passage
    target: int = 180  # of the passages of a longer one
    characters: int = 4000  # none is longer, whatever it is made of


SIZES = Sizes()


def chunk(document: Document, sizes: Sizes = SIZES) -> list[Passage]:
    """The passages of a document, in order; none where it has no text.

    `passage.text == document.text[passage.start:passage.end]` holds for each; together they
    leave out nothing but white space and headings without text. Neighbouring sections are put
    together while they are short and stand under one heading; `Passage.section` is then what
    their labels share.
    """
    text = document.text
    if text.count(" ") + text.count("\n") < sizes.whole and len(text) <= sizes.characters:
        label = document.sections[0].label if len(document.sections) == 1 else ""
        whole = _trimmed(text, 0, len(text))
        return [_passage(document, *whole, label)] if whole else []
    pieces = [piece for part in _parts(document) for piece in _pieces(text, *part, sizes)]
    return [_passage(document, *span) for span in _merged(document, pieces, sizes)]


def section_at(document: Document, position: int) -> str:
    """The label of the section that a character of the text lies in; empty if in none."""
    for section in document.sections:
        if section.start <= position < section.end:
            return section.label
    return ""


Span = tuple[int, int, str]  # start, end, label


def _passage(document: Document, start: int, end: int, label: str) -> Passage:
    return Passage(document.id, start, end, label, document.text[start:end])


def _parts(document: Document) -> Iterator[Span]:
    """The sections, and what lies between them."""
    last = 0
    for section in document.sections:
        if section.start > last:
            yield last, section.start, ""
        if section.end > section.start:
            yield section.start, section.end, section.label
        last = max(last, section.end)
    if last < len(document.text):
        yield last, len(document.text), ""


def _pieces(text: str, start: int, end: int, label: str, sizes: Sizes) -> Iterator[Span]:
    """A section, or parts of it of about equal length, each shorter than 1.35 targets."""
    span = _trimmed(text, start, end)
    while span:
        start, end = span
        words = _words(text, start, end)
        limit = min(1.35 * sizes.target, sizes.characters / 6)
        if words <= limit and end - start <= sizes.characters:
            yield start, end, label
            return
        parts = max(2, round(words / sizes.target), -(-(end - start) // sizes.characters))
        cut = _cut(text, start, end, (end - start) // parts)
        first = _trimmed(text, start, cut)
        if first:
            yield *first, label
        span = _trimmed(text, cut, end)


def _cut(text: str, start: int, end: int, step: int) -> int:
    """Where to end a piece of about `step` characters: at the best boundary near by."""
    low, ideal, high = start + step // 2, start + step, min(end - 1, start + step * 7 // 5)
    fences = [f.span() for f in FENCE.finditer(text, start, end)] if "\n```" in text else []
    for pattern in _BREAKS:
        if pattern is None:
            ends = [start + stop for _, stop in split_sentences(text[start:high])[:-1]]
            places = [place for place in ends if place >= low]
        else:
            places = [found.end() for found in pattern.finditer(text, low, high)]
        free = [p for p in places if not any(a < p < b for a, b in fences)]
        if free:
            return min(free, key=lambda place: abs(place - ideal))
    return min(ideal, end) if step else end


def _merged(document: Document, pieces: list[Span], sizes: Sizes) -> Iterator[Span]:
    """Neighbours under one top heading put together up to the target length."""
    text, held = document.text, None
    headed = any(STEP in s.label or text[s.start : s.start + 1] == "#" for s in document.sections)
    for piece in pieces:
        if held is None:
            held = piece
        elif _bare(text, held):  # a heading goes with what it stands above
            held = held[0], piece[1], piece[2]
        elif (
            (not headed or _top(held[2]) == _top(piece[2]))
            and _words(text, held[0], piece[1]) <= sizes.target
            and piece[1] - held[0] <= sizes.characters
        ):
            held = held[0], piece[1], _shared(held[2], piece[2])
        else:
            yield held
            held = piece
    if held is not None:
        yield held


def _bare(text: str, span: Span) -> bool:
    """Whether it is a heading of Markdown and nothing else."""
    start, end, _ = span
    return text[start] == "#" and end - start < 300 and "\n" not in text[start:end]


def _top(label: str) -> str:
    return label.partition(STEP)[0]


def _shared(one: str, other: str) -> str:
    steps, others = one.split(STEP), other.split(STEP)
    same = [a for a, b in zip(steps, others, strict=False) if a == b]
    return STEP.join(same) if steps[: len(same)] == same else ""


def _trimmed(text: str, start: int, end: int) -> tuple[int, int] | None:
    """The span without white space at its ends; None if nothing is left."""
    part = text[start:end]
    left = part.lstrip()
    if not left:
        return None
    start += len(part) - len(left)
    return start, start + len(left.rstrip())


def _words(text: str, start: int, end: int) -> int:
    return len(text[start:end].split())
