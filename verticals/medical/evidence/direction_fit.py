"""Fits the direction model: on claims and questions with their evidence, and on trials' results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.errors import DataError
from core.evaluation.calibration import Calibrator, fit_calibrator
from verticals.medical.evidence.cues import count_nulls
from verticals.medical.evidence.direction import (
    CLASSES,
    EFFECTS,
    DirectionModel,
    log_odds,
    ruled_effect,
)  # fmt: skip
from verticals.medical.evidence.frames import frame_features
from verticals.medical.evidence.linear import Softmax, fit_softmax
from verticals.medical.evidence.opposites import turned
from verticals.medical.evidence.pairs import masked_pair, pair_features

FOLDS = 5
STRENGTH = 1.0  # inverse penalty of the pairs' model
TURNED_WEIGHT = 0.5  # of a supporting pair made into a contradicting one
EFFECT_STRENGTH = 0.3
_TREES = {
    "objective": "multiclass", "num_class": 3, "learning_rate": 0.05, "num_leaves": 12,
    "min_data_in_leaf": 15, "feature_fraction": 0.5, "bagging_fraction": 0.8, "bagging_freq": 1,
    "lambda_l2": 3.0, "verbosity": -1, "num_threads": 1, "deterministic": True,
}  # fmt: skip
_ROUNDS = 200


@dataclass(frozen=True)
class LabelledPair:
    """A question or claim, a text, and what the text says of it."""

    question: str
    text: str
    direction: str  # of CLASSES
    group: str  # rows that share it, such as a document, are never parted by a fold
    source: str = ""


@dataclass(frozen=True)
class LabelledEffect:
    """A comparison in a trial, the span that tells its result, and the result."""

    intervention: str
    comparator: str
    outcome: str
    span: str
    effect: str  # of EFFECTS
    group: str


def negative(question: str, text: str) -> str:
    """Which kind of "no" an unsupporting text is: it finds nothing, or the opposite.

    Args:
        question: Question or claim.
        text: What answers it with no.
    """
    return "no difference" if count_nulls(text) and not count_nulls(question) else "contradicts"


def fit_direction(
    pairs: Sequence[LabelledPair],
    effects: Sequence[LabelledEffect] = (),
    *,
    strength: float = STRENGTH,
    seed: int = 0,
) -> DirectionModel:
    """Fit and calibrate on a client's own or the kit's labelled pairs.

    Args:
        pairs: At least ten of each direction.
        effects: Results of trials; without them, comparisons are read by hand-set points.
        strength: Inverse of the L2 penalty.
        seed: Of the trees.

    Raises:
        DataError: A direction is unknown, or has too few pairs.
    """
    y = _labels([p.direction for p in pairs], CLASSES)
    held = out_of_fold(pairs, strength=strength)
    model = DirectionModel(_fit_pairs(pairs, strength), calibrators_of(held, y), ruled_effect())
    return model.with_effect(*fit_effect(effects, seed=seed)) if effects else model


def with_turned(pairs: Sequence[LabelledPair]) -> tuple[list[LabelledPair], np.ndarray]:
    """The pairs and, of each supporting one, its opposites; with the (n,) weights of the rows.

    Either the question or the text is turned, where one word of it has an opposite.
    """
    more = []
    for pair in pairs:
        if pair.direction == "supports":
            question, text = turned(pair.question), turned(pair.text)
            if question:
                more.append(replace(pair, question=question, direction="contradicts"))
            if text:
                more.append(replace(pair, text=text, direction="contradicts"))
    weight = np.r_[np.ones(len(pairs)), np.full(len(more), TURNED_WEIGHT)]
    return [*pairs, *more], weight


def _fit_pairs(pairs: Sequence[LabelledPair], strength: float) -> Softmax:
    rows, weight = with_turned(pairs)
    return fit_softmax(
        np.array([pair_features(p.question, p.text) for p in rows]),
        np.array([CLASSES.index(p.direction) for p in rows]),
        [masked_pair(p.question, p.text) for p in rows],
        weight=weight, strength=strength,
    )  # fmt: skip


def out_of_fold(pairs: Sequence[LabelledPair], *, strength: float = STRENGTH) -> np.ndarray:
    """(n, 3) probabilities, each row's by a model that saw none of its group."""
    from sklearn.model_selection import GroupKFold

    y = _labels([p.direction for p in pairs], CLASSES)
    features = np.array([pair_features(p.question, p.text) for p in pairs])
    texts = [masked_pair(p.question, p.text) for p in pairs]
    held = np.zeros((len(pairs), len(CLASSES)))
    for fit_rows, rows in GroupKFold(FOLDS).split(features, y, [p.group for p in pairs]):
        model = _fit_pairs([pairs[i] for i in fit_rows], strength)
        held[rows] = model.probabilities(features[rows], [texts[i] for i in rows])
    return held


def calibrators_of(chances: np.ndarray, y: np.ndarray) -> tuple[Calibrator, ...]:
    """One calibrator a class, fitted on held-out probabilities (n, k)."""
    odds = log_odds(chances)
    return tuple(
        fit_calibrator(odds[:, k], (y == k).astype(int), method="platt")
        for k in range(odds.shape[1])
    )


def fit_effect(effects: Sequence[LabelledEffect], *, seed: int = 0) -> tuple[Softmax, str]:
    """The linear model and the LightGBM text whose probabilities are averaged.

    Raises:
        DataError: An effect is unknown, or has too few rows.
    """
    features = np.array(
        [frame_features(e.intervention, e.comparator, e.outcome, e.span) for e in effects]
    )
    return fit_effect_features(features, _labels([e.effect for e in effects], EFFECTS), seed=seed)


def fit_effect_features(
    features: np.ndarray, y: np.ndarray, *, seed: int = 0
) -> tuple[Softmax, str]:
    """`fit_effect` on rows of `frame_features` (n, f) and classes (n,)."""
    import lightgbm

    data = lightgbm.Dataset(features, y)
    booster = lightgbm.train({**_TREES, "seed": seed}, data, _ROUNDS)
    return fit_softmax(features, y, strength=EFFECT_STRENGTH), booster.model_to_string()


def _labels(names: Sequence[str], classes: Sequence[str]) -> np.ndarray:
    unknown = sorted(set(names) - set(classes))
    if unknown:
        raise DataError(
            f"{unknown[0]!r} is no direction", remedy=f"Label with one of {', '.join(classes)}"
        )
    y = np.array([classes.index(name) for name in names], int)
    counts = np.bincount(y, minlength=len(classes))
    if counts.min() < 2 * FOLDS:
        rare = classes[int(counts.argmin())]
        raise DataError(
            f"only {counts.min()} examples say {rare!r}",
            remedy=f"Label at least {2 * FOLDS} of each of {', '.join(classes)}",
        )
    return y
