"""Ranking metrics against scikit-learn's and hand-made lists; means against their formula."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import ndcg_score

from core.evaluation.bootstrap import mean_interval, paired_means, quantile_interval
from core.evaluation.ranking import ndcg, recall, reciprocal_rank


@pytest.mark.parametrize("seed", range(5))
def test_ndcg_is_that_of_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores, relevant = rng.normal(size=30), rng.random(30) < 0.2
    relevant[3] = True
    ranked = np.argsort(-scores)
    ours = ndcg(ranked.tolist(), set(np.flatnonzero(relevant).tolist()), k=10)
    assert ours == pytest.approx(ndcg_score(relevant[None].astype(float), scores[None], k=10))


def test_lists_by_hand() -> None:
    assert reciprocal_rank(["a", "b", "c"], {"c"}) == pytest.approx(1 / 3)
    assert reciprocal_rank(["a", "b", "c"], {"c"}, k=2) == 0
    assert recall(["a", "b", "c"], {"c", "d"}) == 0.5
    assert ndcg([], {"a"}) == 0


def test_a_mean_has_the_interval_of_the_normal_formula() -> None:
    values = np.random.default_rng(0).normal(1, 2, 2_000)
    found = mean_interval(values)
    half = 1.96 * values.std() / np.sqrt(len(values))
    assert found.value == pytest.approx(values.mean())
    assert found.low == pytest.approx(values.mean() - half, abs=0.1 * half)
    assert found.high == pytest.approx(values.mean() + half, abs=0.1 * half)


def test_pairing_sees_a_small_but_steady_difference() -> None:
    rng = np.random.default_rng(1)
    a = rng.normal(0, 5, 500)
    b = a - 0.1 + rng.normal(0, 0.1, 500)
    test = paired_means(a, b)
    assert test.low > 0
    assert test.p_value < 1e-6
    assert paired_means(a, a).difference == 0


def test_a_quantile_has_the_interval_of_its_order_statistics() -> None:
    from scipy.stats import binom

    values = np.sort(np.random.default_rng(0).exponential(size=2_000))
    found = quantile_interval(values, 0.95)
    low, high = (values[int(binom.ppf(share, 2_000, 0.95))] for share in (0.025, 0.975))
    assert found.value == pytest.approx(np.quantile(values, 0.95))
    assert found.low == pytest.approx(low, rel=0.03)
    assert found.high == pytest.approx(high, rel=0.03)
    assert found.n == 2_000
