"""The scorecard against optbinning, scikit-learn and its own promises."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import orjson
import pandas as pd
import pytest

from core.errors import ModelError
from verticals.finance.scorecard import Scorecard, fit_scorecard


def book(rows: int = 1_500, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Numbers with holes, categories, a column of nothing and one of noise."""
    rng = np.random.default_rng(seed)
    income = rng.lognormal(8, 0.6, rows)
    age = rng.integers(20, 70, rows).astype(float)
    job = rng.choice(["clerk", "none", "own", "chief"], rows, p=[0.5, 0.2, 0.2, 0.1])
    z = -1.5 - 1.2 * np.log(income / 3_000) - 0.03 * (age - 45) + 1.3 * (job == "none")
    frame = pd.DataFrame(
        {
            "income": np.where(rng.random(rows) < 0.15, np.nan, income),
            "age": age,
            "job": pd.Series(job, dtype="str").mask(rng.random(rows) < 0.1),
            "nothing": np.full(rows, np.nan),
            "noise": rng.normal(size=rows),
        }
    )
    return frame, (rng.random(rows) < 1 / (1 + np.exp(-z))).astype(int)


@pytest.fixture(scope="module")
def fitted() -> tuple[Scorecard, pd.DataFrame, np.ndarray]:
    frame, target = book()
    return fit_scorecard(frame, target, features=tuple(frame.columns)), frame, target


def test_bins_are_where_their_labels_say(
    fitted: tuple[Scorecard, pd.DataFrame, np.ndarray],
) -> None:
    # Scored again by hand, from nothing but the JSON a client receives.
    card, frame, _ = fitted
    state = orjson.loads(card.to_json())
    for i in range(0, len(frame), 97):
        total = state["intercept"]
        for c in state["characteristics"]:
            cell = frame[c["name"]].iloc[i]
            if pd.isna(cell):
                woe = c["woe"][-1]
            elif c["groups"]:
                woe = next(w for g, w in zip(c["groups"], c["woe"], strict=False) if cell in g)
            else:
                woe = c["woe"][sum(cell >= s for s in c["splits"])]
            total += c["coefficient"] * woe
        assert card.log_odds(frame.iloc[[i]])[0] == pytest.approx(total, abs=1e-12)


def test_points_follow_the_odds(fitted: tuple[Scorecard, pd.DataFrame, np.ndarray]) -> None:
    card, frame, _ = fitted
    points, odds = card.points(frame), np.exp(-card.log_odds(frame))
    np.testing.assert_allclose(points, 600 + 20 * np.log2(odds / 50), atol=1e-9)


def test_points_of_the_table_add_up(fitted: tuple[Scorecard, pd.DataFrame, np.ndarray]) -> None:
    card, frame, _ = fitted
    table = card.table().groupby("characteristic", sort=False)["points"].apply(list)
    total = np.zeros(len(frame))
    for c in card.characteristics:
        total += np.array(table[c.name])[c.place(frame[c.name])]
    np.testing.assert_allclose(total, card.points(frame), atol=1e-9)


def test_counts_are_those_of_the_book(fitted: tuple[Scorecard, pd.DataFrame, np.ndarray]) -> None:
    card, frame, target = fitted
    for c in card.characteristics:
        assert sum(c.counts) == len(frame)
        assert sum(c.bads) == target.sum()
        assert c.counts[-1] == frame[c.name].isna().sum()


def test_the_rate_turns_at_most_once_along_a_number(
    fitted: tuple[Scorecard, pd.DataFrame, np.ndarray],
) -> None:
    for c in fitted[0].characteristics:
        if c.groups:
            continue
        rates = np.array(c.bads[:-1]) / np.array(c.counts[:-1])
        steps = np.sign(np.diff(rates))
        steps = steps[steps != 0]
        assert sum(a != b for a, b in pairwise(steps)) <= 1


