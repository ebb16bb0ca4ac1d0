"""One list out of two: reciprocal-rank fusion (Cormack, Clarke and Büttcher, 2009)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

K = 60  # of the paper: how little the first places count more than the next


def reciprocal_rank_fusion(ranks: Sequence[np.ndarray]) -> np.ndarray:
    """Fused scores.

    Args:
        ranks: By list, (n,) place of every candidate from 0; -1 where the list lacks it.

    Returns:
        (n,) float64, higher is better.
    """
    return sum(
        (np.where(r >= 0, 1.0 / (K + 1 + r), 0.0) for r in ranks), start=np.zeros(len(ranks[0]))
    )
