"""Calibration of confidence, against data whose true chances are known."""

from __future__ import annotations

import numpy as np
import pytest

from verticals.driving.perception.unknown_calibration import (
    calibration_error,
    calibration_interval,
    fit_confidence,
    fit_temperature,
    log_odds,
    softmax,
)


def drawn(n: int, heat: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Logits that are `heat` times too bold, and labels drawn from the honest chances."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 1.5, (n, 5))
    chances = softmax(logits)
    labels = (chances.cumsum(axis=1) < random.random((n, 1))).sum(axis=1)
    return logits * heat, labels


@pytest.mark.parametrize("heat", [0.4, 1.0, 3.0])
def test_the_temperature_undoes_what_was_too_bold(heat: float) -> None:
    assert fit_temperature(*drawn(6000, heat, 0)) == pytest.approx(heat, rel=0.08)


def test_a_temperature_needs_rows() -> None:
    with pytest.raises(ValueError, match="no rows"):
        fit_temperature(np.zeros((0, 3)), np.zeros(0, int))


def test_calibration_gets_better_on_rows_kept_apart() -> None:
    fitted, judged = drawn(4000, 3.0, 1), drawn(4000, 3.0, 2)
    groups = np.repeat(np.arange(400), 10).astype(str).tolist()
    before, after = (
        calibration_interval(chances.max(axis=1), chances.argmax(axis=1) == judged[1], groups)
        for chances in (softmax(judged[0], t) for t in (1.0, fit_temperature(*fitted)))
    )
    assert before.value > 0.15
    assert after.value < 0.03
    assert after.low <= after.value <= after.high


def test_calibration_error_by_hand() -> None:
    confidence = np.array([0.95, 0.95, 0.55, 0.55])
    right = np.array([True, True, True, False])
    assert calibration_error(confidence, right) == pytest.approx((0.1 + 0.1) / 4)
    whole = calibration_interval(confidence, right, list("aabb"))
    assert whole.value == pytest.approx(0.05)


def test_a_curve_makes_scores_chances() -> None:
    random = np.random.default_rng(0)
    chance = random.random(5000)
    score = chance**3
    right = random.random(5000) < chance
    curve = fit_confidence(score[::2], right[::2])
    assert curve is not None
    assert calibration_error(score[1::2], right[1::2]) > 0.15
    assert calibration_error(curve.transform(log_odds(score[1::2])), right[1::2]) < 0.03


def test_nothing_is_learned_where_all_are_right() -> None:
    assert fit_confidence(np.array([0.2, 0.9]), np.array([True, True])) is None


def test_all_right_on_a_few_rows_does_not_make_certain() -> None:
    random = np.random.default_rng(0)
    labels = random.integers(4, size=60)
    logits = random.normal(0, 0.3, (60, 4))
    logits[np.arange(60), labels] += 4.0
    temperature = fit_temperature(logits, labels)
    assert temperature < 1
    assert 0.97 < softmax(logits, temperature).max(axis=1).mean() < 0.999
