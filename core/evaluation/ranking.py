"""How well a ranked list finds what is relevant, query by query."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence

import numpy as np


def ndcg(ranked: Sequence[Hashable], relevant: Collection[Hashable], *, k: int = 10) -> float:
    """Normalised discounted cumulative gain of one query (Järvelin and Kekäläinen, 2002).

    Args:
        ranked: Documents found, best first, each once.
        relevant: Documents that answer, all equally; at least one.
        k: How far the list is read.
    """
    gains = np.array([document in relevant for document in ranked[:k]], float)
    ideal = _discounts(min(len(relevant), k)).sum()
    return float(gains @ _discounts(len(gains)) / ideal)


def reciprocal_rank(
    ranked: Sequence[Hashable], relevant: Collection[Hashable], *, k: int = 10
) -> float:
    """One over the place of the first relevant document; 0 if none is among the first k."""
    for place, document in enumerate(ranked[:k], 1):
        if document in relevant:
            return 1.0 / place
    return 0.0


def recall(ranked: Sequence[Hashable], relevant: Collection[Hashable], *, k: int = 10) -> float:
    """Share of the relevant documents among the first k."""
    return len(set(ranked[:k]) & set(relevant)) / len(relevant)


def _discounts(n: int) -> np.ndarray:
    return 1.0 / np.log2(np.arange(2, n + 2))
