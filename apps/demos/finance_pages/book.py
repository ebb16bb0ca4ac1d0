"""The reference book under a cut-off: who is approved, who defaults, what it earns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from core.errors import DataError

if TYPE_CHECKING:
    from apps.demos.finance_pages.desk import Desk

APPLICATIONS = 1000  # results are stated for so many


class Economics(NamedTuple):
    """What a loan earns and costs; the first two in percent of its amount."""

    margin: float = 12.0
    lgd: float = 45.0
    cost: float = 30.0
    exposure: float = 3000.0


@dataclass(frozen=True)
class Book:
    """Outcomes by cut-off, (k,) each.

    Attributes:
        cutoffs: PD from which an application is declined.
        approved: Share approved.
        bad: Share of the approved that defaulted; not-a-number where nobody is approved.
        caught: Share of all defaults that were declined.
        profit: Of `APPLICATIONS` applications.
    """

    cutoffs: np.ndarray
    approved: np.ndarray
    bad: np.ndarray
    caught: np.ndarray
    profit: np.ndarray

    def at(self, cutoff: float) -> int:
        """Position of the cut-off nearest to one."""
        return int(np.abs(self.cutoffs - cutoff).argmin())

    @property
    def best(self) -> int:
        """Position of the most profitable cut-off."""
        return int(self.profit.argmax())


def book_of(desk: Desk, economics: Economics) -> Book:
    """The desk's reference rows under every cut-off from 0.5% in steps of 0.5%."""
    if any(value is None or not np.isfinite(value) or value < 0 for value in economics):
        raise DataError("an assumption is missing", remedy="Fill in a number of at least 0")
    pd_ = desk.reference["pd"].to_numpy(float)
    bad = desk.reference["target"].to_numpy(float)
    cutoffs = np.arange(1, 201) / 200
    taken = pd_[None, :] < cutoffs[:, None]
    n, bads = taken.sum(axis=1), (taken * bad).sum(axis=1)
    good = economics.margin / 100 * economics.exposure
    loss = economics.lgd / 100 * economics.exposure
    profit = (n - bads) * good - bads * loss - len(pd_) * economics.cost
    with np.errstate(invalid="ignore"):
        rate = bads / n
    return Book(
        cutoffs, n / len(pd_), rate, 1 - bads / max(bad.sum(), 1), profit * APPLICATIONS / len(pd_)
    )
