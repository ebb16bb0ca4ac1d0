"""What the words and numbers of a result say: significance, direction, and who is compared.

Reads p-values, confidence intervals, ratios and pairs of means as numbers, and marks the words of
an intervention, a comparator and an outcome in a text. Knows nothing of any learned model.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

INTERVENTION, COMPARATOR, OUTCOME = "xintv", "xcomp", "xoutc"
_TOKEN = re.compile(
    r"\d+(?:[.,·]\d+)*|[A-Za-zα-ωΑ-Ω]+|[<>=≤≥±]|[.;:,()\[\]%/+−–-]", re.UNICODE
)  # fmt: skip
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
_UP = frozenset(
    "higher greater increase increased increases increasing more longer larger elevated elevation "
    "rise rose raised exceeded gain gained enhanced enhances enhance augmented accelerated "
    "highest greatest upregulated promoted prolonged stronger doubled grew growth heavier "
    "above often frequent likely elevates promotes induces induced activates activated"
    .split()
)  # fmt: skip
_DOWN = frozenset(
    "lower less fewer decrease decreased decreases decreasing reduced reduces reduction reductions "
    "reduce reducing shorter smaller decline declined fell fall falls drop dropped diminished "
    "attenuated inhibited inhibits suppressed suppresses shortened lowest least lowered lowers "
    "prevented prevents prevent weaker minimised minimized minimal impaired blunted "
    "downregulated alleviated blocks blocked lacking loss lost below rarely seldom"
    .split()
)  # fmt: skip
_GOOD = frozenset(
    "better improved improves improve improvement improvements improving superior superiority "
    "benefit benefits beneficial favour favor favoured favored favouring favoring effective "
    "efficacious faster earlier best advantage advantages success successful recovered"
    .split()
)  # fmt: skip
_BAD = frozenset(
    "worse worsened worsening inferior slower later poorer poor deteriorated deterioration "
    "worst harmful adverse delayed ineffective disadvantage"
    .split()
)  # fmt: skip
_THAN = frozenset("than versus vs compared comparison relative against over".split())
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
    r"(?<!no )(?<!not )(?<!non-)(?<!non)(?<!any )(?<!reach )\b(?:statistically )?significant(?:ly)?\b",
    re.IGNORECASE,
)
_TREND = re.compile(r"\b(?:trend\w*|tend(?:ed|ency)|borderline|marginal\w*|slight\w*)\b", re.I)
_NEGATION = frozenset(
    "no not nor neither without never cannot failed fails lack nothing none".split()
)
_STOP = frozenset(
    "a an and are as at be by for from group groups had has have in into is it its mg ml kg day "
    "days week weeks month months hour hours daily once twice of on or per patients patient "
    "participants subjects that the their then these this those to two three was were which with "
    "after before during dose min minutes plus versus vs either other than not no only same who "
    "received receiving given use using used arm arms women men children".split()
)  # fmt: skip
_CONTROLS = frozenset(
    "control controls placebo usual standard conventional sham untreated routine saline "
    "comparator comparison traditional vehicle dummy".split()
)  # fmt: skip
_TREATED = frozenset("intervention interventions treatment treated experimental active".split())
LOWER_IS_BETTER = re.compile(
    r"\b(?:pain|mortalit\w+|death\w*|time|duration|incidence|risk|adverse|side[- ]effects?|events?|"
    r"complication\w*|infection\w*|bleeding|loss|nausea|vomiting|anxiety|depress\w+|symptom\w*|"
    r"stress|length of stay|relapse\w*|recurrence\w*|failure\w*|fatigue|severity|cholesterol|ldl|"
    r"triglycerid\w+|pressure|weight|bmi|consumption|requirement\w*|inflammation|crp|il|tnf|"
    r"hba|glucose|toxicit\w+|morbidit\w+|disabilit\w+|hospitali[sz]ation\w*|cough|score|errors?|"
    r"insomnia|cost|costs|delay|fractures?|falls|stroke|thrombosis|disorder\w*|craving|smoking)\b",
    re.IGNORECASE,
)


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
    ps = [(op, _value(v)) for op, v in _P_VALUE.findall(text)]
    low = [v for op, v in ps if _is_significant(op, v)]
    high = [v for op, v in ps if not _is_significant(op, v)]
    intervals = [(_value(a), _value(b)) for a, b in _INTERVAL.findall(text)]
    has_ratio = bool(_RATIO.search(text))
    crossing = sum(_crosses(a, b, has_ratio) for a, b in intervals)
    ratios = [_value(v) for v in _RATIO.findall(text)]
    signs = [-1 if sign in "-−–" else 1 for sign, _ in _DIFFERENCE.findall(text)]
    return Numbers(
        len(low), len(high), len(intervals) - crossing, crossing,
        float(sum((v > 1) - (v < 1) for v in ratios if 0 < v < 50)), float(sum(signs)),
        min((v for _, v in ps), default=1.0), max((v for _, v in ps), default=0.0),
    )  # fmt: skip


def _is_significant(operator: str, value: float) -> bool:
    if operator in (">", "≥", "⩾") or operator.lower().startswith("greater"):
        return False
    return value <= 0.05


def _crosses(a: float, b: float, ratio: bool) -> bool:
    """Whether an interval holds "no effect": one of a ratio, zero of a difference."""
    a, b = min(a, b), max(a, b)
    return a < 1 < b if ratio or (a > 0 and b < 20 and a < 1 < b) else a < 0 < b


def _value(text: str) -> float:
    clean = text.replace(" ", "").replace("−", "-").replace("–", "-").replace("·", ".")
    clean = clean.replace(",", ".") if clean.count(",") == 1 else clean.replace(",", "")
    try:
        return float(clean)
    except ValueError:
        return 0.0


def count_nulls(text: str) -> int:
    """Phrases that say "no difference", "did not change", "similar"."""
    return len(_NULL.findall(text))


def count_significant(text: str) -> int:
    """Mentions of significance that nothing just before takes back."""
    return len(_SIGNIFICANT.findall(text))


def count_trends(text: str) -> int:
    """Words such as trend, tended, borderline."""
    return len(_TREND.findall(text))


def polarity(word: str) -> tuple[int, int]:
    """(direction, quality) of a lower-case word: +1 up or better, -1 down or worse, 0 neither."""
    return (word in _UP) - (word in _DOWN), (word in _GOOD) - (word in _BAD)


def tokens(text: str) -> list[str]:
    """Words, numbers and signs of a text, as written."""
    return _TOKEN.findall(html.unescape(text).replace("\xa0", " "))


def stems(words: Sequence[str]) -> list[str]:
    """Snowball stems of the lower-cased words (Porter, 2001)."""
    return list(_stemmer().stemWords([w.lower() for w in words]))


@cache
def _stemmer():  # type: ignore[no-untyped-def]
    import Stemmer

    return Stemmer.Stemmer("english")