def test_evidence_keeps_its_sign(fitted: tuple[Scorecard, pd.DataFrame, np.ndarray]) -> None:
    assert all(c.coefficient > 0 for c in fitted[0].characteristics)


def test_contributions_sum_to_the_score(
    fitted: tuple[Scorecard, pd.DataFrame, np.ndarray],
) -> None:
    card, frame, _ = fitted
    found = card.contributions(frame)
    total = found.values.sum(axis=1) + found.base
    np.testing.assert_allclose(total, card.log_odds(frame), atol=1e-12)
    np.testing.assert_allclose(found.values.mean(axis=0), 0, atol=1e-9)


def test_json_brings_everything_back(fitted: tuple[Scorecard, pd.DataFrame, np.ndarray]) -> None:
    card, frame, _ = fitted
    again = Scorecard.from_json(card.to_json())
    assert again == card
    np.testing.assert_array_equal(again.log_odds(frame), card.log_odds(frame))


def test_an_unseen_category_counts_as_average(
    fitted: tuple[Scorecard, pd.DataFrame, np.ndarray],
) -> None:
    card, frame, _ = fitted
    row = frame.iloc[[0]].assign(job=pd.Series(["astronaut"], dtype="str"))
    job = card.columns.index("job")
    c = card.characteristics[job]
    assert c.effect(row["job"])[0] == 0
    many = pd.concat([row] * 40)
    np.testing.assert_array_equal(card.log_odds(many), np.repeat(card.log_odds(row), 40))


@pytest.mark.parametrize("rows", [1, 5, 17, 200])
def test_a_row_scores_the_same_alone_and_in_a_table(
    fitted: tuple[Scorecard, pd.DataFrame, np.ndarray], rows: int
) -> None:
    card, frame, _ = fitted
    np.testing.assert_array_equal(card.log_odds(frame.iloc[:rows]), card.log_odds(frame)[:rows])


def test_columns_without_information_stay_out(
    fitted: tuple[Scorecard, pd.DataFrame, np.ndarray],
) -> None:
    assert "nothing" not in fitted[0].columns
    assert {"income", "job"} <= set(fitted[0].columns)


def test_it_ranks_as_well_as_sklearn_on_optbinnings_own_evidence() -> None:
    from optbinning import BinningProcess
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score

    frame, target = book(4_000, seed=1)
    new, truth = book(4_000, seed=2)
    columns = ["income", "age", "job", "noise"]
    process = BinningProcess(columns, categorical_variables=["job"])
    data = [f[columns].astype({"job": object}) for f in (frame, new)]
    process.fit(data[0], target)
    woe = [process.transform(d, metric="woe", metric_missing="empirical") for d in data]
    reference = LogisticRegression(C=1e6).fit(woe[0], target).predict_proba(woe[1])[:, 1]
    card = fit_scorecard(frame, target, features=columns)
    gap = roc_auc_score(truth, reference) - roc_auc_score(truth, card.log_odds(new))
    assert gap < 0.005
    rate = 1 / (1 + np.exp(-card.log_odds(new)))
    assert rate.mean() == pytest.approx(truth.mean(), abs=0.02)


@pytest.mark.slow
def test_two_hundred_columns_are_no_trouble() -> None:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(rng.normal(size=(900, 200)), columns=[f"c{i}" for i in range(200)])
    target = (frame["c7"] - frame["c11"] + rng.normal(size=900) > 0.5).to_numpy(int)
    card = fit_scorecard(frame, target, features=tuple(frame.columns))
    strongest = sorted(card.characteristics, key=lambda c: -c.information_value)[:2]
    assert {c.name for c in strongest} == {"c7", "c11"}


def test_a_book_without_information_says_so() -> None:
    frame = pd.DataFrame({"a": [1.0] * 50, "b": [np.nan] * 50})
    with pytest.raises(ModelError, match="no column separates"):
        fit_scorecard(frame, np.arange(50) % 2, features=("a", "b"))
