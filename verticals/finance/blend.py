"""Blends entrants in log-odds, by their out-of-fold scores alone."""

from __future__ import annotations

import numpy as np

from core.evaluation.metrics import measure


def average(log_odds: np.ndarray) -> np.ndarray:
    """Equal weights of members, (members, n) → (members,)."""
    return np.full(len(log_odds), 1 / len(log_odds))


def greedy(log_odds: np.ndarray, y: np.ndarray, *, steps: int = 20) -> np.ndarray:
    """Ensemble selection with replacement (Caruana et al., 2004), started from the average.

    The weights found are averaged with equal ones: on a small sample a good part of what
    selection finds is noise, and half the way costs little where it is not.

    Args:
        log_odds: (members, n) out-of-fold scores.
        y: (n,) 0 or 1.
        steps: Members added after the first of each.

    Returns:
        (members,) weights that sum to one.
    """
    counts = np.ones(len(log_odds))
    total = log_odds.sum(axis=0)
    best = measure("roc_auc", y, total)
    for _ in range(steps):
        scores = [measure("roc_auc", y, total + row) for row in log_odds]
        pick = int(np.argmax(scores))
        if scores[pick] <= best:
            break
        best, total = scores[pick], total + log_odds[pick]
        counts[pick] += 1
    return (counts / counts.sum() + average(log_odds)) / 2


def stack(log_odds: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Non-negative logistic stacking (Breiman, 1996): weights of maximum likelihood.

    Args:
        log_odds: (members, n) out-of-fold scores.
        y: (n,) 0 or 1.

    Returns:
        (members,) weights; they need not sum to one, calibration follows.
    """
    from scipy.optimize import minimize
    from scipy.special import expit

    members, n = log_odds.shape

    def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
        z = w[:members] @ log_odds + w[members]
        error = (expit(z) - y) / n
        # A light pull to the equal weights settles members that say the same.
        pull = w[:members] - 1 / members
        value = float(np.mean(np.logaddexp(0, z) - y * z) + 0.5e-3 * pull @ pull)
        return value, np.r_[log_odds @ error + 1e-3 * pull, error.sum()]

    start = np.r_[np.full(members, 1 / members), 0.0]
    bounds = [(0.0, None)] * members + [(None, None)]
    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x[:members])
