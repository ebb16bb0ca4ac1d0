"""Compares what two sentences claim, word by word: numbers, negations, order and limits count."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

GAP = 2  # words of the source that a claim may leave out between two of its own
_TOKEN = re.compile(
    r"(?P<sign>[<>≤≥=±~]=?\s*|[-−](?=\d))?(?P<number>\d+(?:[.,]\d+)*)(?P<percent>\s*%)?|[^\W\d_][\w'’]*"
)


@dataclass(frozen=True, slots=True)
class Token:
    """A word or number of a sentence, in the form in which two are compared."""

    form: str  # stem, or sign and number
    carries: bool  # something that another sentence would have to say as well
    limits: bool = False  # negates, conditions or hedges
    turns: bool = False  # says which way, or compares


def tokens(sentence: str) -> list[Token]:
    """The words and numbers of a sentence."""
    found, words = [], _words()
    for match in _TOKEN.finditer(sentence):
        if match["number"]:
            found.append(Token(_number(match), carries=True))
            continue
        word = match[0].lower().replace("’", "'")
        word = word.removesuffix("'s")
        limits = word in words["limits"] or word.endswith("n't")
        found.append(
            Token(
                _stem(word) if not limits else word,
                carries=limits or word not in words["empty"],
                limits=limits,
                turns=word in words["turns"],
            )
        )
    return found


def follows(claim: Sequence[Token], source: Sequence[Token]) -> bool:
    """Whether a claim says nothing but what a sentence says, and leaves out nothing that turns it.

    Args:
        claim: Tokens of the claim.
        source: Tokens of one sentence of its source.
    """
    wanted = [token for token in claim if token.carries]
    given = [token for token in source if token.carries]
    if sum(t.limits for t in wanted) != sum(t.limits for t in given):
        return False
    return any(
        _aligned(wanted, given, start)
        for start, token in enumerate(given)
        if wanted and token.form == wanted[0].form
    )


def _aligned(wanted: Sequence[Token], given: Sequence[Token], start: int) -> bool:
    """Whether the claim can be read off the source from `start` on, with small gaps."""
    places = [[start]]  # where each word of the claim could be
    for token in wanted[1:]:
        reached = {
            at
            for last in places[-1]
            for at in range(last + 1, min(last + 2 + GAP, len(given)))
            if given[at].form == token.form and not any(map(_counts, given[last + 1 : at]))
        }
        if not reached:
            return False
        places.append(sorted(reached))
    return True


def _counts(token: Token) -> bool:
    """Whether leaving a word out changes what is said."""
    return token.limits or token.turns or token.form[-1].isdigit()


def _number(match: re.Match[str]) -> str:
    """A number with its sign: "1,000" and "1000", "0.50" and "0.5" are one."""
    digits = match["number"]
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", digits):
        digits = digits.replace(",", "")
    elif digits.count(",") == 1 and "." not in digits:
        digits = digits.replace(",", ".")
    whole, dot, part = digits.partition(".")
    part = part if "." in part else part.rstrip("0")
    sign = (match["sign"] or "").strip().replace("<=", "≤").replace(">=", "≥").replace("−", "-")
    percent = "%" if match["percent"] else ""
    return f"{sign}{percent}{whole.lstrip('0') or '0'}{dot if part else ''}{part}"


def _stem(word: str) -> str:
    found: str = _stemmer().stemWord(word)
    return found


@cache
def _words() -> dict[str, frozenset[str]]:
    text = Path(__file__).with_name("words.yaml").read_text(encoding="utf-8")
    return {name: frozenset(listed.split()) for name, listed in yaml.safe_load(text).items()}


@cache
def _stemmer() -> Any:
    import Stemmer

    return Stemmer.Stemmer("english", 0)
