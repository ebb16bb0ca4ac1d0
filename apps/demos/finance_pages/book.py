"""The reference book under every cut-off, with the assumptions on screen."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable

    from apps.demos.finance_pages.desk import Desk
    from verticals.finance.decide.assumptions import Assumptions

APPLICATIONS = 1000  # results are stated for so many


class Economics(NamedTuple):
    """What a loan earns and costs: percent of its amount, and the average amount itself."""

    margin: float
    lgd: float
    cost: float
    exposure: float

    @classmethod
    def shipped(cls) -> Economics:
        """The kit's own assumptions."""
        from verticals.finance.decide.assumptions import read_assumptions

        known = read_assumptions()
        return cls(
            100 * known.margin, 100 * known.lgd, 100 * known.application_cost, known.exposure
        )

    def checked(self) -> Assumptions:
        """As the decisions read them.

        Raises:
            ParameterError: One of them is out of range.
            DataError: One of them is missing.
        """
        from verticals.finance.decide.assumptions import read_assumptions

        if any(value is None or not np.isfinite(value) for value in self):
            raise DataError("an assumption is missing", remedy="Fill in a number of at least 0")
        return read_assumptions(
            margin=self.margin / 100, lgd=self.lgd / 100, application_cost=self.cost / 100,
            exposure=self.exposure,
        )  # fmt: skip


@dataclass(frozen=True)
class Curve:
    """Outcomes by cut-off, (k,) each; profit in currency on `APPLICATIONS` applications.

    Attributes:
        table: cutoff, approval_rate, bad_rate, bads_declined, profit, low, high.
        best: The most profitable cut-off, ripples taken off.
        best_low: Lower end of the 95% interval of where it lies.
        best_high: Upper end.
    """

    table: pd.DataFrame
    best: float
    best_low: float
    best_high: float

    def at(self, cutoff: float) -> pd.Series:
        """The row of the cut-off nearest to one."""
        return self.table.iloc[int((self.table["cutoff"] - cutoff).abs().argmin())]


def curves_of(desk: Desk) -> Callable[[Economics], Curve]:
    """A function from assumptions to the curve of the desk's reference rows.

    It remembers what it drew: curves are the same for everybody and never changed.
    """
    return lru_cache(maxsize=64)(lambda economics: _curve(desk, economics))


def _curve(desk: Desk, economics: Economics) -> Curve:
    from verticals.finance.decide.book import make_book
    from verticals.finance.decide.cutoffs import choose_cutoffs, profit_curve

    assumptions = economics.checked()
    pd_ = desk.reference["pd"].to_numpy(float)
    book = make_book(pd_, desk.reference["target"].to_numpy(int), None, assumptions)
    table = profit_curve(book, assumptions)
    scale = APPLICATIONS * float(book.ead.mean())
    table[["profit", "low", "high"]] *= scale
    best = choose_cutoffs(book, assumptions)[0]
    return Curve(table, best.pd, best.low, best.high)
