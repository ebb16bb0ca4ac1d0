from __future__ import annotations

import numpy as np
import pytest

from core.evaluation.metrics import measure
from verticals.medical.patient.cohort import LABS, RISK, VITALS, make_cohort


@pytest.fixture(scope="module")
def cohort():
    return make_cohort(4000, seed=3)


def test_the_same_seed_makes_the_same_cohort() -> None:
    one, same, other = make_cohort(50, 1), make_cohort(50, 1), make_cohort(50, 2)
    assert one.notes == same.notes
    np.testing.assert_array_equal(one.labs, same.labs)
    np.testing.assert_array_equal(one.outcome, same.outcome)
    assert one.notes != other.notes


def test_shapes_and_shares(cohort) -> None:
    assert cohort.labs.shape == (4000, len(LABS))
    assert cohort.vitals.shape == (4000, len(VITALS))
    assert 0.1 < cohort.outcome.mean() < 0.25
    # Drawn from its own risk: the share is within three standard errors of the mean risk.
    error = np.sqrt((cohort.risk * (1 - cohort.risk)).sum()) / len(cohort)
    assert abs(cohort.outcome.mean() - cohort.risk.mean()) < 3 * error
    assert measure("roc_auc", cohort.outcome, cohort.risk) > 0.82


def test_values_are_those_of_people(cohort) -> None:
    low = dict(zip(VITALS, np.nanmin(cohort.vitals, 0), strict=True))
    high = dict(zip(VITALS, np.nanmax(cohort.vitals, 0), strict=True))
    assert low["age years"] >= 18
    assert high["oxygen saturation %"] <= 100
    assert low["respiratory rate /min"] > 4
    assert (np.nanmin(cohort.labs, 0) > 0).all()


def test_missing_not_at_random(cohort) -> None:
    shares = cohort.summary().set_index("modality")
    # Blood is taken from those who look ill; the frail have no note.
    assert shares.loc["labs", "outcome if missing"] < shares.loc["labs", "outcome if present"]
    assert shares.loc["note", "outcome if missing"] > shares.loc["note", "outcome if present"]
    assert np.isnan(cohort.labs[:, 2]).mean() > 2 * np.isnan(cohort.labs[:, 0]).mean()
    assert not np.isnan(cohort.vitals[:, :2]).any()


def test_notes_say_what_happened_in_varying_words(cohort) -> None:
    told = [n for n in cohort.notes if n]
    assert len(set(told)) > 0.99 * len(told)
    assert not any("{" in n for n in told)
    frail = np.array(["Bed-bound" in n for n in cohort.notes])
    fit = np.array(["Independent in all" in n for n in cohort.notes])
    assert cohort.outcome[frail].mean() > 2 * cohort.outcome[fit].mean()


def test_risk_has_no_term_without_meaning() -> None:
    assert all(weight > 0 for name, weight in RISK.items() if name != "constant")


def test_an_empty_cohort_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        make_cohort(0)
