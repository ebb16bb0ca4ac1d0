"""Compares two policies case by case on all scenarios, and says whether the new one may pass."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from verticals.driving.scenarios.running import Trace


@dataclass(frozen=True)
class Comparison:
    """Two policies on the same cases."""

    cases: int
    fixed: int  # failed before, pass now
    broken: int  # passed before, fail now
    p_value: float  # exact, two-sided (McNemar, 1947)


@dataclass(frozen=True)
class Verdict:
    """May the new policy replace the old one?"""

    allowed: bool
    why: str
    overall: Comparison
    scenarios: dict[str, Comparison]
    collisions: tuple[str, ...]  # cases that collide now and did not before


def gate(old: Sequence[Trace], new: Sequence[Trace], *, level: float = 0.05) -> Verdict:
    """Compare runs of two policies over the same cases in the same order.

    Refused is who collides where the old policy did not, or fails significantly more cases.

    Args:
        old: Runs of the policy in use.
        new: Of the one that would replace it.
        level: Of the test over all cases.

    Raises:
        ValueError: Not the same cases.
    """
    if [t.case.name for t in old] != [t.case.name for t in new]:
        raise ValueError("the two policies were not run on the same cases")
    pairs: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    for a, b in zip(old, new, strict=True):
        pairs[a.case.scenario.name].append((a.passed, b.passed))
    overall = compare([pair for some in pairs.values() for pair in some])
    collisions = tuple(
        b.case.name for a, b in zip(old, new, strict=True)
        if b.measured["collisions"] > a.measured["collisions"]
    )  # fmt: skip
    worse = overall.broken > overall.fixed and overall.p_value < level
    if collisions:
        why = f"{len(collisions)} cases collide that did not, first {collisions[0]!r}"
    elif worse:
        why = f"{overall.broken} cases broken, {overall.fixed} fixed (p = {overall.p_value:.3f})"
    else:
        why = f"{overall.fixed} cases fixed, {overall.broken} broken, no new collision"
    return Verdict(not collisions and not worse, why, overall,
                   {name: compare(some) for name, some in pairs.items()}, collisions)  # fmt: skip


def compare(pairs: Sequence[tuple[bool, bool]]) -> Comparison:
    """McNemar's exact test of (passed before, passes now) pairs."""
    from scipy.stats import binomtest

    fixed = sum(now and not before for before, now in pairs)
    broken = sum(before and not now for before, now in pairs)
    changed = fixed + broken
    p = float(binomtest(broken, changed, 0.5).pvalue) if changed else 1.0
    return Comparison(len(pairs), fixed, broken, p)
