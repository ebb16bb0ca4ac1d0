"""The judge on a book whose truth is known: what it says must be so, and nothing may be missing."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.metrics import brier_score_loss, roc_auc_score

from core.data.schema import infer_schema
from core.data.splits import folds, split_kind, split_rows
from core.evaluation.calibration import Calibrator, fit_calibrator
from core.evaluation.conformal import fit_pd_interval
from verticals.finance.judge import evaluate
from verticals.finance.model import CreditModel, Weighted
from verticals.finance.parameters import CreditParameters
from verticals.finance.scorecard import Characteristic, Scorecard
from verticals.finance.scoring import SINGLE
from verticals.finance.stages import Checked, Evaluated, Fitted, Loaded, Roles, Split

TABLES = {
    "leaderboard", "metrics", "calibration", "uncertainty", "slices", "fairness",
    "fairness_bands", "alternatives", "stability", "time_gap", "drift", "assumptions", "cutoffs",
    "profit_curve", "expected_loss", "loss", "loss_curve", "staging", "stress", "pricing",
    "warnings",
}  # fmt: skip


@dataclass(frozen=True)
class Linear:
    """A member that reads the true log-odds through given weights."""

    weights: tuple[float, float]
    family: str = "linear"

    def log_odds(self, rows, threads=1):
        return rows.matrix @ np.array(self.weights) - 1.5


@dataclass(frozen=True)
class Plain:
    """A pipeline of the two numbers."""

    columns: tuple[str, ...] = ("income", "debt")

    def transform(self, frame):
        return frame[list(self.columns)].to_numpy(float)


def competition(n: int, *, time_column: bool, drift: float = 0.0, seed: int = 0) -> Fitted:
    """Two entrants on a simulated book: one knows the truth, one half of it."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"income": rng.normal(size=n), "debt": rng.normal(size=n)})
    frame["sex"] = rng.choice(["female", "male"], n)
    frame["age"] = rng.integers(18, 80, n).astype(float)
    frame["amount"] = rng.lognormal(8, 0.5, n)
    frame["opened"] = pd.to_datetime("2022-01-01") + pd.to_timedelta(np.arange(n) * 900 // n, "D")
    late = np.arange(n) / n
    truth = 1.2 * frame["income"] * (1 - drift * late) + 0.5 * frame["debt"] - 1.5
    y = (rng.random(n) < expit(truth.to_numpy())).astype(np.int8)
    roles = Roles(
        "bad", ("income", "debt"), time="opened" if time_column else None, exposure="amount",
        protected=("sex", "age"),
    )  # fmt: skip
    checked = Checked(
        Loaded(frame, CreditParameters(), "simulated", "0" * 64), frame, y, roles,
        infer_schema(frame, {}), (),
    )  # fmt: skip
    when = frame["opened"] if time_column else None
    train, public, private = split_rows(y, time=when, seed=1)
    pairs = folds(y, train, time=when, seed=1)
    split = Split(checked, split_kind(time=when), train, public, private, pairs)
    held = np.isin(train, np.concatenate([b for _, b in pairs]))
    models, oof = {}, {}
    for name, weights in {"truth": (1.2, 0.5), "half": (0.3, 0.5)}.items():
        score = Plain().transform(frame.iloc[train]) @ np.array(weights) - 1.5
        calibrator = fit_calibrator(score[held], y[train][held], method="platt")
        interval = fit_pd_interval(calibrator.transform(score[held]), y[train][held])
        models[name] = CreditModel(
            ("income", "debt"), Plain(), (Weighted(name, Linear(weights), 1.0),), calibrator,
            interval,
        )  # fmt: skip
        oof[name] = np.where(held, score, np.nan)
    card = Scorecard((_characteristic(frame["income"].iloc[train], y[train]),), -1.5)
    scores = pd.DataFrame(oof, index=train)
    return Fitted(split, models["truth"], "truth", card, models, scores, {"truth": 1.0})


def _characteristic(values: pd.Series, y: np.ndarray) -> Characteristic:
    place = np.searchsorted([-0.5, 0.5], values, side="right")
    counts, bads = np.bincount(place, minlength=4), np.bincount(place, y, minlength=4)
    rate = (bads + 0.5) / (counts + 1)
    woe = np.log(rate / (1 - rate)) - np.log(y.mean() / (1 - y.mean()))
    return Characteristic(
        "income", (-0.5, 0.5), (), tuple(counts.tolist()), tuple(bads.astype(int).tolist()),
        tuple(np.r_[woe[:3], 0.0].tolist()), 1.0,
    )  # fmt: skip


@pytest.fixture(scope="module")
def judged() -> Evaluated:
    return evaluate(competition(4_000, time_column=False))


def test_every_table_is_there(judged):
    assert set(judged.tables) == TABLES
    filled = TABLES - {"time_gap"}
    assert all(len(judged.tables[name]) for name in filled)


def test_measurements_are_those_of_the_test_part(judged):
    fitted = judged.fitted
    frame, test = fitted.split.checked.frame, fitted.split.test
    y, p = fitted.split.checked.target[test], fitted.champion.pd(frame.iloc[test])
    found = {(m.model, m.split, m.metric): m for m in judged.measurements}
    auc = found["truth", "test", "roc_auc"]
    assert auc.value == pytest.approx(roc_auc_score(y, p))
    assert auc.low < auc.value < auc.high
    assert auc.n == len(test)
    assert found["truth", "test", "brier"].value == pytest.approx(brier_score_loss(y, p))
    assert auc.baseline_model == "scorecard"
    assert auc.baseline == found["scorecard", "test", "roc_auc"].value
    assert found["scorecard", "test", "roc_auc"].baseline_model == SINGLE
    private = found["truth", "private", "roc_auc"]
    assert private.n == len(fitted.split.private)
    assert {m.split for m in judged.measurements} == {"test", "private", "public"}


def test_leaderboard_knows_the_better_model(judged):
    table = judged.leaderboard.set_index("model")
    assert table.loc["truth", "rank"] == 1
    assert table.loc["truth", "champion"]
    assert not table.loc["half", "within_noise"]
    assert {"public", "public_rank", "oof", "seconds"} <= set(table)


def test_intervals_cover_and_the_curve_is_calibrated(judged):
    table = judged.tables["uncertainty"].set_index("what")
    assert 0.8 <= table.loc["PD interval: coverage", "value"] <= 0.97
    assert table.loc["ECE", "value"] < 3 * table.loc["ECE", "target"]
    curve = judged.tables["calibration"].query("model == 'truth'")
    assert curve["n"].sum() == len(judged.fitted.split.test)
    assert curve["predicted"].is_monotonic_increasing
    inside = curve["predicted"].between(curve["low"], curve["high"])
    assert inside.mean() >= 0.7


def test_cutoffs_come_from_training_rows_only():
    fitted = competition(1_200, time_column=False)
    before = evaluate(fitted).tables["cutoffs"].set_index("rule")["cutoff"]
    flipped = fitted.split.checked.target.copy()
    flipped[fitted.split.test] = 1 - flipped[fitted.split.test]
    other = Checked(**{**vars(fitted.split.checked), "target": flipped})
    split = Split(**{**vars(fitted.split), "checked": other})
    after = evaluate(Fitted(**{**vars(fitted), "split": split})).tables["cutoffs"]
    assert (after.set_index("rule")["cutoff"] == before).all()


def test_time_column_brings_months_and_the_price_of_a_random_split():
    fitted = competition(6_000, time_column=True, drift=1.0)
    found = evaluate(fitted)
    gap = found.tables["time_gap"].set_index("split")
    assert gap.loc["gap", "roc_auc"] == pytest.approx(
        gap.loc["random", "roc_auc"] - gap.loc["time", "roc_auc"]
    )
    assert gap.loc["gap", "low"] > 0  # the book was made to change with time
    assert any(m.split == "time" for m in found.measurements)
    months = found.tables["stability"]
    assert months["period"].is_monotonic_increasing
    assert len(months) >= 10
    assert (months["psi"] < months["noise"]).mean() > 0.8  # scores did not move, outcomes did


def test_without_protected_columns_there_is_no_fairness():
    fitted = competition(1_500, time_column=False)
    roles = Roles(**{**vars(fitted.split.checked.roles), "protected": (), "exposure": None})
    checked = Checked(**{**vars(fitted.split.checked), "roles": roles})
    split = Split(**{**vars(fitted.split), "checked": checked})
    tables = evaluate(Fitted(**{**vars(fitted), "split": split})).tables
    assert tables["fairness"].empty
    assert len(tables["slices"])


def test_a_calibrator_for_ranks_only_is_said_to_be_off():
    fitted = competition(3_000, time_column=False)
    off = Calibrator("platt", (-1.0, 1.0), (-3.0, -1.0))
    model = CreditModel(**{**vars(fitted.champion), "calibrator": off})
    entrants = {**fitted.entrants, "truth": model}
    found = evaluate(Fitted(**{**vars(fitted), "champion": model, "entrants": entrants}))
    table = found.tables["uncertainty"].set_index("what")
    assert table.loc["ECE", "value"] > 4 * table.loc["ECE", "target"]
    assert table.loc["PD interval: coverage", "value"] < 0.8


@pytest.mark.slow
def test_speed_on_a_large_book():
    fitted = competition(150_000, time_column=False)
    start = time.process_time()
    evaluate(fitted)
    assert time.process_time() - start < 25
