"""Simulated scores with known truth, and simple models' scores on the developers' credit data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit


@dataclass(frozen=True)
class Simulated:
    """Outcomes drawn from known probabilities."""

    log_odds: np.ndarray
    pd: np.ndarray
    y: np.ndarray


@pytest.fixture
def simulate() -> Callable[..., Simulated]:
    """Draw n applicants whose log-odds are normal around `base`."""

    def draw(n: int, *, base: float = -2.0, spread: float = 1.2, seed: int = 0) -> Simulated:
        rng = np.random.default_rng(seed)
        log_odds = rng.normal(base, spread, n)
        pd_ = expit(log_odds)
        return Simulated(log_odds, pd_, (rng.random(n) < pd_).astype(np.int8))

    return draw


@dataclass(frozen=True)
class Scored:
    """Out-of-fold log-odds to fit on, and held-out ones to check on."""

    oof: np.ndarray
    y_oof: np.ndarray
    held: np.ndarray
    y_held: np.ndarray


@pytest.fixture(scope="session")
def scored(shared_finance) -> Callable[[str], Scored]:
    """Logistic scores on a shared set: folds 1 to 4 out of fold, fold 0 held out; never -1."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import QuantileTransformer, SplineTransformer

    def load(name: str) -> Scored:
        if name == "give_me_some_credit":
            from core.models.resolver import resolve

            book = pd.read_csv(resolve(name)).rename(columns={"SeriousDlqin2yrs": "target"})
            book = book.drop(columns="id")
        else:
            book = pd.read_csv(shared_finance / f"{name}.csv.gz")
        split = pd.read_csv(shared_finance / f"{name}_split.csv.gz")
        fold = split.set_index("row")["fold"].reindex(range(len(book))).to_numpy()
        y = book.pop("target").to_numpy()
        numbers = book.select_dtypes("number")
        x = numbers.fillna(numbers.median()).to_numpy(float)
        fit, held = np.isin(fold, [1, 2, 3, 4]), fold == 0
        model = make_pipeline(
            QuantileTransformer(n_quantiles=100, subsample=20_000, random_state=0),
            SplineTransformer(4, degree=1, include_bias=False),
            LogisticRegression(C=1.0, max_iter=300),
        )
        oof = cross_val_predict(model, x[fit], y[fit], cv=4, method="decision_function")
        return Scored(oof, y[fit], model.fit(x[fit], y[fit]).decision_function(x[held]), y[held])

    return load
