"""Keeps of a generated text only what its cited passage says; the rest is dropped and counted.

No model judges here. A sentence holds if, leaving out words that carry nothing, it reads as a
sentence of its source does: the same words and numbers in the same order, next to one another,
with every word kept that negates, limits or hedges it. A true paraphrase may be dropped; a wrong
dose, drug, direction or negation is not let through.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

from verticals.medical.answer import Evidence
from verticals.medical.evidence.sentences import split_sentences
from verticals.medical.generation.claims import Token, follows, tokens

_CITED = re.compile(r"\s*\[(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\]")
_BEFORE_STOP = re.compile(r"([.!?])((?:\s*\[\d{1,3}(?:\s*[,;]\s*\d{1,3})*\])+)")
LEAST_WORDS = 3  # that carry something; fewer claim nothing


class Generator(Protocol):
    """Words an answer from evidence, with citations such as [1]."""

    def answer(self, question: str, evidence: Sequence[Evidence]) -> str:
        """The wording; unverified."""
        ...


def verify(generated: str, evidence: Sequence[Evidence]) -> tuple[str, int]:
    """The sentences that their evidence supports, each with its citation.

    A sentence with citations is compared with those pieces of evidence only; one without, with
    all of them, and gets the number of the first that supports it.

    Args:
        generated: A model's text; [n] cites the n-th piece of evidence, from 1.
        evidence: What the model was given, in that order.

    Returns:
        The text that is left, and how many sentences were dropped.
    """
    sources = [[tokens(part) for part in _sentences(piece.quote)] for piece in evidence]
    kept: dict[str, str] = {}
    dropped = 0
    for sentence in _sentences(_BEFORE_STOP.sub(r"\2\1", generated)):
        cited = [int(n) for found in _CITED.findall(sentence) for n in re.findall(r"\d+", found)]
        claim = _CITED.sub("", sentence).strip()
        numbers = cited or range(1, len(sources) + 1)
        supporting = [n for n in numbers if 0 < n <= len(sources) and _holds(claim, sources[n - 1])]
        if not supporting:
            dropped += 1
            continue
        marks = supporting if cited else supporting[:1]
        bare = claim.strip("| ").rstrip(".!? |")
        kept.setdefault(bare.lower(), f"{bare} {''.join(f'[{n}]' for n in dict.fromkeys(marks))}.")
    return " ".join(kept.values()), dropped


def _holds(claim: str, source: Sequence[Sequence[Token]]) -> bool:
    found = tokens(claim)
    if "?" in claim or sum(token.carries for token in found) < LEAST_WORDS:
        return False
    return any(follows(found, part) for part in source)


def _sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in split_sentences(text)]
