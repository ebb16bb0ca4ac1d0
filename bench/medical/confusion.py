"""Accuracy and macro-F1 with intervals that resample groups, and their paired difference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

RESAMPLES, SEED = 2000, 0


def scores(
    y: np.ndarray, chosen: np.ndarray, groups: Sequence[Any] | np.ndarray, classes: int = 3
) -> dict[str, dict[str, float]]:
    """Accuracy and macro-F1 with 95% percentile intervals over resampled groups.

    Args:
        y: (n,) classes.
        chosen: (n,) classes predicted.
        groups: (n,) what is resampled: the trial of each prompt, or each question itself.
        classes: How many.
    """
    tables = _tables(y, chosen, groups, classes)
    drawn = _measures(_draws(len(tables)) @ tables.reshape(len(tables), -1), classes)
    value = _measures(tables.sum(0).reshape(1, -1), classes)
    return {
        name: {
            "value": round(float(value[name][0]), 4),
            "low": round(float(np.quantile(drawn[name], 0.025)), 4),
            "high": round(float(np.quantile(drawn[name], 0.975)), 4),
            "n": len(y),
        }
        for name in ("accuracy", "macro_f1")
    }


def paired(
    y: np.ndarray,
    ours: np.ndarray,
    theirs: np.ndarray,
    groups: Sequence[Any] | np.ndarray,
    classes: int = 3,
) -> dict[str, dict[str, float]]:
    """Difference of both measures, ours minus theirs, on the same resampled groups."""
    both = [_tables(y, chosen, groups, classes) for chosen in (ours, theirs)]
    draws = _draws(len(both[0]))
    first, second = (_measures(draws @ t.reshape(len(t), -1), classes) for t in both)
    whole = [_measures(t.sum(0).reshape(1, -1), classes) for t in both]
    out = {}
    for name in ("accuracy", "macro_f1"):
        spread = first[name] - second[name]
        out[name] = {
            "difference": round(float(whole[0][name][0] - whole[1][name][0]), 4),
            "low": round(float(np.quantile(spread, 0.025)), 4),
            "high": round(float(np.quantile(spread, 0.975)), 4),
        }
    return out


def _tables(
    y: np.ndarray, chosen: np.ndarray, groups: Sequence[Any] | np.ndarray, classes: int
) -> np.ndarray:
    """(groups, k, k) confusion counts, true by predicted."""
    names, at = np.unique(np.asarray(groups), return_inverse=True)
    tables = np.zeros((len(names), classes, classes))
    np.add.at(tables, (at, y, chosen), 1)
    return tables


def _draws(n: int) -> np.ndarray:
    return np.random.default_rng(SEED).multinomial(n, np.full(n, 1 / n), RESAMPLES).astype(float)


def _measures(flat: np.ndarray, classes: int) -> dict[str, np.ndarray]:
    tables = flat.reshape(len(flat), classes, classes)
    right = np.einsum("bkk->bk", tables)
    f1 = 2 * right / np.maximum(tables.sum(1) + tables.sum(2), 1e-9)
    return {"accuracy": right.sum(1) / tables.sum((1, 2)), "macro_f1": f1.mean(1)}
