"""The trap: always slower is safe and worthless. Looking ahead, learning and the outside world."""

import numpy as np
import pytest

from core.errors import ParameterError
from verticals.driving.deciding.evaluation import evaluate, evaluate_policies, fault
from verticals.driving.deciding.lookahead import Foresight, lookahead
from verticals.driving.deciding.outside import Outside
from verticals.driving.deciding.perception_error import DEFAULT
from verticals.driving.deciding.policies import always, network_driver, rule_driver
from verticals.driving.deciding.training import PolicySettings, Shards, train_policy
from verticals.driving.traffic.columns import (
    CAR,
    CULPRIT,
    FASTER,
    GEAR,
    GOAL,
    HEADING,
    IDLE,
    LANE_LEFT,
    LANE_RIGHT,
    OBSTACLE,
    SLOWER,
    D,
    S,
    V,
    X,
    Y,
)  # fmt: skip
from verticals.driving.traffic.environment import State, Traffic
from verticals.driving.traffic.layouts import EMPTY, layout
from verticals.driving.traffic.population import put, set_gear


def test_a_summary_says_more_than_the_return() -> None:
    slow = evaluate("highway", always(SLOWER), range(60)).summary()
    idle = evaluate("highway", always(IDLE), range(60)).summary()
    assert slow["reward"]["value"] > idle["reward"]["value"]
    assert slow["speed"]["value"] < idle["speed"]["value"]
    assert slow["crash_rate"]["high"] < idle["crash_rate"]["low"]


def test_the_rule_driver_keeps_out_of_trouble_on_the_highway() -> None:
    assert evaluate("highway", rule_driver, range(60)).crashed.sum() == 0


def scene(*actors: tuple) -> Traffic:
    traffic = Traffic(layout("highway").changed(traffic=EMPTY, duration=1e9), 1)
    traffic.reset(seed=0)
    for row, (kind, path, s, v) in enumerate(actors):
        put(traffic.records[0], traffic.state.actors[0], row, kind, path, s, 0.0, v)
    set_gear(traffic.records[2], traffic.state.actors[0], traffic.state.world[0])
    traffic.look()
    return traffic


def test_looking_ahead_avoids_what_it_sees_coming() -> None:
    blocked = scene((CAR, 1, 0, 25), (OBSTACLE, 1, 95, 0))
    assert lookahead()(blocked)[0] in {LANE_LEFT, LANE_RIGHT}
    free = scene((CAR, 2, 0, 25))
    assert lookahead()(free)[0] == FASTER


def test_looking_ahead_changes_nothing() -> None:
    traffic = Traffic("intersection", 2)
    traffic.reset(seed=0)
    before = traffic.state.copy()
    lookahead(Foresight(decisions=3))(traffic)
    for name in ("actors", "world", "random"):
        assert np.array_equal(getattr(before, name), getattr(traffic.state, name))


@pytest.mark.parametrize(
    ("ego_v", "other", "blame"),
    [
        (20.0, (-4.0, 0.0, 0.0), "other: hit from behind"),
        (0.0, (3.0, 1.0, 1.5), "other: hit while standing"),
        (20.0, (4.0, 0.0, 0.0), "ego: drove into another"),
    ],
)  # fmt: skip
def test_who_is_to_blame(ego_v: float, other: tuple[float, float, float], blame: str) -> None:
    traffic = scene((CAR, 1, 0, ego_v), (CAR, 1, 0, 20.0))
    state: State = traffic.state
    ahead, left, turned = other
    state.actors[0, 1, [X, Y, HEADING]] = ahead, state.actors[0, 0, Y] + left, turned
    state.world[0, CULPRIT] = 1
    assert fault(state.copy(), state) == blame


@pytest.fixture(scope="module", params=["highway", "intersection"])
def outside(request: pytest.FixtureRequest) -> Outside:
    return Outside(request.param)


