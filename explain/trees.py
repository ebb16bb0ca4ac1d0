"""Exact Shapley values of tree ensembles, path-dependent, in the margin's unit (log-odds).

One definition for the whole kit: TreeSHAP with the tree's own cover as background (Lundberg et
al., 2018, "tree_path_dependent"). It needs no reference sample, so a bundle explains by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from catboost import CatBoost
    from lightgbm import Booster


@dataclass(frozen=True)
class Contributions:
    """What each column added to the score of each row.

    Attributes:
        values: (n, columns) in log-odds.
        base: Expected score; a row's values and the base sum to its score.
    """

    values: np.ndarray
    base: float


def tree_contributions(model: Booster | CatBoost, matrix: np.ndarray) -> Contributions:
    """Contributions of every column of a numeric matrix.

    Args:
        model: A LightGBM booster or a CatBoost model with one output.
        matrix: (n, columns) float, NaN where missing.
    """
    if hasattr(model, "get_feature_importance"):
        from catboost import Pool

        raw = np.asarray(
            model.get_feature_importance(Pool(matrix), type="ShapValues", thread_count=1)
        )
    else:
        raw = np.asarray(model.predict(matrix, pred_contrib=True))
    return Contributions(raw[:, :-1], float(raw[0, -1]) if len(raw) else 0.0)
