"""What the words and numbers of a result say: significance and direction.

Reads p-values, confidence intervals and ratios as numbers. Knows nothing of any learned model.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_TOKEN = re.compile(r"\d+(?:[.,·]\d+)*|[A-Za-zα-ωΑ-Ω]+|[<>=≤≥±]|[.;:,()\[\]%/+−–-]")
_NUMBER = r"(?:\d+(?:[.,·]\d+)?|[.·]\d+)"
_P_VALUE = re.compile(
    rf"\bp\s*(?:-?\s*values?)?\s*(?:was|is|were|of|:)?\s*([<>=≤≥⩽⩾]|less than|greater than)+\s*"
    rf"({_NUMBER})(?:\s*[×x]\s*10\s*[−–-]\s*\d+)?",
    re.IGNORECASE,
)
_INTERVAL = re.compile(
    rf"\b(?:ci|confidence intervals?|ci95%?)\b[^0-9.−–+-]{{0,14}}([−–+-]?\s?{_NUMBER})\s?%?\s*"
    rf"(?:-|–|−|to|,|;|and|\.\.)+\s*([−–+-]?\s?{_NUMBER})",
    re.IGNORECASE,
)
_RATIO = re.compile(
    r"\b(?:[ao]?or|[ah]?hr|rr|irr|risk ratio|odds ratio|hazards? ratio|relative risk|rate ratio)"
    rf"s?\b[^0-9a-z.]{{0,8}}(?:\w+\s){{0,2}}(?:=|of|was|:|,)?\s*({_NUMBER})",
    re.IGNORECASE,
)
_DIFFERENCE = re.compile(
    rf"\b(?:difference|change|reduction|effect|md|smd|wmd|β|beta)\b[^.;0-9]{{0,40}}?"
    rf"([−–+-])\s?({_NUMBER})",
    re.IGNORECASE,
)
_NULL = re.compile(
    r"\bno(?:\s\w+){0,3}\s(?:differen\w+|effects?|associations?|correlations?|relationships?|"
    r"changes?|increases?|decreases?|reductions?|benefits?|influences?|impact|evidence|"
    r"improvements?|interactions?|advantages?|significance)\b|"
    r"\bnot?\s(?:\w+\s){0,3}(?:significan\w+|differ\w*|associated|affect\w*|"
    r"chang\w+|influenc\w+|alter\w*|correlat\w+|reach\w*|improv\w+|increas\w+|reduc\w+|"
    r"decreas\w+|predict\w*|achieve\w*|superior|better|worse|detect\w*|observe\w*|show\w*)\b|"
    r"\bn[o']t\s(?:\w+\s)?differ|\b(?:nor|neither)\b|\b(?:similar(?:ly)?|comparable|equivalent|"
    r"unchanged|identical|non-?significant\w*|insignifican\w+|non-?inferior\w*|indistinguishable|"
    r"unaffected|equal|equally|failed to|fails to|unable|without (?:any )?(?:significant )?"
    r"(?:differen\w+|effects?|changes?)|the same|independent of|unrelated|lack of)\b|"
    r"\bn\.?\s?s\.?(?=[\s,;)])|\bp\s?=\s?n\.?s",
    re.IGNORECASE,
)
_SIGNIFICANT = re.compile(
    r"(?<!no )(?<!not )(?<!non-)(?<!non)(?<!any )(?<!reach )"
    r"\b(?:statistically )?significant(?:ly)?\b",
    re.IGNORECASE,
)
_TREND = re.compile(r"\b(?:trend\w*|tend(?:ed|ency)|borderline|marginal\w*|slight\w*)\b", re.I)
LOWER_IS_BETTER = re.compile(
    r"\b(?:pain|mortalit\w+|death\w*|time|duration|incidence|risk|adverse|side[- ]effects?|events?|"
    r"complication\w*|infection\w*|bleeding|loss|nausea|vomiting|anxiety|depress\w+|symptom\w*|"
    r"stress|length of stay|relapse\w*|recurrence\w*|failure\w*|fatigue|severity|cholesterol|ldl|"
    r"triglycerid\w+|pressure|weight|bmi|consumption|requirement\w*|inflammation|crp|il|tnf|"
    r"hba|glucose|toxicit\w+|morbidit\w+|disabilit\w+|hospitali[sz]ation\w*|cough|score|errors?|"
    r"insomnia|cost|costs|delay|fractures?|falls|stroke|thrombosis|disorder\w*|craving|smoking)\b",
    re.IGNORECASE,
)
_MOST = 5_000  # characters of one text that are read: a passage is far shorter
_ALPHA = 0.05  # significant at most so
_LARGEST_RATIO = 50  # above, a "ratio" is a count that stands near one


@dataclass(frozen=True)
class Numbers:
    """What the numbers of a text say of significance and direction."""

    significant: int  # p-values of at most 0.05
    insignificant: int  # p-values above
    intervals_clear: int  # confidence intervals that leave out "no effect"
    intervals_crossing: int
    ratio: float  # sum of signs of log ratios (odds, hazard, risk): -1 below one
    difference: float  # sum of signs of signed differences
    smallest_p: float  # 1 where there is none
    largest_p: float  # 0 where there is none


def read_numbers(text: str) -> Numbers:
    """Read p-values, confidence intervals, ratios and signed differences.

    Args:
        text: A sentence or a passage.
    """
    text = text[:_MOST]
    ps = [(op, number(v)) for op, v in _P_VALUE.findall(text)]
    low = [v for op, v in ps if is_significant(op, v)]
    high = [v for op, v in ps if not is_significant(op, v)]
    intervals = [(number(a), number(b)) for a, b in _INTERVAL.findall(text)]
    ratios = [number(v) for v in _RATIO.findall(text)]
    crossing = sum(_crosses(a, b, bool(ratios)) for a, b in intervals)
    signs = [-1 if sign in "-−–" else 1 for sign, _ in _DIFFERENCE.findall(text)]
    return Numbers(
        len(low), len(high), len(intervals) - crossing, crossing,
        float(sum((v > 1) - (v < 1) for v in ratios if 0 < v < _LARGEST_RATIO)),
        float(sum(signs)),
        min((v for _, v in ps), default=1.0), max((v for _, v in ps), default=0.0),
    )  # fmt: skip


def is_significant(operator: str, value: float) -> bool:
    """Whether a p-value says significant at 5%: its operator (<, =, >) and number."""
    if operator in (">", "≥", "⩾") or operator.lower().startswith("greater"):
        return False
    return value <= _ALPHA


def number(text: str) -> float:
    """The value of a number as written, with any minus, decimal comma or middle dot.

    Returns:
        Its value; 0 if it is none.
    """
    clean = text.replace(" ", "").replace("−", "-").replace("–", "-").replace("·", ".")
    clean = clean.replace(",", ".") if clean.count(",") == 1 else clean.replace(",", "")
    try:
        return float(clean)
    except ValueError:
        return 0.0


def count_nulls(text: str) -> int:
    """Phrases that say "no difference", "did not change", "similar"."""
    return len(_NULL.findall(text[:_MOST]))


def count_significant(text: str) -> int:
    """Mentions of significance that nothing just before takes back."""
    return len(_SIGNIFICANT.findall(text[:_MOST]))


def count_trends(text: str) -> int:
    """Words such as trend, tended, borderline."""
    return len(_TREND.findall(text[:_MOST]))


def polarity(word: str) -> tuple[int, int]:
    """(direction, quality) of a lower-case word: +1 up or better, -1 down or worse, 0 neither."""
    listed = words()
    direction = (word in listed["up"]) - (word in listed["down"])
    return direction, (word in listed["good"]) - (word in listed["bad"])


def tokens(text: str) -> list[str]:
    """Words, numbers and signs of a text, as written."""
    return _TOKEN.findall(html.unescape(text[:_MOST]).replace("\xa0", " "))


def stems(listed: Sequence[str]) -> list[str]:
    """Snowball stems of the lower-cased words (Porter, 2001)."""
    return list(_stemmer().stemWords([w.lower() for w in listed]))


def content_stems(text: str) -> set[str]:
    """Stems of the words that carry meaning; single letters only if capital."""
    found, plain = tokens(text), words()["plain"]
    return {
        stem
        for stem, word in zip(stems(found), found, strict=True)
        if word.lower() not in plain and (len(word) > 1 or word.isupper()) and word[0].isalnum()
    }


@cache
def words() -> dict[str, frozenset[str]]:
    """The lists of cues.yaml by name."""
    import yaml

    text = Path(__file__).with_name("cues.yaml").read_text(encoding="utf-8")
    return {name: frozenset(listed.split()) for name, listed in yaml.safe_load(text).items()}


def _crosses(a: float, b: float, ratio: bool) -> bool:
    """Whether an interval holds "no effect": one of a ratio, zero of a difference."""
    a, b = min(a, b), max(a, b)
    return a < 1 < b if ratio or (a > 0 and b < 20) else a < 0 < b


@cache
def _stemmer() -> Any:
    import Stemmer

    return Stemmer.Stemmer("english")
