"""Intervals of ratios over clusters, such as word error rates by speaker.

Words of one speaker, or prompts of one trial, err together: whole clusters are drawn again, not
rows (Davison and Hinkley, 1997, section 3.8; Bisani and Ney, 2004, for word error rates).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.evaluation.bootstrap import Interval, PairedTest, two_sided


def ratio_interval(
    numerator: np.ndarray | Sequence[float],
    denominator: np.ndarray | Sequence[float],
    groups: Sequence[str],
    *,
    n_boot: int = 2000,
    seed: int = 0,
) -> Interval:
    """Ratio of two sums with a percentile interval over resampled groups.

    Args:
        numerator: (n,) such as word errors, or 1 where a row is right.
        denominator: (n,) such as words, or 1 for a share of rows.
        groups: (n,) the speaker, patient or scene of every row; with one group, rows are drawn.
        n_boot: Resamples.
        seed: Of the drawing.

    Raises:
        ValueError: Nothing to divide by.
    """
    sums = _sums(groups, numerator, denominator)
    drawn = _drawn(sums, n_boot, seed)
    ratios = drawn[:, 0] / drawn[:, 1]
    low, high = np.quantile(ratios, [0.025, 0.975])
    value = float(sums[:, 0].sum() / sums[:, 1].sum())
    return Interval(value, float(low), float(high), len(groups))


def paired_ratios(
    first: np.ndarray | Sequence[float],
    second: np.ndarray | Sequence[float],
    denominator: np.ndarray | Sequence[float],
    groups: Sequence[str],
    *,
    n_boot: int = 2000,
    seed: int = 0,
) -> PairedTest:
    """Difference of two ratios over the same rows, first minus second; groups drawn together.

    Args:
        first: (n,) numerators of one model.
        second: (n,) numerators of the other.
        denominator: (n,) of both.
        groups: (n,) the cluster of every row.
        n_boot: Resamples.
        seed: Of the drawing.

    Raises:
        ValueError: Nothing to divide by.
    """
    apart = np.asarray(first, float) - np.asarray(second, float)
    sums = _sums(groups, apart, denominator)
    drawn = _drawn(sums, n_boot, seed)
    differences = drawn[:, 0] / drawn[:, 1]
    low, high = np.quantile(differences, [0.025, 0.975])
    value, error = float(sums[:, 0].sum() / sums[:, 1].sum()), float(differences.std(ddof=1))
    return PairedTest(value, float(low), float(high), error, two_sided(value, error))


def _sums(
    groups: Sequence[str],
    numerator: np.ndarray | Sequence[float],
    denominator: np.ndarray | Sequence[float],
) -> np.ndarray:
    """(g, 2) sums by group; by row if there is one group."""
    rows = np.column_stack([np.asarray(numerator, float), np.asarray(denominator, float)])
    if not len(rows) or rows[:, 1].sum() <= 0:
        raise ValueError("nothing to divide by")
    names, member = np.unique(np.asarray(groups), return_inverse=True)
    if len(names) == 1:
        return rows
    sums = np.zeros((len(names), 2))
    np.add.at(sums, member, rows)
    return sums


def _drawn(sums: np.ndarray, n_boot: int, seed: int) -> np.ndarray:
    """(n_boot, 2) sums of resampled groups; draws with nothing to divide by are left out."""
    random = np.random.default_rng(seed)
    counts = random.multinomial(len(sums), np.full(len(sums), 1 / len(sums)), size=n_boot)
    drawn: np.ndarray = counts @ sums
    return drawn[drawn[:, 1] > 0]
