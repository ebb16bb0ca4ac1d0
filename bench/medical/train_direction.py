"""Trains the direction model, by default the one that the kit ships.

    python -m bench.medical.train_direction [--data ../shared/data/medical] [--out FOLDER]
    python -m bench.medical.train_direction --trials --out FOLDER     with Evidence Inference too

Shipped weights learn from SciFact (CC BY 4.0) and PubMedQA (MIT) only. The texts of Evidence
Inference are open access under each paper's own licence, some of them non-commercial, so weights
that learn from it stay with whoever may use them; without it, comparisons are read by hand-set
points.
"""

from __future__ import annotations

import argparse
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from bench.machine import machine, write_result
from bench.medical.direction_data import (
    DATA,
    pubmedqa_pairs,
    scifact_pairs,
    trial_effects,
    trial_prompts,
)  # fmt: skip
from core.evaluation.bootstrap import bootstrap_intervals, mean_interval
from verticals.medical.evidence.direction import CLASSES, SHIPPED, calibrated
from verticals.medical.evidence.direction_fit import (
    LabelledPair,
    calibrators_of,
    fit_direction,
    out_of_fold,
)  # fmt: skip

_CARD = """# Direction of evidence

Says of a sentence or passage whether it supports a question or claim, contradicts it, or finds no
difference: multinomial logistic regression on {features} cues and {ngrams:,} n-grams, each class
calibrated (Platt). Supporting pairs were also turned into contradicting ones, by a table of
opposite words. Runs on numpy.

- Made by `python -m bench.medical.train_direction`, seed 0, {seconds:.0f} s on one core, \
scikit-learn {sklearn}.
- Data: SciFact training claims with their rationales (Wadden et al., 2020; CC BY 4.0; abstracts \
ODC-By 1.0, S2ORC) and PubMedQA questions with their conclusions (Jin et al., 2019; MIT). \
"No difference" is not a label of either: a negative whose text says so and whose question does \
not.
- Measured out of fold, no abstract in two folds (`bench/results/medical_direction.json`):
{numbers}
- Comparisons in trials (`effect.json`) are read by points set by hand, not fitted to any data.
- Limits: English; weak where a claim and its refutation differ by one technical word. Not for \
clinical decisions.
"""


def main() -> None:
    """Fit, measure out of fold, write weights, card and bench/results/medical_direction.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--out", type=Path, default=SHIPPED)
    parser.add_argument("--trials", action="store_true", help="learn from Evidence Inference too")
    given = parser.parse_args()
    if given.trials and given.out == SHIPPED:
        parser.error("weights that learn from Evidence Inference are not shipped: give --out")
    begun = time.perf_counter()
    pairs = [*scifact_pairs(given.data), *pubmedqa_pairs(given.data)]
    trials = trial_effects(trial_prompts(given.data)) if given.trials else []
    model = fit_direction(pairs, trials)
    model.save(given.out)
    found = measure(pairs)
    seconds = time.perf_counter() - begun
    if not given.trials:
        numbers = "\n".join(
            f"  - {name}: {v['value']:.3f} ({v['low']:.3f} to {v['high']:.3f})"
            for name, v in found.items()
        )
        (given.out / "CARD.md").write_text(
            _CARD.format(
                features=len(model.pairs.mean), ngrams=len(model.pairs.ngrams), seconds=seconds,
                sklearn=version("scikit-learn"), numbers=numbers,
            ),
            encoding="utf-8",
        )  # fmt: skip
        write_result(
            "medical_direction",
            {
                "machine": machine("scikit-learn"), "seconds": round(seconds, 1),
                "headline": {name: round(v["value"], 3) for name, v in found.items()},
                "out_of_fold": found,
            },
        )  # fmt: skip
    print(f"{given.out}: {seconds:.0f} s", *found.items(), sep="\n")


def measure(pairs: list[LabelledPair]) -> dict[str, dict[str, float]]:
    """Accuracy, AUROC of `supports` and its calibration, by source, with 95% intervals."""
    y = np.array([CLASSES.index(p.direction) for p in pairs])
    held = out_of_fold(pairs)
    chances = _held_out_calibration(held, y, [p.group for p in pairs])
    found: dict[str, dict[str, float]] = {}
    for source in sorted({p.source for p in pairs}):
        rows = np.array([p.source == source for p in pairs])
        right = (chances[rows].argmax(axis=1) == y[rows]).astype(float)
        usual = np.bincount(y[rows]).argmax()
        binary: dict[str, Any] = bootstrap_intervals(
            (y[rows] == 0).astype(int), chances[rows, 0], metrics=("roc_auc", "ece")
        )
        found |= {
            f"{source}, three directions: accuracy": vars(mean_interval(right)),
            f"{source}, always the commonest": vars(
                mean_interval((y[rows] == usual).astype(float))
            ),
            f"{source}, supports or not: AUROC": vars(binary["roc_auc"]),
            f"{source}, supports or not: calibration error": vars(binary["ece"]),
        }
    return found


def _held_out_calibration(held: np.ndarray, y: np.ndarray, groups: list[str]) -> np.ndarray:
    """Calibrated probabilities whose calibrators saw none of the row's group either."""
    from sklearn.model_selection import GroupKFold

    out = np.zeros_like(held)
    for fit_rows, rows in GroupKFold(5).split(held, y, groups):
        out[rows] = calibrated(held[rows], calibrators_of(held[fit_rows], y[fit_rows]))
    return out


if __name__ == "__main__":
    main()
