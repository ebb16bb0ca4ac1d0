"""The smallest changes after which the policy's suggestion would be better, scored by the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from apps.demos.finance_pages.desk import Desk
    from verticals.finance.reasons import ReasonText

MOST_CHOICES = 12  # values tried of a category


@dataclass(frozen=True)
class Found:
    """New values of one or two fields, and what the model then answers."""

    values: Mapping[str, Any]
    pd: float
    decision: str


def changeable(desk: Desk) -> dict[str, ReasonText]:
    """The fields an applicant can change, as the bundle's reasons name them."""
    if desk.mapping is None:
        return {}
    names = {field.name for field in desk.fields}
    return {
        name: reason
        for reason in desk.mapping.reasons
        for name in reason.features
        if reason.changeable and name in names and name not in desk.mapping.silent
    }


def find_changes(desk: Desk, applicant: Mapping[str, Any], decision: str) -> list[Found]:
    """Up to three changes that lead to "approve", or else from "decline" to "refer".

    The policy approves once the whole interval lies below the cut-off, and refers once its lower
    end does: these ends are what is searched on.

    Args:
        desk: The opened bundle.
        applicant: Values of the form.
        decision: What the policy suggests now.
    """
    from explain.counterfactuals import counterfactuals

    row = pd.DataFrame([{field.name: applicant.get(field.name) for field in desk.fields}])
    options = {
        name: _options(desk, name, reason, applicant.get(name))
        for name, reason in changeable(desk).items()
    }
    for end in ("pd_high", "pd_low") if decision == "decline" else ("pd_high",):
        changes = counterfactuals(row, _end(desk, end), options, desk.cutoff)
        if changes:
            return [
                _answered(desk, row, {n: new for n, (_, new) in c.changes.items()}) for c in changes
            ]
    return []


def _end(desk: Desk, name: str) -> Callable[[pd.DataFrame], np.ndarray]:
    """One end of the interval as a function of rows."""
    return lambda rows: desk.predictor.predict_table(rows, reasons=False)[name].to_numpy(float)


def _options(desk: Desk, name: str, reason: ReasonText, now: Any) -> list[Any]:
    """Values a field may move to; none for a number that is not known."""
    from explain.counterfactuals import number_options

    field = next(f for f in desk.fields if f.name == name)
    if field.kind == "yesno":
        return [not now]
    if field.kind == "choice":
        return list(field.choices[:MOST_CHOICES])
    if field.kind != "number" or now is None or name not in desk.reference:
        return []
    known = pd.to_numeric(desk.reference[name], errors="coerce")
    return number_options(
        known, float(now), direction=reason.direction, minimum=reason.minimum,
        maximum=reason.maximum,
    )  # fmt: skip


def _answered(desk: Desk, row: pd.DataFrame, values: dict[str, Any]) -> Found:
    """The model's whole answer to the changed row."""
    changed = pd.DataFrame([row.iloc[0].to_dict() | values])
    answer = desk.predictor.predict_table(changed, reasons=False).iloc[0]
    return Found(values, float(answer["pd"]), str(answer["decision"]))
