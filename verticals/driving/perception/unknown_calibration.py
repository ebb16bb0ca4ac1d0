"""Confidence that means what it says: one temperature a head, one curve a detector.

Choosing between classes leaves the order alone, so a single temperature is enough (Guo et al.,
2017); whether a box is an object at all gets a monotone curve from `core.evaluation.calibration`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.evaluation.bootstrap import Interval
from core.evaluation.calibration import Calibrator, fit_calibrator

Floats = NDArray[np.floating[Any]]

BINS = 15
_COLDEST, _HOTTEST = 0.05, 20.0  # temperatures worth trying
_TINY = 1e-7


def softmax(logits: Floats, temperature: float = 1.0) -> Floats:
    """Probabilities, (n, classes) → (n, classes)."""
    raised = np.asarray(logits, np.float64) / temperature
    raised = np.exp(raised - raised.max(axis=-1, keepdims=True))
    found: Floats = raised / raised.sum(axis=-1, keepdims=True)
    return found


def log_odds(probabilities: Floats) -> Floats:
    """Ln p/(1-p), with 0 and 1 kept finite."""
    p = np.clip(np.asarray(probabilities, np.float64), _TINY, 1 - _TINY)
    found: Floats = np.log(p / (1 - p))
    return found


def fit_temperature(logits: Floats, labels: NDArray[np.integer[Any]]) -> float:
    """The temperature with the smallest log-loss (Guo et al., 2017).

    Labels are softened by one row in so many (Platt, 1999): where all rows are right, plain
    log-loss would make every later answer certain.

    Args:
        logits: (n, classes) of data the model did not train on.
        labels: (n,) true classes.

    Raises:
        ValueError: There are no rows.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import logsumexp

    logits, rows = np.asarray(logits, np.float64), np.arange(len(labels))
    doubt = 1 / (len(rows) + 2)
    if not len(rows):
        raise ValueError("no rows to fit a temperature on")

    def loss(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        named = (1 - doubt) * scaled[rows, labels] + doubt * scaled.mean(axis=1)
        return float(np.mean(logsumexp(scaled, axis=1) - named))

    bounds = (np.log(_COLDEST), np.log(_HOTTEST))
    return float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded").x))


def fit_confidence(
    confidence: Floats, correct: NDArray[np.bool_], *, seed: int = 0
) -> Calibrator | None:
    """A monotone curve from confidence to the chance of being right; give it `log_odds`.

    Args:
        confidence: (n,) 0 to 1, on data the model did not train on.
        correct: (n,) whether it was right, such as a box that matches an object.
        seed: Of the folds that choose between Platt, beta and isotonic.

    Returns:
        None if all were right or all were wrong: then there is nothing to learn from.
    """
    right = np.asarray(correct, bool)
    if right.all() or not right.any():
        return None
    return fit_calibrator(log_odds(confidence), right.astype(int), seed=seed)


def calibration_error(confidence: Floats, correct: NDArray[np.bool_], *, bins: int = BINS) -> float:
    """Expected calibration error over equally wide bins (Naeini et al., 2015; Guo et al., 2017).

    Args:
        confidence: (n,) 0 to 1, of the class that was named.
        correct: (n,) whether that was right.
        bins: Of equal width.
    """
    counts, sure, right = _bins(confidence, correct, bins)
    return float(np.abs(sure - right).sum() / counts.sum())


def calibration_interval(
    confidence: Floats,
    correct: NDArray[np.bool_],
    groups: Sequence[str],
    *,
    n_boot: int = 1000,
    seed: int = 0,
) -> Interval:
    """`calibration_error` with a 95% interval over groups drawn again, centred on the value.

    Drawing again adds noise to a distance from zero, so its mean is moved back to the value.

    Args:
        confidence: (n,) 0 to 1.
        correct: (n,) whether it was right.
        groups: (n,) track, video or scene of every row.
        n_boot: Resamples.
        seed: Of the drawing.
    """
    confidence, correct = np.asarray(confidence, float), np.asarray(correct, bool)
    names, member = np.unique(np.asarray(groups), return_inverse=True)
    place = _places(confidence, BINS)
    sums = np.zeros((len(names), BINS))
    np.add.at(sums, (member, place), confidence - correct)
    random = np.random.default_rng(seed)
    counts = random.multinomial(len(names), np.full(len(names), 1 / len(names)), size=n_boot)
    rows = counts @ np.bincount(member, minlength=len(names))
    drawn = np.abs(counts @ sums).sum(axis=1) / rows
    value = float(np.abs(sums.sum(axis=0)).sum() / len(confidence))
    low, high = np.quantile(drawn, [0.025, 0.975]) - (drawn.mean() - value)
    return Interval(value, float(max(0, min(low, value))), float(max(high, value)), len(correct))


def _places(confidence: Floats, bins: int) -> NDArray[np.intp]:
    return np.minimum((np.asarray(confidence, float) * bins).astype(np.intp), bins - 1)


def _bins(
    confidence: Floats, correct: NDArray[np.bool_], bins: int
) -> tuple[Floats, Floats, Floats]:
    """Rows, sum of confidence and rows that were right, by bin."""
    place = _places(confidence, bins)
    weights = (None, np.asarray(confidence, float), np.asarray(correct, float))
    counts, sure, right = (np.bincount(place, w, minlength=bins).astype(float) for w in weights)
    return counts, sure, right
