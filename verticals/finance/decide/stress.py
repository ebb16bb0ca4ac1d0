"""The same book in worse economies: expected loss, stages and provisions by named scenario."""

from __future__ import annotations

import numpy as np
import pandas as pd

from verticals.finance.decide.assumptions import Assumptions, Scenario
from verticals.finance.decide.book import Book
from verticals.finance.decide.losses import conditional_pd, retail_correlation
from verticals.finance.decide.staging import stage_loans


def stressed_pd(yearly_pd: np.ndarray, scenario: Scenario) -> np.ndarray:
    """Yearly PD under a scenario, (n,): Vasicek's conditional PD, or shifted log-odds.

    Args:
        yearly_pd: (n,) PD of one year.
        scenario: What happens to the economy.
    """
    from scipy.special import expit, logit

    if not scenario.stressed:
        return np.asarray(yearly_pd, float)
    p = np.clip(yearly_pd, 1e-9, 1 - 1e-9)
    if scenario.logit_shift is not None:
        return np.asarray(expit(logit(p) + scenario.logit_shift))
    return conditional_pd(p, retail_correlation(p), float(scenario.quantile or 0.5))


def stress_table(book: Book, assumptions: Assumptions) -> pd.DataFrame:
    """What each scenario does to the book.

    A loan's PD at origination stays the book's mean PD of today, so a recession moves loans to
    stage 2. Losses over the first scenario are given in `times_first`.

    Returns:
        scenario, pd (mean, yearly), lgd, expected_loss (one year, currency), loss_share,
        stage_2 (share of exposure), provision (currency), times_first, source.
    """
    yearly = book.yearly_pd(assumptions)
    origin = np.full(len(book), yearly.mean())
    rows: list[dict[str, object]] = []
    first = 0.0
    for name, scenario in assumptions.scenarios.items():
        p = stressed_pd(yearly, scenario)
        lgd = min(assumptions.lgd * scenario.lgd_factor, 1.0)
        world = assumptions.model_copy(update={"lgd": lgd, "horizon_years": 1.0})
        staged = stage_loans(Book(p, book.target, book.ead), world, origination_pd=origin)
        loss = float(lgd * (p @ book.ead))
        first = first or loss
        rows.append(
            {
                "scenario": name, "pd": float(p.mean()), "lgd": lgd, "expected_loss": loss,
                "loss_share": loss / float(book.ead.sum()),
                "stage_2": float(book.ead[staged.stage == 2].sum() / book.ead.sum()),
                "provision": float(staged.provision.sum()),
                "times_first": loss / first,
                "source": scenario.source,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)
