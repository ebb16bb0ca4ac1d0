"""The feature pipeline: no row sees its own outcome, and what is unseen or missing is safe."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from core.data.schema import infer_schema
from core.errors import DataError
from verticals.finance.features import FEW_ROWS, FeaturePipeline, fit_features

COLUMNS = ("income", "home", "town", "owns", "born")


def book(n: int = 2_000, seed: int = 0) -> pd.DataFrame:
    """Typed rows: a number, two categories, a boolean and two dates."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "income": rng.lognormal(8, 1, n),
            "home": rng.choice(["rent", "own", "family"], n, p=[0.5, 0.3, 0.2]),
            "town": [f"town {i}" for i in rng.integers(0, n // 4, n)],
            "owns": rng.integers(0, 2, n).astype(float),
            "born": pd.Timestamp("1970-03-05") + pd.to_timedelta(rng.integers(0, 9_000, n), "D"),
            "applied": pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(n) % 365, "D"),
        }
    )
    frame.loc[::10, "income"] = np.nan
    frame.loc[::7, "home"] = None
    return frame.astype({"home": "str", "town": "str"})


def schema_of(frame: pd.DataFrame):
    return infer_schema(frame, {"town": "category", "owns": "boolean"})


@pytest.fixture(scope="module")
def fitted() -> tuple[FeaturePipeline, np.ndarray, pd.DataFrame, np.ndarray]:
    frame = book()
    y = np.random.default_rng(1).integers(0, 2, len(frame))
    pipeline, matrix = fit_features(frame, y, schema_of(frame), COLUMNS, time="applied", seed=3)
    return pipeline, matrix, frame, y


def column(pipeline: FeaturePipeline, matrix: np.ndarray, name: str) -> np.ndarray:
    return matrix[:, [f.name for f in pipeline.features].index(name)]


def test_rates_do_not_let_a_row_see_its_own_outcome(fitted) -> None:
    pipeline, matrix, frame, y = fitted  # y is noise, town has hundreds of values
    assert abs(roc_auc_score(y, column(pipeline, matrix, "town")) - 0.5) < 0.06
    full = column(pipeline, pipeline.transform(frame), "town")
    assert roc_auc_score(y, full) > 0.7  # which is what cross-fitting prevents


def test_rates_of_large_categories_are_their_bad_rates() -> None:
    frame = book(20_000)
    rate = frame["home"].map({"rent": 0.4, "own": 0.1, "family": 0.2}).fillna(0.3)
    y = (np.random.default_rng(2).random(len(frame)) < rate).astype(int)
    pipeline, _ = fit_features(frame, y, schema_of(frame), COLUMNS)
    found = column(pipeline, pipeline.transform(frame), "home")
    expected = pd.Series(y).groupby(frame["home"].fillna("missing")).mean()
    np.testing.assert_allclose(found, frame["home"].fillna("missing").map(expected), atol=0.01)


def test_dates_become_days_before_the_application(fitted) -> None:
    pipeline, matrix, frame, _ = fitted
    days = (frame["born"] - frame["applied"]).dt.days
    np.testing.assert_array_equal(column(pipeline, matrix, "born"), days)
    np.testing.assert_array_equal(column(pipeline, matrix, "born month"), frame["born"].dt.month)
    assert pipeline.columns == (*COLUMNS, "applied")


def test_few_values_become_indicators_and_many_do_not(fitted) -> None:
    pipeline, matrix, frame, _ = fitted
    levels = {f.level for f in pipeline.features if f.kind == "level"}
    assert levels == {"", "rent", "own", "family"}
    np.testing.assert_array_equal(
        column(pipeline, matrix, "home = rent"), (frame["home"] == "rent").astype(float)
    )
    np.testing.assert_array_equal(column(pipeline, matrix, "home = missing"), frame["home"].isna())
    names = np.array([f.name for f in pipeline.features])
    assert "home" not in names[pipeline.without("rate")]
    assert "town" in names[pipeline.without("rate")]
    assert "home = rent" not in names[pipeline.without("level")]


def test_missing_stays_missing_and_unseen_gets_the_book_s_rate(fitted) -> None:
    pipeline, matrix, frame, y = fitted
    np.testing.assert_array_equal(
        np.isnan(column(pipeline, matrix, "income")), frame["income"].isna()
    )
    strange = frame.head(3).assign(home="castle", town=None, born=pd.NaT)
    new = pipeline.transform(strange)
    np.testing.assert_allclose(column(pipeline, new, "home"), y.mean())
    assert not column(pipeline, new, "home = rent").any()
    np.testing.assert_allclose(column(pipeline, new, "town"), y.mean())
    assert np.isnan(column(pipeline, new, "born")).all()


def test_one_row_reads_as_in_a_table(fitted) -> None:
    pipeline, _, frame, _ = fitted
    table = pipeline.transform(frame.head(3 * FEW_ROWS))
    alone = np.concatenate([pipeline.transform(frame.iloc[[i]]) for i in range(3 * FEW_ROWS)])
    np.testing.assert_array_equal(table, alone)


def test_json_keeps_everything(fitted) -> None:
    pipeline, _, frame, _ = fitted
    again = FeaturePipeline.from_json(pipeline.to_json())
    assert again == pipeline
    np.testing.assert_array_equal(again.transform(frame), pipeline.transform(frame))


def test_contributions_of_a_raw_column_add_up(fitted) -> None:
    pipeline, matrix, _, _ = fitted
    values = np.nan_to_num(matrix)
    raw = pipeline.by_raw(values)
    assert raw.shape == (len(matrix), len(pipeline.columns))
    np.testing.assert_allclose(raw.sum(axis=1), values.sum(axis=1))
    born = pipeline.columns.index("born")
    expected = column(pipeline, values, "born") + column(pipeline, values, "born month")
    np.testing.assert_allclose(raw[:, born], expected)


def test_names_the_missing_column(fitted) -> None:
    pipeline, _, frame, _ = fitted
    with pytest.raises(DataError, match="'home'"):
        pipeline.transform(frame.drop(columns="home"))


def test_same_seed_same_features_other_seed_other_folds() -> None:
    frame = book(500)
    y = np.random.default_rng(1).integers(0, 2, len(frame))
    schema = schema_of(frame)
    first, again, other = (
        fit_features(frame, y, schema, COLUMNS, seed=seed)[1] for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other, equal_nan=True)


def test_reads_hundreds_of_thousands_of_rows_a_second(fitted) -> None:
    pipeline, _, frame, _ = fitted
    many = pd.concat([frame] * 100, ignore_index=True)
    seconds = []
    for _ in range(3):
        begun = time.perf_counter()
        pipeline.transform(many)
        seconds.append(time.perf_counter() - begun)
    assert len(many) / min(seconds) > 300_000
