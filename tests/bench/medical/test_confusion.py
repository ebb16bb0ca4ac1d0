"""The benches' own measures against scikit-learn's, and spans without repeats."""

from __future__ import annotations

import numpy as np

from bench.medical.confusion import paired, scores
from bench.medical.direction_data import gold_span
from bench.medical.evidence_inference import folds_of, sectioned, tells


def test_scores_equal_scikit_learns() -> None:
    from sklearn.metrics import accuracy_score, f1_score

    rng = np.random.default_rng(0)
    y, chosen = rng.integers(0, 3, 200), rng.integers(0, 3, 200)
    found = scores(y, chosen, np.repeat(np.arange(50), 4))
    assert abs(found["accuracy"]["value"] - accuracy_score(y, chosen)) < 1e-4
    assert abs(found["macro_f1"]["value"] - f1_score(y, chosen, average="macro")) < 1e-4
    assert found["accuracy"]["low"] < found["accuracy"]["value"] < found["accuracy"]["high"]


def test_a_model_does_not_differ_from_itself() -> None:
    y = np.arange(30) % 3
    same = paired(y, y, y, np.arange(30))
    assert same["accuracy"] == {"difference": 0.0, "low": 0.0, "high": 0.0}


def test_folds_never_part_a_group() -> None:
    groups = np.repeat([f"t{i}" for i in range(40)], 3)
    folds = folds_of(groups, 5, 0)
    assert all(len(set(folds[groups == g])) == 1 for g in set(groups))
    assert set(folds) == set(range(5))


def test_spans_and_sections() -> None:
    assert gold_span(["Pain fell (p<0.01). More.", "Pain fell (p<0.01)."]) == (
        "Pain fell (p<0.01). More."
    )
    text = "TITLE: \nA trial\n\nABSTRACT.RESULTS:\nPain fell. Sleep did not change."
    assert sectioned(text)[-1] == ("ABSTRACT.RESULTS", "Sleep did not change.")
    assert tells("Pain fell by half in the drug group.", ["fell by half in the drug"])
    assert not tells("Sleep did not change.", ["Pain fell by half"])
