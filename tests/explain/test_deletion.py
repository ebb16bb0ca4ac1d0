"""The test of explanations tells true weights from wrong ones."""

from __future__ import annotations

import numpy as np
import pytest

from explain.deletion import deletion_test

VALUES = np.array([5.0, 0.0, 0.0, 0.0, 4.0, 0.0, 0.0, 0.0])


def worth(kept: np.ndarray) -> float:
    """A sum: its true weights are the values."""
    return float(VALUES[kept].sum())


def test_true_weights_beat_chance() -> None:
    found = deletion_test(worth, VALUES, draws=200)
    assert (found.whole, found.heaviest) == (9.0, 0.0)
    assert found.as_bad < 0.1  # one of 28 pairs is the right one
    # Two of eight parts are gone on average.
    assert found.random == pytest.approx(9 * 6 / 8, abs=0.6)


def test_wrong_weights_do_not() -> None:
    found = deletion_test(worth, -VALUES, draws=200)
    assert found.heaviest == 9.0
    assert found.as_bad == 1.0


def test_one_part_is_taken_at_least_and_nothing_is_scored_twice() -> None:
    asked: list[bytes] = []

    def counted(kept: np.ndarray) -> float:
        asked.append(kept.tobytes())
        return float(kept.sum())

    found = deletion_test(counted, np.array([1.0, 2.0, 3.0]), share=0.1)
    assert found.heaviest == 2.0
    assert len(asked) == len(set(asked)) == 4
