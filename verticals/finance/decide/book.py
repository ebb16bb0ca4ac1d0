"""A scored book: what every decision reads."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import pandas as pd

from verticals.finance.decide.assumptions import Assumptions


@dataclass(frozen=True)
class Book:
    """Loans or applications with their probability of default.

    Attributes:
        pd: (n,) probability of default over the observed horizon.
        target: (n,) 1 where the loan went bad.
        ead: (n,) exposure at default, in currency.
    """

    pd: np.ndarray
    target: np.ndarray
    ead: np.ndarray

    def __len__(self) -> int:
        """Number of loans."""
        return len(self.pd)

    def yearly_pd(self, assumptions: Assumptions) -> np.ndarray:
        """(n,) PD of one year, from the horizon's at a constant hazard."""
        return np.asarray(-np.expm1(np.log1p(-np.minimum(self.pd, 1 - 1e-12))
                                    / assumptions.horizon_years))  # fmt: skip


def make_book(
    pd_: np.ndarray, target: np.ndarray, exposure: pd.Series | None, assumptions: Assumptions
) -> Book:
    """A book with its exposure at default.

    Args:
        pd_: (n,) probabilities.
        target: (n,) 0 or 1.
        exposure: (n,) amounts; None assumes one for all. Where an amount is missing or not
            positive, the median of the others stands in.
        assumptions: For the assumed amount and the conversion factor.
    """
    amount = np.full(len(pd_), assumptions.exposure)
    if exposure is not None:
        given = exposure.to_numpy(dtype=float, na_value=np.nan)
        usable = np.isfinite(given) & (given > 0)
        if usable.any():
            amount = np.where(usable, given, np.median(given[usable]))
    return Book(np.asarray(pd_, float), np.asarray(target), amount * assumptions.conversion)


def band_of(pd_: np.ndarray, edges: tuple[float, ...]) -> np.ndarray:
    """Rating band of each PD, (n,): 0 is the safest; a PD equal to an edge falls above it."""
    return np.searchsorted(np.array(edges), pd_, side="right")


def band_names(edges: tuple[float, ...]) -> list[str]:
    """Names such as "A below 0.5%", safest first."""
    shown = [f"{100 * e:g}%" for e in edges]
    spans = [f"below {shown[0]}", *(f"{a} to {b}" for a, b in itertools.pairwise(shown))]
    return [f"{chr(65 + i)} {span}" for i, span in enumerate([*spans, f"from {shown[-1]}"])]
