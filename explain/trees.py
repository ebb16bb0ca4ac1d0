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

    from explain.tree_tables import TreeTables


@dataclass(frozen=True)
class Contributions:
    """What each column added to the score of each row.

    Attributes:
        values: (n, columns) in log-odds.
        base: Expected score; a row's values and the base sum to its score.
    """

    values: np.ndarray
    base: float


def tree_tables(model: Booster | CatBoost) -> TreeTables | None:
    """The model as look-up tables, made once for many rows; see `explain.tree_tables`.

    Args:
        model: A LightGBM booster or a CatBoost model with one output.

    Returns:
        None where the trees are too deep, or split on something else than numbers.
    """
    from explain.tree_reading import read_catboost, read_lightgbm
    from explain.tree_tables import tabulate

    forest = (
        read_catboost(model) if hasattr(model, "get_feature_importance") else read_lightgbm(model)
    )
    return None if forest is None else tabulate(forest)


def tree_contributions(
    model: Booster | CatBoost,
    matrix: np.ndarray,
    *,
    tables: TreeTables | None = None,
    threads: int = 1,
) -> Contributions:
    """Contributions of every column of a numeric matrix.

    Args:
        model: A LightGBM booster or a CatBoost model with one output.
        matrix: (n, columns) float, NaN where missing.
        tables: What `tree_tables` made of the model, if it is kept.
        threads: Processors it may use.
    """
    tables = tables or tree_tables(model)
    if tables is not None:
        return Contributions(tables.contributions(matrix, threads), tables.base)
    if hasattr(model, "get_feature_importance"):
        from catboost import Pool

        raw = model.get_feature_importance(Pool(matrix), type="ShapValues", thread_count=threads)
    else:
        raw = model.predict(matrix, pred_contrib=True, num_threads=threads)
    raw = np.asarray(raw)
    return Contributions(raw[:, :-1], float(raw[0, -1]) if len(raw) else 0.0)
