"""Explanations of decisions: known policies are read rightly, weights add up, deletion confirms."""

import numpy as np
import pytest

from core.errors import ParameterError
from verticals.driving.deciding.why import explain_decision, explain_policy
from verticals.driving.traffic.columns import ACTIONS, SLOWER
from verticals.driving.traffic.environment import Traffic
from verticals.driving.traffic.roads import Floats
from verticals.driving.traffic.seeing import EGO_FEATURES, FEATURES

AHEAD, LEFT, CLOSING = FEATURES.index("ahead"), FEATURES.index("left"), FEATURES.index("v_ahead")


def cautious(seen: Floats) -> Floats:
    """Slows for what is close in front in its lane, and for nothing else."""
    others = np.asarray(seen, float)[:, 1:]
    near = (others[..., 0] > 0) & (np.abs(others[..., LEFT]) < 0.15) & (others[..., AHEAD] > 0)
    worst = np.where(near, np.clip(1 - others[..., AHEAD], 0, 1), 0.0).max(axis=1)
    chance = 0.05 + 0.9 * worst
    out = np.repeat((1 - chance)[:, None] / (len(ACTIONS) - 1), len(ACTIONS), axis=1)
    out[:, SLOWER] = chance
    return out


@pytest.fixture(scope="module")
def observations() -> np.ndarray:
    return Traffic("motorway", 32).reset(seed=0)[0]


@pytest.fixture
def blocked(observations: np.ndarray) -> np.ndarray:
    seen = observations[0].copy()
    seen[1:] = 0
    seen[1, [0, AHEAD, LEFT, CLOSING]] = 1, 0.2, 0.0, -0.5
    seen[2, [0, AHEAD, LEFT]] = 1, 0.2, 0.6
    seen[3, [0, AHEAD, LEFT]] = 1, -0.4, 0.0
    return seen


def test_the_car_in_the_way_is_what_it_slows_for(
    blocked: np.ndarray, observations: np.ndarray
) -> None:
    why = explain_decision(cautious, blocked, observations)
    assert why.action == "SLOWER"
    assert (why.parts[0].row, why.parts[0].name) == (1, "the car 10 m ahead")
    assert all(abs(part.weight) < 1e-9 for part in why.parts[1:])
    assert why.sentence() == "SLOWER (77%), because of the car 10 m ahead"
    row = why.certificate.iloc[0]
    assert row["sum misses by"] < 1e-9
    assert row["without the heaviest"] < row["without as many at random"] < row["whole"]
    assert row["random as bad"] < 0.5


def test_only_places_are_read_by_a_policy_that_reads_only_places(
    blocked: np.ndarray, observations: np.ndarray
) -> None:
    found = explain_policy(cautious, blocked[None], observations).set_index("part")
    effect = found["mean absolute effect"]
    assert effect.index[0] in {"how far ahead others are", "how far aside others are"}
    assert effect["how fast others move"] < 1e-9
    assert effect["own speed"] < 1e-9


def test_every_number_belongs_to_one_part() -> None:
    from verticals.driving.deciding.why import EGO_PARTS, OTHER_PARTS

    assert sorted(sum(EGO_PARTS.values(), ())) == sorted(EGO_FEATURES)
    assert sorted(sum(OTHER_PARTS.values(), ())) == sorted(FEATURES[1:])


def test_a_batch_is_refused(observations: np.ndarray) -> None:
    with pytest.raises(ParameterError, match="2 dimensions"):
        explain_decision(cautious, observations, observations)
