"""Shares and rates with exact intervals, against published values."""

from __future__ import annotations

import pytest

from core.evaluation.bootstrap import rate_interval, share_interval


def test_rates_as_in_the_tables_of_garwood() -> None:
    # Exact limits of a Poisson count (Garwood, 1936; Ulm, 1990): 0: 0-3.689, 10: 4.795-18.390.
    none, ten = rate_interval(0, 1.0), rate_interval(10, 1.0)
    assert (none.low, none.high) == pytest.approx((0.0, 3.689), abs=1e-3)
    assert (ten.low, ten.high) == pytest.approx((4.795, 18.390), abs=1e-3)


def test_more_exposure_narrows_a_rate() -> None:
    short, long = rate_interval(2, 1.0), rate_interval(20, 10.0)
    assert short.value == long.value == 2.0
    assert long.high - long.low < short.high - short.low


def test_a_share_is_wilsons() -> None:
    found = share_interval(15, 50)
    assert (found.value, found.low, found.high) == pytest.approx((0.3, 0.191, 0.438), abs=5e-4)
