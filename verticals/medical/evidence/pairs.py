"""What a text says of a question or claim, as numbers: cues, and whether the two agree."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from verticals.medical.evidence.cues import (
    content_stems,
    count_nulls,
    count_significant,
    count_trends,
    polarity,
    read_numbers,
    stems,
    tokens,
    words,
)

PAIR_NAMES = (
    "overlap", "asked_direction", "asked_quality", "asked_null", "asked_same", "asked_effect",
    "direction", "quality", "negated", "nulls", "significant_words", "significant_p",
    "insignificant_p", "clear_intervals", "crossing_intervals", "ratio", "trends", "hedges",
    "turns", "associations", "same_direction", "opposed_direction", "same_quality",
    "opposed_quality", "null_for_null", "null_for_effect", "null_for_same", "effect_for_effect",
    "significant_for_effect", "negated_nearby", "asked_negated", "negated_once", "ratio_agrees",
    "length",
)  # fmt: skip
_SAME = re.compile(
    r"\b(?:same|equal\w*|similar|comparable|safe|equivalent|as (?:good|effective|safe) as|enough|"
    r"alternative|feasible|without)\b",
    re.IGNORECASE,
)
_EFFECT = re.compile(
    r"\b(?:affect|influence|impact|associat\w*|correlat\w*|predict\w*|differ\w*|effect|relat\w*|"
    r"improve\w*|increase\w*|reduce\w*|cause|risk|change\w*|alter|better|superior|role|benefit)\b",
    re.IGNORECASE,
)
_HEDGE = re.compile(r"\b(?:may|might|could|possibl[ey]|perhaps|unclear|further|appears?)\b", re.I)
_TURN = re.compile(r"\b(?:however|although|but|despite|whereas|nevertheless)\b", re.I)
_ASSOCIATION = re.compile(r"\b(?:associat|correlat|predict|relat)\w+", re.I)
_BEFORE = 4  # words in which a negation reaches forward


@dataclass(frozen=True)
class _Read:
    """One side of a pair."""

    direction: int  # words of more less words of less, negated ones turned
    quality: int
    negated: int  # words of direction or quality that a negation reaches
    nearby: int  # words of the question that a negation reaches
    negations: int


def pair_features(question: str, text: str) -> np.ndarray:
    """Numbers on which a model says what a text says of a question or claim.

    Args:
        question: Question or claim.
        text: A sentence or passage.

    Returns:
        (34,) float, in the order of `PAIR_NAMES`.
    """
    asked = content_stems(question)
    ours, theirs = _read(question, set()), _read(text, asked)
    numbers = read_numbers(text)
    nulls, significant = min(count_nulls(text), 3), min(count_significant(text), 3)
    asked_null = float(count_nulls(question) > 0)
    same, effect = float(bool(_SAME.search(question))), float(bool(_EFFECT.search(question)))
    way, good = float(np.sign(ours.direction)), float(np.sign(ours.quality))
    their_way, their_good = float(np.sign(theirs.direction)), float(np.sign(theirs.quality))
    sure = float(significant + numbers.significant > 0)
    found = {
        "overlap": len(asked & set(stems(tokens(text)))) / max(1, len(asked)),
        "asked_direction": way, "asked_quality": good, "asked_null": asked_null,
        "asked_same": same, "asked_effect": effect,
        "direction": their_way, "quality": their_good, "negated": min(theirs.negated, 3),
        "nulls": nulls, "significant_words": significant,
        "significant_p": numbers.significant > 0, "insignificant_p": numbers.insignificant > 0,
        "clear_intervals": numbers.intervals_clear > 0,
        "crossing_intervals": numbers.intervals_crossing > 0,
        "ratio": float(np.sign(numbers.ratio)), "trends": count_trends(text) > 0,
        "hedges": len(_HEDGE.findall(text)) > 0, "turns": len(_TURN.findall(text)) > 0,
        "associations": len(_ASSOCIATION.findall(text)) > 0,
        "same_direction": way * their_way > 0, "opposed_direction": way * their_way < 0,
        "same_quality": good * their_good > 0, "opposed_quality": good * their_good < 0,
        "null_for_null": asked_null * nulls, "null_for_effect": effect * nulls * (1 - asked_null),
        "null_for_same": same * nulls,
        "effect_for_effect": effect * (nulls == 0) * (1 - asked_null),
        "significant_for_effect": effect * sure * (1 - asked_null),
        "negated_nearby": min(theirs.nearby, 3), "asked_negated": ours.negations > 0,
        "negated_once": (ours.negations > 0) != (theirs.negations > 0),
        "ratio_agrees": way * float(np.sign(numbers.ratio)),
        "length": len(text) / 500,
    }  # fmt: skip
    return np.array([float(found[name]) for name in PAIR_NAMES])


def masked_pair(question: str, text: str) -> str:
    """The text with the question's words and its numbers replaced, for n-grams."""
    return _masked(content_stems(question), text)


def masked_pairs(question: str, texts: Sequence[str]) -> list[str]:
    """`masked_pair` of many texts."""
    asked = content_stems(question)
    return [_masked(asked, text) for text in texts]


def _masked(asked: set[str], text: str) -> str:
    found = tokens(text)
    out: list[str] = []
    for word, stem in zip(found, stems(found), strict=True):
        if stem in asked:
            if out[-1:] != ["xq"]:
                out.append("xq")
        elif word[0].isdigit():
            out.append("xnum")
        elif word[0].isalpha() or word in "<>=≤≥":
            out.append(word.lower())
    return " ".join(out)


def _read(text: str, asked: set[str]) -> _Read:
    found = tokens(text)
    low, negations = [w.lower() for w in found], words()["negations"]
    direction = quality = negated = nearby = 0
    for at, (word, stem) in enumerate(zip(low, stems(found), strict=True)):
        way, good = polarity(word)
        under = any(w in negations for w in low[max(0, at - _BEFORE) : at])
        nearby += under and stem in asked
        negated += under and bool(way or good)
        direction += 0 if under else way
        quality += 0 if under else good
    return _Read(direction, quality, negated, nearby, sum(w in negations for w in low))
