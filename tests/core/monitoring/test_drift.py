"""Drift: the index by hand, chance by simulation, lights where a book truly moved."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp

from core.errors import DataError
from core.monitoring.drift import (
    FLOOR,
    drift_table,
    ks_drift,
    light,
    psi,
    psi_of_counts,
    psi_of_noise,
    reference_of,
)


def test_index_by_hand():
    # 50/50 becomes 75/25: 0.25 ln 1.5 - 0.25 ln 0.5
    found = psi_of_counts(np.array([500, 500]), np.array([75, 25]))
    assert found == pytest.approx(0.25 * np.log(1.5) - 0.25 * np.log(0.5))


def test_an_emptied_bin_is_floored_not_infinite():
    found = psi_of_counts(np.array([500, 500]), np.array([100, 0]))
    assert found == pytest.approx(0.5 * np.log(2) + (FLOOR - 0.5) * np.log(FLOOR / 0.5))


def test_deciles_of_the_reference_are_equal_and_quiet():
    values = pd.Series(np.arange(1000.0))
    assert reference_of(values).counts == (*[100] * 10, 0)
    assert psi(values, values) == 0


def test_missing_is_a_bin_of_its_own():
    values = pd.Series(np.arange(1000.0))
    holes = values.where(values % 2 == 0)
    assert psi(values, holes) > 1
    assert psi(holes, holes) == 0


@pytest.mark.parametrize("kind", ["number", "category"])
def test_chance_exceeds_the_noise_one_time_in_twenty(kind):
    rng = np.random.default_rng(0)
    above = 0
    for _ in range(400):
        draw = rng.normal(size=1400) if kind == "number" else rng.choice(list("abcde"), 1400)
        before, now = pd.Series(draw[:1000]), pd.Series(draw[1000:])
        bins = 10 if kind == "number" else 5
        above += psi(before, now) > psi_of_noise(bins, 1000, 400)
    assert 0.02 <= above / 400 <= 0.09


def test_index_does_not_depend_on_scale_or_names():
    rng = np.random.default_rng(1)
    a, b = rng.lognormal(size=3000), rng.lognormal(0.3, size=2000)
    assert psi(a, b) == pytest.approx(psi(np.log(a), np.log(b)), abs=1e-9)


def test_ks_equals_scipy_without_the_missing():
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=300), rng.normal(0.2, size=200)
    found = ks_drift(pd.Series([*a, np.nan]), pd.Series([np.inf, *b]))
    reference = ks_2samp(a, b, method="asymp")
    assert found == pytest.approx((reference.statistic, reference.pvalue))


def test_table_points_at_what_moved():
    rng = np.random.default_rng(3)
    n = 4000
    before = pd.DataFrame(
        {
            "income": rng.lognormal(10, 0.5, n),
            "age": rng.integers(18, 80, n),
            "region": rng.choice(["north", "south"], n),
            "opened": pd.to_datetime("2020-01-01") + pd.to_timedelta(rng.integers(0, 300, n), "D"),
            "flag": rng.random(n) < 0.3,
        }
    )
    now = before.sample(2000, random_state=0).reset_index(drop=True)
    now["income"] *= 1.8
    now["region"] = np.where(rng.random(2000) < 0.3, "west", now["region"])
    table = drift_table(before, now).set_index("column")
    assert table.loc["income", "light"] == "red"
    assert table.loc["region", "new_categories"] == pytest.approx(0.3, abs=0.04)
    assert table.loc["region", "light"] == "red"
    assert (table.loc[["age", "opened", "flag"], "light"] == "green").all()
    assert table.loc["flag", "kind"] == "category"
    assert table["psi"].is_monotonic_decreasing


@pytest.mark.parametrize(
    ("value", "colour"),
    [(0.0, "green"), (0.0999, "green"), (0.1, "amber"), (0.2499, "amber"), (0.25, "red")],
)
def test_lights(value, colour):
    assert light(value) == colour


def test_odd_columns_do_not_stop_the_table():
    frame = pd.DataFrame({"none": [np.nan] * 5, "one": [1.0] * 5, "text": [None] * 5})
    table = drift_table(frame, frame)
    assert (table["psi"] == 0).all()


def test_nothing_to_compare_says_so():
    with pytest.raises(DataError, match="share no column"):
        drift_table(pd.DataFrame({"a": [1]}), pd.DataFrame({"b": [1]}))
    with pytest.raises(DataError, match="both sides"):
        psi(pd.Series([1.0, 2.0]), pd.Series([], dtype=float))
