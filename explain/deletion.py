"""Does an explanation hold? Take away what it says matters most, and as much at random.

Works with any weights over parts, of words, patches or columns (Samek et al., 2017).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

_EVEN = 1e-9
KeptScore = Callable[[np.ndarray], float]


@dataclass(frozen=True)
class Deletion:
    """What is left of a score.

    Attributes:
        whole: The score with every part.
        heaviest: Without the parts of the largest weights.
        random: Without as many parts drawn at random: the mean over the draws.
        as_bad: Share of the draws that leave no more than `heaviest`: near 0 where the weights
            say something, near 1 where anything would have hurt as much.
    """

    whole: float
    heaviest: float
    random: float
    as_bad: float


def deletion_test(
    score: KeptScore, weights: np.ndarray, *, share: float = 0.25, draws: int = 20, seed: int = 0
) -> Deletion:
    """Compare an explanation with chance.

    Args:
        score: Of the parts that a (n,) bool mask keeps.
        weights: (n,) positive where a part speaks for what was scored.
        share: Of the parts that are taken away, one at least.
        draws: Times that parts are drawn at random.
        seed: Of the draws.
    """
    count = max(1, round(share * len(weights)))
    random = np.random.default_rng(seed)
    known: dict[bytes, float] = {}

    def without(parts: np.ndarray) -> float:
        kept = np.ones(len(weights), bool)
        kept[parts] = False
        if kept.tobytes() not in known:  # of few parts, the same are drawn again
            known[kept.tobytes()] = score(kept)
        return known[kept.tobytes()]

    heaviest = without(np.argsort(-weights, kind="stable")[:count])
    others = np.array([without(random.permutation(len(weights))[:count]) for _ in range(draws)])
    as_bad = float((others <= heaviest + _EVEN).mean())
    return Deletion(without(np.zeros(0, int)), heaviest, float(others.mean()), as_bad)
