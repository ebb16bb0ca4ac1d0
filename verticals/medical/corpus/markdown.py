"""Markdown into a title, its verbatim text and its sections by heading."""

from __future__ import annotations

import re

from verticals.medical.corpus.documents import Section

HEADING = re.compile(r"^(#{1,6})[ \t]+(.+?)[ \t]*#*[ \t]*$", re.MULTILINE)
FENCE = re.compile(r"^(```|~~~).*?^\1[ \t]*$", re.MULTILINE | re.DOTALL)
STEP = " › "  # between a heading and the one below it
_MARKS = re.compile(r"\*\*|__|`")


def split_markdown(source: str) -> tuple[str, str, tuple[Section, ...]]:
    """Title (of the first level-1 heading, else empty), text behind it, and sections.

    The text is what is written, markup included, so that a quotation can be found in the file.
    A section's label is the path of headings: "Dosing › Renal impairment".
    """
    title, start = "", 0
    first = HEADING.search(source)
    if first and first[1] == "#" and not source[: first.start()].strip():
        title, start = plain(first[2]), first.end()
    start += len(source[start:]) - len(source[start:].lstrip())
    text = source[start:].rstrip()
    return title, text, tuple(_sections(text))


def plain(heading: str) -> str:
    """A heading without its markup."""
    return _MARKS.sub("", heading).strip()


def _sections(text: str) -> list[Section]:
    fences = [found.span() for found in FENCE.finditer(text)]
    heads = [
        found
        for found in HEADING.finditer(text)
        if not any(start <= found.start() < end for start, end in fences)
    ]
    if not heads:
        return []
    found, path = [], list[tuple[int, str]]()
    if text[: heads[0].start()].strip():
        found.append(Section("", 0, heads[0].start()))
    for head, after in zip(heads, [*heads[1:], None], strict=True):
        level = len(head[1])
        path = [step for step in path if step[0] < level] + [(level, plain(head[2]))]
        end = after.start() if after else len(text)
        found.append(Section(STEP.join(label for _, label in path), head.start(), end))
    return found
