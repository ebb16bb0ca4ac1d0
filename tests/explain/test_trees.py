"""The look-up explainer against brute force, LightGBM, CatBoost and shap."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explain import tree_tables as room
from explain.tree_reading import read_lightgbm
from explain.trees import tree_contributions, tree_tables

COLUMNS = 6
LIGHT = {
    "small": {"num_leaves": 8},
    "extra trees": {"num_leaves": 16, "extra_trees": True},
    "zeros as missing": {"num_leaves": 8, "zero_as_missing": True},
    "missing as zero": {"num_leaves": 8, "use_missing": False},
    "deep": {"num_leaves": 63, "min_data_in_leaf": 2},
    "one column over and over": {"num_leaves": 31, "min_data_in_leaf": 2, "max_bin": 255},
    "stumps": {"num_leaves": 2},
    "random forest": {"boosting": "rf", "bagging_fraction": 0.6, "bagging_freq": 1},
}
CAT: dict[str, dict[str, Any]] = {
    "depth 5": {"depth": 5},
    "depth 1": {"depth": 1},
    "missing high": {"depth": 4, "nan_mode": "Max"},
    "depth 7": {"depth": 7},
}


def book(rows: int = 800, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Rows with missing values, zeros and few distinct ones, and a target that uses them."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, COLUMNS))
    x[:, 1] = rng.integers(0, 4, rows)
    x[rng.random(x.shape) < 0.1] = np.nan
    x[rng.random(x.shape) < 0.1] = 0.0
    z = np.nan_to_num(x[:, 0]) + np.nan_to_num(x[:, 1] * x[:, 2]) + 2 * np.isnan(x[:, 3])
    return x, (z + rng.normal(size=rows) > 0.5).astype(int)


def light(case: str, rounds: int = 30) -> Any:
    """A LightGBM booster; reloaded from its text, as a bundle holds it."""
    import lightgbm

    x, y = book()
    if case == "one column over and over":
        x[:, 1:] = 0.0
    given_ = {"objective": "binary", "verbosity": -1, "num_threads": 1, "feature_fraction": 0.7}
    booster = lightgbm.train(given_ | LIGHT[case], lightgbm.Dataset(x, y), rounds)
    return lightgbm.Booster(model_str=booster.model_to_string())


def cat(case: str) -> Any:
    """A CatBoost model."""
    from catboost import CatBoostClassifier

    model = CatBoostClassifier(
        iterations=30, verbose=False, allow_writing_files=False, thread_count=1, **CAT[case]
    )
    return model.fit(*book())


@pytest.mark.parametrize("case", LIGHT)
def test_lightgbm_agrees(case: str) -> None:
    booster, x = light(case), book(300, seed=1)[0]
    tables = tree_tables(booster)
    assert tables is not None
    expected = booster.predict(x, pred_contrib=True)
    found = tree_contributions(booster, x)
    np.testing.assert_allclose(found.values, expected[:, :-1], atol=1e-9)
    assert found.base == pytest.approx(expected[0, -1], abs=1e-9)
    np.testing.assert_allclose(tables.scores(x), booster.predict(x, raw_score=True), atol=1e-12)


@pytest.mark.parametrize("case", CAT)
def test_catboost_agrees(case: str) -> None:
    from catboost import Pool

    model, x = cat(case), book(300, seed=1)[0]
    tables = tree_tables(model)
    assert tables is not None
    expected = model.get_feature_importance(Pool(x), type="ShapValues")
    found = tree_contributions(model, x, tables=tables)
    np.testing.assert_allclose(found.values, expected[:, :-1], atol=1e-9)
    assert found.base == pytest.approx(expected[0, -1], abs=1e-9)
    scores = model.predict(x, prediction_type="RawFormulaVal")
    np.testing.assert_allclose(tables.scores(x), scores, atol=1e-12)


def test_catboost_agrees_beside_its_cut_points() -> None:
    # It compares in single precision: a double just above a cut point falls on it.
    model = cat("depth 5")
    cuts = model.get_borders()[0]
    near = [np.nextafter(np.float64(c), side) for c in cuts for side in (-np.inf, c, np.inf)]
    x = np.repeat(book(1)[0], len(near), axis=0)
    x[:, 0] = near
    tables = tree_tables(model)
    assert tables is not None
    scores = model.predict(x, prediction_type="RawFormulaVal")
    np.testing.assert_allclose(tables.scores(x), scores, atol=1e-12)


def test_shap_agrees_by_its_own_algorithm() -> None:
    import shap

    booster, x = light("small"), book(100, seed=2)[0]
    explainer = shap.TreeExplainer(booster, feature_perturbation="tree_path_dependent")
    explainer.model.model_type = "internal"  # or it would ask LightGBM
    expected = np.asarray(explainer.shap_values(x, check_additivity=False)).reshape(len(x), -1)
    np.testing.assert_allclose(tree_contributions(booster, x).values, expected, atol=1e-6)


def worth(node: dict[str, Any], row: np.ndarray, known: tuple[int, ...]) -> float:
    """The path-dependent game on LightGBM's own dump (Lundberg et al., 2018, algorithm 1)."""
    if "leaf_value" in node:
        return node["leaf_value"]
    left, right = node["left_child"], node["right_child"]
    value = row[node["split_feature"]]
    if node["split_feature"] not in known:
        counts = [c.get("internal_count", c.get("leaf_count")) for c in (left, right)]
        parts = [worth(c, row, known) for c in (left, right)]
        return float(np.average(parts, weights=counts))
    if np.isnan(value) and node["missing_type"] == "NaN":
        return worth(left if node["default_left"] else right, row, known)
    return worth(left if np.nan_to_num(value) <= node["threshold"] else right, row, known)


