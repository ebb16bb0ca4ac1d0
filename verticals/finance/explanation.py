"""Why the champion says what it says: importance, reasons, what would change them, checks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.deployment.results import Measurement
from explain.counterfactuals import Change, counterfactuals, number_options
from verticals.finance.entrants.network import NetworkMember
from verticals.finance.model import CreditModel
from verticals.finance.policy import Policy
from verticals.finance.reason_checks import reason_stability, reason_truthfulness
from verticals.finance.reasons import (
    ReasonMapping,
    ReasonText,
    draft_mapping,
    read_mapping,
    reason_table,
    reference_of,
    shipped_mapping,
    silenced,
)
from verticals.finance.stages import Checked, Evaluated

SAMPLE = 2_000  # rows behind importance, and behind the reference applicant
CHECKED = 200  # declined applicants on whom the reasons are put to the test


@dataclass(frozen=True)
class Explained:
    """The champion's reasons, and how far they can be trusted."""

    evaluated: Evaluated
    mapping: ReasonMapping
    policy: Policy
    importance: pd.DataFrame  # feature, importance (mean |log-odds|), share; network beside it
    applicants: pd.DataFrame  # some declined applicants with their reasons
    changes: pd.DataFrame  # what would change the answer of some of them
    measurements: tuple[Measurement, ...]  # how stable and how true the reasons are


def explain(evaluated: Evaluated) -> Explained:
    """Explain the champion on training and held-out rows.

    Args:
        evaluated: What the sealed part said; its `cutoffs` table sets the decisions.

    Raises:
        ParameterError: A column the champion uses has no wording.
    """
    fitted = evaluated.fitted
    checked, parameters = fitted.split.checked, fitted.split.checked.loaded.parameters
    model, roles = fitted.champion, fitted.split.checked.roles
    language = parameters.language
    mapping = (
        read_mapping(parameters.reasons, language)
        if parameters.reasons
        else shipped_mapping(parameters.data, language) or draft_mapping(model.columns, language)
    )
    mapping = silenced(mapping, (*roles.protected, *roles.proxies)).covering(model.columns)
    rng = np.random.default_rng(parameters.seed)
    train = _some(fitted.split.train, SAMPLE, rng)
    frame = checked.frame[list(model.columns)]
    found = model.contributions(frame.iloc[train])
    probability = model.calibrate(found.values.sum(axis=1) + found.base)
    cutoff = float(evaluated.tables["cutoffs"].set_index("rule")["cutoff"]["profit"])
    approved = probability < cutoff
    if not approved.any():  # a cut-off nobody passes: the safest tenth stands in
        approved = probability <= np.quantile(probability, 0.1)
    policy = Policy(cutoff, reference_of(found.values, model.columns, approved))
    importance = _importance(model, found.values)
    network = fitted.entrants.get("network")
    if network is not None:
        shares = _network_importance(network, frame.iloc[train[:500]])
        importance["network"] = importance["feature"].map(shares)
    declined = _declined(model, checked, fitted.split.test, cutoff)
    tried = _some(declined, CHECKED, rng)
    measurements = (
        *reason_truthfulness(
            model, frame.iloc[tried], frame, mapping, policy.reference, seed=parameters.seed
        ),
        *reason_stability(fitted, tried, train[approved], mapping, seed=parameters.seed + 1),
    )
    return Explained(
        evaluated, mapping, policy, importance,
        _applicants(model, checked, declined[:8], mapping, policy),
        _changes(model, checked, declined[:8], mapping, policy),
        measurements,
    )  # fmt: skip


def changes_for(
    model: CreditModel, row: pd.DataFrame, book: pd.DataFrame, mapping: ReasonMapping, cutoff: float
) -> tuple[Change, ...]:
    """What would bring one typed applicant below the cut-off.

    Args:
        model: The champion.
        row: One typed row of the model's columns.
        book: Typed rows that show which values occur.
        mapping: Says which columns may change, and how far.
        cutoff: Probability of default to get below.
    """
    options: dict[str, list[Any]] = {}
    for reason in mapping.reasons:
        for name in reason.features:
            if reason.changeable and name in model.columns and name not in mapping.silent:
                options[name] = _options(reason, book[name], row[name].iloc[0])
    return counterfactuals(row[list(model.columns)], model.pd, options, cutoff)


def _options(reason: ReasonText, values: pd.Series, current: Any) -> list[Any]:
    if pd.api.types.is_numeric_dtype(values):
        return list(
            number_options(
                values, float(current), direction=reason.direction, minimum=reason.minimum,
                maximum=reason.maximum,
            )
        )  # fmt: skip
    return sorted(values.dropna().unique())


def _some(rows: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    return rows if len(rows) <= most else np.sort(rng.choice(rows, most, replace=False))


def _importance(model: CreditModel, values: np.ndarray) -> pd.DataFrame:
    size = np.abs(values).mean(axis=0)
    table = pd.DataFrame({"feature": model.columns, "importance": size, "share": size / size.sum()})
    return table.sort_values("importance", ascending=False, kind="stable").reset_index(drop=True)


def _network_importance(network: CreditModel, frame: pd.DataFrame) -> dict[str, float]:
    """Shares by Captum's integrated gradients, for comparison with the trees."""
    from explain.networks import integrated_gradients

    member = next(m.member for m in network.members if isinstance(m.member, NetworkMember))
    if member.module is None:  # came from the cache as ONNX: no gradients there
        return {}
    matrix = network.pipeline.transform(frame)
    with np.errstate(all="ignore"):
        baseline = np.nan_to_num(np.nanmedian(matrix, axis=0))
    values = network.pipeline.by_raw(integrated_gradients(member.module, matrix, baseline))
    size = np.abs(values).mean(axis=0)
    return dict(zip(network.pipeline.columns, (size / size.sum()).tolist(), strict=True))


def _declined(model: CreditModel, checked: Checked, test: np.ndarray, cutoff: float) -> np.ndarray:
    """Held-out rows that the cut-off declines, closest to it first."""
    probability = model.pd(checked.frame[list(model.columns)].iloc[test])
    order = np.argsort(probability, kind="stable")
    rows = test[order[probability[order] >= cutoff]]
    return rows if len(rows) else test[order[-20:]]


def _applicants(
    model: CreditModel, checked: Checked, rows: np.ndarray, mapping: ReasonMapping, policy: Policy
) -> pd.DataFrame:
    frame = checked.frame[list(model.columns)].iloc[rows]
    found = model.contributions(frame)
    listed = reason_table(found.values, model.columns, mapping, policy.reference)
    probability = model.calibrate(found.values.sum(axis=1) + found.base)
    return pd.DataFrame(
        {
            "row": rows,
            "pd": probability,
            "points": policy.points(probability),
            "principal reasons": ["; ".join(r["text"] for r in row) for row in listed],
        }
    )


def _changes(
    model: CreditModel, checked: Checked, rows: np.ndarray, mapping: ReasonMapping, policy: Policy
) -> pd.DataFrame:
    book = checked.frame[list(model.columns)]
    out = [
        {
            "row": int(row),
            "change": "; ".join(f"{k}: {a} → {b}" for k, (a, b) in change.changes.items()),
            "pd": change.probability,
        }
        for row in rows[:4]
        for change in changes_for(model, book.iloc[[row]], book, mapping, policy.cutoff)
    ]
    return pd.DataFrame(out, columns=["row", "change", "pd"])
