"""What a rating band has to pay, and how much it may borrow."""

from __future__ import annotations

import numpy as np
import pandas as pd

from verticals.finance.decide.assumptions import Assumptions
from verticals.finance.decide.book import Book, band_names, band_of
from verticals.finance.decide.losses import basel_capital


def capital_need(yearly_pd: np.ndarray, assumptions: Assumptions) -> np.ndarray:
    """Capital per unit of exposure, (n,): Basel's, scaled from 8% to the capital ratio asked."""
    return np.asarray(basel_capital(yearly_pd, assumptions.lgd) * assumptions.capital_ratio / 0.08)


def break_even_rate(yearly_pd: np.ndarray, assumptions: Assumptions) -> np.ndarray:
    """Yearly interest rate at which a loan covers all it costs, (n,).

    Over a year, (1 − PD)(1 + rate) + PD (1 − LGD) = 1 + cost, where cost is funding, servicing
    and the return on capital above funding.

    Args:
        yearly_pd: (n,) PD of one year.
        assumptions: Rates, LGD, hurdle.
    """
    p = np.asarray(yearly_pd, float)
    over = max(assumptions.hurdle_rate - assumptions.funding_rate, 0)
    cost = (
        assumptions.funding_rate + assumptions.operating_cost + capital_need(p, assumptions) * over
    )
    return np.asarray((cost + p * assumptions.lgd) / np.maximum(1 - p, 1e-9))


def limit_of(yearly_pd: np.ndarray, assumptions: Assumptions) -> np.ndarray:
    """Largest exposure, (n,) in currency: the loss budget over PD × LGD, at most `most_limit`."""
    loss = np.maximum(np.asarray(yearly_pd, float) * assumptions.lgd, 1e-12)
    return np.minimum(assumptions.loss_budget / loss, assumptions.most_limit)


def pricing_table(book: Book, assumptions: Assumptions, *, cutoff: float) -> pd.DataFrame:
    """Rate and limit by rating band of the book.

    Args:
        book: Loans with their PD.
        assumptions: Rates and budgets.
        cutoff: PD of the observed horizon from which applications are declined.

    Returns:
        band, loans, pd (mean, yearly), rate and what it is made of (funding, operating,
        expected_loss, capital_charge, and survival: what defaulted loans no longer pay), limit
        (currency, rounded down to hundreds) and decision: approve, part or decline.
    """
    yearly, names = book.yearly_pd(assumptions), band_names(assumptions.bands)
    band = band_of(yearly, assumptions.bands)
    rows = []
    for i, name in enumerate(names):
        inside = band == i
        if not inside.any():
            continue
        p = np.array([yearly[inside].mean()])
        taken = book.pd[inside] < cutoff
        over = max(assumptions.hurdle_rate - assumptions.funding_rate, 0)
        parts = {
            "funding": assumptions.funding_rate,
            "operating": assumptions.operating_cost,
            "expected_loss": float(p[0] * assumptions.lgd),
            "capital_charge": float(capital_need(p, assumptions)[0] * over),
        }
        rate = float(break_even_rate(p, assumptions)[0])
        decision = "approve" if taken.all() else "part" if taken.any() else "decline"
        limit = 100 * np.floor(limit_of(p, assumptions)[0] / 100)
        rows.append(
            {
                "band": name, "loans": int(inside.sum()), "pd": float(p[0]), "rate": rate, **parts,
                "survival": rate - sum(parts.values()),
                "limit": float(limit) if taken.any() else 0.0, "decision": decision,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)
