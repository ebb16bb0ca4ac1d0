"""IFRS 9 stages and expected credit losses of a book.

Stage 1 provides for the losses of twelve months, stage 2 (significantly riskier than at
origination) and 3 (in default) for those of the whole life.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from verticals.finance.decide.assumptions import Assumptions
from verticals.finance.decide.book import Book

STEPS = 12  # a year


@dataclass(frozen=True)
class Staging:
    """Stage and losses of every loan.

    Attributes:
        stage: (n,) 1, 2 or 3.
        twelve_months: (n,) 12-month expected credit loss, in currency.
        lifetime: (n,) lifetime expected credit loss.
        origination_assumed: Whether the PD at origination is an assumption.
    """

    stage: np.ndarray
    twelve_months: np.ndarray
    lifetime: np.ndarray
    origination_assumed: bool

    @property
    def provision(self) -> np.ndarray:
        """(n,) what each loan's stage asks for."""
        return np.where(self.stage == 1, self.twelve_months, self.lifetime)


def expected_credit_loss(
    yearly_pd: np.ndarray, ead: np.ndarray, assumptions: Assumptions, *, years: float
) -> np.ndarray:
    """Discounted loss of the coming `years` of a loan whose exposure falls evenly to zero, (n,).

    Default hazard is constant; defaults happen in the middle of a month.

    Args:
        yearly_pd: (n,) PD of one year.
        ead: (n,) exposure today.
        assumptions: LGD, maturity, discount rate.
        years: Capped by the maturity.
    """
    steps = int(np.ceil(STEPS * min(years, assumptions.maturity_years) - 1e-9))
    middle = (np.arange(steps) + 0.5) / STEPS
    left = np.maximum(1 - middle / assumptions.maturity_years, 0)
    weight = left * (1 + assumptions.discount_rate) ** -middle
    alive = 1 - np.minimum(np.asarray(yearly_pd, float), 1 - 1e-12)
    monthly = alive ** (1 / STEPS)
    # Sum over months of survival to the month, times default within it, times the weight.
    total = np.zeros_like(alive)
    surviving = np.ones_like(alive)
    for w in weight:
        total += surviving * (1 - monthly) * w
        surviving = surviving * monthly
    return np.asarray(total * assumptions.lgd * ead)


def stage_loans(
    book: Book,
    assumptions: Assumptions,
    *,
    origination_pd: np.ndarray | None = None,
    in_default: np.ndarray | None = None,
) -> Staging:
    """Stage every loan.

    Significant increase in credit risk (stage 2): today's yearly PD is at least `sicr_ratio`
    times that at origination and `sicr_increase` above it, or beyond `sicr_backstop`. The
    30-days-past-due presumption of IFRS 9, 5.5.11 needs payment records and is not applied.

    Args:
        book: Loans with today's PD.
        assumptions: Thresholds, LGD, maturity.
        origination_pd: (n,) yearly PD when each loan was granted. Where only one PD exists, every
            loan is assumed to have been granted at the book's mean PD.
        in_default: (n,) loans in default today: stage 3, where the loss is LGD × EAD.
    """
    yearly = book.yearly_pd(assumptions)
    assumed = origination_pd is None
    start = np.full(len(book), yearly.mean()) if origination_pd is None else origination_pd
    risen = (yearly >= assumptions.sicr_ratio * start) & (
        yearly - start >= assumptions.sicr_increase
    )
    stage = np.where(risen | (yearly >= assumptions.sicr_backstop), 2, 1)
    year = expected_credit_loss(yearly, book.ead, assumptions, years=1)
    life = expected_credit_loss(yearly, book.ead, assumptions, years=assumptions.maturity_years)
    if in_default is not None:
        stage = np.where(in_default, 3, stage)
        lost = assumptions.lgd * book.ead
        year, life = np.where(in_default, lost, year), np.where(in_default, lost, life)
    return Staging(stage, year, life, assumed)


def staging_table(found: Staging, book: Book) -> pd.DataFrame:
    """Stage, loans, exposure, both expected credit losses, provision and coverage; total last."""
    lines = pd.DataFrame(
        {
            "stage": found.stage.astype(str), "loans": 1, "exposure": book.ead,
            "ecl_12_months": found.twelve_months, "ecl_lifetime": found.lifetime,
            "provision": found.provision,
        }
    )  # fmt: skip
    table = lines.groupby("stage").sum().reset_index()
    total = {"stage": "all", **table.drop(columns="stage").sum().to_dict()}
    table = pd.concat([table, pd.DataFrame([total])], ignore_index=True)
    table["loans"] = table["loans"].astype(int)
    table["coverage"] = table["provision"] / table["exposure"]
    return table
