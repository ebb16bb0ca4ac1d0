"""Honest probabilities, and sentences about something else."""

from __future__ import annotations

import numpy as np
import pytest

from verticals.voice.understanding.calibration import Confidence, energy, fit_confidence


def test_temperature_finds_by_how_much_the_logits_were_scaled() -> None:
    random = np.random.default_rng(0)
    honest = random.normal(size=(4000, 5)) * 2
    chances = Confidence().probabilities(honest)
    right = np.array([random.choice(5, p=row) for row in chances])
    found = fit_confidence(honest * 3, right)
    assert found.temperature == pytest.approx(3.0, rel=0.1)
    sure = found.probabilities(honest * 3)
    assert sure.max(1).mean() == pytest.approx((sure.argmax(1) == right).mean(), abs=0.02)


def test_low_energy_is_turned_down_and_the_known_is_kept() -> None:
    random = np.random.default_rng(1)
    logits = random.normal(size=(500, 4))
    logits[np.arange(500), random.integers(0, 4, 500)] += 10
    found = fit_confidence(logits, logits.argmax(1), kept=0.95)
    assert found.known(logits).mean() == pytest.approx(0.95, abs=0.01)
    assert not found.known(random.normal(size=(50, 4))).any()


def test_energy_is_the_log_of_the_summed_exponentials() -> None:
    logits = np.array([[0.0, 0.0], [1000.0, 0.0]])
    np.testing.assert_allclose(energy(logits), [np.log(2), 1000.0])
