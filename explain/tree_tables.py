"""Tables that turn exact Shapley values of small trees into look-ups.

In the path-dependent game (Lundberg et al., 2018) a leaf is worth its value times, for every
feature on its path, 1 or 0 if the feature is known (does the row meet the path's conditions?) or
the share of the training weight if it is not. What a row gets from a leaf therefore depends only
on which conditions it meets. Leaves of a tree that test few conditions between them form a
*piece*; for each pattern of met conditions the piece's Shapley values are computed once, and a
row then costs one comparison a condition and one addition a feature.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from explain.tree_kernels import BLOCK, divide, fill, list_paths, look_up, measure_paths
from explain.tree_reading import Forest

MOST_CONDITIONS = 8  # of a piece of several leaves: 256 patterns stay in the fastest cache
MOST_FEATURES = 12  # of a leaf on its own
LARGEST_TABLES = 1 << 26  # numbers in all tables, half a gigabyte; beyond it there are none


@dataclass(frozen=True)
class TreeTables:
    """A forest as look-ups. Piece p owns conditions, columns, a table and scores by pattern.

    Attributes:
        width: Columns of the matrix.
        base: Expected score.
        bias: Score before any tree.
        single_precision: Whether the matrix is rounded to float32 first.
        first: (pieces + 1, 5) where a piece's conditions, columns, table, scores, leaves begin.
        feature: Column of each condition.
        low: A value up to and including it fails; NaN for no limit.
        high: A value above it fails.
        missing: Whether a missing value meets the condition.
        zero: Whether zero is special, and then meets it.
        columns: Columns of each table.
        table: Shapley values, for each piece (patterns, columns).
        score: For each piece (patterns,) summed values of the leaves that are reached.
    """

    width: int
    base: float
    bias: float
    single_precision: bool
    first: np.ndarray
    feature: np.ndarray
    low: np.ndarray
    high: np.ndarray
    missing: np.ndarray
    zero: np.ndarray
    columns: np.ndarray
    table: np.ndarray
    score: np.ndarray

    def contributions(self, matrix: np.ndarray, threads: int = 1) -> np.ndarray:
        """Shapley values, (n, columns) → (n, columns)."""
        return self._look_up(matrix, self.width, (self.first, self.columns, self.table), threads)

    def scores(self, matrix: np.ndarray, threads: int = 1) -> np.ndarray:
        """Scores, (n, columns) → (n,)."""
        pieces = np.arange(len(self.first))  # each adds one number, to one column
        begins = np.column_stack([self.first[:, 0], pieces, self.first[:, 3]])
        tables = (begins, np.zeros_like(pieces), self.score)
        return self._look_up(matrix, 1, tables, threads)[:, 0] + self.bias

    def _look_up(
        self,
        matrix: np.ndarray,
        width: int,
        tables: tuple[np.ndarray, np.ndarray, np.ndarray],
        threads: int,
    ) -> np.ndarray:
        rows = np.ascontiguousarray(matrix, dtype=float)
        out = np.empty((len(rows), width))
        conditions = (self.feature, self.low, self.high, self.missing, self.zero)

        def part(rows: np.ndarray, out: np.ndarray) -> None:
            look_up(rows, out, *tables, conditions, self.single_precision)

        if threads == 1 or len(rows) < 2 * BLOCK:
            part(rows, out)
        else:  # the kernel lets go of the interpreter, and each thread writes rows of its own
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(part, np.array_split(rows, threads), np.array_split(out, threads)))
        return out


def tabulate(forest: Forest) -> TreeTables | None:
    """The tables of a forest; None where its trees are too deep for them."""
    shape = (forest.roots, forest.left, forest.right)
    paths = list_paths(*shape, *measure_paths(*shape))
    tests = forest.conditions
    first, feature, number, columns = divide(
        paths, forest.condition, tests.feature, MOST_CONDITIONS, MOST_FEATURES
    )
    if not len(first) or first[-1, 2] > LARGEST_TABLES:
        return None
    size = len(feature)
    low, high = np.full(size, np.nan), np.full(size, np.inf)
    missing, zero = np.zeros(size, dtype=np.bool_), np.zeros(size, dtype=np.int8)
    table, score = np.zeros(first[-1, 2]), np.zeros(first[-1, 3])
    base = fill(
        first, feature, number, columns, paths, forest.condition,
        (tests.feature, tests.cut, tests.nan_left, tests.zero),
        (forest.share_left, forest.share_right), forest.leaf, _nodes(),
        (low, high, missing, zero), table, score,
    )  # fmt: skip
    return TreeTables(
        forest.width, forest.bias + base, forest.bias, forest.single_precision, first, feature,
        low, high, missing, zero, columns, table, score,
    )  # fmt: skip


def _nodes() -> np.ndarray:
    """Gauss-Legendre times and weights on 0 to 1, exact for the polynomial of the widest leaf."""
    most = max(MOST_FEATURES, MOST_CONDITIONS)
    at, weight = np.polynomial.legendre.leggauss((most + 1) // 2)
    return np.column_stack([(at + 1) / 2, weight / 2])