def test_brute_force_agrees() -> None:
    booster, x = light("small", rounds=4), book(12, seed=3)[0]
    trees = [t["tree_structure"] for t in booster.dump_model()["tree_info"]]

    def game(row: np.ndarray, known: tuple[int, ...]) -> float:
        return sum(worth(tree, row, known) for tree in trees)

    expected = np.zeros(x.shape)
    for i, j in itertools.product(range(len(x)), range(COLUMNS)):
        others = [k for k in range(COLUMNS) if k != j]
        for size in range(COLUMNS):
            for known in itertools.combinations(others, size):
                share = 1 / (COLUMNS * math.comb(COLUMNS - 1, size))
                gain = game(x[i], (*known, j)) - game(x[i], known)
                expected[i, j] += share * gain
    found = tree_contributions(booster, x)
    np.testing.assert_allclose(found.values, expected, atol=1e-12)
    assert found.base == pytest.approx(game(x[0], ()), abs=1e-12)


@pytest.mark.parametrize("most", [1, 2, 3, 5])
@pytest.mark.parametrize("case", ["extra trees", "zeros as missing", "one column over and over"])
def test_intervals_say_the_same_as_patterns(
    case: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Few conditions a piece make every leaf a piece of its own, with one interval a column.
    booster, x = light(case), book(300, seed=1)[0]
    monkeypatch.setattr(room, "MOST_CONDITIONS", most)
    expected = booster.predict(x, pred_contrib=True)[:, :-1]
    np.testing.assert_allclose(tree_contributions(booster, x).values, expected, atol=1e-9)


def test_a_tree_of_one_leaf_is_its_value() -> None:
    import lightgbm

    x, y = book(200)
    given_ = {"objective": "binary", "verbosity": -1, "min_data_in_leaf": 1_000}
    booster = lightgbm.train(given_, lightgbm.Dataset(x, y), 3)
    tables = tree_tables(booster)
    found = tree_contributions(booster, x)
    assert tables is None or np.allclose(tables.scores(x), booster.predict(x, raw_score=True))
    assert np.allclose(found.values, 0)
    np.testing.assert_allclose(found.base, booster.predict(x, raw_score=True), atol=1e-12)


def test_what_has_no_tables_is_explained_by_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    import lightgbm

    x, y = book(400)
    x[:, 1] = np.nan_to_num(x[:, 1])
    given_ = {"objective": "binary", "verbosity": -1, "min_data_per_group": 2, "cat_smooth": 1}
    data = lightgbm.Dataset(x, y, categorical_feature=[1])
    booster = lightgbm.train(given_, data, 20)
    assert read_lightgbm(booster) is None
    expected = booster.predict(x, pred_contrib=True)
    np.testing.assert_allclose(tree_contributions(booster, x).values, expected[:, :-1])
    monkeypatch.setattr(room, "MOST_CONDITIONS", 2)
    monkeypatch.setattr(room, "MOST_FEATURES", 2)
    deep = light("deep")
    assert tree_tables(deep) is None
    expected = deep.predict(x, pred_contrib=True)
    np.testing.assert_allclose(tree_contributions(deep, x).values, expected[:, :-1])


def test_threads_and_blocks_change_nothing() -> None:
    booster, x = light("extra trees"), book(3 * room.BLOCK + 7, seed=4)[0]
    tables = tree_tables(booster)
    assert tables is not None
    whole = tables.contributions(x)
    np.testing.assert_array_equal(tables.contributions(x, threads=3), whole)
    np.testing.assert_array_equal(tables.contributions(x[100:105]), whole[100:105])
    assert tables.contributions(x[:0]).shape == (0, COLUMNS)


@pytest.fixture(scope="module")
def explained() -> tuple[Any, Any]:
    booster = light("extra trees")
    return booster, tree_tables(booster)


cells = st.one_of(st.floats(-3, 3), st.sampled_from([np.nan, 0.0, -0.0, 1e-36, 1e300, -1e300]))


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.lists(cells, min_size=COLUMNS, max_size=COLUMNS), min_size=1, max_size=4))
def test_contributions_add_up_to_the_score(explained: tuple[Any, Any], rows: list[Any]) -> None:
    booster, tables = explained
    x = np.array(rows)
    total = tables.contributions(x).sum(axis=1) + tables.base
    np.testing.assert_allclose(total, booster.predict(x, raw_score=True), atol=1e-9)


def test_columns_a_model_never_uses_get_nothing() -> None:
    booster, x = light("one column over and over"), book(100)[0]
    assert np.all(tree_contributions(booster, x).values[:, 1:] == 0)
