"""How a probability of default becomes points and a decision."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Policy:
    """How a probability becomes points and a decision.

    Attributes:
        cutoff: Applicants at or above this PD are declined; an interval that straddles it refers.
        reference: Mean contribution of approved training applicants by column, in log-odds;
            reasons are stated against it.
        base_points: Points at `base_odds` good to bad.
        base_odds: Good-to-bad odds worth `base_points`.
        points_to_double: Points that double the odds.
    """

    cutoff: float
    reference: dict[str, float]
    base_points: float = 600.0
    base_odds: float = 50.0
    points_to_double: float = 20.0

    def points(self, pd_: np.ndarray) -> np.ndarray:
        """Score points of probabilities of default, (n,) → (n,); higher is safer."""
        odds = (1 - pd_) / np.maximum(pd_, 1e-9)
        scale = self.points_to_double / np.log(2)
        return self.base_points + scale * (np.log(np.maximum(odds, 1e-9)) - np.log(self.base_odds))

    def decide(self, pd_: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """Approve below the cut-off, decline above; refer where the interval leaves it open."""
        sure = (high < self.cutoff) | (low >= self.cutoff)
        return np.where(~sure, "refer", np.where(pd_ < self.cutoff, "approve", "decline"))
