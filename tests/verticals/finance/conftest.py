"""A small simulated book with a champion of trees and a scorecard, fitted in about two seconds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from core.data.schema import infer_schema
from core.data.splits import folds, split_rows
from core.evaluation.calibration import fit_calibrator
from core.evaluation.conformal import fit_pd_interval
from verticals.finance.entrants import linear, trees
from verticals.finance.entrants.members import Rows, Training
from verticals.finance.features import fit_features
from verticals.finance.model import CreditModel, Weighted
from verticals.finance.parameters import CreditParameters
from verticals.finance.stages import Checked, Evaluated, Fitted, Loaded, Roles, Split


@pytest.fixture(scope="session")
def small_fitted() -> Fitted:
    """Four columns, one of them protected and left out; missing cells; 900 rows."""
    rng = np.random.default_rng(0)
    n = 900
    frame = pd.DataFrame(
        {
            "income": np.where(rng.random(n) < 0.1, np.nan, rng.normal(size=n).round(3)),
            "debt": rng.normal(size=n).round(3),
            "job": pd.Series(rng.choice(["clerk", "none", "own"], n), dtype="str").mask(
                rng.random(n) < 0.05
            ),
            "sex": pd.Series(rng.choice(["f", "m"], n), dtype="str"),
        }
    )
    z = -1 - 1.2 * np.nan_to_num(frame["income"]) + frame["debt"] + 1.2 * (frame["job"] == "none")
    target = (rng.random(n) < expit(z.to_numpy(float))).astype(np.int8)
    schema = infer_schema(frame, {"job": "category", "income": "number", "debt": "number"})
    names = ("income", "debt", "job")
    checked = Checked(
        Loaded(frame, CreditParameters(data="loans.csv"), "simulated", "0" * 64), frame, target,
        Roles("bad", names, protected=("sex",)), schema, (),
    )  # fmt: skip
    train, public, private = split_rows(target, seed=1)
    split = Split(checked, "random", train, public, private, tuple(folds(target, train, seed=1)))
    book, y = frame[list(names)].iloc[train], target[train]
    pipeline, matrix = fit_features(book, y, schema, names, seed=0)
    training = Training(Rows(book, matrix), y, 0, 1, pipeline)
    card = linear.scorecard(training)
    members = (
        Weighted("scorecard", card, 0.4),
        Weighted("lightgbm", trees.lightgbm(training, rounds=30), 0.3),
        Weighted("extra trees", trees.extra_trees(training, rounds=30), 0.1),
        Weighted("catboost 2", trees.catboost(training, rounds=30), 0.2),
    )
    rows = Rows(book, matrix)
    score = np.sum([m.weight * m.member.log_odds(rows) for m in members], axis=0)
    calibrator = fit_calibrator(score, y, seed=0)
    interval = fit_pd_interval(calibrator.transform(score), y, seed=0)
    champion = CreditModel(names, pipeline, members, calibrator, interval)
    oof = pd.DataFrame({"blend": score}, index=train)
    return Fitted(split, champion, "blend", card.scorecard, {"blend": champion}, oof, {"blend": 1})


@pytest.fixture(scope="session")
def small_evaluated(small_fitted: Fitted) -> Evaluated:
    """With the one table that reasons need."""
    cutoffs = pd.DataFrame({"rule": ["profit"], "cutoff": [0.35]})
    return Evaluated(small_fitted, (), pd.DataFrame(), {"cutoffs": cutoffs})
