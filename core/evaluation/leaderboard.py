"""Ranks models on the same rows, and says which are within noise of the best."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from core.evaluation.bootstrap import bootstrap_intervals, delong, paired_bootstrap
from core.evaluation.metrics import LOWER_IS_BETTER

NOISE = 0.05  # a p-value above which a difference to the best counts as noise


def leaderboard(
    y: np.ndarray,
    scores: Mapping[str, np.ndarray],
    *,
    metric: str = "roc_auc",
    n_boot: int | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """One row a model, best first.

    Args:
        y: (n,) 0 or 1.
        scores: (n,) probabilities by model.
        metric: Name from `core.evaluation.metrics.METRICS`.
        n_boot: Resamples behind the intervals and behind the tests, but for AUC (DeLong).
        seed: Of the resamples.

    Returns:
        rank, model, the metric with low and high of its 95% interval, difference to the best
        with its p-value, and whether the model is within noise of the best.
    """
    rows = [
        {"model": name, **vars(bootstrap_intervals(y, p, metrics=[metric], n_boot=n_boot,
                                                   seed=seed)[metric])}
        for name, p in scores.items()
    ]  # fmt: skip
    table = pd.DataFrame(rows).rename(columns={"value": metric}).drop(columns="n")
    table = table.sort_values(metric, ascending=metric in LOWER_IS_BETTER, kind="stable")
    best = scores[table["model"].iloc[0]]
    tests = [
        delong(y, scores[name], best)
        if metric == "roc_auc"
        else paired_bootstrap(y, scores[name], best, metric=metric, n_boot=n_boot, seed=seed)
        for name in table["model"]
    ]
    table["difference"] = [t.difference for t in tests]
    table["p_value"] = [t.p_value for t in tests]
    table["within_noise"] = table["p_value"] > NOISE
    table.insert(0, "rank", np.arange(1, len(table) + 1))
    return table.reset_index(drop=True)
