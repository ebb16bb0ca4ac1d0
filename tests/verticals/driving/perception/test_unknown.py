"""Strangeness on clouds whose shape is known; unknown boxes on logits that are."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import ModelError
from verticals.driving.perception.unknown import (
    Domain,
    fit_domain,
    split_quantile,
)

MEASURES = ("mahalanobis", "neighbours")


def cloud(n: int, seed: int, shift: float = 0.0) -> np.ndarray:
    """A cloud of 64 numbers that really has six directions, as embeddings have."""
    random = np.random.default_rng(seed)
    ways = np.random.default_rng(99).normal(0, 1, (6, 64))
    start = np.random.default_rng(98).normal(0, 3, 64)
    return start + random.normal(shift, 1, (n, 6)) @ ways + random.normal(0, 0.1, (n, 64))


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("false_alarm", [0.01, 0.1])
def test_familiar_images_raise_the_alarm_as_often_as_chosen(
    measure: str, false_alarm: float
) -> None:
    domain = fit_domain(
        cloud(800, 0), validation=cloud(1500, 1), false_alarm=false_alarm, measure=measure
    )
    alarms = (domain.strangeness(cloud(4000, 2)) > 1).mean()
    assert alarms == pytest.approx(false_alarm, rel=0.5, abs=0.004)


@pytest.mark.parametrize("measure", MEASURES)
def test_another_place_and_another_direction_are_strange(measure: str) -> None:
    domain = fit_domain(cloud(800, 0), validation=cloud(500, 1), measure=measure)
    away = cloud(200, 3) + np.random.default_rng(4).normal(0, 4, (200, 64))
    assert (domain.strangeness(away) > 1).mean() > 0.95
    assert np.isinf(domain.strangeness(np.full((1, 64), np.nan)))


def test_the_further_the_stranger_and_scale_does_not_matter() -> None:
    rows = cloud(800, 0)
    domain = fit_domain(rows, validation=cloud(500, 1))
    way = np.random.default_rng(5).normal(0, 1, 64)
    path = rows.mean(axis=0) + np.arange(0, 8)[:, None] * way
    found = domain.strangeness(path)
    assert (np.diff(found) > 0).all()
    assert found[0] < 0.3
    larger = fit_domain(rows * 50, validation=cloud(500, 1) * 50)
    assert larger.strangeness(path * 50) == pytest.approx(found, rel=1e-3)


@pytest.mark.parametrize("measure", MEASURES)
def test_arrays_hold_all_of_it(measure: str) -> None:
    domain = fit_domain(cloud(300, 0), measure=measure)
    arrays = domain.to_arrays()
    assert all(a.dtype == np.float32 for a in arrays.values())
    again = Domain.from_arrays(arrays)
    assert again.strangeness(cloud(50, 1)) == pytest.approx(
        domain.strangeness(cloud(50, 1)), rel=1e-3
    )
    with pytest.raises(ModelError, match="limits"):
        Domain.from_arrays({k: v for k, v in arrays.items() if k != "limits"})


def test_one_embedding_gives_one_number_and_another_length_is_refused() -> None:
    domain = fit_domain(cloud(300, 0))
    one = cloud(1, 1)[0]
    assert float(domain.strangeness(one)) == pytest.approx(float(domain.strangeness(one[None])[0]))
    with pytest.raises(ModelError, match="32 numbers, not 64"):
        domain.strangeness(np.zeros((2, 32)))
    with pytest.raises(ModelError, match="ten finite"):
        fit_domain(cloud(5, 0))


def test_more_numbers_than_images_are_shrunk_not_broken() -> None:
    random = np.random.default_rng(0)
    domain = fit_domain(random.normal(size=(60, 300)), validation=random.normal(size=(200, 300)))
    assert (domain.strangeness(random.normal(size=(500, 300))) > 1).mean() < 0.05


def test_the_quantile_keeps_its_promise() -> None:
    random = np.random.default_rng(0)
    above = [
        (random.normal(size=500) > split_quantile(random.normal(size=60), 0.1)).mean()
        for _ in range(300)
    ]
    assert 0.08 < np.mean(above) <= 0.105
    assert split_quantile(np.array([1.0, 2.0]), 0.001) == 2.0
