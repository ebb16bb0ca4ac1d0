"""Blends entrants in log-odds, by their out-of-fold scores alone."""

from __future__ import annotations

import numpy as np

PULL = 20.0  # towards equal weights, in log-loss summed over rows: it decides on small books only
LEAST_SHARE = 0.02  # of the weights; a member with less is not worth its time


def stack(log_odds: np.ndarray, y: np.ndarray, *, pull: float = PULL) -> np.ndarray:
    """Non-negative logistic stacking (Breiman, 1996), shrunk towards equal weights.

    On a few hundred rows most of what any selection of members finds is noise, and equal weights
    are hard to beat; on many rows they cost rank. A fixed pull against a log-loss that grows with
    the rows is right for both.

    Args:
        log_odds: (members, n) out-of-fold scores.
        y: (n,) 0 or 1.
        pull: Half of it times the squared distance to equal weights is added to the log-loss.

    Returns:
        (members,) weights, zero or more; they need not sum to one, calibration follows.
    """
    from scipy.optimize import minimize
    from scipy.special import expit

    members, _ = log_odds.shape
    equal = np.full(members, 1 / members)

    def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
        z = w[:members] @ log_odds + w[members]
        error, away = expit(z) - y, w[:members] - equal
        value = float(np.sum(np.logaddexp(0, z) - y * z) + pull / 2 * away @ away)
        return value, np.r_[log_odds @ error + pull * away, error.sum()]

    bounds = [(0.0, None)] * members + [(None, None)]
    found = minimize(loss, np.r_[equal, 0.0], jac=True, method="L-BFGS-B", bounds=bounds)
    weights = np.asarray(found.x[:members])
    if not weights.sum() > 0:  # no member knows anything
        return equal
    return np.where(weights < LEAST_SHARE * weights.sum(), 0.0, weights)
