"""Who is compared with whom in a sentence: marks intervention, comparator and outcome.

From the marks and the words of direction follows which of the two had more of the outcome.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from verticals.medical.evidence.cues import (
    LOWER_IS_BETTER,
    content_stems,
    count_nulls,
    count_significant,
    count_trends,
    is_significant,
    number,
    polarity,
    read_numbers,
    stems,
    tokens,
)  # fmt: skip
from verticals.medical.evidence.cues import (
    words as listed,
)

NONE, INTERVENTION, COMPARATOR, OUTCOME = 0, 1, 2, 3
FRAME_NAMES = (
    "than", "near", "before", "after", "plain", "quality_than", "quality_near", "quality_plain",
    "up", "down", "good", "bad", "negated", "first", "interventions", "comparators", "outcomes",
    "lower_is_better", "pair", "pair_plain", "pair_near", "significant_p", "insignificant_p",
    "clear_intervals", "crossing_intervals", "ratio", "ratio_framed", "difference", "smallest_p",
    "largest_p", "nulls", "significant_words", "trends", "words", "own_words",
)  # fmt: skip
_ENDS = ".;"
_REACH = 12  # words on either side of "versus" in which its two numbers stand


@dataclass(frozen=True)
class Marked:
    """The tokens of a text and what each belongs to.

    Attributes:
        words: As written.
        marks: NONE, INTERVENTION, COMPARATOR or OUTCOME, one a word.
    """

    words: list[str]
    marks: list[int]


def mark(intervention: str, comparator: str, outcome: str, text: str) -> Marked:
    """Find the words of a comparison in a text, by stems that only one of its parts has.

    Args:
        intervention: What was tried.
        comparator: What it was compared with.
        outcome: What was measured.
        text: A sentence or a few.
    """
    words = tokens(text)
    ours, theirs = content_stems(intervention), content_stems(comparator)
    measured = content_stems(outcome) - ours - theirs
    ours, theirs = ours - theirs, theirs - ours
    named = [{w.lower() for w in tokens(part)} for part in (intervention, comparator)]
    # In some prompts the intervention is the control arm.
    controls, treated = listed()["controls"], listed()["treated"]
    like_control = controls | listed()["also_controls"]
    turned = bool(named[0] & like_control) and not named[1] & like_control
    marks = []
    for at, (word, stem) in enumerate(zip(words, stems(words), strict=True)):
        low = word.lower()
        found = NONE
        if word[0].isdigit() or len(word) == 1:
            if _labels_an_arm(words, at):
                found = INTERVENTION if stem in ours else COMPARATOR if stem in theirs else NONE
        elif stem in ours:
            found = INTERVENTION
        elif stem in theirs:
            found = COMPARATOR
        elif stem in measured:
            found = OUTCOME
        elif low in controls:
            found = INTERVENTION if turned else COMPARATOR
        elif low in treated:
            found = COMPARATOR if turned else INTERVENTION
        marks.append(found)
    return Marked(words, marks)


def _labels_an_arm(words: Sequence[str], at: int) -> bool:
    """Whether a number or letter names an arm or a dose: "group 2", "P 2.5", "10 mg"."""
    before = words[at - 1].lower() if at else ""
    after = words[at + 1].lower() if at + 1 < len(words) else ""
    if before in ("group", "groups", "arm"):
        return True
    return words[at][0].isdigit() and (
        after in listed()["units"] or (len(before) == 1 and before.isalpha())
    )


def frame_features(intervention: str, comparator: str, outcome: str, text: str) -> np.ndarray:
    """What a text says of a comparison, as numbers.

    Args:
        intervention: What was tried.
        comparator: What it was compared with.
        outcome: What was measured.
        text: A sentence or a few.

    Returns:
        (35,) float, in the order of `FRAME_NAMES`.
    """
    parts = [html.unescape(part) for part in (intervention, comparator, outcome)]
    marked = mark(parts[0], parts[1], parts[2], text)
    found = dict.fromkeys(FRAME_NAMES, 0.0)
    _directions(marked, bool(LOWER_IS_BETTER.search(parts[2])), found)
    at = {m: [i for i, mark_ in enumerate(marked.marks) if mark_ == m] for m in (1, 2, 3)}
    ours, theirs = (at[m][0] if at[m] else len(marked.words) + 99 for m in (1, 2))
    found["first"] = float(np.sign(theirs - ours))
    for name, m in (("interventions", 1), ("comparators", 2), ("outcomes", 3)):
        found[name] = float(len(at[m]))
    _pairs(marked, at, found)
    _read(text, found)
    found["ratio_framed"] = found["ratio"] * (found["first"] or 1.0)
    found["words"] = float(len(marked.words))
    found["own_words"] = float(len(content_stems(parts[0]) - content_stems(parts[1])))
    return np.array([found[name] for name in FRAME_NAMES])


def _read(text: str, found: dict[str, float]) -> None:
    numbers = read_numbers(text)
    found |= {
        "significant_p": numbers.significant, "insignificant_p": numbers.insignificant,
        "clear_intervals": numbers.intervals_clear, "ratio": numbers.ratio,
        "crossing_intervals": numbers.intervals_crossing, "difference": numbers.difference,
        "smallest_p": numbers.smallest_p, "largest_p": numbers.largest_p,
        "nulls": count_nulls(text), "significant_words": count_significant(text),
        "trends": count_trends(text),
    }  # fmt: skip


def _directions(marked: Marked, lower_is_better: bool, found: dict[str, float]) -> None:
    """Every word of direction votes for the intervention (+) or the comparator (-)."""
    found["lower_is_better"] = float(lower_is_better)
    low = [w.lower() for w in marked.words]
    for at, word in enumerate(low):
        direction, quality = polarity(word)
        if not (direction or quality) or marked.marks[at] == OUTCOME:
            continue
        start, end = _clause(low, at)
        if any(low[i] in listed()["negations"] for i in range(max(start, at - 5), at)):
            found["negated"] += 1
            continue
        arms = [(i, marked.marks[i]) for i in range(start, end) if marked.marks[i] in (1, 2)]
        than = _side_of_than(low, arms, at, start, end)
        near = _side(min(arms, key=lambda arm: abs(arm[0] - at))[1]) if arms else 0
        if direction:
            before = [m for i, m in arms if i < at]
            after = [m for i, m in arms if i > at]
            found["than"] += direction * than
            found["near"] += direction * near
            found["before"] += direction * (_side(before[-1]) if before else 0)
            found["after"] += direction * (_side(after[0]) if after else 0)
            found["plain"] += direction
            found["up" if direction > 0 else "down"] += 1
        if quality:
            signed = -quality if lower_is_better else quality
            found["quality_than"] += signed * than
            found["quality_near"] += signed * near
            found["quality_plain"] += signed
            found["good" if quality > 0 else "bad"] += 1


def _side(arm: int) -> int:
    return 1 if arm == INTERVENTION else -1


def _clause(low: Sequence[str], at: int) -> tuple[int, int]:
    start = at
    while start > 0 and low[start - 1] not in _ENDS:
        start -= 1
    end = at
    while end < len(low) and low[end] not in _ENDS:
        end += 1
    return start, end


def _side_of_than(
    low: Sequence[str], arms: Sequence[tuple[int, int]], at: int, start: int, end: int
) -> int:
    """+1 if the intervention is what is more or less than something, -1 if the comparator is."""
    than = next((i for i in range(at, end) if low[i] in listed()["than"]), None)
    if than is not None:
        after = [m for i, m in arms if i > than]
        if after:
            return -_side(after[0])
        before = [m for i, m in arms if i < than]
        return _side(before[-1]) if before else 0
    ahead = [
        i for i in range(start, at) if low[i] in listed()["than"]
    ]  # "compared with B, A had lower"
    after = [m for i, m in arms if ahead and ahead[-1] < i < at + 6]
    return -_side(after[0]) if after else 0


def _pairs(marked: Marked, at: dict[int, list[int]], found: dict[str, float]) -> None:
    """Compare the numbers on either side of "versus"; the arm named first has the first."""
    low = [w.lower() for w in marked.words]
    values = _plain_numbers(low, marked.marks)
    for i, word in enumerate(low):
        if word not in listed()["pairing"]:
            continue
        left = [v for v in values if i - _REACH <= v[0] < i]
        right = [v for v in values if i < v[0] <= i + _REACH + 2]
        if not left or not right:
            continue
        a, b = left[-1], right[0]
        shares = [[v for v in side if low[v[0] + 1 : v[0] + 2] == ["%"]] for side in (left, right)]
        if shares[0] and shares[1]:
            a, b = shares[0][-1], shares[1][0]
        sign = float(np.sign(a[1] - b[1])) * (2 if word in listed()["than"] else 1)
        found["pair_plain"] += sign
        found["pair"] += sign * (found["first"] or 1.0)
        arms = [_nearest(v[0], at) for v in (a, b)]
        if arms[0] and arms[1] and arms[0] != arms[1]:
            found["pair_near"] += sign * _side(arms[0])


def _nearest(position: int, at: dict[int, list[int]]) -> int:
    found = [(abs(i - position), m) for m in (INTERVENTION, COMPARATOR) for i in at[m]]
    return min(found)[1] if found else NONE


def _plain_numbers(low: Sequence[str], marks: Sequence[int]) -> list[tuple[int, float]]:
    """(position, value) of numbers that are no p-value, spread, bound or confidence level."""
    out = []
    for i, word in enumerate(low):
        if not word[0].isdigit() or marks[i] != NONE or "p" in low[max(0, i - 2) : i]:
            continue
        before = low[i - 1] if i else ""
        if before in "±<>≤≥" and before:
            continue
        if low[i + 1 : i + 2] == ["%"] and low[i + 2 : i + 3] in (["ci"], ["confidence"]):
            continue
        out.append((i, number(word)))
    return out


def masked(marked: Marked) -> str:
    """The text with its parts, numbers and p-values replaced by what they are, for n-grams."""
    names = {INTERVENTION: "xintv", COMPARATOR: "xcomp", OUTCOME: "xoutc"}
    low = [w.lower() for w in marked.words]
    out: list[str] = []
    at = 0
    while at < len(low):
        word, found = low[at], marked.marks[at]
        if found:
            if not at or marked.marks[at - 1] != found:
                out.append(names[found])
        elif word == "p" and low[at + 1 : at + 2] and low[at + 1] in "<>=≤≥" and at + 2 < len(low):
            value = number(low[at + 2])
            out.append("xsig" if is_significant(low[at + 1], value) else "xns")
            at += 2
        elif word[0].isdigit():
            out.append("xnum")
        elif word[0].isalpha():
            direction, quality = polarity(word)
            out += ["xup"] * (direction > 0) + ["xdown"] * (direction < 0)
            out += ["xgood"] * (quality > 0) + ["xbad"] * (quality < 0) + [word]
        at += 1
    return " ".join(out)