def test_highway_env_is_mirrored_faithfully(outside: Outside) -> None:
    outside.reset(7)
    ego, actors = outside.env.vehicle, outside.state.actors[0]
    assert actors[0, [X, Y, V]] == pytest.approx([ego.position[0], -ego.position[1], ego.speed])
    assert abs(actors[0, D]) < 0.1
    assert actors[0, GOAL] == (ego.lane_index[2] if outside.name == "highway" else 2)
    assert outside.state.world[0, GEAR] == ego.speed_index
    others = [v for v in outside.env.road.vehicles if v is not ego]
    nearest = min(others, key=lambda v: np.hypot(*(v.position - ego.position)))
    away = np.hypot(*(nearest.position - ego.position))
    row = outside.seen[0, 1]
    assert np.hypot(row[1] * 50, row[2] * 12) == pytest.approx(away, rel=1e-4)


def test_our_highway_moves_as_highway_env_does() -> None:
    """The ego's speed and lane, alone on the road, after the same actions."""
    outside = Outside("highway")
    outside.reset(3)
    ego = outside.env.vehicle
    outside.env.road.vehicles = [ego]
    outside.mirror()
    ours = scene((CAR, int(outside.state.actors[0, 0, 2]), ego.position[0], ego.speed))
    for action in (FASTER, LANE_RIGHT, LANE_LEFT, SLOWER, SLOWER, LANE_LEFT):
        outside.env.step(action)
        outside.mirror()
        ours.play(np.array([action]))
        there, here = outside.state.actors[0, 0], ours.state.actors[0, 0]
        assert here[V] == pytest.approx(there[V], abs=1e-6)
        assert here[[S, Y]] == pytest.approx(there[[S, Y]], abs=0.1)


def test_a_policy_is_set_beside_the_others() -> None:
    import torch

    from verticals.driving.deciding.network import PolicyNetwork, torch_network

    torch.manual_seed(0)
    weights = {k: v.numpy().copy() for k, v in torch_network().state_dict().items()}
    found = evaluate_policies("motorway", PolicyNetwork(weights, {}), range(20), errors=DEFAULT)
    assert set(found) == {"always slower", "idle", "rule driver", "rule driver, all-seeing",
                          "policy", "rule driver, shield", "policy, shield"}  # fmt: skip
    assert found["idle"]["crash_rate"]["value"] > 0.4 > found["rule driver"]["crash_rate"]["value"]
    judged = found["policy, shield"]["looked_at"]
    assert (
        judged["avoidable"]
        <= judged["collisions"]
        == round(20 * found["policy, shield"]["crash_rate"]["value"])
    )


@pytest.mark.slow
def test_a_policy_learns_more_than_to_crawl() -> None:
    """On an empty bend the quickest way home is faster; a short training finds it."""
    settings = PolicySettings("bend", 16_000, environments=32, rollout=16, batch=256, seed=1,
                              threads=2, comparisons=2, episodes=8)  # fmt: skip
    learned = train_policy(settings)
    driven = evaluate("bend", network_driver(learned.policy), range(8))
    crawling = evaluate("bend", always(SLOWER), range(8))
    assert driven.reward.mean() > crawling.reward.mean() + 1
    assert driven.arrived.all()
    best = max(row["return"] for row in learned.curve)
    assert float(learned.policy.about["score"]) == pytest.approx(best, abs=1e-3)


def test_many_threads_for_few_environments_are_refused() -> None:
    with pytest.raises(ParameterError, match="3 threads"):
        PolicySettings(threads=3, environments=2)


def test_environments_in_parts_are_the_same_environments() -> None:
    whole = Shards(PolicySettings("street", environments=5, threads=1))
    parts = Shards(PolicySettings("street", environments=5, threads=2))
    assert np.array_equal(whole.reset(3), parts.reset(3))
    actions = np.array([0, 1, 2, 3, 4])
    for _ in range(6):
        for one, other in zip(whole.step(actions), parts.step(actions), strict=True):
            assert np.array_equal(one, other)
    assert np.array_equal(whole.advised(rule_driver), parts.advised(rule_driver))
