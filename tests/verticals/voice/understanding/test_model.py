"""What surrounds the network: which intents are allowed, and how often they are expected."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import ModelError
from verticals.voice.understanding.calibration import Confidence
from verticals.voice.understanding.model import About, IntentModel

ABOUT = About(
    ("chat", "heat", "light"), ("O",), ((), (), ()), np.zeros((2, 1), np.float32),
    Confidence(temperature=2.0, least_energy=1.0), shares=(0.25, 0.25, 0.5),
)  # fmt: skip


class Fixed(IntentModel):
    """Reads every sentence alike."""

    def scores(self, text: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return np.array([1.0, 1.2, 0.9]), np.zeros((len(text.split()), 1)), np.ones(2)


def model(**changed: Any) -> Fixed:
    unused: Any = None
    about = replace(ABOUT, **changed)
    return Fixed(about, unused, unused, Path("here"), np.zeros((3, 1), np.float32))


def test_what_is_asked_for_more_often_wins_a_doubt() -> None:
    plain = model().predict(["do it"])[0]
    often = model().expecting({"chat": 80, "heat": 9, "light": 8}).predict(["do it"])[0]
    assert (plain.intent, often.intent) == ("heat", "chat")
    assert often.known == plain.known


def test_probabilities_follow_the_ratio_of_the_shares() -> None:
    before = dict(model().predict(["do it"])[0].alternatives)
    before["heat"] = model().predict(["do it"])[0].confidence
    weights = {"chat": 0.6 / 0.25, "heat": 0.3 / 0.25, "light": 0.1 / 0.5}
    total = sum(before[name] * weights[name] for name in before)
    found = model().expecting({"chat": 599, "heat": 299, "light": 99}).predict(["do it"])[0]
    assert found.confidence == pytest.approx(before["chat"] * weights["chat"] / total, rel=1e-6)


def test_the_shares_that_were_learned_change_nothing() -> None:
    as_learned = model().expecting({"chat": 2499, "heat": 2499, "light": 4999})
    assert as_learned.predict(["do it"])[0] == model().predict(["do it"])[0]


def test_what_is_not_allowed_stays_so_however_often_it_is_expected() -> None:
    among = model().among(["heat", "light"]).expecting({"chat": 10_000})
    assert among.predict(["do it"])[0].intent == "heat"
    with pytest.raises(ModelError, match="none of these intents"):
        model().among(["dance"])


def test_a_model_that_noted_no_shares_says_so() -> None:
    with pytest.raises(ModelError, match="how often it saw each intent"):
        model(shares=()).expecting({"chat": 3})


def test_what_is_kept_reads_back() -> None:
    again = About.from_bytes(ABOUT.to_bytes())
    assert (again.intents, again.shares, again.confidence) == (
        ABOUT.intents, ABOUT.shares, ABOUT.confidence,
    )  # fmt: skip
