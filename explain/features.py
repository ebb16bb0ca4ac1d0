"""Which features ranked a passage where it stands: exact Shapley values of the ranker's trees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from explain.trees import Contributions, tree_contributions

if TYPE_CHECKING:
    from lightgbm import Booster
    from matplotlib.figure import Figure


def shap_of_ranker(boosters: Sequence[Booster], features: np.ndarray) -> Contributions:
    """What each feature added to each candidate's score (Lundberg et al., 2018).

    Args:
        boosters: Of a ranker whose score is their mean.
        features: (n, f) of the candidates.

    Returns:
        Values (n, f) in units of the score; a row and the base sum to its score.
    """
    matrix = np.asarray(features, dtype=float)
    parts = [tree_contributions(booster, matrix) for booster in boosters]
    values = np.mean([part.values for part in parts], axis=0)
    return Contributions(values, float(np.mean([part.base for part in parts])))


def beeswarm(values: np.ndarray, features: np.ndarray, names: Sequence[str]) -> Figure:
    """Every candidate as a dot on its feature's line: how far it moved, coloured by its value.

    Args:
        values: (n, f) effects of `shap_of_ranker`.
        features: (n, f) the candidates' features.
        names: Of the features, (f,).
    """
    import matplotlib.pyplot as plt
    import shap

    explanation = shap.Explanation(
        values=np.asarray(values, float), data=np.asarray(features, float),
        feature_names=list(names),
    )  # fmt: skip
    figure, axes = plt.subplots(figsize=(7.5, 0.42 * len(names) + 1.2), layout="constrained")
    shap.plots.beeswarm(explanation, max_display=len(names), ax=axes, show=False, plot_size=None)
    axes.set_xlabel("effect on the ranking score")
    plt.close(figure)
    return figure
