"""Calibration error of boxes and pixels against that of core."""

from __future__ import annotations

import numpy as np
import pytest

from core.evaluation.metrics import measure
from tests.verticals.driving.perception.judging.made import (
    boxes,
    random_frames,
    sight,
)
from verticals.driving.frame import View
from verticals.driving.perception.judging.confidence import (
    detection_confidence,
    detection_outcomes,
    pixel_confidence,
)
from verticals.driving.perception.judging.matching import match


def test_box_confidence_is_the_error_of_core() -> None:
    views, found = random_frames(5)
    matches = match(found, views, [f"s{i}" for i in range(30)], draws=50)
    _, scores, hit = detection_outcomes(matches)
    confidence = detection_confidence(matches)
    # core puts a group of equal scores in the bin of its middle, we in that of its first: none here
    assert confidence.ece.value == pytest.approx(measure("ece", hit.astype(int), scores), abs=0.02)
    assert confidence.ece.low <= confidence.ece.value <= confidence.ece.high
    assert confidence.curve["n"].sum() == len(scores)


def test_pixel_confidence_that_is_right_has_no_error() -> None:
    rng = np.random.default_rng(0)
    views, honest, boastful = [], [], []
    none = boxes([], [], scores=[])
    for _ in range(10):
        sure = rng.uniform(0.2, 1, (60, 80))
        seen = rng.integers(0, 11, sure.shape)
        truth = np.where(rng.random(sure.shape) < sure, seen, (seen + 1) % 11).astype(np.uint8)
        views.append(View(np.zeros((60, 80, 3), np.uint8), surfaces=truth))
        honest.append(sight(none, seen, sure))
        boastful.append(sight(none, seen, sure**0.5))
    names = [f"s{i}" for i in range(10)]
    right, wrong = (pixel_confidence(s, views, names) for s in (honest, boastful))
    assert right.ece.value < 0.01
    flat = np.concatenate([s.confidence.ravel() for s in boastful]).astype(float)
    pairs = zip(boastful, views, strict=True)
    outcome = np.concatenate([(s.surfaces == v.surfaces).ravel() for s, v in pairs])
    assert wrong.ece.value == pytest.approx(measure("ece", outcome.astype(int), flat), abs=1e-3)
    assert right.ece.high < wrong.ece.low
