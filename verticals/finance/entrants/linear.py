"""The weight-of-evidence scorecard as an entrant."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from verticals.finance.entrants.members import Rows, Training

if TYPE_CHECKING:
    from verticals.finance.scorecard import Scorecard


@dataclass(frozen=True)
class ScorecardMember:
    """A scorecard; it reads raw columns, so its Shapley values are of raw columns too."""

    scorecard: Scorecard
    family: str = "scorecard"

    def log_odds(self, rows: Rows, threads: int = 1) -> np.ndarray:
        """Log-odds of default, (n,) float64."""
        return self.scorecard.log_odds(rows.frame)

    def contributions(self, rows: Rows, threads: int = 1) -> tuple[np.ndarray, float] | None:
        """None over matrix columns; `raw_contributions` has them over raw ones."""
        return None

    def raw_contributions(self, rows: Rows, columns: tuple[str, ...]) -> tuple[np.ndarray, float]:
        """Exact contributions (n, columns) and their base; they sum to the log-odds."""
        found = self.scorecard.contributions(rows.frame)
        place = {name: j for j, name in enumerate(columns)}
        values = np.zeros((len(rows), len(columns)))
        for j, name in enumerate(self.scorecard.columns):
            values[:, place[name]] += found.values[:, j]
        return values, found.base

    def save(self, path: Path) -> str:
        """Write the scorecard's JSON."""
        target = path.with_suffix(".json")
        target.write_text(self.scorecard.to_json(), encoding="utf-8")
        return target.name


def scorecard(training: Training) -> ScorecardMember:
    """Logistic regression on weights of evidence of optimal bins."""
    from verticals.finance.scorecard import fit_scorecard

    frame = training.rows.frame
    columns = tuple(frame.columns[frame.dtypes.map(lambda kind: kind.kind != "M")])  # no dates
    return ScorecardMember(
        fit_scorecard(frame, training.target, features=columns, seed=training.seed)
    )
