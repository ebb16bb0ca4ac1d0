"""The model card (Mitchell et al., 2019) of a credit model, as Markdown."""

from __future__ import annotations

from core.deployment.report import metric_markdown, replay_command
from core.deployment.results import Results
from verticals.finance.explanation import Explained

_CARD = """# Model card: {case}, {champion}

{task_line}

## Intended use
Ranks applicants by probability of default and supports, but does not take, the credit decision.
Not for use on a population that differs from the training book: watch drift against
`reference.parquet` first.

## Data
{source}. {rows} rows, bad rate {bad_rate:.1%}, SHA-256 `{fingerprint}`.
{licence}
Split: {split}; {train_rows} rows train, {public_rows} public, {private_rows} sealed until the end.
Protected columns ({protected}) are used to check fairness and never to score.

## Model
A blend in log-odds of: {members}.
Calibration: {calibration}. The PD interval is the range in which the default rate of
{batch} applicants like this one falls, nine times out of ten.
Reasons are exact path-dependent Shapley values against the average approved applicant.

## Measured
{metrics}

## Limits
- The book holds accepted applicants only: rejected ones may behave differently (reject inference).
- Reasons explain the model, not the borrower.
{draft}- Trained with seed {seed}; versions: {versions}.

## Run again
`{replay}`
"""


def model_card(explained: Explained, results: Results) -> str:
    """The card, every number of which comes from the run's results.

    Args:
        explained: The champion.
        results: Of the same run.
    """
    fitted, data = explained.evaluated.fitted, results.data
    draft = "- **The wording of the reasons is a draft: a person must confirm reasons.yaml.**\n"
    return _CARD.format(
        case=results.case, champion=fitted.champion_name, seed=results.seed,
        task_line="Probability of default of a loan applicant, with its interval and reasons.",
        source=data["source"], rows=data["rows"], bad_rate=data["bad_rate"],
        fingerprint=data["fingerprint"], licence=data["licence"], split=data["split"],
        train_rows=data["train_rows"], public_rows=data["public_rows"],
        private_rows=data["private_rows"],
        protected=", ".join(data["protected"]) or "none declared",
        members=", ".join(f"{m.name} ({m.weight:.2f})" for m in fitted.champion.members),
        calibration=fitted.champion.calibrator.method, batch=fitted.champion.pd_interval.batch,
        metrics=metric_markdown(results), draft=draft if explained.mapping.draft else "",
        versions=", ".join(f"{k} {v}" for k, v in results.versions.items()),
        replay=replay_command(results),
    )  # fmt: skip
