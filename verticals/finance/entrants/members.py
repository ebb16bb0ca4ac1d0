"""What a fitted entrant is: something that scores rows in log-odds of default and can be saved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd

from verticals.finance.features import FeaturePipeline


@dataclass(frozen=True)
class Rows:
    """The same rows twice: typed, and as the pipeline's matrix."""

    frame: pd.DataFrame
    matrix: np.ndarray  # (n, features) float64, NaN where missing

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.matrix)


class Member(Protocol):
    """A fitted model."""

    @property
    def family(self) -> str:
        """Name under which `load_member` finds how to read it back."""

    def log_odds(self, rows: Rows, threads: int = 1) -> np.ndarray:
        """Log-odds of default, (n,) float64."""

    def contributions(self, rows: Rows, threads: int = 1) -> tuple[np.ndarray, float] | None:
        """Exact Shapley values over matrix columns (n, features) and base; None if there are none.

        A scorecard speaks of raw columns; see `raw_contributions`.
        """

    def save(self, path: Path) -> str:
        """Write to `path` plus a suffix of its own; returns the file name."""


@dataclass(frozen=True)
class Training:
    """What an entrant learns from.

    Attributes:
        rows: Training rows.
        target: (n,) 0 or 1.
        seed: Of every random choice.
        threads: Processors it may use.
        pipeline: That made the matrix; None if no column is ever to be hidden.
        deadline: Monotonic clock reading after which it should stop early; None for never.
    """

    rows: Rows
    target: np.ndarray
    seed: int
    threads: int
    pipeline: FeaturePipeline | None = None
    deadline: float | None = None

    def hiding(self, kind: str) -> Training:
        """The same, with one way of reading categories blanked out: see FeaturePipeline.without.

        A constant column is never split on, so a member fitted on this scores full matrices.
        """
        if self.pipeline is None:
            return self
        seen = self.pipeline.without(kind)
        if seen.all():
            return self
        rows = Rows(self.rows.frame, np.where(seen, self.rows.matrix, 0.0))
        return replace(self, rows=rows)


Entrant = Callable[[Training], Member]
