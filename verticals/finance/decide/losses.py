"""Expected loss and how bad a year can get: PD × LGD × EAD under Vasicek's one-factor model.

Each loan defaults when a mix of one shared factor and its own luck falls below a threshold
(Vasicek, 2002). Given the factor, loans are independent, so the book's loss is nearly normal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from verticals.finance.decide.assumptions import Assumptions
from verticals.finance.decide.book import Book, band_names, band_of

PD_FLOOR = 5e-4  # of other retail exposures, Basel Framework CRE32
FACTORS = 161  # points on which the conditional loss is computed
YEARS = 50_000  # simulated


def retail_correlation(pd_: np.ndarray) -> np.ndarray:
    """Asset correlation of other retail exposures, from 16% for safe to 3% for risky (CRE31).

    Args:
        pd_: (n,) yearly PD.
    """
    weight = -np.expm1(-35 * np.asarray(pd_)) / -np.expm1(-35.0)
    return np.asarray(0.03 * weight + 0.16 * (1 - weight))


def conditional_pd(pd_: np.ndarray, correlation: np.ndarray, quantile: float) -> np.ndarray:
    """PD in a year worse than all but 1 − `quantile` of years, (n,).

    Args:
        pd_: (n,) yearly PD.
        correlation: (n,) of assets with the shared factor.
        quantile: 0.5 is the median year, 0.999 the year Basel's capital is made for.
    """
    from scipy.special import ndtr, ndtri

    root = np.sqrt(correlation)
    return np.asarray(ndtr((ndtri(pd_) + root * ndtri(quantile)) / np.sqrt(1 - correlation)))


def basel_capital(pd_: np.ndarray, lgd: float) -> np.ndarray:
    """Capital of other retail exposures as a share of exposure, (n,): unexpected loss at 99.9%.

    Internal ratings-based formula, Basel Framework CRE31; no maturity adjustment in retail.
    """
    floored = np.maximum(pd_, PD_FLOOR)
    worst = conditional_pd(floored, retail_correlation(floored), 0.999)
    return np.asarray(lgd * (worst - floored))


@dataclass(frozen=True)
class LossDistribution:
    """One year's loss of a book, in currency.

    Attributes:
        expected: Mean.
        losses: (years,) simulated losses, ascending.
    """

    expected: float
    losses: np.ndarray

    def value_at_risk(self, level: float) -> float:
        """Loss that a share `level` of years stays below."""
        return float(np.quantile(self.losses, level))

    def expected_shortfall(self, level: float) -> float:
        """Mean loss of the years beyond `value_at_risk(level)`."""
        return float(self.losses[int(np.ceil(level * len(self.losses))) :].mean())


def loss_distribution(book: Book, assumptions: Assumptions, *, seed: int = 0) -> LossDistribution:
    """Simulate years: the factor, then a normal of the loans' independent luck, cut at zero."""
    from scipy.special import ndtr, ndtri

    yearly = np.maximum(book.yearly_pd(assumptions), 1e-9)
    size = book.ead * assumptions.lgd
    correlation = retail_correlation(yearly)
    threshold = ndtri(yearly) / np.sqrt(1 - correlation)
    pull = np.sqrt(correlation / (1 - correlation))
    mean, spread = np.empty(FACTORS), np.empty(FACTORS)
    grid = np.linspace(-5, 5, FACTORS)
    for i, factor in enumerate(grid):
        p = ndtr(threshold + pull * factor)  # as conditional_pd
        mean[i] = size @ p
        spread[i] = np.sqrt((size**2) @ (p * (1 - p)))
    rng = np.random.default_rng(seed)
    # Stratified draws of the factor: every part of its range, tails included, in proportion.
    factor = ndtri((np.arange(YEARS) + rng.random(YEARS)) / YEARS)
    drawn = np.interp(factor, grid, mean)
    drawn += np.interp(factor, grid, spread) * rng.standard_normal(YEARS)
    return LossDistribution(float(size @ yearly), np.sort(np.maximum(drawn, 0)))


def loss_table(found: LossDistribution, book: Book) -> pd.DataFrame:
    """Measure, amount in currency and share of exposure: expected loss, VaR, shortfall, capital."""
    rows = [("expected loss", found.expected)]
    rows += [(f"value at risk {q:.1%}", found.value_at_risk(q)) for q in (0.95, 0.99, 0.999)]
    rows += [("expected shortfall 99.0%", found.expected_shortfall(0.99))]
    rows += [("economic capital 99.9%", found.value_at_risk(0.999) - found.expected)]
    table = pd.DataFrame(rows, columns=["measure", "amount"])
    table["share"] = table["amount"] / book.ead.sum()
    return table


def loss_curve(found: LossDistribution, book: Book, *, bins: int = 60) -> pd.DataFrame:
    """Histogram of yearly losses up to the 99.95% quantile: loss_share (middle), probability."""
    share = found.losses / book.ead.sum()
    counts, edges = np.histogram(share, bins=bins, range=(0, float(np.quantile(share, 0.9995))))
    return pd.DataFrame(
        {"loss_share": (edges[1:] + edges[:-1]) / 2, "probability": counts / len(share)}
    )


def expected_loss_table(book: Book, assumptions: Assumptions) -> pd.DataFrame:
    """Expected loss by rating band, and of the whole book in the last row.

    Returns:
        band, loans, exposure, pd (weighted by exposure), lgd, expected_loss (one year),
        loss_share, capital (Basel, in currency), and observed (default rate over the horizon).
    """
    yearly = book.yearly_pd(assumptions)
    names = band_names(assumptions.bands)
    lines = pd.DataFrame(
        {
            "band": pd.Categorical.from_codes(band_of(yearly, assumptions.bands), names),
            "loans": 1,
            "exposure": book.ead,
            "weighted": book.ead * yearly,
            "capital": book.ead * basel_capital(yearly, assumptions.lgd),
            "bads": book.target,
        }
    )
    table = lines.groupby("band", observed=True).sum().reset_index()
    table["band"] = table["band"].astype(str)
    total = {"band": "all", **table.drop(columns="band").sum().to_dict()}
    table = pd.concat([table, pd.DataFrame([total])], ignore_index=True)
    table["pd"] = table.pop("weighted") / table["exposure"]
    table["lgd"] = assumptions.lgd
    table["expected_loss"] = table["pd"] * table["lgd"] * table["exposure"]
    table["loss_share"] = table["expected_loss"] / table["exposure"]
    table["observed"] = table.pop("bads") / table["loans"]
    table["loans"] = table["loans"].astype(int)
    order = ["band", "loans", "exposure", "pd", "lgd", "expected_loss", "loss_share", "capital"]
    return table[[*order, "observed"]]
