"""All decisions on a judged book, as tables.

Names and what they hold: `assumptions`; `cutoffs` (rules on held-out applications);
`profit_curve`; `expected_loss` (by band); `loss` (VaR, shortfall, capital); `loss_curve`;
`staging` (IFRS 9); `stress` (by scenario); `pricing` (rate and limit by band); `warnings`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from verticals.finance.decide.assumptions import Assumptions, read_assumptions
from verticals.finance.decide.book import Book, make_book
from verticals.finance.decide.cutoffs import choose_cutoffs, cutoff_table, profit_curve
from verticals.finance.decide.losses import (
    expected_loss_table,
    loss_curve,
    loss_distribution,
    loss_table,
)
from verticals.finance.decide.pricing import pricing_table
from verticals.finance.decide.staging import stage_loans, staging_table
from verticals.finance.decide.stress import stress_table

if TYPE_CHECKING:
    from verticals.finance.stages import Evaluated, Fitted


def decide(evaluated: Evaluated, assumptions: Assumptions | None = None) -> dict[str, pd.DataFrame]:
    """Every decision table for the champion.

    Cut-offs are chosen on out-of-fold scores of the training part and judged on the test part.

    Args:
        evaluated: The judged competition.
        assumptions: By default the shipped ones.
    """
    assumptions = assumptions or read_assumptions()
    fitted = evaluated.fitted
    checked = fitted.split.checked
    test = fitted.split.test
    probability = fitted.champion.pd(checked.frame.iloc[test])
    return decision_tables(
        past_book(fitted, assumptions), held_out_book(fitted, probability, assumptions),
        assumptions, seed=checked.loaded.parameters.seed,
    )  # fmt: skip


def past_book(fitted: Fitted, assumptions: Assumptions) -> Book:
    """Training applications with the champion's out-of-fold PD."""
    score = fitted.oof[fitted.champion_name].to_numpy(float)
    known = ~np.isnan(score)
    rows = fitted.split.train[known]
    return _book(fitted, rows, fitted.champion.calibrate(score[known]), assumptions)


def held_out_book(fitted: Fitted, probability: np.ndarray, assumptions: Assumptions) -> Book:
    """Test applications with the champion's PD, (n,), in the order of `split.test`."""
    return _book(fitted, fitted.split.test, probability, assumptions)


def _book(
    fitted: Fitted, rows: np.ndarray, probability: np.ndarray, assumptions: Assumptions
) -> Book:
    checked = fitted.split.checked
    name = checked.roles.exposure
    exposure = None if name is None else checked.frame[name].iloc[rows]
    return make_book(probability, checked.target[rows], exposure, assumptions)


def decision_tables(
    past: Book, held_out: Book, assumptions: Assumptions, *, seed: int = 0
) -> dict[str, pd.DataFrame]:
    """The tables of this module's docstring.

    Args:
        past: Applications on which cut-offs are chosen.
        held_out: Applications on which everything is shown.
        assumptions: What data cannot tell.
        seed: Of resamples and simulated years.
    """
    cutoffs = choose_cutoffs(past, assumptions, seed=seed)
    losses = loss_distribution(held_out, assumptions, seed=seed)
    staged = stage_loans(held_out, assumptions)
    return {
        "assumptions": assumptions.table(),
        "cutoffs": cutoff_table(cutoffs, held_out, assumptions, seed=seed),
        "profit_curve": profit_curve(held_out, assumptions, seed=seed),
        "expected_loss": expected_loss_table(held_out, assumptions),
        "loss": loss_table(losses, held_out),
        "loss_curve": loss_curve(losses, held_out),
        "staging": staging_table(staged, held_out),
        "stress": stress_table(held_out, assumptions),
        "pricing": pricing_table(held_out, assumptions, cutoff=cutoffs[0].pd),
        "warnings": warnings_of(staged.origination_assumed),
    }


def warnings_of(origination_assumed: bool) -> pd.DataFrame:
    """What the data cannot support, in words: kind, severity, detail, remedy."""
    rows = [("reject inference", "warning", *_REJECTS), ("outcome horizon", "info", *_HORIZON)]
    if origination_assumed:
        rows.append(("origination PD", "info", *_ORIGINATION))
    return pd.DataFrame(rows, columns=["kind", "severity", "detail", "remedy"])


_REJECTS = (
    (
        "Outcomes exist for accepted loans only. Among applicants declined in the past the model "
        "extrapolates, and its accuracy there is unknown"
    ),
    (
        "Accept a small random share below the cut-off, or buy bureau outcomes of declined "
        "applicants; do not lend far beyond past policy on these numbers"
    ),
)
_HORIZON = (
    "A loan counts as good if it was good when the data was drawn; young loans may still fail",
    "Use loans old enough for their outcome to be final",
)
_ORIGINATION = (
    "Only one PD a loan exists, so all are staged as if granted at the book's mean PD",
    "Give each loan's PD at origination to stage_loans",
)
