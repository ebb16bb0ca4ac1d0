"""Search for the smallest changes that would change the answer, in fields that may change.

Every change found is scored again by the model itself; what it says is arithmetic, not advice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from apps.demos.finance_pages.desk import Desk
    from verticals.finance.reasons import ReasonText

STEPS = 24  # values tried of a number, between here and the end it may move to
MOST_CHOICES = 12  # values tried of a category
BEST = 6  # values of a field kept for pairs of fields
SHOWN = 3
_RANK = {"decline": 0, "refer": 1, "approve": 2}


@dataclass(frozen=True)
class Change:
    """New values of one or two fields, and what the model then answers."""

    values: Mapping[str, Any]
    pd: float
    decision: str
    distance: float  # sum over fields: share of the reference sample passed, 1 for a category


def changeable(desk: Desk) -> dict[str, ReasonText]:
    """The fields an applicant can change, as the bundle's reasons name them."""
    if desk.mapping is None:
        return {}
    names = {field.name for field in desk.fields}
    return {
        name: reason
        for reason in desk.mapping.reasons
        for name in reason.features
        if reason.changeable and name in names and name not in desk.mapping.silent
    }


def find_changes(desk: Desk, applicant: Mapping[str, Any], decision: str) -> list[Change]:
    """Up to three smallest changes after which the policy's suggestion is better.

    One field is tried first, then pairs. Changes that reach "approve" come before those that only
    reach "refer".

    Args:
        desk: The opened bundle.
        applicant: Values of the form.
        decision: What the policy suggests now.
    """
    fields = changeable(desk)
    singles = [
        ({name: value}, distance)
        for name, reason in fields.items()
        for value, distance in _values(desk, name, reason, applicant.get(name))
    ]
    one = _scored(desk, applicant, singles)
    found = _better(one, decision)
    if not any(change.decision == "approve" for change in found):
        found += _better(_scored(desk, applicant, _pairs(one)), decision)
    return _smallest(found)


def _values(desk: Desk, name: str, reason: ReasonText, now: Any) -> list[tuple[Any, float]]:
    """Values to try instead of the present one, each with its distance."""
    field = next(f for f in desk.fields if f.name == name)
    if field.kind == "yesno":
        return [(not now, 1.0)]
    if field.kind == "choice":
        return [(value, 1.0) for value in field.choices[:MOST_CHOICES] if value != now]
    if field.kind != "number" or now is None or name not in desk.reference:
        return []
    known = np.sort(pd.to_numeric(desk.reference[name], errors="coerce").dropna().to_numpy(float))
    tried = np.unique(np.quantile(known, np.linspace(0, 1, STEPS)))
    if field.whole:
        tried = np.unique(tried.round())
    low = -np.inf if reason.minimum is None else reason.minimum
    high = np.inf if reason.maximum is None else reason.maximum
    low = max(low, now) if reason.direction == "higher" else low
    high = min(high, now) if reason.direction == "lower" else high
    tried = tried[(tried >= low) & (tried <= high) & (tried != now)]
    place = np.searchsorted(known, [now, *tried]) / len(known)
    return [
        (float(value), float(max(abs(at - place[0]), 0.01)))
        for value, at in zip(tried, place[1:], strict=True)
    ]


def _scored(
    desk: Desk, applicant: Mapping[str, Any], tries: list[tuple[dict[str, Any], float]]
) -> list[Change]:
    """What the model answers to each of the changes."""
    if not tries:
        return []
    names = [field.name for field in desk.fields]
    rows = [{name: applicant.get(name) for name in names} | values for values, _ in tries]
    answers = desk.predictor.predict_table(pd.DataFrame(rows), reasons=False)
    return [
        Change(values, float(p), str(decision), distance)
        for (values, distance), p, decision in zip(
            tries, answers["pd"], answers["decision"], strict=True
        )
    ]


def _pairs(one: list[Change]) -> list[tuple[dict[str, Any], float]]:
    """Pairs of the most helpful changes of different fields."""
    by_field: dict[str, list[Change]] = {}
    for change in sorted(one, key=lambda c: c.pd):
        best = by_field.setdefault(next(iter(change.values)), [])
        if len(best) < BEST:
            best.append(change)
    return [
        ({**a.values, **b.values}, a.distance + b.distance)
        for first, second in combinations(by_field.values(), 2)
        for a in first
        for b in second
    ]


def _better(changes: list[Change], decision: str) -> list[Change]:
    return [change for change in changes if _RANK[change.decision] > _RANK[decision]]


def _smallest(changes: list[Change]) -> list[Change]:
    """The smallest change of each set of fields, best suggestion first."""
    order = sorted(changes, key=lambda c: (-_RANK[c.decision], len(c.values), c.distance))
    kept: dict[tuple[str, ...], Change] = {}
    for change in order:
        kept.setdefault(tuple(sorted(change.values)), change)
    return list(kept.values())[:SHOWN]
