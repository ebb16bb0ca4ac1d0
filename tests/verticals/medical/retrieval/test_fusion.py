"""Reciprocal-rank fusion as the paper defines it."""

from __future__ import annotations

import numpy as np
import pytest

from verticals.medical.retrieval.fusion import reciprocal_rank_fusion


def test_it_sums_reciprocal_ranks_from_one() -> None:
    found = reciprocal_rank_fusion([np.array([0, 1, -1]), np.array([2, -1, 0])])
    assert found == pytest.approx([1 / 61 + 1 / 63, 1 / 62, 1 / 61])


def test_being_in_both_lists_beats_the_top_of_one() -> None:
    both, one = reciprocal_rank_fusion([np.array([9, 0]), np.array([9, -1])])
    assert both > one
