"""What would change the answer: the smallest changes of changeable fields that cross a cut-off.

Candidates are re-scored by the model itself; nothing is inferred from attributions.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

STEPS = 12  # values tried of a number
MOST_CANDIDATES = 2_000  # rows scored for one answer


@dataclass(frozen=True)
class Change:
    """Fields to change together, and where that leads.

    Attributes:
        changes: (from, to) by column.
        probability: Of the changed row.
        effort: Distance, each number in ranges of its column, each category as one; small first.
    """

    changes: dict[str, tuple[Any, Any]]
    probability: float
    effort: float


def counterfactuals(
    row: pd.DataFrame,
    score: Callable[[pd.DataFrame], np.ndarray],
    options: Mapping[str, Sequence[Any]],
    cutoff: float,
    *,
    most_fields: int = 2,
    top: int = 3,
) -> tuple[Change, ...]:
    """Sparse, re-scored changes that bring the probability below the cut-off.

    Args:
        row: One typed row.
        score: Probabilities of typed rows.
        options: Values that each changeable column may take; see `number_options`.
        cutoff: Probability to get below.
        most_fields: Fields changed together at most.
        top: Answers at most, each with other fields.

    Returns:
        The changes found, fewest fields and least effort first; empty if the row is already
        below, or nothing allowed is enough.
    """
    if float(score(row)[0]) < cutoff:
        return ()
    current = row.iloc[0]
    single = {
        name: [(v, _effort(current[name], v, values)) for v in values if v != current[name]]
        for name, values in options.items()
    }
    found: list[Change] = []
    for size in range(1, most_fields + 1):
        tried = [
            tuple(zip(names, chosen, strict=True))
            for names in itertools.combinations(sorted(single), size)
            for chosen in itertools.product(*(single[n] for n in names))
        ]
        tried = sorted(tried, key=lambda c: sum(e for _, (_, e) in c))[:MOST_CANDIDATES]
        if not tried:
            continue
        changed = row.loc[row.index.repeat(len(tried))].reset_index(drop=True)
        for name in options:
            values = [dict(c).get(name, (current[name], 0.0))[0] for c in tried]
            changed[name] = pd.Series(values, index=changed.index).astype(row[name].dtype)
        probability = score(changed)
        seen = {frozenset(c.changes) for c in found}
        for candidate, p in zip(tried, probability, strict=True):
            fields = frozenset(name for name, _ in candidate)
            # A pair is news only if neither of its fields was enough alone.
            if p < cutoff and not any(known <= fields for known in seen):
                seen.add(fields)
                found.append(
                    Change(
                        {name: (current[name], value) for name, (value, _) in candidate},
                        float(p),
                        float(sum(e for _, (_, e) in candidate)),
                    )
                )
    return tuple(sorted(found, key=lambda c: (len(c.changes), c.effort))[:top])


def number_options(
    values: pd.Series,
    current: float,
    *,
    direction: str = "any",
    minimum: float | None = None,
    maximum: float | None = None,
) -> list[float]:
    """Values a number may move to: quantiles seen in the data, on the allowed side.

    Args:
        values: The column in the data.
        current: Where it is now.
        direction: lower, higher or any.
        minimum: Smallest allowed value.
        maximum: Largest allowed value.
    """
    grid = np.unique(values.dropna().quantile(np.linspace(0.02, 0.98, STEPS * 2)).to_numpy(float))
    whole = bool((values.dropna() % 1 == 0).all())
    grid = np.unique(np.round(grid)) if whole else grid
    keep = np.ones(len(grid), dtype=bool)
    if direction != "any" and not np.isnan(current):
        keep &= grid < current if direction == "lower" else grid > current
    if minimum is not None:
        keep &= grid >= minimum
    if maximum is not None:
        keep &= grid <= maximum
    allowed = grid[keep]
    if len(allowed) > STEPS:
        allowed = allowed[np.linspace(0, len(allowed) - 1, STEPS).round().astype(int)]
    return [float(v) for v in allowed]


def _effort(current: Any, value: Any, values: Sequence[Any]) -> float:
    if not isinstance(value, int | float) or not isinstance(current, int | float):
        return 1.0
    if current != current:  # noqa: PLR0124 - not a number
        return 1.0
    reach = max(*values, current) - min(*values, current)
    return abs(value - current) / reach if reach else 0.0
