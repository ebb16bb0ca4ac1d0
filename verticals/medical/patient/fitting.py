"""Trains the multimodal model and compares it, on the same test rows, with what it must beat."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from core.errors import DataError
from verticals.medical.patient.cohort import Cohort
from verticals.medical.patient.fusion import MODALITIES, Inputs, build_network, log_odds, train
from verticals.medical.patient.multimodal import (
    SYNTHETIC,
    MultimodalModel,
    Scaling,
    TextKind,
    embedded,
    logged,
    prepared,
)

if TYPE_CHECKING:
    from core.evaluation.calibration import Calibrator

FUSED, TREES, TRUTH = "fused network", "gradient boosting", "the generator itself"
_FEWEST = 200  # admissions
_BINS = 8  # of the calibration table
_TEXT_COLUMNS = 64  # principal components of the notes that the trees get; best of 12 to 150


@dataclass(frozen=True)
class Estimate:
    """The trained model, and tables on the test rows.

    Tables: `models` (AUROC with interval, Brier, calibration error), `differences` (the fused
    network minus each other, paired), `missing` (the fused network when modalities are withheld),
    `calibration` (foretold and observed share by bin), `cohort` (what is there and what is not).
    """

    model: MultimodalModel
    tables: dict[str, pd.DataFrame]
    seconds: float
    note: str = SYNTHETIC
    test_rows: np.ndarray = field(default_factory=lambda: np.zeros(0, int), repr=False)


@dataclass(frozen=True)
class _Parts:
    """Rows of the cohort to learn from, to stop and calibrate by, and to judge on."""

    learn: np.ndarray
    held: np.ndarray
    test: np.ndarray


def fit_multimodal(
    cohort: Cohort, seed: int = 0, *, text: TextKind = "minilm", epochs: int = 40
) -> Estimate:
    """Train the fused network and its rivals; judge all on the same test rows.

    Rivals are the same network on each modality alone and LightGBM on everything (values as they
    are, notes as principal components). 55% of the rows train, 20% stop the training and
    calibrate, 25% test.

    Args:
        cohort: From `make_cohort`.
        seed: Of split, weights and resampling.
        text: How notes become vectors: minilm or hashing.
        epochs: At most.

    Raises:
        DataError: Fewer than 200 admissions, or hardly any outcome.
    """
    start = time.perf_counter()
    parts = _split(cohort, seed)
    scaling = Scaling.of(logged(cohort.labs)[parts.learn]), Scaling.of(cohort.vitals[parts.learn])
    vectors = embedded(cohort.notes, text)
    inputs = prepared(vectors, cohort.labs, cohort.vitals, *scaling)
    y = cohort.outcome
    told: dict[str, np.ndarray] = {}
    network = None
    for name, seen in {FUSED: MODALITIES, **{f"{m} alone": (m,) for m in MODALITIES}}.items():
        shown = inputs.only(*seen)
        net = build_network(
            (inputs.text.shape[1], inputs.labs.shape[1], inputs.vitals.shape[1]), seed
        )
        held = shown.take(parts.held), y[parts.held]
        train(net, shown.take(parts.learn), y[parts.learn], held, seed=seed, epochs=epochs)
        calibrator = _calibrated(log_odds(net, held[0]), held[1], seed)
        told[name] = calibrator.transform(log_odds(net, shown.take(parts.test)))
        network = network or (net, calibrator)
    told[TREES] = _boosted(cohort, vectors, parts, seed)
    told[TRUTH] = cohort.risk[parts.test]
    assert network is not None  # noqa: S101 - the loop ran
    model = MultimodalModel(network[0], *scaling, network[1], text)
    tables = _tables(told, y[parts.test], seed)
    tables["missing"] = _withheld(model, inputs.take(parts.test), y[parts.test], seed)
    tables["cohort"] = cohort.summary()
    return Estimate(model, tables, time.perf_counter() - start, test_rows=parts.test)


def _split(cohort: Cohort, seed: int) -> _Parts:
    events = int(cohort.outcome.sum())
    if len(cohort) < _FEWEST or min(events, len(cohort) - events) < 20:
        raise DataError(
            f"{len(cohort)} admissions with {events} outcomes are too few to learn from",
            where="cohort",
            remedy=f"Make at least {_FEWEST}, better 3,000",
        )
    from sklearn.model_selection import train_test_split

    y, rows = cohort.outcome, np.arange(len(cohort))
    rest, test = train_test_split(rows, test_size=0.25, stratify=y, random_state=seed)
    learn, held = train_test_split(rest, test_size=0.27, stratify=y[rest], random_state=seed)
    return _Parts(learn, held, test)


def _calibrated(raw: np.ndarray, y: np.ndarray, seed: int) -> Calibrator:
    from core.evaluation.calibration import fit_calibrator

    return fit_calibrator(raw, y, method="platt", seed=seed)


def _boosted(cohort: Cohort, vectors: np.ndarray, parts: _Parts, seed: int) -> np.ndarray:
    """Calibrated probabilities of LightGBM on the test rows."""
    import lightgbm
    from sklearn.decomposition import PCA

    there = np.abs(vectors).sum(1) > 0
    learn = parts.learn[there[parts.learn]]
    components = min(_TEXT_COLUMNS, len(learn) - 1)
    reduce = PCA(components, random_state=seed, svd_solver="randomized").fit(vectors[learn])
    notes = np.where(there[:, None], reduce.transform(vectors), np.nan)
    table = np.hstack([cohort.labs, cohort.vitals, notes])
    settings = {
        "objective": "binary", "learning_rate": 0.04, "num_leaves": 15, "min_child_samples": 20,
        "feature_fraction": 0.6, "bagging_fraction": 0.8, "bagging_freq": 1, "lambda_l2": 2.0,
        "seed": seed, "num_threads": 1, "verbosity": -1, "deterministic": True,
    }  # fmt: skip
    data = lightgbm.Dataset(table[parts.learn], cohort.outcome[parts.learn])
    held = lightgbm.Dataset(table[parts.held], cohort.outcome[parts.held], reference=data)
    stop: list[Any] = [lightgbm.early_stopping(40, verbose=False)]
    trees = lightgbm.train(settings, data, 600, valid_sets=[held], callbacks=stop)

    def raw(rows: np.ndarray) -> np.ndarray:
        return np.asarray(trees.predict(table[rows], raw_score=True), float)

    calibrator = _calibrated(raw(parts.held), cohort.outcome[parts.held], seed)
    return calibrator.transform(raw(parts.test))


def _tables(told: dict[str, np.ndarray], y: np.ndarray, seed: int) -> dict[str, pd.DataFrame]:
    from core.evaluation.bootstrap import bootstrap_intervals, paired_bootstrap

    models, differences = [], []
    for name, p in told.items():
        found = bootstrap_intervals(y, p, metrics=("roc_auc", "brier", "ece"), seed=seed)
        auc = found["roc_auc"]
        models.append(
            {"model": name, "auroc": auc.value, "low": auc.low, "high": auc.high,
             "brier": found["brier"].value, "calibration error": found["ece"].value, "n": len(y)}
        )  # fmt: skip
        if name not in (FUSED, TRUTH):
            test = paired_bootstrap(y, told[FUSED], p, seed=seed)
            differences.append(
                {"fused network minus": name, "auroc": test.difference, "low": test.low,
                 "high": test.high, "p": test.p_value}
            )  # fmt: skip
    return {
        "models": pd.DataFrame(models),
        "differences": pd.DataFrame(differences),
        "calibration": _calibration(told[FUSED], y),
    }


def _calibration(p: np.ndarray, y: np.ndarray) -> pd.DataFrame:
    """Foretold and observed share in bins of equal size."""
    bins = np.array_split(np.argsort(p, kind="stable"), _BINS)
    return pd.DataFrame(
        {
            "foretold": [float(p[b].mean()) for b in bins],
            "observed": [float(y[b].mean()) for b in bins],
            "n": [len(b) for b in bins],
        }
    )


def _withheld(model: MultimodalModel, inputs: Inputs, y: np.ndarray, seed: int) -> pd.DataFrame:
    """AUROC of the one fused model when it is given less."""
    from core.evaluation.bootstrap import bootstrap_intervals

    given = [MODALITIES, *(tuple(m for m in MODALITIES if m != out) for out in MODALITIES)]
    given += [(m,) for m in MODALITIES]
    rows = []
    for seen in given:
        found = bootstrap_intervals(
            y, model.of(inputs.only(*seen)), metrics=("roc_auc",), seed=seed
        )
        auc = found["roc_auc"]
        rows.append(
            {"given": " + ".join(seen), "auroc": auc.value, "low": auc.low, "high": auc.high}
        )
    return pd.DataFrame(rows)
