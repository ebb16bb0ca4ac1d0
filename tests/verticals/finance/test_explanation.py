"""What the champion says about itself, on a book whose truth is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from explain.trees import Contributions
from verticals.finance.explanation import Explained, changes_for, explain
from verticals.finance.model import CreditModel
from verticals.finance.reason_checks import reason_stability, reason_truthfulness
from verticals.finance.reasons import ReasonMapping, draft_mapping
from verticals.finance.stages import Evaluated, Fitted

MAPPING = ReasonMapping.from_yaml(
    """
draft: false
reasons:
- {code: R1, features: [income], en: Low income, zh: 收入低, changeable: true, direction: higher}
- {code: R2, features: [debt], en: High debt, zh: 负债高, changeable: true, direction: lower,
   minimum: -1}
- {code: R3, features: [job], en: Job, zh: 工作}
"""
)


@pytest.fixture(scope="module")
def explained(small_evaluated: Evaluated) -> Explained:
    return explain(small_evaluated)


def test_importance_finds_what_matters(explained: Explained) -> None:
    table = explained.importance
    assert set(table["feature"]) == {"income", "debt", "job"}
    assert table["share"].sum() == pytest.approx(1)
    assert table["share"].is_monotonic_decreasing
    assert set(table["feature"][:2]) == {"income", "debt"}


def test_contributions_sum_to_the_score(small_fitted: Fitted) -> None:
    model, frame = small_fitted.champion, small_fitted.split.checked.frame
    found = model.contributions(frame)
    total = found.values.sum(axis=1) + found.base
    np.testing.assert_allclose(total, model.score(frame), atol=1e-9)


def test_the_protected_column_is_never_named(explained: Explained) -> None:
    assert "sex" in explained.mapping.silent
    assert not explained.applicants["principal reasons"].str.contains("Sex").any()
    assert not explained.changes["change"].str.contains("sex").any()


def test_checks_come_beside_a_baseline(explained: Explained) -> None:
    found = {m.metric: m for m in explained.measurements}
    assert set(found) == {"reason_truthfulness", "reason_stability", "reason_set_stability"}
    for m in found.values():
        assert m.low is not None
        assert m.high is not None
        assert 0 <= m.low <= m.value <= m.high <= 1
    truth = found["reason_truthfulness"]
    assert truth.baseline is not None
    assert truth.value > 0.9
    assert truth.value > truth.baseline


class Liar:
    """Scores by income, and says that it was the job."""

    def __init__(self, model: CreditModel) -> None:
        self.columns = model.columns

    def score(self, frame: pd.DataFrame) -> np.ndarray:
        return -frame["income"].fillna(0).to_numpy(float)

    def contributions(self, frame: pd.DataFrame) -> Contributions:
        values = np.zeros((len(frame), len(self.columns)))
        values[:, self.columns.index("job")] = 1.0
        return Contributions(values, 0.0)


def test_a_model_that_lies_about_its_reasons_is_caught(small_fitted: Fitted) -> None:
    liar = Liar(small_fitted.champion)
    frame = small_fitted.split.checked.frame[list(liar.columns)]
    (found,) = reason_truthfulness(liar, frame.iloc[:100], frame, MAPPING, {})  # type: ignore[arg-type]
    assert found.value == 0
    assert found.baseline is not None
    assert found.baseline > 0.1  # income, drawn as the other reason half of the time, does move it


def test_no_reasons_make_no_claim(small_fitted: Fitted) -> None:
    model = small_fitted.champion
    frame = small_fitted.split.checked.frame[list(model.columns)]
    far = dict.fromkeys(model.columns, 100.0)  # nobody is above such a reference
    assert reason_truthfulness(model, frame.iloc[:20], frame, MAPPING, far) == ()


def test_stability_is_repeatable_and_honest_about_members_it_cannot_refit(
    small_fitted: Fitted,
) -> None:
    rows, usual = small_fitted.split.test[:80], small_fitted.split.train[:200]
    found = reason_stability(small_fitted, rows, usual, MAPPING, seed=3)
    assert found == reason_stability(small_fitted, rows, usual, MAPPING, seed=3)
    assert found[0].value >= found[1].value  # a set that stays keeps its first less often than not
    stranger = replace(small_fitted.champion.members[0], name="a client's own")
    champion = replace(small_fitted.champion, members=(stranger,))
    changed = replace(small_fitted, champion=champion)
    assert reason_stability(changed, rows, usual, MAPPING, seed=3) == ()


def test_changes_respect_direction_and_limits(small_fitted: Fitted) -> None:
    model, book = small_fitted.champion, small_fitted.split.checked.frame
    names = list(model.columns)
    pd_ = model.pd(book[names])
    for row in np.argsort(-pd_)[20:60:8]:
        one = book[names].iloc[[row]]
        for change in changes_for(model, one, book, MAPPING, 0.35):
            assert set(change.changes) <= {"income", "debt"}
            again = one.copy()
            for name, (before, after) in change.changes.items():
                if name == "income" and not np.isnan(before):
                    assert after > before
                if name == "debt":
                    assert -1 <= after < before
                again[name] = after
            assert model.pd(again)[0] == pytest.approx(change.probability)
            assert change.probability < 0.35


def test_wording_may_be_a_draft_but_not_absent(small_fitted: Fitted) -> None:
    mapping = draft_mapping(small_fitted.champion.columns)
    assert mapping.draft
    assert mapping.covering(small_fitted.champion.columns) is mapping
