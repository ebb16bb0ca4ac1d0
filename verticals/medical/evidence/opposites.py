"""Turns a statement into its opposite, to teach a model what contradiction looks like.

(Counterfactually augmented data: Kaushik et al., 2020, here by a table of words.)
"""

from __future__ import annotations

import re

from verticals.medical.evidence.cues import words

_WORD = re.compile(r"[A-Za-z]+")


def turned(text: str) -> str | None:
    """The text with its one word of direction replaced by the opposite.

    Args:
        text: A claim, question or sentence.

    Returns:
        None where no word has an opposite, or several have: turning one would say half.
    """
    table = _opposites()
    found = [m for m in _WORD.finditer(text) if m.group().lower() in table]
    if len(found) != 1:
        return None
    word = found[0].group()
    other = table[word.lower()]
    other = other.capitalize() if word[0].isupper() else other
    return text[: found[0].start()] + other + text[found[0].end() :]


def _opposites() -> dict[str, str]:
    table: dict[str, str] = {}
    for pair in sorted(words()["opposites"]):
        a, b = pair.split("/")
        table.setdefault(a, b)
        table.setdefault(b, a)
    return table
