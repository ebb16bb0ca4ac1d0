"""The ranker's Shapley values are exact, and agree with SHAP's own explainer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from explain.features import beeswarm, shap_of_ranker


@pytest.fixture(scope="module")
def ranked() -> tuple[list[Any], np.ndarray]:
    """Three rankers over seeds, and candidates of ten questions."""
    import lightgbm

    rng = np.random.default_rng(0)
    features = rng.normal(size=(300, 5)).astype(np.float32)
    labels = (features[:, 0] + 0.5 * features[:, 3] + rng.normal(0, 0.3, 300) > 0.8).astype(int)
    boosters = []
    for seed in range(3):
        data = lightgbm.Dataset(features, labels, group=[30] * 10)
        settings = {"objective": "lambdarank", "num_leaves": 5, "seed": seed, "verbose": -1,
                    "bagging_fraction": 0.8, "bagging_freq": 1, "num_threads": 1}  # fmt: skip
        boosters.append(lightgbm.train(settings, data, 30))
    return boosters, features


def test_effects_sum_to_the_score(ranked: tuple[list[Any], np.ndarray]) -> None:
    boosters, features = ranked
    found = shap_of_ranker(boosters, features)
    scores = np.mean([b.predict(features) for b in boosters], axis=0)
    assert found.values.sum(axis=1) + found.base == pytest.approx(scores, abs=1e-6)


def test_shap_and_the_kits_kernel_agree(ranked: tuple[list[Any], np.ndarray]) -> None:
    import shap

    boosters, features = ranked
    theirs = np.mean(
        [
            shap.TreeExplainer(b, feature_perturbation="tree_path_dependent").shap_values(features)
            for b in boosters
        ],
        axis=0,
    )
    assert shap_of_ranker(boosters, features).values == pytest.approx(theirs, abs=1e-5)


def test_the_features_that_rank_have_the_effects(ranked: tuple[list[Any], np.ndarray]) -> None:
    strength = np.abs(shap_of_ranker(*ranked).values).mean(axis=0)
    assert set(np.argsort(-strength)[:2]) == {0, 3}


def test_the_figure_names_every_feature(ranked: tuple[list[Any], np.ndarray]) -> None:
    boosters, features = ranked
    names = [f"feature {i}" for i in range(5)]
    figure = beeswarm(shap_of_ranker(boosters, features).values, features, names)
    shown = {label.get_text() for label in figure.axes[0].get_yticklabels()}
    assert set(names) <= shown
