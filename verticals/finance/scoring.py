"""Every entrant's probabilities on given rows, with shared work done once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from verticals.finance.entrants.members import Rows
from verticals.finance.stages import Fitted

SINGLE = "single column"  # baseline of the scorecard


@dataclass(frozen=True)
class Scores:
    """Scores of a set of rows, one entry a model, the single-column baseline among them.

    Attributes:
        log_odds: (n,) before calibration.
        pd: (n,) calibrated probability of default.
        single: Which column the baseline uses.
    """

    log_odds: dict[str, np.ndarray]
    pd: dict[str, np.ndarray]
    single: str


def score_entrants(fitted: Fitted, frame: pd.DataFrame) -> Scores:
    """Score rows with every entrant; a pipeline and a member they share run once.

    Args:
        fitted: The competition.
        frame: (n, columns) typed rows.
    """
    rows: dict[int, Rows] = {}
    members: dict[int, np.ndarray] = {}
    log_odds: dict[str, np.ndarray] = {}
    for name, model in fitted.entrants.items():
        key = id(model.pipeline)
        if key not in rows:
            rows[key] = Rows(frame, model.pipeline.transform(frame))
        for part in model.members:
            if id(part.member) not in members:
                members[id(part.member)] = part.member.log_odds(rows[key])
        log_odds[name] = np.sum(
            [part.weight * members[id(part.member)] for part in model.members], axis=0
        )
    pd_ = {name: fitted.entrants[name].calibrate(score) for name, score in log_odds.items()}
    if "scorecard" not in pd_:
        log_odds["scorecard"] = fitted.scorecard.log_odds(frame)
        pd_["scorecard"] = _sigmoid(log_odds["scorecard"])
    single, log_odds[SINGLE] = _best_column(fitted, frame)
    pd_[SINGLE] = _sigmoid(log_odds[SINGLE])
    return Scores(log_odds, pd_, single)


def _best_column(fitted: Fitted, frame: pd.DataFrame) -> tuple[str, np.ndarray]:
    """The scorecard's most informative column and its log-odds alone, (n,).

    Its weight of evidence is the log-odds of bad above the training book's.
    """
    if not fitted.scorecard.characteristics:
        return "none", np.full(len(frame), fitted.scorecard.intercept)
    best = max(fitted.scorecard.characteristics, key=lambda c: c.information_value)
    woe = np.array([*best.woe, 0.0])[best.place(frame[best.name])]
    rate = sum(best.bads) / sum(best.counts)
    return best.name, np.log(rate / (1 - rate)) + woe


def _sigmoid(z: np.ndarray) -> np.ndarray:
    from scipy.special import expit

    return np.asarray(expit(z))
